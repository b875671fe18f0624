"""High dynamic range (PQ and HLG in BT.2020 colours) to what a standard screen shows.

Decoded as if they were standard, such frames are grey and flat, and no verdict on them holds. The
light is made linear (ITU-R BT.2100), turned to BT.709 colours, its highlights are bent under white
by the curve of ITU-R BT.2390 (section 5.4), and the result is encoded for a standard screen.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

__all__ = ["TRANSFERS", "tone_map"]

#: The transfer characteristics of ISO/IEC 23091-2 that are high dynamic range.
TRANSFERS = {16: "PQ", 18: "HLG"}
_PEAK, _WHITE = 1000.0, 203.0  # cd/m2: a usual master's peak, and the white of BT.2408
_M1, _M2, _C1, _C2, _C3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
_GAMMA = 2.4  # of a standard screen (BT.1886)
_STEPS = 4096

Floats = NDArray[np.floating]


def tone_map(rgb: NDArray[np.uint16], transfer: int) -> NDArray[np.uint8]:
    """One frame to standard range.

    Args:
        rgb: H x W x 3, full range 16 bits, BT.2020 colours.
        transfer: a key of :data:`TRANSFERS`.

    Returns:
        H x W x 3, 8 bits.
    """
    light = _linear(transfer)[rgb >> 4]
    if transfer == 18:  # the scene's light; how bright a screen shows it depends on its luminance
        luminance = np.maximum(light @ _LUMA, 1e-6)
        light = light * (_PEAK * luminance**0.2)[..., None]
    shown = np.maximum(light @ _TO_BT709.T, 0.0)
    brightest = np.maximum(shown.max(2), 1e-4)
    grid, gain = _gains()
    shown *= np.interp(brightest, grid, gain).astype(np.float32)[..., None]
    encoded = np.clip(shown / _WHITE, 0.0, 1.0) ** (1.0 / _GAMMA)
    shades: NDArray[np.uint8] = (255.0 * encoded + 0.5).astype(np.uint8)
    return shades


@functools.cache
def _linear(transfer: int) -> NDArray[np.float32]:
    """Light for each code of 12 bits: cd/m2 on a screen (PQ), or of the scene in [0, 1] (HLG)."""
    code = np.arange(_STEPS) / (_STEPS - 1.0)
    if transfer == 16:
        return _pq_light(code).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    light = np.where(code <= 0.5, code**2 / 3.0, (np.exp((code - c) / a) + b) / 12.0)
    return light.astype(np.float32)


def _pq_light(code: Floats) -> Floats:
    root = code ** (1.0 / _M2)
    light: Floats = 10_000.0 * (np.maximum(root - _C1, 0.0) / (_C2 - _C3 * root)) ** (1.0 / _M1)
    return light


def _pq_code(light: Floats) -> Floats:
    root = (light / 10_000.0) ** _M1
    code: Floats = ((_C1 + _C2 * root) / (1.0 + _C3 * root)) ** _M2
    return code


@functools.cache
def _gains() -> tuple[Floats, Floats]:
    """What light of a brightness is multiplied with, so that the peak becomes white."""
    top = float(_pq_code(np.array(_PEAK)))
    most = float(_pq_code(np.array(_WHITE))) / top
    knee = 1.5 * most - 0.5
    code = np.linspace(0.0, 1.0, 1024)
    t = np.clip((code - knee) / (1.0 - knee), 0.0, 1.0)
    bent = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1.0 - knee)
        + (-2 * t**3 + 3 * t**2) * most
    )
    light = _pq_light(code * top)
    bent_light = _pq_light(np.where(code < knee, code, bent) * top)
    return light, np.where(light > 1e-3, bent_light / np.maximum(light, 1e-3), 1.0)
