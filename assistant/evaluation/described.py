"""Does a text model see the picture? Blind descriptions of faces before and after known changes.

Each face is changed in one way at a time, so that the truth is exact. An attribute counts as seen
as far as the description of the changed picture names it more often than that of the same picture
unchanged. Without a picture a model says the same of both, which is no better than chance (0.5).
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.edits import greyed, softened
from assistant.evaluation.detection_metrics import wilson
from assistant.evaluation.known_masks import AlignedFace
from assistant.interfaces import VlmBackend
from assistant.prompting import Prompt
from assistant.training.narrator_cases import made_up_evidence
from assistant.types import Image, VlmRequest

__all__ = ["ATTRIBUTES", "described"]

_Points = NDArray[np.floating[Any]]
_Change = Callable[[Image, _Points], Image]


def _lit(image: Image, gain: NDArray[np.float32] | float) -> Image:
    lit: Image = np.clip(image.astype(np.float32) * gain, 0, 255).astype(np.uint8)
    return lit


def _from_left(image: Image, points: _Points) -> Image:
    return _lit(image, np.linspace(1.5, 0.4, image.shape[1], dtype=np.float32)[None, :, None])


def _glasses(image: Image, points: _Points) -> Image:
    left, right = points[0], points[1]
    wide = float(np.linalg.norm(right - left))
    out = image.copy()
    for eye in (left, right):
        cv2.circle(out, _at(eye), round(0.36 * wide), (20, 20, 20), max(2, round(0.07 * wide)))
    inner = 0.36 * (right - left)
    cv2.line(out, _at(left + inner), _at(right - inner), (20, 20, 20), max(2, round(0.07 * wide)))
    return out


def _beard(image: Image, points: _Points) -> Image:
    wide = float(np.linalg.norm(points[1] - points[0]))
    mouth = (points[3] + points[4]) / 2
    mask = np.zeros(image.shape[:2], np.float32)
    low = mouth + _down(0.05 * wide)
    cv2.ellipse(mask, _at(low), (round(0.8 * wide), round(0.7 * wide)), 0, 0, 180, (1.0,), -1)
    cv2.ellipse(mask, _at(mouth), (round(0.42 * wide), round(0.2 * wide)), 0, 0, 360, (0.0,), -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.05 * wide)[..., None]
    hair = np.random.default_rng(0).normal(45, 14, image.shape[:2]).astype(np.float32)[..., None]
    mixed: Image = np.clip(image * (1 - mask) + hair * mask, 0, 255).astype(np.uint8)
    return mixed


def _open_mouth(image: Image, points: _Points) -> Image:
    wide = float(np.linalg.norm(points[1] - points[0]))
    mouth = (points[3] + points[4]) / 2 + _down(0.02 * wide)
    inside, teeth = (60, 15, 20), (235, 235, 235)
    out = image.copy()
    cv2.ellipse(out, _at(mouth), (round(0.3 * wide), round(0.24 * wide)), 0, 0, 360, inside, -1)
    top = mouth - _down(0.13 * wide)
    cv2.ellipse(out, _at(top), (round(0.22 * wide), round(0.06 * wide)), 0, 0, 360, teeth, -1)
    return out


def _tilted(image: Image, points: _Points) -> Image:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 30, 1)
    out: Image = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return out


def _at(point: NDArray[np.floating[Any]]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _down(pixels: float) -> NDArray[np.float64]:
    return np.array([0.0, pixels])


#: Attribute: what is done to a picture, and what a description says that names it.
ATTRIBUTES: dict[str, tuple[_Change, re.Pattern[str]]] = {
    "dark": (lambda p, _: _lit(p, 0.3), re.compile(r"\b(?:dark|dim)\b")),
    "bright": (lambda p, _: _lit(p, 1.9), re.compile(r"\bbright\b|overexposed|\bvery light\b")),
    "light from the left": (_from_left, re.compile(r"left side is brighter|light is on the left")),
    "soft": (lambda p, _: softened(p, 4.0), re.compile(r"(?<!un)\bsoft\b|\bblurr?\w*")),
    "grey": (lambda p, _: greyed(p), re.compile(r"without colour|gr[ae]y|black and white")),
    "glasses": (_glasses, re.compile(r"\bglasses|spectacles")),
    "beard": (_beard, re.compile(r"\bbeard|facial hair|stubble|moustache")),
    "open mouth": (_open_mouth, re.compile(r"\bmouth\b[^.]*\bopen|\bopen mouth|teeth|smil")),
    "tilted": (_tilted, re.compile(r"\btilt|\bturned\b|\bslant|\bsideways")),
}


def described(
    vlm: VlmBackend,
    faces: Sequence[AlignedFace],
    prompt: Prompt,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """How often each attribute is named with and without it, and a text-only control.

    Args:
        vlm: a backend that takes pictures.
        faces: aligned faces, none of which has the attributes.
        prompt: the blind description's.
        progress: told ``(done, total)``.

    Returns:
        By attribute ``named_with`` and ``named_without`` (each ``[count, faces]``),
        ``balanced_accuracy`` with the interval that the Wilson intervals of both allow, and
        ``seen``: the whole interval lies above 0.5. ``control`` is the text without a picture.
    """
    said = {"": [_said(vlm, prompt, (face.crop,)) for face in faces]}
    for done, (name, (change, _)) in enumerate(ATTRIBUTES.items(), 1):
        said[name] = [_said(vlm, prompt, (change(f.crop, f.crop_landmarks[:5]),)) for f in faces]
        if progress is not None:
            progress(done, len(ATTRIBUTES))
    control = _said(vlm, prompt, ())
    total = len(faces)
    attributes: dict[str, Any] = {}
    for name, (_, pattern) in ATTRIBUTES.items():
        hits, false = (
            sum(bool(pattern.search(text)) for text in said[which]) for which in (name, "")
        )
        low, high = wilson(hits, total), wilson(false, total)
        interval = [(low[0] + 1 - high[1]) / 2, (low[1] + 1 - high[0]) / 2]
        attributes[name] = {
            "named_with": [hits, total],
            "named_without": [false, total],
            "balanced_accuracy": round((hits + total - false) / (2 * total), 3),
            "interval": [round(v, 3) for v in interval],
            "seen": interval[0] > 0.5,
        }
    return {
        "schema": "whyfake.eval-described/1",
        "faces": total,
        "attributes": attributes,
        "control": control,
        "control_names": [n for n, (_, pattern) in ATTRIBUTES.items() if pattern.search(control)],
        "texts": said,
    }


def _said(vlm: VlmBackend, prompt: Prompt, images: tuple[Image, ...]) -> str:
    request = VlmRequest(
        messages=prompt.render(),
        evidence=made_up_evidence(random.Random(0)),  # noqa: S311 - no prompt of it reads a fact
        images=images,
        max_new_tokens=prompt.max_new_tokens,
    )
    return "".join(vlm.stream(request, threading.Event())).lower()
