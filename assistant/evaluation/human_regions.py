"""Are the words about the places that people point at? Explanations against what others wrote.

A yardstick that was not written here: ExDDV (a CSV of what people wrote of manipulated clips; its
``test`` and ``val`` rows only) or DD-VQA (JSON files of answers by face part). Only regions are
read from the texts; none of them is kept.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import TrainingError
from assistant.evaluation.detection_metrics import bootstrap_interval
from assistant.evaluation.tables import table

__all__ = ["Pointed", "compared", "comparison_table", "first_regions", "pointed_at"]

_MOST = 2
#: Regions by the words that people have for them; both eyes and both cheeks count as one region.
_WORDS = {
    "eyes": r"eyes?|iris(?:es)?|pupils?|gaze|eyelids?|eyelash(?:es)?|(?:eye)?glasses|"
    r"blink(?:s|ing)?",
    "nose": r"nose|nostrils?",
    "mouth": r"mouth|lips?|teeth|tooth|tongue|mo?ustache",
    "cheeks": r"cheeks?",
    "forehead": r"forehead|eyebrows?|brows?",
    "jaw": r"jaw(?:line)?|chin|beard|mandible",
}
_NAMED = re.compile("|".join(rf"(?P<{name}>\b(?:{words})\b)" for name, words in _WORDS.items()))
#: Said of a statistic, not of a region.
_NO_EYE = re.compile(r"\bthat the eye does not see\b")
#: ExDDV's kinds of manipulation as FaceForensics++ numbers them in the names of frames.
_METHODS = {"Deepfakes": 0, "Face2Face": 1, "FaceShifter": 2, "FaceSwap": 3, "NeuralTextures": 6}
_FAKE_PART = re.compile(r"\bperson's ([a-z]+) looks? (?:very |a bit )?fake\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """One explanation and what people named of the picture.

    Attributes:
        told: the first regions of the explanation, at most two, in order.
        strongest: the two face regions at which the map is strongest for their size, told or not.
        unseen: whether the detector was trained on nothing of the video.
    """

    video: str
    told: tuple[str, ...]
    named: frozenset[str]
    unseen: bool
    strongest: tuple[str, ...] = ()


def first_regions(text: str, most: int = _MOST) -> tuple[str, ...]:
    """The first regions that a text names, in its order."""
    said = _NO_EYE.sub("", text.lower())
    found = (str(match.lastgroup) for match in _NAMED.finditer(said))
    return tuple(dict.fromkeys(found))[:most]


def pointed_at(path: Path) -> dict[str, frozenset[str]]:
    """Name of a frame (without its ending) -> the regions that people named.

    ``path``: ExDDV's CSV file, or DD-VQA's folder of JSON files or one of them.

    Raises:
        TrainingError: it cannot be read, or no region is named in it (code ``human``).
    """
    try:
        found = _exddv(path) if path.suffix == ".csv" else _ddvqa(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"What people wrote, {path.name}, cannot be read: {type(error).__name__}: {error}.",
            hint="Name exddv.csv, or the folder of DD-VQA with its JSON files.",
            code="human",
        ) from error
    named = {frame: frozenset(regions) for frame, regions in found.items() if regions}
    if not named:
        raise TrainingError(
            f"No region of a face is named in {path.name}.",
            hint="Name exddv.csv, or the folder of DD-VQA with its JSON files.",
            code="human",
        )
    return named


def compared(cases: Sequence[Pointed], *, resamples: int = 1000) -> dict[str, Any]:
    """How often a told region is a named one, beside two controls.

    ``common``: always the two regions that people name most on these very pictures, which favours
    the control. ``shuffled``: the explanation of each other picture, on average. ``map``: the two
    regions at which the map is strongest, told or not. Intervals draw whole videos; ``over_*`` are
    the differences of the same pictures.
    """
    counts = Counter(region for case in cases for region in case.named)
    common = tuple(region for region, _ in counts.most_common(_MOST))
    told = np.array([bool(case.named & set(case.told)) for case in cases], np.float64)
    usual = np.array([bool(case.named & set(common)) for case in cases], np.float64)
    shown = np.array([bool(case.named & set(case.strongest)) for case in cases], np.float64)
    other = np.array(
        [
            np.mean([bool(a.named & set(b.told)) for j, b in enumerate(cases) if j != i] or [False])
            for i, a in enumerate(cases)
        ]
    )
    videos = [case.video for case in cases]

    def share(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
        ends = bootstrap_interval(
            lambda _, v: float(v.mean()), np.ones(len(v := values), int), v, videos,
            resamples=resamples,
        )  # fmt: skip
        return [round(float(x), 4) for x in (values.mean(), *(ends or (np.nan, np.nan)))]

    return {
        "pictures": len(cases),
        "videos": len(set(videos)),
        "name_a_region": sum(bool(case.told) for case in cases),
        "told_of_named": share(told),
        "common_of_named": share(usual),
        "shuffled_of_named": share(other),
        "map_of_named": share(shown),
        "over_common": share(told - usual),
        "over_shuffled": share(told - other),
        "common": list(common),
        "named": dict(counts.most_common()),
        "told": dict(Counter(region for case in cases for region in case.told).most_common()),
    }


def comparison_table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The comparison as Markdown, a row a set of pictures."""
    keys = (
        "told_of_named", "common_of_named", "shuffled_of_named", "over_common", "over_shuffled",
        "map_of_named",
    )  # fmt: skip
    head = (
        "pictures", "n", "name a region", "first two are among those named",
        "always the two commonest", "other pictures' explanations", "over the commonest",
        "over the others'", "the map's two strongest",
    )  # fmt: skip
    return table(
        head,
        [
            (name, row["pictures"], row["name_a_region"], *(_ends(row[key]) for key in keys))
            for name, row in rows.items()
        ],
    )


def _ends(value: Sequence[float]) -> str:
    return f"{value[0]:.2f} ({value[1]:.2f} to {value[2]:.2f})"


def _exddv(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] in {"test", "val"} and row["manipulation"] in _METHODS:
                frame = f"{_METHODS[row['manipulation']]}_{Path(row['movie_name']).stem}"
                found.setdefault(frame, set()).update(first_regions(row["text"], len(_WORDS)))
    return found


def _ddvqa(path: Path) -> dict[str, set[str]]:
    """Parts that an answer calls fake; answers about the whole face name several."""
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    found: dict[str, set[str]] = {}
    for file in files:
        content = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict):  # splits and other forms lie beside the answers
            continue
        for frame, questions in content.items():
            said = " ".join(a for q in questions.values() for a in q["answer"]).lower()
            parts = " ".join(match[1] for match in _FAKE_PART.finditer(said))
            found.setdefault(frame, set()).update(first_regions(parts, len(_WORDS)))
    return found
