"""Does the score depend on how the picture was framed? Each picture against its own tight crops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from assistant.errors import InferenceError, TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import read_row
from assistant.evaluation.tables import shown, table
from assistant.faces import make_face
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits
from assistant.scoring import Scorer
from assistant.types import CropSpec, Detection, Face, Image

__all__ = ["MARGINS", "framing_markdown", "framing_table", "tight_crop"]

#: What a tight crop leaves around the found box, in shares of its sides.
MARGINS = (0.0, 0.1, 0.3)
_NEAR = 0.05


def tight_crop(frame: Image, detection: Detection, margin: float) -> Image:
    """The found box with ``margin`` of its sides around it, as far as the picture goes."""
    left, top, right, bottom = detection.box_xyxy
    width, height = right - left, bottom - top
    rows, columns = frame.shape[:2]
    x0, x1 = max(0, round(left - margin * width)), min(columns, round(right + margin * width))
    y0, y1 = max(0, round(top - margin * height)), min(rows, round(bottom + margin * height))
    return np.ascontiguousarray(frame[y0:y1, x0:x1])


def framing_table(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    scorer: Scorer,
    *,
    limits: MediaLimits | None = None,
) -> dict[str, Any]:
    """Score the largest face of every picture in the whole picture and in its own tight crops.

    In each crop the face is found and aligned anew, as if it had been uploaded alone. Every sampled
    frame of a video is a picture. Rows that are face crops already are left out: they have no
    frame.

    Returns:
        ``n`` faces and ``margins[MARGIN].{median, mean, p95, within, n, lost}``: the absolute
        change of the probability, the share of faces that change by at most 0.05, and how often no
        face was found in the crop.

    Raises:
        TrainingError: no picture with a face in it.
    """
    detector, calibrator = scorer.detector, scorer.calibrator
    chosen = [row for row in rows if not row.crop]
    changes: dict[float, list[float]] = {margin: [] for margin in MARGINS}
    faces = 0
    for row in tqdm(chosen, "pictures"):
        media = read_row(row, limits)
        for frame in media.frames if media else ():
            found = _largest(frame, finder)
            whole = None if found is None else _aligned(frame, found, detector.crop_spec)
            if found is None or whole is None:
                continue
            faces += 1
            crops = {margin: tight_crop(frame, found, margin) for margin in MARGINS}
            again = {margin: _largest(crop, finder) for margin, crop in crops.items()}
            aligned = {
                margin: _aligned(crops[margin], detection, detector.crop_spec)
                for margin, detection in again.items()
                if detection is not None
            }
            kept = {margin: face for margin, face in aligned.items() if face is not None}
            logits = detector.logits([face.crop for face in (whole, *kept.values())])
            first, *others = (calibrator.calibrate(float(z)).probability for z in logits)
            for margin, probability in zip(kept, others, strict=True):
                changes[margin].append(abs(probability - first))
    if not faces:
        raise TrainingError(
            f"No face was found in {len(chosen)} pictures that are not face crops already.",
            hint="Give a manifest of whole pictures or videos (column crop empty or 0).",
            code="no-faces",
        )
    return {
        "n": faces,
        "margins": {str(margin): _summary(values, faces) for margin, values in changes.items()},
    }


def framing_markdown(result: dict[str, Any]) -> str:
    """The result as a table."""
    rows = [
        [margin, *(shown(one[k]) for k in ("median", "p95", "within", "lost"))]
        for margin, one in result["margins"].items()
    ]
    told = table(["margin", "median change", "95 %", "within 0.05", "no face"], rows)
    return f"{result['n']} faces, in the whole picture and in their own tight crops:\n\n{told}"


def _summary(values: Sequence[float], faces: int) -> dict[str, Any]:
    if not values:
        return {"median": None, "mean": None, "p95": None, "within": None, "n": 0, "lost": faces}
    return {
        "median": float(np.median(values)),
        "mean": float(np.mean(values)),
        "p95": float(np.quantile(values, 0.95)),
        "within": float(np.mean(np.array(values) <= _NEAR)),
        "n": len(values),
        "lost": faces - len(values),
    }


def _largest(frame: Image, finder: FaceFinder) -> Detection | None:
    return max(finder.find(frame), key=lambda d: d.area, default=None) if frame.size else None


def _aligned(frame: Image, detection: Detection, spec: CropSpec) -> Face | None:
    try:
        return make_face(frame, detection, spec, media_id="framing", index=0, frame_index=0)
    except InferenceError:
        return None
