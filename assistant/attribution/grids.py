"""From values on a patch grid to a map over the crop, and from a detector to its trace.

Every attributor ends in :func:`attribution`, so that all maps are made finite, scaled and enlarged
the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.errors import InferenceError
from assistant.interfaces import Detector, TraceableDetector
from assistant.types import Attribution, Image, Trace

__all__ = [
    "attribution",
    "enlarge",
    "lens",
    "patch_grid",
    "require_attention",
    "require_patch_logits",
    "require_tokens",
    "traced",
]


def enlarge(grid: NDArray[np.floating], height: int, width: int) -> NDArray[np.float64]:
    """Bilinear enlargement of a grid (rows x columns) to ``height`` x ``width``.

    Cell centres keep their place (the ``align_corners=False`` rule); beyond the outer centres the
    edge value is held, so the result stays within the grid's own range.
    """
    import cv2

    values = np.asarray(grid, np.float64)
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR))


def attribution(
    values: NDArray[np.floating],
    crop: Image,
    *,
    method: str,
    class_specific: bool = True,
    signed: bool = True,
) -> Attribution:
    """Make an attribution of grid values.

    Args:
        values: rows x columns, any scale.
        crop: the scored crop; gives the map's size.
        method: the attributor's name.
        class_specific: False for maps that do not depend on what the detector says.
        signed: True where 0 means "says nothing" and negative values speak for "real": these are
            cut off and the zero is kept. False: the smallest value becomes 0.

    Returns:
        A map in [0, 1] at the crop's size; all zeros where nothing speaks for "manipulated".

    Raises:
        InferenceError: a value is not finite (code ``map-not-finite``).
    """
    grid = np.asarray(values, np.float64)
    if grid.ndim != 2 or grid.size == 0:
        raise InferenceError(
            f"The {method} map has shape {grid.shape}; rows x columns are expected.",
            hint="This is a fault of the attributor: choose another one.",
            code="map-shape",
        )
    if not np.isfinite(grid).all():
        raise InferenceError(
            f"The {method} map holds {int((~np.isfinite(grid)).sum())} values that are not finite.",
            hint="Run `whyfake weights verify`, or choose another attributor.",
            code="map-not-finite",
        )
    grid = np.maximum(grid, 0.0) if signed else grid - grid.min()
    top = float(grid.max())
    grid = grid / top if top > np.finfo(np.float32).tiny else np.zeros_like(grid)
    heat = np.clip(enlarge(grid, *crop.shape[:2]), 0.0, 1.0).astype(np.float32)
    rows, cols = grid.shape
    return Attribution(method=method, map=heat, grid=(rows, cols), class_specific=class_specific)


def patch_grid(values: NDArray[np.floating], trace: Trace) -> NDArray[np.float64]:
    """Values a token (T) to values a patch (rows x columns): the prefix tokens are dropped."""
    patches = np.asarray(values, np.float64)[trace.prefix :]
    rows, cols = trace.grid
    if patches.shape != (rows * cols,):
        raise InferenceError(
            f"A trace with a {rows} x {cols} grid holds {patches.shape} patch values.",
            hint="The detector's trace breaks its contract; choose an attributor that needs none.",
            code="trace-shape",
        )
    return patches.reshape(rows, cols)


def traced(
    detector: Detector, crop: Image, *, method: str, layers: Sequence[int] | None = None
) -> Trace:
    """Trace a crop.

    Raises:
        InferenceError: the detector cannot be traced (code ``no-gradients``).
    """
    if not isinstance(detector, TraceableDetector):
        raise _no_gradients(detector, method, "its inside cannot be seen")
    return detector.trace(crop, layers=layers)


def require_attention(
    detector: Detector,
    crop: Image,
    trace: Trace | None,
    *,
    method: str,
    gradient: bool,
    last: int | None = None,
) -> tuple[Trace, NDArray[np.float32], NDArray[np.float32]]:
    """A trace with attention; ``trace`` itself where it has it, else the detector is traced again.

    Traced again, only the ``last`` blocks are looked at (None: all): each costs a backward pass.

    Returns:
        The trace, its attention and its attention's gradient (the attention itself where
        ``gradient`` is False).

    Raises:
        InferenceError: the detector gives no attention, or no gradient (code ``no-gradients``).
    """
    if trace is None or trace.attention is None or (gradient and trace.attention_gradient is None):
        layers = _last_layers(detector, trace, last)
        trace = traced(detector, crop, method=method, layers=layers)
    if trace.attention is None:
        raise _no_gradients(detector, method, "it has no attention to look at")
    if not gradient:
        return trace, trace.attention, trace.attention
    if trace.attention_gradient is None:
        raise _no_gradients(detector, method, "it gives no gradients")
    return trace, trace.attention, trace.attention_gradient


def lens(
    trace: Trace, tokens: NDArray[np.float32], gradient: NDArray[np.float32]
) -> NDArray[np.float64]:
    """What each patch adds to the score as the read-out sees it, rows x columns.

    (token - mean patch token) x gradient, summed over blocks and width; the mirror image's part is
    turned back and added.
    """
    centred = tokens - tokens[:, trace.prefix :].mean(axis=1, keepdims=True)
    values = patch_grid((centred.astype(np.float64) * gradient).sum(axis=(0, 2)), trace)
    other = trace.mirror
    if other is None or other.tokens is None or other.token_gradient is None:
        return values
    return values + lens(other, other.tokens, other.token_gradient)[:, ::-1]


def require_patch_logits(
    detector: Detector, crop: Image, trace: Trace | None, *, method: str
) -> tuple[Trace, NDArray[np.float32]]:
    """A trace with the read-out's own patch scores, and these.

    Raises:
        InferenceError: the weights give no score to single patches (code ``no-gradients``).
    """
    if trace is None or trace.patch_logits is None:
        trace = traced(detector, crop, method=method)
    if trace.patch_logits is None:
        raise InferenceError(
            f"The attributor {method!r} cannot read the detector {detector.name!r}: its "
            "weights give no score to single patches.",
            hint="Use `patch-lens`, or `occlusion`, which only needs scores.",
            code="no-gradients",
        )
    return trace, trace.patch_logits


def require_tokens(
    detector: Detector, crop: Image, trace: Trace | None, *, method: str
) -> tuple[Trace, NDArray[np.float32], NDArray[np.float32]]:
    """A trace with tokens and their gradient, and both of them.

    Raises:
        InferenceError: the detector gives no tokens or no gradient (code ``no-gradients``).
    """
    if trace is None or trace.tokens is None or trace.token_gradient is None:
        trace = traced(detector, crop, method=method)
    if trace.tokens is None or trace.token_gradient is None:
        raise _no_gradients(detector, method, "it gives no token gradients")
    return trace, trace.tokens, trace.token_gradient


def _last_layers(detector: Detector, trace: Trace | None, last: int | None) -> range | None:
    """The last blocks that are run (None: all), where trace or detector tell how many there are."""
    tokens = None if trace is None else trace.tokens
    depth = getattr(detector, "depth", None) if tokens is None else len(tokens)
    if not isinstance(depth, int):
        return None
    return range(0 if last is None else max(0, depth - last), depth)


def _no_gradients(detector: Detector, method: str, why: str) -> InferenceError:
    return InferenceError(
        f"The attributor {method!r} cannot read the detector {detector.name!r}: {why}.",
        hint="Use `occlusion`, which only needs scores.",
        code="no-gradients",
    )
