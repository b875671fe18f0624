"""The rows of a manifest, scored with the product's own finder, crop, detector and calibration."""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.errors import InferenceError, MediaError, TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.faces import domain_measures, make_face
from assistant.interfaces import Calibrator, Detector, DomainCheck, FaceFinder, TraceableDetector
from assistant.media import MediaLimits, load_media, read_path
from assistant.types import CropSpec, DomainFinding, DomainStatus, Image, Verdict

__all__ = [
    "FoundFaces",
    "ScoredRow",
    "find_faces",
    "found_in",
    "score_found",
    "score_manifest",
    "write_scores",
]

_LOG = logging.getLogger(__name__)
_BATCH = 16


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
    """The largest face of each frame: aligned crops, and measures of each.

    ``how`` is what :attr:`ScoredRow.face` will say; ``measures`` are empty for whole crops.
    """

    crops: list[Image] = field(default_factory=list)
    measures: list[Mapping[str, float]] = field(default_factory=list)
    how: str = "none"


def find_faces(
    row: ManifestRow, finder: FaceFinder, spec: CropSpec, limits: MediaLimits
) -> FoundFaces:
    """The aligned crop of the largest face of each frame of a row's file.

    Raises:
        MediaError: the file cannot be decoded.
    """
    media = load_media(read_path(row.path, limits), limits)
    crops: list[Image] = []
    measures: list[Mapping[str, float]] = []
    for index, frame in enumerate(media.frames):
        for detection in sorted(finder.find(frame), key=lambda d: -d.area):
            try:
                face = make_face(
                    frame, detection, spec, media_id=media.id, index=0, frame_index=index
                )
            except InferenceError:
                continue
            crops.append(face.crop)
            measures.append(domain_measures(frame, detection))
            break
    if crops:
        return FoundFaces(crops=crops, measures=measures, how="found")
    if row.crop:
        whole = [_whole(frame, spec.size) for frame in media.frames]
        return FoundFaces(crops=whole, measures=[{}] * len(whole), how="whole")
    return FoundFaces()


def found_in(
    rows: Iterable[ManifestRow], finder: FaceFinder, spec: CropSpec, limits: MediaLimits
) -> Iterator[tuple[ManifestRow, FoundFaces]]:
    """The rows one after another with their faces; a file that cannot be decoded has none."""
    for row in rows:
        try:
            yield row, find_faces(row, finder, spec, limits)
        except MediaError as error:
            _LOG.warning("line %d: %s: %s", row.line, row.name, error.user_message)
            yield row, FoundFaces(how="unreadable")


def score_manifest(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    detector: Detector,
    calibrator: Calibrator,
    *,
    domain: DomainCheck | None = None,
    limits: MediaLimits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[ScoredRow]:
    """Score every row; a video's logit is the mean over its frames.

    Args:
        rows: of a manifest.
        finder: finds the faces.
        detector: scores them.
        calibrator: makes probabilities of the scores.
        domain: tells faces unlike those the detector knows; crops are then traced one by one.
        limits: of the media.
        progress: told (rows done, rows in all).

    Raises:
        TrainingError: not one row could be scored.
    """
    found = found_in(rows, finder, detector.crop_spec, limits or MediaLimits())
    tell = None if progress is None else lambda done: progress(done, len(rows))
    return score_found(found, detector, calibrator, domain=domain, progress=tell)


def score_found(
    found: Iterable[tuple[ManifestRow, FoundFaces]],
    detector: Detector,
    calibrator: Calibrator,
    *,
    domain: DomainCheck | None = None,
    change: Callable[[Image, np.random.Generator], Image] | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[ScoredRow]:
    """As :func:`score_manifest`, of faces that are found already.

    Args:
        found: rows with their faces, as :func:`found_in` gives them.
        detector: scores them.
        calibrator: makes probabilities of the scores.
        domain: as there.
        change: applied to each crop before it is scored, for
            robustness tests; its random generator is seeded by the row's number.
        progress: told the rows done.

    Raises:
        TrainingError: not one row could be scored.
    """
    scored: list[ScoredRow] = []
    waiting: list[tuple[ManifestRow, FoundFaces]] = []

    def flush() -> None:
        crops = [crop for _, faces in waiting for crop in faces.crops]
        measures = [values for _, faces in waiting for values in faces.measures]
        logits, findings = _scores(detector, domain, crops, measures)
        start = 0
        for row, faces in waiting:
            part = slice(start, start + len(faces.crops))
            start = part.stop
            scored.append(_scored(row, faces.how, logits[part], findings[part], calibrator, domain))
        waiting.clear()

    for number, (row, faces) in enumerate(found):
        if change is not None:
            rng = np.random.default_rng(number)
            crops = [change(crop, rng) for crop in faces.crops]
            faces = replace(faces, crops=crops)
        waiting.append((row, faces))
        if sum(len(faces.crops) for _, faces in waiting) >= _BATCH:
            flush()
        if progress is not None:
            progress(number + 1)
    flush()
    if all(s.logit is None for s in scored):
        raise TrainingError(
            f"None of the {len(scored)} rows could be scored: no face was found in "
            f"{sum(s.face == 'none' for s in scored)}, "
            f"{sum(s.face == 'unreadable' for s in scored)} could not be read.",
            hint="For pictures that are face crops already, add a column crop with 1.",
            code="no-faces",
        )
    return scored


def _scores(
    detector: Detector,
    domain: DomainCheck | None,
    crops: Sequence[Image],
    measures: Sequence[Mapping[str, float]],
) -> tuple[NDArray[np.float64], list[DomainFinding | None]]:
    if domain is None or not isinstance(detector, TraceableDetector):
        return detector.logits(crops), [None] * len(crops)
    traces = [detector.trace(crop) for crop in crops]
    findings = [domain.judge(t, m) for t, m in zip(traces, measures, strict=True)]
    return np.array([t.logit for t in traces], np.float64), [*findings]


def _scored(
    row: ManifestRow,
    how: str,
    logits: NDArray[np.float64],
    findings: Sequence[DomainFinding | None],
    calibrator: Calibrator,
    domain: DomainCheck | None,
) -> ScoredRow:
    if not len(logits):
        return ScoredRow(row=row, face=how)
    logit = float(logits.mean())
    calibrated = calibrator.calibrate(logit)
    finding = findings[int(np.abs(logits - logit).argmin())]
    if domain is not None and finding is not None:
        calibrated = domain.apply(calibrated, finding)
    low, high = calibrated.interval
    return ScoredRow(
        row=row,
        face=how,
        frames=len(logits),
        logit=logit,
        probability=calibrated.probability,
        low=low,
        high=high,
        verdict=calibrated.verdict,
        domain=None if finding is None else finding.status,
    )


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


def _whole(frame: Image, size: int) -> Image:
    shrink = frame.shape[0] > size
    resized = cv2.resize(
        frame, (size, size), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
    )
    return np.asarray(resized, np.uint8)
