"""Does a text model see the picture? Blind descriptions of faces before and after known changes.

Each face is changed in one way at a time, so that the truth is exact. An attribute counts as seen
as far as the description of the changed picture names it more often than that of the same picture
unchanged; where faces are labelled, also as far as it names what they have. Without a picture a
model says the same of all, which is no better than chance (0.5).
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assistant.edits import greyed, softened
from assistant.interfaces import VlmBackend
from assistant.numbers import wilson
from assistant.prompting import Prompt
from assistant.training.narrator_cases import made_up_evidence
from assistant.training.narrator_pictures import (
    LABELLED,
    Seen,
    beard,
    glasses,
    lit,
    open_mouth,
    tilted,
)
from assistant.types import Image, VlmRequest

__all__ = ["ATTRIBUTES", "described"]

_Change = Callable[[Image, NDArray[np.floating[Any]]], Image]


def _turned(side: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:turned|facing|looking|looks)\b[^.]*\b{side}\b")


#: Attribute: what is done to a picture, and what a description says that names it.
ATTRIBUTES: dict[str, tuple[_Change, re.Pattern[str]]] = {
    "dark": (lambda p, _: lit(p, 0.3), re.compile(r"\b(?:dark|dim)\b")),
    "bright": (lambda p, _: lit(p, 1.9), re.compile(r"\bbright\b|overexposed|\bvery light\b")),
    "light from the left": (
        lambda p, _: lit(p, 1.5, 0.4),
        re.compile(r"left side is brighter|light is on the left"),
    ),
    "soft": (lambda p, _: softened(p, 4.0), re.compile(r"(?<!un)\bsoft\b|\bblurr?\w*")),
    "grey": (lambda p, _: greyed(p), re.compile(r"without colour|gr[ae]y|black and white")),
    "glasses": (glasses, re.compile(r"\bglasses|spectacles")),
    "beard": (beard, re.compile(r"\bbeard|facial hair|stubble|moustache")),
    "open mouth": (open_mouth, re.compile(r"\bmouth\b[^.]*\bopen|\bopen mouth|teeth|smil")),
    "tilted": (lambda p, _: tilted(p), re.compile(r"\btilt|\bslant|\bsideways")),
}


#: Attribute that is labelled: of which faces it is true or false, and what names it.
_LABELLED: dict[str, tuple[Callable[[Seen], bool | None], re.Pattern[str]]] = {
    **{
        name: (lambda face, name=name: face.shows.get(name), ATTRIBUTES[name][1])  # type: ignore[misc]
        for name in LABELLED
    },
    "turned left": (lambda f: f.direction == "left", _turned("left")),
    "turned right": (lambda f: f.direction == "right", _turned("right")),
}


def described(
    vlm: VlmBackend,
    faces: Sequence[Seen],
    prompt: Prompt,
) -> dict[str, Any]:
    """How often each attribute is named with and without it, and a text-only control.

    Args:
        vlm: a backend that takes pictures.
        faces: aligned faces; nothing is drawn into one that is labelled to have it.
        prompt: the blind description's.

    Returns:
        ``drawn``, and ``labelled`` where there are labels: by attribute ``named_with`` and
        ``named_without`` (each ``[count, faces]``), ``balanced_accuracy`` with the interval that
        the Wilson intervals of both allow, and ``seen``: the whole interval lies above 0.5.
        ``control`` is the text without a picture.
    """
    plain = [_said(vlm, prompt, (face.crop,)) for face in faces]
    said = {"": plain}
    drawn: dict[str, Any] = {}
    for name, (change, pattern) in tqdm(ATTRIBUTES.items(), "attributes"):
        without = [k for k, face in enumerate(faces) if not face.shows.get(name)]
        said[name] = [
            _said(vlm, prompt, (change(faces[k].crop, faces[k].points),)) for k in without
        ]
        drawn[name] = _told_apart(pattern, said[name], [plain[k] for k in without])
    labelled = {}
    for name, (truth, pattern) in _LABELLED.items():
        of = [truth(face) for face in faces]
        there, absent = (
            [t for t, is_so in zip(plain, of, strict=True) if is_so is which]
            for which in (True, False)
        )
        if there and absent:
            labelled[name] = _told_apart(pattern, there, absent)
    return {
        "schema": "whyfake.eval-described/2",
        "faces": len(faces),
        "drawn": drawn,
        "labelled": labelled,
        "control": _said(vlm, prompt, ()),
        "texts": said,
    }


def _told_apart(
    pattern: re.Pattern[str], there: Sequence[str], absent: Sequence[str]
) -> dict[str, Any]:
    hits, false = (sum(bool(pattern.search(text)) for text in said) for said in (there, absent))
    low, high = wilson(hits, len(there)), wilson(false, len(absent))
    interval = [(low[0] + 1 - high[1]) / 2, (low[1] + 1 - high[0]) / 2]
    return {
        "named_with": [hits, len(there)],
        "named_without": [false, len(absent)],
        "balanced_accuracy": round((hits / len(there) + 1 - false / len(absent)) / 2, 3),
        "interval": [round(v, 3) for v in interval],
        "seen": interval[0] > 0.5,
    }


def _said(vlm: VlmBackend, prompt: Prompt, images: tuple[Image, ...]) -> str:
    request = VlmRequest(
        messages=prompt.render(),
        evidence=made_up_evidence(random.Random(0)),  # noqa: S311 - no prompt of it reads a fact
        images=images,
        max_new_tokens=prompt.max_new_tokens,
    )
    return "".join(vlm.stream(request, threading.Event())).lower()
