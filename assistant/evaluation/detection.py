"""Score a manifest with the product's own face finder, crop, detector and calibration."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.errors import InferenceError, MediaError, TrainingError
from assistant.evaluation import detection_metrics as metrics
from assistant.evaluation.face_manifest import ManifestRow
from assistant.faces.crops import make_face
from assistant.interfaces import Calibrator, Detector, FaceFinder
from assistant.media import MediaLimits, load_media, read_path
from assistant.types import CropSpec, Image, Verdict

__all__ = [
    "ScoredRow",
    "evaluate",
    "face_crops",
    "score_manifest",
    "summarise",
    "write_scores",
]

SCHEMA = "whyfake.eval-detection/1"
_LOG = logging.getLogger(__name__)
_BATCH = 16
_RATES = (0.01, 0.05, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRow:
    """A manifest row with what came out. ``logit`` is None where nothing could be scored.

    ``face``: ``found``, ``whole`` (no face was found, the crop was scored whole), ``none`` or
    ``unreadable``; ``frames`` is how many frames were scored.
    """

    row: ManifestRow
    face: str
    frames: int = 0
    logit: float | None = None
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: Verdict | None = None


def face_crops(
    row: ManifestRow, finder: FaceFinder, spec: CropSpec, limits: MediaLimits
) -> tuple[list[Image], str]:
    """The aligned crop of the largest face of each frame, and what ``ScoredRow.face`` will say.

    Raises:
        MediaError: the file cannot be decoded.
    """
    media = load_media(read_path(row.path, limits), limits)
    crops: list[Image] = []
    for index, frame in enumerate(media.frames):
        found = sorted(finder.find(frame), key=lambda d: -_area(d.box_xyxy))
        for detection in found:
            try:
                face = make_face(
                    frame, detection, spec, media_id=media.id, index=0, frame_index=index
                )
            except InferenceError:
                continue
            crops.append(face.crop)
            break
    if crops:
        return crops, "found"
    if row.crop:
        return [_whole(frame, spec.size) for frame in media.frames], "whole"
    return [], "none"


def score_manifest(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    detector: Detector,
    calibrator: Calibrator,
    *,
    limits: MediaLimits | None = None,
    change: Callable[[Image, np.random.Generator], Image] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[ScoredRow]:
    """Score every row; a video's logit is the mean over its frames.

    Args:
        rows: of a manifest.
        finder: finds the faces.
        detector: scores them.
        calibrator: makes probabilities of the scores.
        limits: of the media.
        change: applied to each crop before it is scored, for robustness tests; its random generator
            is seeded by the row's number.
        progress: told (rows done, rows in all).

    Raises:
        TrainingError: not one row could be scored.
    """
    limits = limits or MediaLimits()
    scored: list[ScoredRow] = []
    waiting: list[tuple[ManifestRow, list[Image], str]] = []

    def flush() -> None:
        logits = detector.logits([crop for _, crops, _ in waiting for crop in crops])
        start = 0
        for row, crops, how in waiting:
            values = logits[start : start + len(crops)]
            start += len(crops)
            scored.append(_scored(row, how, values, calibrator))
        waiting.clear()

    for number, row in enumerate(rows):
        try:
            crops, how = face_crops(row, finder, detector.crop_spec, limits)
        except MediaError as error:
            _LOG.warning("line %d: %s: %s", row.line, row.name, error.user_message)
            crops, how = [], "unreadable"
        if change is not None:
            rng = np.random.default_rng(number)
            crops = [change(crop, rng) for crop in crops]
        waiting.append((row, crops, how))
        if sum(len(crops) for _, crops, _ in waiting) >= _BATCH:
            flush()
        if progress is not None:
            progress(number + 1, len(rows))
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


def summarise(scored: Sequence[ScoredRow], *, resamples: int = 400) -> dict[str, Any]:
    """The numbers by source, by family, by video and overall, and Cross-AUC."""
    by_source = _grouped(scored, lambda s: s.row.source)
    by_family = _grouped(scored, lambda s: s.row.family or "-")
    warnings = [
        f"source {name}: only one class, so no AUROC"
        for name, rows in by_source.items()
        if len({s.row.label for s in rows}) < 2
    ]
    if len(by_source) == 1:
        warnings.append("only one source: nothing is said of others")
    unreadable = [s for s in scored if s.face == "unreadable"]
    warnings += [f"line {s.row.line}: {s.row.name} could not be read" for s in unreadable]
    reals = [s for s in scored if s.row.label == 0]
    return {
        "schema": SCHEMA,
        "sources": {name: _numbers(rows, resamples) for name, rows in by_source.items()},
        # a family has no reals of its own: all reals of its sources stand against it
        "families": {
            name: _numbers(_against(rows, reals), resamples)
            for name, rows in by_family.items()
            if any(s.row.label == 1 for s in rows)
        },
        "videos": {name: _numbers(_by_video(rows), resamples) for name, rows in by_source.items()},
        "overall": _numbers(scored, resamples),
        "cross_auc": _cross(by_source),
        "warnings": warnings,
    }


def _numbers(scored: Sequence[ScoredRow], resamples: int) -> dict[str, Any]:
    known = [s for s in scored if s.logit is not None]
    labels = np.array([s.row.label for s in known], np.int64)
    logits = np.array([s.logit for s in known], np.float64)
    probability = np.array([s.probability for s in known], np.float64)
    groups = [s.row.video for s in known]
    interval = metrics.bootstrap_interval(
        metrics.auroc, labels, logits, groups, resamples=resamples
    )
    called = np.array([s.verdict or "" for s in known])

    def share(verdict: Verdict, label: int) -> float | None:
        rows = labels == label
        return _round(float((called[rows] == verdict).mean())) if rows.any() else None

    return {
        "auroc": _round(metrics.auroc(labels, logits)),
        "auroc_ci": None if interval is None else [_round(v) for v in interval],
        "ap": _round(metrics.average_precision(labels, logits)),
        "eer": _round(metrics.eer(labels, logits)),
        "tpr_at_fpr": {str(r): _round(metrics.tpr_at_fpr(labels, logits, r)) for r in _RATES},
        "ece": _round(metrics.ece(labels, probability)),
        "brier": _round(metrics.brier(labels, probability)),
        "nll": _round(metrics.negative_log_likelihood(labels, probability)),
        "n": len(scored),
        "n_real": sum(s.row.label == 0 for s in scored),
        "n_fake": sum(s.row.label == 1 for s in scored),
        "no_face": sum(s.face in ("whole", "none") for s in scored),
        "unreadable": sum(s.face == "unreadable" for s in scored),
        "abstained": len(scored) - len(known),
        "uncertain": int((called == Verdict.UNCERTAIN).sum()),
        "real_called_manipulated": share(Verdict.LIKELY_MANIPULATED, 0),
        "fake_called_real": share(Verdict.LIKELY_REAL, 1),
    }


def _cross(by_source: dict[str, list[ScoredRow]]) -> dict[str, dict[str, float | None]]:
    """AUROC of the reals of each source (row) against the fakes of each (column)."""

    def logits(rows: Iterable[ScoredRow], label: int) -> NDArray[np.float64]:
        return np.array(
            [s.logit for s in rows if s.logit is not None and s.row.label == label], np.float64
        )

    table: dict[str, dict[str, float | None]] = {}
    for real_name, real_rows in by_source.items():
        reals = logits(real_rows, 0)
        for fake_name, fake_rows in by_source.items():
            fakes = logits(fake_rows, 1)
            if len(reals) and len(fakes):
                labels = np.repeat([0, 1], [len(reals), len(fakes)])
                value = metrics.auroc(labels, np.concatenate([reals, fakes]))
                table.setdefault(real_name, {})[fake_name] = _round(value)
    return table


def _by_video(scored: Sequence[ScoredRow]) -> list[ScoredRow]:
    """One row a video and class: mean logit and probability of its pictures."""
    merged = []
    for rows in _grouped(scored, lambda s: f"{s.row.video}\n{s.row.label}").values():
        known = [s for s in rows if s.logit is not None]
        if not known:
            merged.append(rows[0])
            continue
        middle = sorted(known, key=lambda s: s.logit or 0.0)[len(known) // 2]
        merged.append(
            ScoredRow(
                row=rows[0].row,
                face=middle.face,
                frames=sum(s.frames for s in known),
                logit=float(np.mean([s.logit for s in known if s.logit is not None])),
                probability=float(
                    np.mean([s.probability for s in known if s.probability is not None])
                ),
                verdict=middle.verdict,
            )
        )
    return merged


def _against(rows: Sequence[ScoredRow], reals: Sequence[ScoredRow]) -> list[ScoredRow]:
    sources = {s.row.source for s in rows}
    return [s for s in rows if s.row.label == 1] + [s for s in reals if s.row.source in sources]


def _grouped(
    scored: Sequence[ScoredRow], key: Callable[[ScoredRow], str]
) -> dict[str, list[ScoredRow]]:
    groups: dict[str, list[ScoredRow]] = {}
    for item in scored:
        groups.setdefault(key(item), []).append(item)
    return dict(sorted(groups.items()))


def _scored(
    row: ManifestRow, how: str, logits: NDArray[np.float64], calibrator: Calibrator
) -> ScoredRow:
    if not len(logits):
        return ScoredRow(row=row, face=how)
    logit = float(logits.mean())
    calibrated = calibrator.calibrate(logit)
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
    )


def evaluate(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    detector: Detector,
    calibrator: Calibrator,
    *,
    resamples: int = 400,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, Any], list[ScoredRow]]:
    """Score and summarise, with throughput and the versions of what was used."""
    start = time.perf_counter()
    scored = score_manifest(rows, finder, detector, calibrator, progress=progress)
    seconds = time.perf_counter() - start
    result = summarise(scored, resamples=resamples)
    result["throughput"] = {
        "seconds": round(seconds, 2),
        "pictures_per_second": round(sum(max(1, s.frames) for s in scored) / seconds, 2),
    }
    result["versions"] = {
        "finder": {"name": finder.name, **finder.provenance()},
        "detector": {"name": detector.name, **detector.provenance()},
        "calibrator": {"name": calibrator.name, "thresholds": list(calibrator.thresholds)},
    }
    return result, scored


def write_scores(scored: Sequence[ScoredRow], path: Path) -> None:
    """One CSV line a manifest row, in the manifest's order.

    Raises:
        TrainingError: the file cannot be written.
    """
    import csv

    names = ["path", "label", "source", "video", "family", "face", "frames"]
    names += ["logit", "probability", "low", "high", "verdict"]
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
                    + [s.verdict or ""]
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


def _area(box: tuple[float, float, float, float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
