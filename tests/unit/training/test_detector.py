from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from pydantic import ValidationError
from sklearn.metrics import roc_auc_score

from assistant.calibration import load_calibrator
from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import read_delta
from assistant.errors import ConfigError, TrainingError
from assistant.evaluation.face_manifest import read_manifest
from assistant.training.augmentation import Augmentation, augment
from assistant.training.degradation import Degradation, degrade
from assistant.training.detector import train_detector
from assistant.training.detector_config import ExpertConfig, ReadOutConfig, load_config
from assistant.training.face_cache import CropCache
from assistant.training.read_out import TrainingSet, scores, train_read_outs
from assistant.training.splits import balanced_weights, part_of
from assistant.training.tuning_run import train_layer_norms
from assistant.types import CropSpec
from tests.drawn import MiddleFinder


def run(project, finder=None, out="d.safetensors"):
    seen = []
    report = train_detector(
        load_config(project / "c.yaml"),
        project / "base.safetensors",
        finder or MiddleFinder(),
        work=project / "work",
        output=project / out,
        progress=lambda *a: seen.append(a),
    )
    return report, seen


def test_manifest_to_a_detector_that_tells_stripes(project):
    (project / "work").mkdir()
    report, seen = run(project)
    assert report["test"]["drawn"]["auroc"] > 0.9
    assert report["self_blended"] > 0
    assert {what for what, *_ in seen} >= {"crops", "member 1", "member 2"}
    detector = ClipLnDetector.load(project / "base.safetensors", project / "d.safetensors")
    calibrator = load_calibrator(project / "d.safetensors")
    assert detector.depth == 2
    low, high = calibrator.calibrate(detector.logits([np.zeros((42, 42, 3), np.uint8)])[0]).interval
    assert 0 <= low <= high <= 1

    finder = MiddleFinder()
    again, _ = run(project, finder, out="e.safetensors")
    assert finder.calls == 0  # everything was kept
    assert (project / "d.safetensors").read_bytes() == (project / "e.safetensors").read_bytes()
    assert again == report


def test_the_published_recipe_from_manifest_to_a_detector(project, layout):
    (project / "work").mkdir()
    config = yaml.safe_load((project / "c.yaml").read_text())
    tuning = {"epochs": 2, "batch": 32, "learning_rate": 0.02, "warm_up_epochs": 0}
    (project / "c.yaml").write_text(
        yaml.safe_dump({**config, "recipe": "layer-norms", "tuning": tuning})
    )
    report = train_layer_norms(
        load_config(project / "c.yaml"),
        project / "base.safetensors",
        MiddleFinder(),
        work=project / "work",
        output=project / "ln.safetensors",
        progress=lambda *a: None,
    )
    assert len(report["validation_auroc"]) == 2
    detector = ClipLnDetector.load(project / "base.safetensors", project / "ln.safetensors")
    assert detector.depth == layout.layers
    assert np.isfinite(detector.logits([np.zeros((42, 42, 3), np.uint8)])).all()
    assert len(read_delta(project / "ln.safetensors").norms) == 2 * (2 * layout.layers + 1)


def test_augmentation_is_seeded_and_keeps_the_shape():
    crop = np.random.default_rng(0).integers(0, 255, (42, 42, 3)).astype(np.uint8)
    before = crop.copy()
    one, same, other = (augment(crop, np.random.default_rng(s))[0] for s in (1, 1, 2))
    assert one.shape == crop.shape
    assert one.dtype == np.uint8
    assert (one == same).all()
    assert (one != other).any()
    assert (crop == before).all()


def test_sharpening_and_noise_are_off_unless_asked_for():
    crop = np.random.default_rng(0).integers(90, 160, (42, 42, 3)).astype(np.uint8)
    nothing = {"mirror": 0, "affine": 0, "blur": 0, "downscale": 0, "jitter": 0, "jpeg": 0}
    assert (augment(crop, np.random.default_rng(0), Augmentation(**nothing))[0] == crop).all()
    sharp, _ = augment(crop, np.random.default_rng(0), Augmentation(**nothing, sharpen=1.0))
    assert sharp.std() > 1.1 * crop.std()
    flat = np.full_like(crop, 128)
    noisy, _ = augment(flat, np.random.default_rng(0), Augmentation(**nothing, noise=1.0))
    assert 0.5 <= noisy.std() <= 8
    assert abs(float(noisy.mean()) - 128) < 1


def test_a_degraded_crop_is_seeded_and_loses_its_detail():
    crop = np.random.default_rng(0).integers(0, 255, (42, 42, 3)).astype(np.uint8)
    before = crop.copy()
    one, same, other = (degrade(crop, np.random.default_rng(s), Degradation()) for s in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()
    assert (crop == before).all()
    only = dict.fromkeys(("downscale", "blur", "noise", "jpeg"), 0.0)
    detail = float(crop.std())
    for name in ("downscale", "blur"):
        how = Degradation(**{**only, name: 1.0})
        assert degrade(crop, np.random.default_rng(0), how).std() < detail
    assert (degrade(crop, np.random.default_rng(0), Degradation(**only)) == crop).all()
    flat = np.full_like(crop, 128)
    noisy = degrade(flat, np.random.default_rng(0), Degradation(**{**only, "noise": 1.0}))
    assert 2 <= noisy.std() <= 12


def test_a_mask_moves_with_its_crop():
    crop = np.zeros((42, 42, 3), np.uint8)
    crop[10:20, 5:15] = 255
    mask = (crop[..., 0] > 0).astype(np.float32)
    still = Augmentation(blur=0, downscale=0, jitter=0, jpeg=0)
    for seed in range(5):
        changed, moved = augment(crop, np.random.default_rng(seed), still, mask)
        assert np.abs(changed[..., 0] / 255.0 - moved).max() < 0.05
        assert not (moved == mask).all()


def test_an_interrupted_crop_cache_goes_on_where_it_stopped(project):
    rows = read_manifest(project / "m.csv")
    finder = MiddleFinder()
    spec = CropSpec(size=42)
    first = CropCache(project, rows, spec)
    first.fill(finder, limit=100, progress=lambda *a: None)
    second = CropCache(project, rows, spec)
    assert second.done == 100
    second.fill(finder, limit=150, progress=lambda *a: None)
    assert finder.calls == 150
    whole = CropCache(project / "other", rows, spec)
    whole.fill(MiddleFinder(), limit=150, progress=lambda *a: None)
    assert (np.asarray(second.crops[:150]) == np.asarray(whole.crops[:150])).all()


def test_crops_of_two_face_finders_are_never_mixed(project):
    rows = read_manifest(project / "m.csv")
    CropCache(project, rows, CropSpec(size=42)).fill(
        MiddleFinder(), limit=10, progress=lambda *a: None
    )

    class Other(MiddleFinder):
        name = "other"

    with pytest.raises(TrainingError, match="'middle', not with 'other'"):
        CropCache(project, rows, CropSpec(size=42)).fill(
            Other(), limit=20, progress=lambda *a: None
        )


def test_a_broken_picture_does_not_stop_the_cache(project):
    for i in range(0, 60):
        (project / f"{i}.png").write_bytes(b"broken")
    cache = CropCache(project, read_manifest(project / "m.csv"), CropSpec(size=42))
    cache.fill(MiddleFinder(), limit=420, progress=lambda *a: None)
    assert (cache.points[:, 0] == -1).sum() == 60


def data(n=200, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    values = rng.normal(size=(n, 2, 3, 4)) + labels[:, None, None, None] * 0.7
    return TrainingSet(
        statistics=values.astype(np.float32), labels=labels, weights=np.ones(n, np.float64)
    )


SMALL = ReadOutConfig(blocks=(0, 1), hidden=6, members=1, epochs=20, batch=32, learning_rate=1e-2)


def test_training_learns_and_a_resumed_run_ends_the_same(tmp_path):
    whole = train_read_outs(data(), SMALL, width=4, seed=3, checkpoint=tmp_path / "a")

    class Stop(Exception):
        pass

    def stop(what, done, total, loss):
        if done == 3:
            raise Stop

    with pytest.raises(Stop):
        train_read_outs(data(), SMALL, width=4, seed=3, checkpoint=tmp_path / "b", progress=stop)
    resumed = train_read_outs(data(), SMALL, width=4, seed=3, checkpoint=tmp_path / "b")
    fresh = data(300, seed=9)
    a, b = scores(whole, fresh.statistics), scores(resumed, fresh.statistics)
    assert np.array_equal(a, b)
    assert a[fresh.labels == 1].mean() > a[fresh.labels == 0].mean() + 0.3


def two_kinds(n=600, seed=0):
    """Photos say "manipulated" by one number and video by the opposite of it."""
    rng = np.random.default_rng(seed)
    labels, video = rng.integers(0, 2, n), rng.integers(0, 2, n)
    values = rng.normal(size=(n, 2, 3, 4))
    values[:, 0, 0, 0] += 4.0 * video
    values[:, 1, 0, 0] += np.where(video == 1, 2.0, -2.0) * (labels - 0.5)
    return TrainingSet(
        statistics=values.astype(np.float32),
        labels=labels,
        weights=np.ones(n),
        sources=np.where(video == 1, "clips", "photos"),
    )


TWO = SMALL.model_copy(
    update={
        "experts": tuple(
            ExpertConfig(sources=(name,), hidden=6, epochs=20, batch=32)
            for name in ("clips", "photos")
        ),
        "expert_share": 1.0,
    }
)


def test_the_gate_gives_each_kind_of_material_to_its_expert(tmp_path):
    data_ = two_kinds()
    made = train_read_outs(data_, TWO, width=4, seed=3, checkpoint=tmp_path / "a")
    fresh = two_kinds(seed=9)
    values = torch.from_numpy(fresh.statistics)
    experts = made.members[-1]
    with torch.inference_mode():
        gate = experts.gate_logits(values).argmax(1).numpy()
        first = experts.experts[0].from_statistics(values).numpy()
    video = fresh.sources == "clips"
    assert (gate == np.where(video, 0, 1)).mean() > 0.9
    assert roc_auc_score(fresh.labels, scores(made, fresh.statistics)) > 0.8
    assert roc_auc_score(fresh.labels[~video], first[~video]) < 0.4  # the wrong expert is wrong
    again = train_read_outs(data_, TWO, width=4, seed=3, checkpoint=tmp_path / "a")
    assert np.array_equal(scores(made, fresh.statistics), scores(again, fresh.statistics))


def test_an_expert_may_do_without_blends():
    faces = two_kinds()
    count = len(faces.labels)
    some = replace(
        faces,
        blended=np.arange(count) >= count - 60,
        degraded=faces.statistics[: count - 60] + 5,
        degraded_share=1.0,
    )
    photos = faces.sources == "photos"
    both, alone = (some.only(["photos"], blends=b) for b in (True, False))
    assert len(both.labels) == photos.sum()
    assert len(alone.labels) == photos[: count - 60].sum()
    assert not alone.blended.any()
    for part in (both, alone):
        seen = part.drawn(np.arange(len(part.labels)), np.random.default_rng(0)).numpy()
        wanted = part.statistics + 5 * ~part.blended[:, None, None, None]
        assert np.allclose(seen, wanted)


def test_an_expert_without_faces_of_its_own_is_refused():
    lost = TWO.model_copy(update={"experts": (TWO.experts[0], ExpertConfig(sources=("drawings",)))})
    with pytest.raises(TrainingError, match="drawings"):
        train_read_outs(two_kinds(), lost, width=4, seed=0)
    with pytest.raises(TrainingError, match="source of every face"):
        train_read_outs(data(), TWO, width=4, seed=0)


def test_experts_share_no_source_and_are_not_alone():
    one = {"sources": ["a"]}
    with pytest.raises(ValidationError, match="two or more"):
        ReadOutConfig(experts=[one])
    with pytest.raises(ValidationError, match="one expert"):
        ReadOutConfig(experts=[one, one])


def test_both_sides_of_a_face_are_learnt_from():
    """What tells the classes apart changes its sign in the mirror."""
    plain = data(400)
    turned = replace(plain, other_side=-plain.statistics)
    fresh = data(300, seed=9)
    one, both = (train_read_outs(d, SMALL, width=4, seed=3) for d in (plain, turned))
    assert roc_auc_score(fresh.labels, scores(one, fresh.statistics)) > 0.8
    flipped = [roc_auc_score(fresh.labels, scores(m, -fresh.statistics)) for m in (one, both)]
    assert flipped[0] < 0.2
    assert flipped[1] > 0.3


def test_degraded_faces_are_learnt_from_at_their_share():
    """A worse quality turns the sign of what tells the classes apart; blends follow the faces."""
    plain = data(400)
    worse = -plain.statistics[:300]
    mixed = replace(plain, degraded=worse, degraded_share=0.5)
    fresh = data(300, seed=9)
    one, both = (train_read_outs(d, SMALL, width=4, seed=3) for d in (plain, mixed))
    turned = [roc_auc_score(fresh.labels, scores(m, -fresh.statistics)) for m in (one, both)]
    assert turned[0] < 0.2
    assert turned[1] > 0.3
    rows = np.arange(400)
    seen = mixed.drawn(rows, np.random.default_rng(0)).numpy()
    changed = (seen != plain.statistics.astype(np.float32)).any((1, 2, 3))
    assert changed[300:].sum() == 0
    assert changed[:300].mean() == pytest.approx(0.5, abs=0.1)


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    train_read_outs(data(), SMALL, width=4, seed=3, checkpoint=tmp_path / "a")
    with pytest.raises(TrainingError, match="other data"):
        train_read_outs(data(seed=1), SMALL, width=4, seed=3, checkpoint=tmp_path / "a")


def test_a_loss_that_is_no_number_names_the_batch():
    bad = data()
    bad.statistics[:, 0, 0, 0] = np.nan
    with pytest.raises(TrainingError, match="epoch 1, batch 1"):
        train_read_outs(bad, SMALL, width=4, seed=0)


def test_one_class_is_refused():
    with pytest.raises(TrainingError, match="one class"):
        TrainingSet(statistics=np.zeros((4, 1, 3, 2)), labels=np.zeros(4, int), weights=np.ones(4))


def test_splits_keep_videos_together_and_hold_their_shares():
    parts = [part_of(f"video{i}", test_percent=15, calibration_percent=7) for i in range(4000)]
    assert parts == [
        part_of(f"video{i}", test_percent=15, calibration_percent=7) for i in range(4000)
    ]
    assert parts.count("test") / 4000 == pytest.approx(0.15, abs=0.02)
    assert parts.count("calibration") / 4000 == pytest.approx(0.07, abs=0.02)


def test_classes_weigh_the_same():
    labels = np.array([0] * 30 + [1] * 10)
    weights = balanced_weights(labels, np.linspace(1, 3, 40))
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum())
    assert weights.mean() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recipe: magic\nmanifest: m.csv", "recipe"),
        ("recipe: read-out\nmanifest: m.csv\nread_out: {hiden: 3, epochs: 0}", "epochs.*hiden"),
        ("[", "cannot be read"),
        ("", "wrong"),
    ],
)
def test_a_wrong_configuration_names_every_field(tmp_path, text, words):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_config(path)
    with pytest.raises(ConfigError):
        load_config(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "name", ["detector-vits14", "detector-vits14-wide", "detector-vitl14", "ablation-vits14"]
)
def test_the_shipped_configurations_load(name):
    from pathlib import Path

    config = load_config(Path(__file__).parents[3] / "configs" / f"{name}.yaml")
    assert config.manifest.name == "manifest.csv"
    assert config.start is None or config.start.is_file()
