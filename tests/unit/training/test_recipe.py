import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from assistant.detectors.read_out import ClassTokenReadOut
from assistant.detectors.tower import TowerLayout, build_tower
from assistant.errors import TrainingError
from assistant.training.detector_config import TuningConfig
from assistant.training.layer_norms import learning_rate, tune_layer_norms, tuned_norms
from assistant.training.losses import (
    alignment_loss,
    paired_batches,
    slerp,
    slerp_within_classes,
    uniformity_loss,
)
from assistant.training.run_state import RunState

TINY = TowerLayout(image_size=28, patch_size=14, width=24, layers=3, heads=3)


def unit(n, d=5, seed=0):
    torch.manual_seed(seed)
    return functional.normalize(torch.randn(n, d), dim=1)


def test_uniformity_by_hand_and_lower_for_spread_features():
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert uniformity_loss(x).item() == pytest.approx(-8.0)
    assert uniformity_loss(unit(50)) < uniformity_loss(unit(50) * 0.01 + torch.tensor([1.0] * 5))
    assert uniformity_loss(x[:1]).item() == 0.0


def test_alignment_by_hand():
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    assert alignment_loss(x, torch.tensor([0, 0, 1])).item() == pytest.approx(2.0)
    assert alignment_loss(x, torch.tensor([0, 1, 2])).item() == 0.0
    same = x[:1].repeat(3, 1).requires_grad_()
    alignment_loss(same, torch.zeros(3)).backward()
    assert torch.isfinite(same.grad).all()


def test_slerp_stays_on_the_sphere_and_meets_its_ends():
    a, b = unit(20), unit(20, seed=1)
    assert torch.allclose(slerp(a, b, torch.zeros(20)), a, atol=1e-5)
    assert torch.allclose(slerp(a, b, torch.ones(20)), b, atol=1e-5)
    middle = slerp(a, b, torch.full((20,), 0.5))
    assert torch.allclose(middle.norm(dim=1), torch.ones(20), atol=1e-5)
    assert torch.allclose((middle * a).sum(1), (middle * b).sum(1), atol=1e-5)
    assert torch.isfinite(slerp(a, a, torch.full((20,), 0.5))).all()


def test_slerp_never_leaves_the_class():
    x = torch.eye(4)
    labels = torch.tensor([0, 0, 1, 1])
    for seed in range(10):
        moved = slerp_within_classes(x, labels, generator=torch.Generator().manual_seed(seed))
        assert moved[:2, 2:].abs().max() < 1e-6
        assert moved[2:, :2].abs().max() < 1e-6


def test_pairs_come_from_the_same_video_and_every_fake_is_drawn_once():
    labels = np.array([0] * 10 + [1] * 20)
    videos = [f"v{i % 10}" for i in range(30)]
    batches = list(paired_batches(labels, videos, batch=8, seed=0, epoch=0))
    flat = np.concatenate(batches)
    reals, fakes = flat[::2], flat[1::2]
    assert (labels[reals] == 0).all()
    assert (labels[fakes] == 1).all()
    assert all(videos[r] == videos[f] for r, f in zip(reals, fakes, strict=True))
    assert len(set(fakes)) == len(fakes) == 20
    again = np.concatenate(list(paired_batches(labels, videos, batch=8, seed=0, epoch=0)))
    other = np.concatenate(list(paired_batches(labels, videos, batch=8, seed=0, epoch=1)))
    assert (flat == again).all()
    assert (flat != other).any()


def test_pairs_need_both_classes_and_an_even_batch():
    with pytest.raises(TrainingError, match="halved"):
        next(paired_batches(np.array([0, 1]), ["a", "a"], batch=3, seed=0, epoch=0))
    with pytest.raises(TrainingError, match="one class"):
        next(paired_batches(np.array([1, 1]), ["a", "a"], batch=2, seed=0, epoch=0))


def test_the_schedule_warms_up_falls_and_restarts():
    config = TuningConfig(
        learning_rate=1.0, last_learning_rate=0.1, warm_up_epochs=1, restart_epochs=4
    )
    rates = [learning_rate(s, steps_per_epoch=10, config=config) for s in range(90)]
    assert rates[0] < rates[5] < rates[9] <= 1.0
    assert rates[10] == pytest.approx(1.0)
    assert rates[49] < 0.15
    assert rates[50] == pytest.approx(1.0)
    assert rates[30] == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 2)))


def problem(n=64):
    """Manipulated pictures are brighter in one half."""
    torch.manual_seed(0)
    labels = np.arange(n) % 2
    images = torch.randn(n, 3, 28, 28) * 0.5
    images[labels == 1, :, :14] += 1.0
    videos = [f"v{i // 2}" for i in range(n)]
    return images, labels.astype(np.int64), videos


def tune(config, *, checkpoint=None, poison=False, seen=None):
    images, labels, videos = problem()
    torch.manual_seed(1)
    tower = build_tower(TINY)
    tower.load_state_dict({k: torch.randn_like(v) * 0.3 for k, v in tower.state_dict().items()})
    before = {k: v.clone() for k, v in tower.state_dict().items()}
    head = ClassTokenReadOut(width=24, last_block=2)

    def pictures(rows, seed):
        if seen is not None:
            seen.append(seed)
        batch = images[torch.from_numpy(rows)].clone()
        if poison and seed:
            batch[:] = float("nan")
        return batch

    tuned = tune_layer_norms(
        tower,
        head,
        pictures,
        labels,
        videos,
        (np.arange(48), np.arange(48, 64)),
        config,
        seed=0,
        checkpoint=checkpoint,
    )
    return tuned, tower, before


QUICK = TuningConfig(epochs=6, batch=16, learning_rate=2e-2, warm_up_epochs=0.5, checkpoint_steps=1)


def test_tuning_learns_and_touches_nothing_but_layer_norms():
    tuned, tower, before = tune(QUICK)
    assert max(tuned.validation) > 0.9
    after = tower.state_dict()
    for name, value in before.items():
        is_norm = name in {**tuned.norms}
        assert is_norm != torch.equal(value, after[name]), name


def test_the_blocks_below_keep_their_norms():
    tower = build_tower(TINY)
    names = tuned_norms(tower, lowest_block=2)
    assert all(n.startswith(("transformer.resblocks.2.", "ln_post")) for n in names)
    assert len(names) == 6


@pytest.mark.parametrize("change", [{"slerp": True}, {"paired": False}])
def test_a_resumed_run_ends_the_same(tmp_path, change, monkeypatch):
    config = QUICK.model_copy(update={**change, "epochs": 2})
    whole, _, _ = tune(config)

    class Stop(Exception):
        pass

    def stop(state, epoch, value):
        epoch_done(state, epoch, value)
        raise Stop

    epoch_done, path = RunState.epoch_done, tmp_path / "c.pt"
    with monkeypatch.context() as patched:
        patched.setattr(RunState, "epoch_done", stop)
        with pytest.raises(Stop):
            tune(config, checkpoint=path)
    resumed, _, _ = tune(config, checkpoint=path)
    assert resumed.validation == whole.validation
    for name, value in whole.norms.items():
        assert torch.equal(value, resumed.norms[name])


def test_a_checkpoint_is_small_and_that_of_another_configuration_refused(tmp_path):
    path = tmp_path / "c.pt"
    short = QUICK.model_copy(update={"epochs": 1})
    tune(short, checkpoint=path)
    assert path.stat().st_size < 500_000
    with pytest.raises(TrainingError, match="another configuration"):
        tune(short.model_copy(update={"slerp": True}), checkpoint=path)


def test_a_loss_that_is_no_number_names_its_rows():
    with pytest.raises(TrainingError, match=r"batch 1 \(rows \d+, \d+"):
        tune(QUICK, poison=True)


def test_every_batch_is_augmented_with_a_seed_of_its_own():
    seen = []
    tune(QUICK.model_copy(update={"epochs": 3}), seen=seen)
    training = [s for s in seen if s]
    assert len(training) == len(set(training))
