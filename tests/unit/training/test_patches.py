"""The patches that learn, by masks, what was laid into a picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from assistant.errors import TrainingError
from assistant.training.patches import PatchConfig, PatchData, evidence_of, train_patches, widened

GRID, WIDTH, BLOCKS = 4, 12, (0, 1)


@pytest.fixture
def tokens():
    """80 faces of 4 x 4 patches; every other one has a corner that is moved a little."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (80, 1 + GRID * GRID, len(BLOCKS) * WIDTH)).astype(np.float32)
    values += rng.normal(0, 3, (80, 1, values.shape[2]))  # each face has looks of its own
    masks = np.zeros((80, GRID * GRID), np.float16)
    corner = [0, 1, GRID, GRID + 1]
    values[::2, [1 + i for i in corner]] += 2.5
    masks[::2, corner] = 1
    return values, masks


@pytest.fixture
def data(tokens):
    values, masks = tokens
    flat = values[:, 1:].reshape(-1, values.shape[2])
    mean = flat.mean(0)
    _, _, axes = np.linalg.svd(flat - mean, full_matrices=False)
    directions = axes[:10].T
    basis = np.vstack([directions, mean[None] @ directions]).astype(np.float32)
    patches = (values[:, 1:] @ basis[:-1] - basis[-1]).astype(np.float16)
    return PatchData(patches=patches, masks=masks, basis=basis)


CONFIG = PatchConfig(dimensions=10, steps=150, batch=16, learning_rate=5e-3)


def trained(data, rows):
    return train_patches(data, rows, np.ones(80), CONFIG, hidden=8, seed=0)


def test_blends_of_faces_that_were_not_learnt_are_told_and_the_place_is_found(data):
    model = trained(data, np.arange(50))
    evidence = evidence_of(model, data)
    labels = data.masks.any(1)
    assert roc_auc_score(labels[50:], evidence[50:]) > 0.9
    with torch.inference_mode():
        where = model.patch_logits([data.drawn(np.arange(50, 80))]).numpy()
    blended = where[labels[50:]]
    mask = data.masks[50:][labels[50:]] > 0.5
    assert blended[mask].mean() > blended[~mask].mean() + 1


def test_the_same_rows_and_seed_give_the_same_weights(data):
    first, second = (trained(data, np.arange(50)).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_written_as_weights_of_the_tokens_it_says_the_same(data, tokens):
    model = trained(data, np.arange(50))
    values = torch.from_numpy(tokens[0].astype(np.float32))
    wide = widened(model, data.basis, BLOCKS)
    with torch.inference_mode():
        said = wide(values.split(WIDTH, dim=2)).numpy()
    assert said == pytest.approx(evidence_of(model, data), abs=2e-2)


@pytest.mark.parametrize("rows", [np.arange(0, 50, 2), np.arange(1, 50, 2)])
def test_blends_alone_or_none_teach_nothing(data, rows):
    with pytest.raises(TrainingError) as caught:
        trained(data, rows)
    assert caught.value.code == "one-class"
