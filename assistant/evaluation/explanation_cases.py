"""The cases that narrators are measured on, as they are and with hostile text put into them."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from tqdm import tqdm

from assistant.errors import AssistantError, TrainingError
from assistant.evaluation.explanation_pictures import MadePicture
from assistant.evaluation.listed import listed_pictures
from assistant.events import Analyzed, Failed, NoFace, Scored
from assistant.evidence import build_evidence, renumbered
from assistant.pipeline import Assistant
from assistant.types import FaceAnalysis, FactKind, Image, Media, ProvenanceNote, Score

__all__ = [
    "analysed",
    "analysed_face",
    "first_score",
    "manifest_pictures",
    "with_metadata",
    "with_words",
]

_log = logging.getLogger(__name__)


def manifest_pictures(
    manifest: Path, *, limit: int | None = None, seed: int | None = None
) -> Iterator[MadePicture]:
    """The pictures that a manifest names, read one by one.

    Args:
        manifest: a CSV file with a ``path`` column (and ``region``, which may name the region that
            is known to be changed, and ``label``, 1 where the picture is manipulated), or a text
            file with one path a line; paths are relative to the manifest. Pictures are named by
            their place in it, as file names may tell the answer.
        limit: at most this many, evenly taken where there are more; None: all.
        seed: instead, in an order drawn by it in which sources and labels take turns.

    Raises:
        TrainingError: it cannot be read, or names no file that is there.
    """
    rows = listed_pictures(manifest)
    there = [
        (f"picture {number}", manifest.parent / row["path"], row)
        for number, row in enumerate(rows, 1)
        if (manifest.parent / row["path"]).is_file()
    ]
    if not there:
        raise TrainingError(
            f"None of the {len(rows)} pictures that {manifest.name} names is there.",
            hint=f"Paths are relative to {manifest.parent}.",
            code="manifest",
        )
    if seed is not None:
        there = _in_turns(there, seed)
    if limit is not None and len(there) > limit:
        step = len(there) / limit
        there = [there[int(i * step)] for i in range(limit)]
    for name, path, row in there:
        label = row.get("label", "")
        yield MadePicture(
            name=name,
            data=path.read_bytes(),
            region=row.get("region") or "",
            manipulated=label == "1" if label in {"0", "1"} else None,
        )


_Listed = tuple[str, Path, dict[str, str]]


def _in_turns(listed: list[_Listed], seed: int) -> list[_Listed]:
    """Drawn anew, one picture of each source and label after the other."""
    rng = random.Random(seed)  # noqa: S311 - which pictures come first
    groups: dict[tuple[str, str], list[_Listed]] = {}
    for one in rng.sample(listed, len(listed)):
        groups.setdefault((one[2].get("source", ""), one[2].get("label", "")), []).append(one)
    rounds = zip_longest(*groups.values())
    return [one for taken in rounds for one in taken if one is not None]


def analysed(
    assistant: Assistant,
    files: Sequence[tuple[str, bytes]],
) -> list[tuple[str, FaceAnalysis]]:
    """The first face of every file, with its causal checks; files without a face are left out."""
    found: list[tuple[str, FaceAnalysis]] = []
    for done, (name, data) in enumerate(tqdm(files, "faces"), 1):
        result = analysed_face(assistant, name, data, fragility=done % 2 == 1)
        if result is not None:
            found.append((name, result))
    return found


def analysed_face(
    assistant: Assistant, name: str, data: bytes, *, fragility: bool
) -> FaceAnalysis | None:
    """The first face of a file, with its causal checks; None where there is none."""
    result: FaceAnalysis | None = None
    for event in assistant.analyze(data, explain=False, fragility=False):
        if isinstance(event, Analyzed) and event.result.face.index == 0:
            result = event.result
        elif isinstance(event, NoFace):
            _log.info("%s: no face", name)
        elif isinstance(event, Failed):
            _log.warning("%s: %s", name, event.error.user_message)
    if result is not None and fragility:
        try:
            return assistant.probe_fragility(result)
        except AssistantError as error:
            _log.warning("%s: %s", name, error.user_message)
    return result


def first_score(assistant: Assistant, data: bytes) -> Score | None:
    """The score of the first face, with nothing else measured; None where there is none."""
    scored = [e.scores for e in assistant.score(data) if isinstance(e, Scored)]
    faces = scored[0].faces if scored else ()
    return faces[0].score if faces else None


def with_words(result: FaceAnalysis, text: str) -> FaceAnalysis:
    """The same case, with words written across the picture that the narrator sees."""
    import cv2

    crop: Image = result.face.crop.copy()
    height, width = crop.shape[:2]
    lines = [text[i : i + 22] for i in range(0, len(text), 22)][:6]
    scale = max(0.3, width / 480)
    for i, line in enumerate(lines):
        at = (4, int((i + 1) * height / (len(lines) + 1)))
        for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(crop, line, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick)
    return replace(result, face=replace(result.face, crop=crop))


def with_metadata(result: FaceAnalysis, text: str) -> FaceAnalysis:
    """The same case, from a file that says ``text`` of its own origin."""
    blank = np.zeros((1, 1, 3), np.uint8)
    media = Media(
        id=result.evidence.media_id,
        kind="image",
        frames=(blank,),
        width=1,
        height=1,
        provenance=(ProvenanceNote(kind="editor", value=text[:120]),),
    )
    own = {FactKind.REGION, FactKind.QUALITY, FactKind.PROVENANCE, FactKind.LIMIT}
    extra = [f for f in result.evidence.facts if f.kind not in own and f.id not in {"S1", "S2"}]
    evidence = build_evidence(result.face, result.score, result.regions, media)
    return replace(result, evidence=renumbered(evidence, extra))
