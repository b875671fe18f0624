"""The rows of a manifest, scored as the product scores a file (:mod:`assistant.scoring`)."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from assistant.compute import done_ahead
from assistant.errors import InferenceError, MediaError, TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.faces.alignment import template_points
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits, load_media, read_path
from assistant.scoring import ScoredFace, Scorer
from assistant.tracks import Read, Track, found_tracks
from assistant.types import CropSpec, DomainStatus, Face, Image, Media, Verdict

__all__ = [
    "FoundFaces",
    "ScoredRow",
    "faces_in",
    "found_in",
    "read_row",
    "require_scored",
    "score_all",
    "score_found",
    "score_manifest",
    "versions",
    "write_scores",
]

_LOG = logging.getLogger(__name__)
_BATCH = 8  # faces; larger batches are no faster on a CPU


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRow:
    """A manifest row with what came out. ``logit`` is None where nothing could be scored.

    ``face``: ``found``, ``whole`` (no face was found, the crop was scored whole), ``none`` or
    ``unreadable``; ``frames`` is how many frames were scored; ``domain`` is what the domain check
    found, where there is one (of a video: of the frame whose score is nearest to the mean).
    """

    row: ManifestRow
    face: str
    frames: int = 0
    logit: float | None = None
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: Verdict | None = None
    domain: DomainStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFaces:
    """The largest face of a row's file. ``how`` is what :attr:`ScoredRow.face` will say."""

    track: Track | None = None
    how: str = "none"

    @property
    def crops(self) -> list[Image]:
        """The aligned crop of each frame with a face."""
        return [] if self.track is None else [face.crop for face in self.track.faces]


def read_row(row: ManifestRow, limits: MediaLimits | None = None) -> Media | None:
    """A row's file, decoded; None, with a warning, where it cannot be."""
    try:
        return load_media(read_path(row.path, limits), limits)
    except MediaError as error:
        _LOG.warning("line %d: %s: %s", row.line, row.name, error.user_message)
        return None


def faces_in(
    media: Media | None,
    row: ManifestRow,
    finder: FaceFinder,
    spec: CropSpec,
    read: Read | None = None,
) -> FoundFaces:
    """The largest face of what :func:`read_row` gave, or the most prominent person of a video.

    ``read`` as in :func:`assistant.tracks.find_tracks`.
    """
    if media is None:
        return FoundFaces(how="unreadable")
    try:
        tracks = found_tracks(media, finder, spec, most=1, read=read).tracks
    except InferenceError as error:
        if error.code != "no-alignment":
            raise
        tracks = ()
    if tracks:
        return FoundFaces(track=tracks[0], how="found")
    if row.crop:
        faces = tuple(_whole(media, number, spec) for number in range(len(media.frames)))
        return FoundFaces(track=Track(media=media, faces=faces, seconds=media.seconds), how="whole")
    return FoundFaces()


def found_in(
    rows: Iterable[ManifestRow],
    finder: FaceFinder,
    spec: CropSpec,
    limits: MediaLimits | None = None,
    read: Read | None = None,
) -> Iterator[tuple[ManifestRow, FoundFaces]]:
    """The rows one after another with their faces; a file that cannot be decoded has none.

    Threads find them some rows ahead, while the caller scores.
    """

    def found(row: ManifestRow) -> tuple[ManifestRow, FoundFaces]:
        return row, faces_in(read_row(row, limits), row, finder, spec, read)

    return done_ahead(found, rows, ahead=_BATCH)


def score_manifest(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    scorer: Scorer,
) -> list[ScoredRow]:
    """Score every row; a video is scored as its most prominent person.

    Raises:
        TrainingError: not one row could be scored.
    """
    found = found_in(rows, finder, scorer.detector.crop_spec, None, scorer.read)
    return score_all(found, scorer, total=len(rows))


def score_all(
    found: Iterable[tuple[ManifestRow, FoundFaces]],
    scorer: Scorer,
    *,
    total: int,
) -> list[ScoredRow]:
    """Score ``total`` rows whose faces are found, in batches.

    Raises:
        TrainingError: not one row could be scored.
    """
    scored: list[ScoredRow] = []
    waiting: list[tuple[ManifestRow, FoundFaces]] = []
    for one in tqdm(found, "rows", total):
        waiting.append(one)
        if sum(len(faces.crops) for _, faces in waiting) >= _BATCH:
            scored += score_found(waiting, scorer)
            waiting.clear()
    scored += score_found(waiting, scorer)
    require_scored(scored)
    return scored


def score_found(found: Sequence[tuple[ManifestRow, FoundFaces]], scorer: Scorer) -> list[ScoredRow]:
    """Score rows whose faces are found, all in one go."""
    results = iter(scorer.score([faces.track for _, faces in found if faces.track is not None]))
    return [
        ScoredRow(row=row, face=faces.how)
        if faces.track is None
        else _row_of(row, faces.how, next(results))
        for row, faces in found
    ]


def require_scored(scored: Sequence[ScoredRow]) -> None:
    """Refuse a list of which nothing could be scored.

    Raises:
        TrainingError: with the reasons, counted.
    """
    if any(s.logit is not None for s in scored):
        return
    raise TrainingError(
        f"None of the {len(scored)} rows could be scored: no face was found in "
        f"{sum(s.face == 'none' for s in scored)}, "
        f"{sum(s.face == 'unreadable' for s in scored)} could not be read.",
        hint="For pictures that are face crops already, add a column crop with 1.",
        code="no-faces",
    )


def _row_of(row: ManifestRow, how: str, found: ScoredFace) -> ScoredRow:
    score = found.score
    low, high = score.interval
    return ScoredRow(
        row=row,
        face=how,
        frames=len(found.logits),
        logit=score.logit,
        probability=score.probability,
        low=low,
        high=high,
        verdict=score.verdict,
        domain=None if score.domain is None else score.domain.status,
    )


def versions(scorer: Scorer) -> dict[str, Any]:
    """What scored, for a result."""
    detector, calibrator = scorer.detector, scorer.calibrator
    return {
        "detector": {"name": detector.name, **detector.provenance()},
        "calibrator": {"name": calibrator.name, "thresholds": list(calibrator.thresholds)},
        "domain_check": scorer.domain is not None,
    }


def write_scores(scored: Sequence[ScoredRow], path: Path) -> None:
    """One CSV line a manifest row, in the manifest's order.

    Raises:
        TrainingError: the file cannot be written.
    """
    names = ["path", "label", "source", "video", "family", "face", "frames"]
    names += ["logit", "probability", "low", "high", "verdict", "domain"]
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            for s in sorted(scored, key=lambda s: s.row.line):
                row = s.row
                values = [s.logit, s.probability, s.low, s.high]
                writer.writerow(
                    [row.name, row.label, row.source, row.video, row.family, s.face, s.frames]
                    + ["" if v is None else f"{v:.6f}" for v in values]
                    + [s.verdict or "", s.domain or ""]
                )
    except OSError as error:
        raise TrainingError(
            f"The scores cannot be written to {path}: {error.strerror}.",
            hint="Choose another place for --scores.",
            code="not-writable",
        ) from error


def _whole(media: Media, number: int, spec: CropSpec) -> Face:
    """A frame as the crop itself: its five points are taken to lie where the template has them."""
    frame = media.frames[number]
    height, width = frame.shape[:2]
    shrink = height > spec.size
    resized = cv2.resize(
        frame,
        (spec.size, spec.size),
        interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC,
    )
    matrix = np.array([[spec.size / width, 0.0, 0.0], [0.0, spec.size / height, 0.0]])
    points = template_points(spec) / [matrix[0, 0], matrix[1, 1]]
    return Face(
        media_id=media.id,
        index=0,
        frame_index=number,
        box_xyxy=(0.0, 0.0, float(width), float(height)),
        landmarks=points.astype(np.float32),
        crop=np.asarray(resized, np.uint8),
        crop_spec=spec,
        matrix=matrix,
        confidence=0.0,
    )
