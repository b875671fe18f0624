import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import read_delta
from assistant.detectors.low_rank import (
    attach_low_rank,
    fold_low_rank,
    merge_low_rank,
    sum_low_rank,
)
from assistant.detectors.tower import build_tower, embed, fit_positions, run_blocks
from assistant.errors import ConfigError, TrainingError
from assistant.training.detector_config import load_config
from assistant.training.face_cache import CropCache
from assistant.training.joint_run import train_joint
from assistant.training.pair_mix import PairMix
from tests.drawn import MiddleFinder

JOINT = {
    "steps": 6,
    "batch": 8,
    "lowest_block": 1,
    "rank": 2,
    "hidden": 4,
    "period": 3,
    "validation": 40,
    "checkpoint_steps": 1,
    "warm_up": 1,
    "average": 0.5,
    "precision": "float32",
    "pair_shares": {"drawn": 0.5, "blended": 0.5},
    "blended_shares": {"drawn": 1.0},
}


@pytest.fixture
def config(project):
    """The project's configuration with the joint recipe; its first read-out is trained once."""
    path = project / "c.yaml"
    values = yaml.safe_load(path.read_text())
    values |= {"recipe": "joint", "joint": JOINT}
    values["read_out"] |= {"members": 1, "epochs": 4}
    path.write_text(yaml.safe_dump(values))
    (project / "work").mkdir()
    return path


def run(project, config, out="joint.safetensors", progress=lambda *a: None):
    return train_joint(
        load_config(config),
        project / "base.safetensors",
        MiddleFinder(),
        work=project / "work",
        output=project / out,
        progress=progress,
    )


def test_from_manifest_to_a_detector_that_scores_patches(project, config):
    report = run(project, config)
    assert len(report["validation_auroc"]) == 2
    assert report["test"]["drawn"]["auroc"] is not None
    delta = read_delta(project / "joint.safetensors")
    assert {name.split(".")[2] for name in delta.norms} == {"1"}  # block 0 stays, 2 is not read
    assert any(float(up.abs().max()) > 0 for n, up in delta.low_rank.items() if n.endswith(".up"))
    detector = ClipLnDetector.load(project / "base.safetensors", project / "joint.safetensors")
    crop = np.random.default_rng(0).integers(0, 255, (42, 42, 3)).astype(np.uint8)
    trace = detector.trace(crop)
    assert trace.patch_logits.shape == (9,)
    assert trace.logit == pytest.approx(float(detector.logits([crop])[0]), abs=1e-5)
    log = (project / "work" / "joint.csv").read_text()
    assert log.count(",auroc,") == 2


def test_half_way_between_start_and_end(project, config):
    run(project, config)
    values = yaml.safe_load(config.read_text())
    deltas = {}
    for share in (0.0, 0.5, 1.0):
        values["joint"] = {**JOINT, "interpolation": share}
        config.write_text(yaml.safe_dump(values))
        run(project, config, f"{share}.safetensors")  # the kept checkpoint: nothing is trained
        deltas[share] = read_delta(project / f"{share}.safetensors")
    base = load_file(project / "base.safetensors")
    for name, tensor in deltas[0.0].norms.items():
        assert torch.equal(tensor, base[name])
        assert torch.allclose(
            deltas[0.5].norms[name], 0.5 * (tensor + deltas[1.0].norms[name]), atol=1e-6
        )
    first = read_delta(project / "work" / "read-out.safetensors").read_out
    assert torch.equal(
        deltas[0.0].read_out["members.0.layers.1.weight"], first["members.0.layers.1.weight"]
    )
    merged = merge_low_rank(base, deltas[0.0].low_rank)
    assert all(torch.equal(merged[n], base[n]) for n in base)


def test_a_killed_run_ends_with_the_same_weights(project, config):
    run(project, config)
    whole = read_delta(project / "joint.safetensors")
    (project / "work" / "joint.pt").unlink()

    def kill(what, done, total, value):
        if what == "validation":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(project, config, "no.safetensors", kill)
    assert not (project / "no.safetensors").exists()
    run(project, config, "again.safetensors")
    again = read_delta(project / "again.safetensors")
    for name, tensor in {**whole.norms, **whole.low_rank, **whole.read_out}.items():
        other = {**again.norms, **again.low_rank, **again.read_out}[name]
        assert torch.equal(tensor, other), name


def test_going_on_from_a_detector_in_the_middle_of_its_crop(project, config):
    run(project, config, "wide.safetensors")
    wide = read_delta(project / "wide.safetensors")
    values = yaml.safe_load(config.read_text())
    values |= {"start": "wide.safetensors", "image_size": 28, "crop": {"size": 28, "scale": 0.7}}
    values["joint"] = {**JOINT, "views": 2, "consistency": 0.5, "interpolation": 0.0}
    config.write_text(yaml.safe_dump(values))
    (project / "work").rename(project / "before")
    (project / "work").mkdir()
    report = run(project, config, "narrow.safetensors")
    assert report["first_read_out"] == wide.sha256
    narrow = read_delta(project / "narrow.safetensors")
    assert narrow.header.tower.grid == (2, 2)
    base = load_file(project / "base.safetensors")
    old, new = (merge_low_rank(base, d.low_rank) for d in (wide, narrow))
    for name in base:  # interpolation 0: as it started
        assert torch.allclose(old[name], new[name], atol=1e-5), name
    for name, tensor in wide.norms.items():
        assert torch.equal(tensor, narrow.norms[name])
    position = "members.1.position"
    assert torch.equal(wide.read_out[position][[0, 1, 3, 4]], narrow.read_out[position])
    detector = ClipLnDetector.load(project / "base.safetensors", project / "narrow.safetensors")
    crop = np.random.default_rng(0).integers(0, 255, (28, 28, 3)).astype(np.uint8)
    assert detector.trace(crop).patch_logits.shape == (4,)


def test_a_read_out_refitted_over_the_tuned_tower(project, config):
    run(project, config)
    values = yaml.safe_load(config.read_text())
    values["joint"] = {**JOINT, "refit": True, "final_share": 0.7, "stop_after": 3}
    values["read_out"]["members"] = 2
    config.write_text(yaml.safe_dump(values))
    (project / "work" / "joint.pt").unlink()
    report = run(project, config, "refit.safetensors")
    assert report["steps"] == 3
    assert len(report["validation_auroc"]) == 1
    delta = read_delta(project / "refit.safetensors")
    assert delta.header.read_out["weights"] == pytest.approx([0.35, 0.35, 0.3])
    kinds = [member["kind"] for member in delta.header.read_out["members"]]
    assert kinds == ["statistics", "statistics", "patch-evidence"]
    detector = ClipLnDetector.load(project / "base.safetensors", project / "refit.safetensors")
    crop = np.random.default_rng(0).integers(0, 255, (42, 42, 3)).astype(np.uint8)
    assert detector.trace(crop).logit == pytest.approx(float(detector.logits([crop])[0]), abs=1e-5)


def test_what_a_run_cannot_start_from(project, config):
    values = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(values | {"start": "nowhere.safetensors"}))
    with pytest.raises(TrainingError, match="nowhere"):
        run(project, config)
    run_values = values | {"joint": {**JOINT, "consistency": 1.0}}
    config.write_text(yaml.safe_dump(run_values))
    with pytest.raises(ConfigError, match="views"):
        load_config(config)


def test_updates_add_up(layout, project):
    state = load_file(project / "base.safetensors")
    name = "transformer.resblocks.0.mlp.c_fc"
    rows, columns = state[f"{name}.weight"].shape
    one, two = (
        {f"{name}.up": torch.randn(rows, rank), f"{name}.down": torch.randn(rank, columns)}
        for rank in (2, 3)
    )
    both = merge_low_rank(state, sum_low_rank(one, two))
    after = merge_low_rank(merge_low_rank(state, one), two)
    assert torch.allclose(both[f"{name}.weight"], after[f"{name}.weight"], atol=1e-5)
    assert sum_low_rank({}, one) == one


def test_the_middle_of_the_positions(layout, project):
    state = load_file(project / "base.safetensors")
    small = fit_positions(state, layout.sized(14))["positional_embedding"]
    assert torch.equal(small, state["positional_embedding"][[0, 5]])
    assert torch.equal(
        fit_positions(state, layout)["positional_embedding"], state["positional_embedding"]
    )
    with pytest.raises(ValueError, match="do not hold"):
        fit_positions(state, layout.sized(56))
    with pytest.raises(ValueError, match="multiple"):
        layout.sized(30)


def test_a_pair_is_of_one_video_and_a_blend_has_its_mask(project, config):
    loaded = load_config(config)
    from assistant.evaluation.face_manifest import read_manifest

    cache = CropCache(project / "work", read_manifest(loaded.manifest), loaded.crop.spec)
    cache.fill(MiddleFinder(), limit=60, progress=lambda *a: None)

    def mix(views=1, **shares):
        return PairMix(
            cache,
            np.arange(60),
            pair_shares=shares,
            blended_shares={"drawn": 1.0},
            self_blended=1.0,
            augmentation=loaded.joint.augmentation,
            batch=12,
            seed=0,
            views=views,
        )

    pairs = mix(drawn=1.0).draw(0)
    assert pairs.labels.tolist() == [0, 1] * 6
    for real, fake in pairs.rows.reshape(-1, 2):
        assert cache.rows[real].label == 0
        assert cache.rows[fake].label == 1
        here = {r.video for i, r in enumerate(cache.rows[:60]) if r.label == 0}
        if cache.rows[fake].video in here:
            assert cache.rows[real].video == cache.rows[fake].video
    assert pairs.mask_weight.tolist() == [1.0, 0.0] * 6  # what a fake's mask is, is not known

    blends = mix(blended=1.0).draw(0)
    assert (blends.masks[0::2] == 0).all()
    assert (blends.masks[1::2].max((1, 2)) > 0.5).all()
    assert blends.mask_weight.tolist() == [1.0] * 12
    twice = mix(views=2, drawn=1.0).draw(0)
    assert len(twice.crops) == 12
    assert twice.rows[:6].tolist() == twice.rows[6:].tolist()
    assert any((a != b).any() for a, b in zip(twice.crops[:6], twice.crops[6:], strict=True))
    with pytest.raises(TrainingError, match="nowhere"):
        mix(nowhere=1.0)


def test_merged_factors_give_what_training_saw(layout, project):
    state = load_file(project / "base.safetensors")
    tower = build_tower(layout)
    tower.load_state_dict(state)
    factors = attach_low_rank(tower, [0, 2], rank=2)
    torch.manual_seed(1)
    for factor in factors.values():
        factor.data.normal_(std=0.2)
    merged = build_tower(layout)
    merged.load_state_dict(merge_low_rank(state, {n: f.detach() for n, f in factors.items()}))
    pixels = torch.randn(2, 3, 42, 42)
    with torch.no_grad():
        seen = run_blocks(tower, embed(tower, pixels), range(3))[-1]
        fold_low_rank(tower)
        folded = run_blocks(tower, embed(tower, pixels), range(3))[-1]
        got = run_blocks(merged, embed(merged, pixels), range(3))[-1]
    assert torch.allclose(seen, got, atol=1e-4)
    assert torch.allclose(seen, folded, atol=1e-4)
    assert tower.state_dict().keys() == state.keys()
    with pytest.raises(ValueError, match="factor"):
        merge_low_rank(state, {"transformer.resblocks.0.mlp.c_fc.up": torch.zeros(2, 2)})
    with pytest.raises(ValueError, match="fits no layer"):
        merge_low_rank(state, {"nothing.up": torch.zeros(2, 2), "nothing.down": torch.zeros(2, 2)})
