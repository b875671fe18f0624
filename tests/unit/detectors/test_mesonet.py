from pathlib import Path

import numpy as np
import pytest

from assistant.detectors.mesonet import MesoNetDetector
from assistant.errors import WeightsError
from assistant.interfaces import Detector

h5py = pytest.importorskip("h5py")
PUBLISHED = Path(__file__).parents[4] / "shared/data/weights/Meso4_DF.h5"
SHAPES = [(3, 3, 3, 8), (5, 5, 8, 8), (5, 5, 8, 16), (5, 5, 16, 16)]


def write(path, seed=0, leave_out=""):
    rng = np.random.default_rng(seed)
    kept = {}
    with h5py.File(path, "w") as file:

        def put(layer, name, value):
            if layer != leave_out:
                kept[f"{layer}/{name}"] = value = value.astype(np.float32)
                file[f"{layer}/{layer}/{name}:0"] = value

        for i, shape in enumerate(SHAPES, start=1):
            put(f"conv2d_{i}", "kernel", rng.normal(0, 0.2, shape))
            put(f"conv2d_{i}", "bias", rng.normal(0, 0.1, shape[3]))
            for name in ("gamma", "beta", "moving_mean"):
                put(f"batch_normalization_{i}", name, rng.normal(0.5, 0.2, shape[3]))
            put(f"batch_normalization_{i}", "moving_variance", rng.uniform(0.5, 1.5, shape[3]))
        put("dense_1", "kernel", rng.normal(0, 0.1, (1024, 16)))
        put("dense_1", "bias", rng.normal(0, 0.1, 16))
        put("dense_2", "kernel", rng.normal(0, 0.5, (16, 1)))
        put("dense_2", "bias", rng.normal(0, 0.1, 1))
    return kept


def keras_like(weights, picture):
    """The network written out in numpy, channels last, as Keras runs it."""
    x = picture.astype(np.float64) / 255.0
    for i, pool in enumerate((2, 2, 2, 4), start=1):
        kernel = weights[f"conv2d_{i}/kernel"]
        k = kernel.shape[0] // 2
        padded = np.pad(x, ((k, k), (k, k), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], (0, 1))
        x = np.einsum("hwcij,ijco->hwo", windows, kernel) + weights[f"conv2d_{i}/bias"]
        x = np.maximum(x, 0)
        norm = f"batch_normalization_{i}"
        x = (x - weights[f"{norm}/moving_mean"]) / np.sqrt(
            weights[f"{norm}/moving_variance"] + 1e-3
        ) * weights[f"{norm}/gamma"] + weights[f"{norm}/beta"]
        h, w, c = x.shape
        x = x.reshape(h // pool, pool, w // pool, pool, c).max((1, 3))
    x = x.ravel() @ weights["dense_1/kernel"] + weights["dense_1/bias"]
    x = np.where(x > 0, x, 0.1 * x)
    return float((x @ weights["dense_2/kernel"] + weights["dense_2/bias"])[0])


def test_it_computes_what_keras_would(tmp_path):
    weights = write(tmp_path / "m.h5")
    detector = MesoNetDetector.load(tmp_path / "m.h5")
    assert isinstance(detector, Detector)
    crop = np.random.default_rng(1).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    assert detector.logits([crop])[0] == pytest.approx(-keras_like(weights, crop), abs=1e-3)


def test_another_file_is_refused(tmp_path):
    write(tmp_path / "m.h5", leave_out="conv2d_3")
    with pytest.raises(WeightsError):
        MesoNetDetector.load(tmp_path / "m.h5")
    (tmp_path / "n.h5").write_bytes(b"no")
    for name in ("n.h5", "missing.h5"):
        with pytest.raises(WeightsError):
            MesoNetDetector.load(tmp_path / name)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published weights are not here")
def test_the_published_weights_load():
    scores = MesoNetDetector.load(PUBLISHED).logits([np.zeros((224, 224, 3), np.uint8)] * 2)
    assert scores[0] == scores[1]
