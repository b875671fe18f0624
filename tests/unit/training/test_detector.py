import cv2
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from assistant.calibration import load_calibrator
from assistant.detectors import tower
from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import read_delta
from assistant.detectors.tower import TowerLayout, build_tower
from assistant.errors import ConfigError, TrainingError
from assistant.evaluation.face_manifest import read_manifest
from assistant.training.augmentation import augment
from assistant.training.detector import train_detector
from assistant.training.detector_config import ReadOutConfig, load_config
from assistant.training.face_cache import CropCache
from assistant.training.read_out import TrainingSet, scores, train_read_outs
from assistant.training.splits import balanced_weights, part_of
from assistant.training.tuning_run import train_layer_norms
from assistant.types import CropSpec, Detection

TINY = TowerLayout(image_size=42, patch_size=14, width=24, layers=3, heads=3)


class Middle:
    name = "middle"
    calls = 0

    def find(self, image):
        self.calls += 1
        height, width = image.shape[:2]
        points = np.array([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]])
        return (
            Detection(
                box_xyxy=(0.3 * width, 0.3 * height, 0.7 * width, 0.7 * height),
                landmarks=(points * [width, height]).astype(np.float32),
                confidence=0.9,
            ),
        )

    def provenance(self):
        return {}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """300 drawn pictures (manipulated ones have stripes), a tiny tower and a configuration."""
    monkeypatch.setitem(tower.TOWERS, "vit-s14", TINY)
    torch.manual_seed(0)
    state = {k: torch.randn_like(v) * 0.3 for k, v in build_tower(TINY).state_dict().items()}
    save_file(state, tmp_path / "base.safetensors")
    rng = np.random.default_rng(0)
    lines = ["path,label,source,video,family,crop"]
    for i in range(420):
        fake = i % 2
        image = rng.integers(60, 190, (6, 6, 3)).astype(np.uint8).repeat(10, 0).repeat(10, 1)
        if fake:
            image[::2] = np.clip(image[::2].astype(int) + 50, 0, 255)
        cv2.imwrite(str(tmp_path / f"{i}.png"), image)
        lines.append(f"{i}.png,{fake},drawn,v{i // 2},{'stripes' if fake else 'real'},1")
    (tmp_path / "m.csv").write_text("\n".join(lines))
    config = {
        "recipe": "read-out",
        "manifest": "m.csv",
        "crop": {"size": 42},
        "test_percent": 15,
        "calibration_percent": 40,
        "self_blended": {"drawn": 0.2},
        "self_blended_weight": 0.01,
        "read_out": {"blocks": [0, 1], "hidden": 8, "members": 2, "epochs": 12, "batch": 32},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def run(project, finder=None, out="d.safetensors"):
    seen = []
    report = train_detector(
        load_config(project / "c.yaml"),
        project / "base.safetensors",
        finder or Middle(),
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

    finder = Middle()
    again, _ = run(project, finder, out="e.safetensors")
    assert finder.calls == 0  # everything was kept
    assert (project / "d.safetensors").read_bytes() == (project / "e.safetensors").read_bytes()
    assert again == report


def test_the_published_recipe_from_manifest_to_a_detector(project):
    (project / "work").mkdir()
    config = yaml.safe_load((project / "c.yaml").read_text())
    tuning = {"epochs": 2, "batch": 32, "learning_rate": 0.02, "warm_up_epochs": 0}
    (project / "c.yaml").write_text(
        yaml.safe_dump({**config, "recipe": "layer-norms", "tuning": tuning})
    )
    report = train_layer_norms(
        load_config(project / "c.yaml"),
        project / "base.safetensors",
        Middle(),
        work=project / "work",
        output=project / "ln.safetensors",
        progress=lambda *a: None,
    )
    assert len(report["validation_auroc"]) == 2
    detector = ClipLnDetector.load(project / "base.safetensors", project / "ln.safetensors")
    assert detector.depth == TINY.layers
    assert np.isfinite(detector.logits([np.zeros((42, 42, 3), np.uint8)])).all()
    assert len(read_delta(project / "ln.safetensors").norms) == 2 * (2 * TINY.layers + 1)


def test_augmentation_is_seeded_and_keeps_the_shape():
    crop = np.random.default_rng(0).integers(0, 255, (42, 42, 3)).astype(np.uint8)
    before = crop.copy()
    one, same, other = (augment(crop, np.random.default_rng(s)) for s in (1, 1, 2))
    assert one.shape == crop.shape
    assert one.dtype == np.uint8
    assert (one == same).all()
    assert (one != other).any()
    assert (crop == before).all()


def test_an_interrupted_crop_cache_goes_on_where_it_stopped(project):
    rows = read_manifest(project / "m.csv")
    finder = Middle()
    spec = CropSpec(size=42)
    first = CropCache(project, rows, spec)
    first.fill(finder, limit=100, progress=lambda *a: None)
    second = CropCache(project, rows, spec)
    assert second.done == 100
    second.fill(finder, limit=150, progress=lambda *a: None)
    assert finder.calls == 150
    whole = CropCache(project / "other", rows, spec)
    whole.fill(Middle(), limit=150, progress=lambda *a: None)
    assert (np.asarray(second.crops[:150]) == np.asarray(whole.crops[:150])).all()


def test_a_broken_picture_does_not_stop_the_cache(project):
    for i in range(0, 60):
        (project / f"{i}.png").write_bytes(b"broken")
    cache = CropCache(project, read_manifest(project / "m.csv"), CropSpec(size=42))
    cache.fill(Middle(), limit=420, progress=lambda *a: None)
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


@pytest.mark.parametrize("name", ["detector-vits14", "detector-vitl14"])
def test_the_shipped_configurations_load(name):
    from pathlib import Path

    config = load_config(Path(__file__).parents[3] / "configs" / f"{name}.yaml")
    assert config.manifest.name == "manifest.csv"
