"""Blend localiser: where a small network, trained on known masks, sees blended pixels.

It reads the same tokens as the detector but was taught by masks (self-blended faces and region
swaps), not by the detector's verdict. So it is a second opinion on *where*, **not the detector's
own reason**, and it is labelled so: ``class_specific`` is False and it is never the default map.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.grids import attribution, traced
from assistant.errors import InferenceError, WeightsError
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["BlendLocaliser"]

Floats = NDArray[np.float32]
#: Cells below this probability are left out, so that an untouched face has an empty map.
_FLOOR = 0.2
_NAMES = (
    "mean", "scale", "a.weight", "a.bias", "p", "c1.weight", "c1.bias", "c2.weight", "c2.bias",
    "o.weight", "o.bias",
)  # fmt: skip


class BlendLocaliser:
    """Probability of each patch to be blended in, above 0.2, on the detector's own tokens.

    Args:
        weights: safetensors written by ``whyfake train blend-localiser``; None: the shipped ones.
    """

    name = "blend-localiser"
    class_specific = False

    def __init__(self, weights: Path | None = None) -> None:
        self._weights = weights

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs the tokens of the embedded tower, costs no second pass.

        Raises:
            InferenceError: the detector gives no tokens, or those of another tower.
            WeightsError: the localiser's weights are missing or damaged.
        """
        path = self._weights or _shipped()
        net, blocks, base = _load(path, path.stat().st_mtime_ns if path.is_file() else 0)
        if trace is None or trace.tokens is None:
            trace = traced(detector, crop, method=self.name)
        found = detector.provenance().get("base_sha256", "")
        tokens = trace.tokens
        width = len(net["mean"]) // len(blocks)
        if (
            found != base
            or tokens is None
            or len(tokens) <= max(blocks)
            or tokens.shape[2] != width
            or len(net["p"]) != trace.grid[0] * trace.grid[1]
        ):
            raise InferenceError(
                f"The blend localiser cannot read the detector {detector.name!r}: "
                "it was trained on the tokens of the embedded tower.",
                hint="Use `patch-lens` or `occlusion`.",
                code="no-gradients",
            )
        patches = np.concatenate([tokens[b, trace.prefix :] for b in blocks], axis=1)
        logits = localise(net, patches.astype(np.float32), trace.grid)
        if not np.isfinite(logits).all():
            probability: NDArray[np.floating] = logits
        else:
            probability = 1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40)))
            probability = np.maximum(probability - _FLOOR, 0.0)
        return attribution(probability, crop, method=self.name, class_specific=False)


def localise(net: dict[str, Floats], patches: Floats, grid: tuple[int, int]) -> Floats:
    """Logit of each patch, rows x columns.

    Args:
        net: the weights.
        patches: patches x (blocks * width), in the order of the grid.
        grid: rows and columns.
    """
    x = np.clip((patches - net["mean"]) / net["scale"], -6.0, 6.0)
    x = x - 0.5 * x.mean(axis=0)
    state = _gelu(x @ net["a.weight"].T + net["a.bias"] + net["p"]).reshape(*grid, -1)
    both = np.concatenate([state, state - state.mean(axis=(0, 1))], axis=2)
    state = _gelu(_convolve(both, net["c1.weight"], net["c1.bias"], 1))
    state = state + _gelu(_convolve(state, net["c2.weight"], net["c2.bias"], 2))
    return np.asarray(state @ net["o.weight"][0, :, 0, 0] + net["o.bias"][0], np.float32)


def _gelu(x: Floats) -> Floats:
    from scipy.special import erf

    return np.asarray(0.5 * x * (1.0 + erf(x / np.sqrt(2.0))), np.float32)


def _convolve(state: Floats, weight: Floats, bias: Floats, dilation: int) -> Floats:
    """A 3 x 3 convolution, rows x columns x channels, zero border, torch's weight layout."""
    rows, cols = state.shape[:2]
    padded = np.pad(state, ((dilation, dilation), (dilation, dilation), (0, 0)))
    out = np.broadcast_to(bias, (rows, cols, len(bias))).astype(np.float32)
    for i in range(3):
        for j in range(3):
            part = padded[i * dilation : i * dilation + rows, j * dilation : j * dilation + cols]
            out = out + part @ weight[:, :, i, j].T
    return out


def _shipped() -> Path:
    from assistant.resources import resource_dir

    return resource_dir("weights") / "blend-localiser.safetensors"


@cache
def _load(path: Path, mtime_ns: int) -> tuple[dict[str, Floats], tuple[int, ...], str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            meta = file.metadata() or {}
            net = {name: file.get_tensor(name).astype(np.float32) for name in _NAMES}
            blocks = tuple(int(b) for b in meta["blocks"].split(","))
            return net, blocks, meta["base_sha256"]
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(
            f"The blend localiser's weights cannot be read from {path.name}: "
            f"{type(error).__name__}.",
            hint="Install whyfake again, or run `whyfake train blend-localiser`.",
            code="weights-missing",
        ) from error
