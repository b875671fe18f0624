"""The localiser in numpy is the trained network; what it cannot read is a typed error."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from assistant.attribution.blend_localiser import BlendLocaliser
from assistant.detectors.planted import PlantedCueDetector
from assistant.errors import InferenceError, WeightsError
from assistant.evaluation.known_masks import AlignedFace
from assistant.faces.alignment import template_points
from assistant.types import CropSpec

torch = pytest.importorskip("torch")
POINTS = template_points(CropSpec(size=224, scale=0.95, shift_y=-0.13))


class Tower(PlantedCueDetector):
    """Nine blocks of tokens that hold each patch's colour and its contrast."""

    def trace(self, crop, *, layers=None):
        cells = crop.reshape(16, 14, 16, 14, 3).astype(np.float32) / 255
        plain = np.concatenate([cells.mean((1, 3)), cells.std((1, 3))], axis=2).reshape(256, 6)
        tokens = np.concatenate([np.zeros((1, 6), np.float32), plain])
        full = super().trace(crop)
        return dataclasses.replace(full, tokens=np.repeat(tokens[None], 9, axis=0))

    def provenance(self):
        return {"base_sha256": "b" * 64}


def faces():
    rng = np.random.default_rng(0)
    made = []
    for level in (70, 110, 150, 190):
        crop = rng.normal(level, 6, (224, 224, 3)).clip(0, 255).astype(np.uint8)
        made.append(AlignedFace(crop=crop, crop_landmarks=POINTS))
    return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from assistant.training.blend_localiser import save_localiser, train_localiser

    net = train_localiser(Tower(), faces(), samples=16, epochs=2, batch=8)
    path = tmp_path_factory.mktemp("localiser") / "net.safetensors"
    save_localiser(net, path, base_sha256="b" * 64)
    return net, path


def test_numpy_gives_what_torch_gives(trained):
    from safetensors.torch import load_file

    net, path = trained
    net.load_state_dict({k: v.float() for k, v in load_file(path).items()})
    crop = faces()[0].crop
    tokens = Tower().trace(crop).tokens
    patches = np.concatenate([tokens[b, 1:] for b in (3, 5, 6, 8)], axis=1)
    with torch.no_grad():
        logits = net(torch.from_numpy(patches)[None])[0].numpy().reshape(16, 16)
    from assistant.attribution.blend_localiser import _load, localise

    ours = localise(_load(path, 1)[0], patches, (16, 16))
    np.testing.assert_allclose(ours, logits, atol=1e-4)


def test_the_map(trained):
    localiser = BlendLocaliser(trained[1])
    result = localiser.attribute(Tower(), faces()[1].crop)
    assert result.map.shape == (224, 224)
    assert result.class_specific is False
    assert result.grid == (16, 16)


def test_a_given_trace_saves_a_pass(trained):
    crop = faces()[1].crop
    tower = Tower()
    trace = tower.trace(crop)
    tower.trace = None
    again = BlendLocaliser(trained[1]).attribute(tower, crop, trace)
    first = BlendLocaliser(trained[1]).attribute(Tower(), crop)
    np.testing.assert_array_equal(again.map, first.map)


def test_another_tower_is_refused(trained):
    with pytest.raises(InferenceError) as caught:
        BlendLocaliser(trained[1]).attribute(PlantedCueDetector(), faces()[0].crop)
    assert caught.value.code == "no-gradients"


def test_missing_and_broken_weights(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read"):
        BlendLocaliser(tmp_path / "none").attribute(Tower(), faces()[0].crop)
    (tmp_path / "broken").write_bytes(b"x" * 100)
    with pytest.raises(WeightsError):
        BlendLocaliser(tmp_path / "broken").attribute(Tower(), faces()[0].crop)


def test_training_needs_faces_and_tokens():
    from assistant.errors import TrainingError
    from assistant.training.blend_localiser import train_localiser

    with pytest.raises(TrainingError, match="at least 2"):
        train_localiser(Tower(), faces()[:1], samples=1)
    with pytest.raises(TrainingError, match="tokens of blocks"):
        train_localiser(PlantedCueDetector(), faces(), samples=1)


def test_samples_have_their_masks():
    from assistant.training.blend_samples import blend_sample

    kinds = set()
    for seed in range(30):
        crop, mask = blend_sample(seed % 4, faces(), np.random.default_rng(seed))
        assert crop.shape == (224, 224, 3)
        assert crop.dtype == np.uint8
        assert 0 <= mask.min() <= mask.max() <= 1
        kinds.add(bool(mask.any()))
    assert kinds == {True, False}
