"""Every cue measured on faces in two looks: as they are, and reduced and compressed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from tqdm import tqdm

import assistant.cues
from assistant import registry
from assistant.cues.cue import Cue, refused
from assistant.cues.window import WINDOW_EYES, FaceWindow, shrunk
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.json_lines import JsonLines
from assistant.faces.quality import quality_notes
from assistant.training.cue_faces import window_of
from assistant.types import CueReading, Detection

__all__ = ["LOOKS", "FaceValues", "all_cues", "in_look", "measure_faces"]

Look = Literal["as it is", "compressed"]
LOOKS: tuple[Look, ...] = ("as it is", "compressed")
_EYES = (80.0, 80.0, 64.0, 52.0, 40.0)
_QUALITY = (45, 91)
_MARGIN = 0.1
#: Modules of the cues whose code changes no measurement.
_NO_MEASURES = frozenset({"__init__", "reference", "stage"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceValues:
    """What all cues measured on one face in one look; a cue that did not judge it is left out."""

    name: str
    label: int
    source: str
    family: str
    video: str
    look: Look
    test: bool = False
    eyes: float
    fineness: float
    values: Mapping[str, float]


def all_cues() -> tuple[Cue, ...]:
    """Every registered cue."""
    return tuple(registry.load("cues", name)() for name in registry.names("cues"))


def in_look(window: FaceWindow, look: Look, rng: np.random.Generator) -> FaceWindow:
    """The face as another file would show it; sizes and JPEG qualities are drawn alike for all.

    So size and encoding, which tell genuine from manipulated files in many sets, tell nothing.
    """
    eyes = WINDOW_EYES if look == "as it is" else float(rng.choice(_EYES))
    small = shrunk(window, eyes / window.eyes) if window.eyes > eyes else window
    image = small.image
    if look != "as it is":
        quality = int(rng.integers(*_QUALITY))
        coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        plain = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
        image = np.ascontiguousarray(plain[..., ::-1])
    low, high = small.points.min(0), small.points.max(0)
    pad = _MARGIN * (high - low)
    box = (*(low - pad).tolist(), *(high + pad).tolist())
    five = small.five.astype(np.float32)
    notes = quality_notes(image, Detection(box_xyxy=box, landmarks=five, confidence=1.0))
    return FaceWindow(
        image=image,
        points=small.points,
        depth=small.depth,
        offset=small.offset,
        scale=small.scale,
        issues=frozenset(n.issue for n in notes),
    )


def measure_faces(
    faces: Sequence[tuple[ManifestRow, Path]],
    folder: Path,
    *,
    seed: int,
    is_test: Callable[[ManifestRow], bool],
) -> list[FaceValues]:
    """Measure all faces in all looks; each is kept in ``folder`` until a cue's code changes.

    ``is_test`` tells which are held out; that changes no measurement.
    """
    key = hashlib.sha256(json.dumps([seed]).encode())
    for path in sorted(Path(assistant.cues.__file__).parent.glob("*.py")):
        if path.stem not in _NO_MEASURES:
            key.update(path.read_bytes())
    kept = folder / f"values-{key.hexdigest()[:16]}.jsonl"
    lines = JsonLines[list[FaceValues]](
        kept,
        lambda line: [FaceValues(**item) for item in line],
        lambda seen: [asdict(item) for item in seen],
        made_by="whyfake train cues",
    )
    measured = {seen[0].name for seen in lines.rows}
    cues = all_cues()
    for row, path in tqdm([face for face in faces if face[0].name not in measured], "measured"):
        lines.add(_in_all_looks(row, window_of(path), cues, seed))
    known = {seen[0].name: seen for seen in lines.rows}
    return [replace(item, test=is_test(row)) for row, _ in faces for item in known[row.name]]


def _in_all_looks(
    row: ManifestRow, window: FaceWindow, cues: Sequence[Cue], seed: int
) -> list[FaceValues]:
    name_hash = hashlib.sha256(row.name.encode()).hexdigest()
    rng = np.random.default_rng([seed, int(name_hash[:8], 16)])
    looks = [(look, in_look(window, look, rng)) for look in LOOKS]
    return [
        FaceValues(
            name=row.name,
            label=row.label,
            source=row.source,
            family=row.family,
            video=row.video,
            look=look,
            eyes=seen.eyes,
            fineness=seen.fineness,
            values=_values(seen, cues),
        )
        for look, seen in looks
    ]


def _values(window: FaceWindow, cues: Sequence[Cue]) -> dict[str, float]:
    values = {}
    for cue in cues:
        if refused(cue, window) is None:
            read = cue.measure(window)
            if isinstance(read, CueReading):
                values[cue.name] = read.value
    return values
