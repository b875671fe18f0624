"""What common changes of a picture do to the score: JPEG, resizing, blur, noise, flip, shift."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from assistant.evaluation.detection import summarise
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import (
    FoundFaces,
    ScoredRow,
    found_in,
    require_scored,
    score_found,
)
from assistant.interfaces import Calibrator, Detector, FaceFinder
from assistant.media import MediaLimits
from assistant.scoring import Scorer
from assistant.types import Image

__all__ = ["CHANGES", "robustness_markdown", "robustness_table"]

Change = Callable[[Image, np.random.Generator], Image]


def _jpeg(quality: int) -> Change:
    def change(crop: Image, rng: np.random.Generator) -> Image:
        del rng
        _, data = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(np.asarray(data), cv2.IMREAD_COLOR)
        return np.ascontiguousarray(np.asarray(decoded, np.uint8)[..., ::-1])

    return change


def _smaller(share: float) -> Change:
    def change(crop: Image, rng: np.random.Generator) -> Image:
        del rng
        height, width = crop.shape[:2]
        size = (max(1, round(width * share)), max(1, round(height * share)))
        small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
        return np.asarray(
            cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8
        )

    return change


def _blur(crop: Image, rng: np.random.Generator) -> Image:
    del rng
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), 1.5), np.uint8)


def _noise(crop: Image, rng: np.random.Generator) -> Image:
    noisy = crop.astype(np.float32) + rng.normal(0.0, 8.0, crop.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _flip(crop: Image, rng: np.random.Generator) -> Image:
    del rng
    return np.ascontiguousarray(crop[:, ::-1])


def _shift(crop: Image, rng: np.random.Generator) -> Image:
    dx, dy = rng.uniform(-0.04, 0.04, 2) * crop.shape[0]
    matrix = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
    size = (crop.shape[1], crop.shape[0])
    return np.asarray(
        cv2.warpAffine(crop, matrix, size, borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )


#: Name -> change of a crop. ``none`` comes first: what the others are compared with.
CHANGES: Mapping[str, Change | None] = {
    "none": None,
    "JPEG quality 90": _jpeg(90),
    "JPEG quality 50": _jpeg(50),
    "JPEG quality 30": _jpeg(30),
    "resized to 50 %": _smaller(0.5),
    "resized to 25 %": _smaller(0.25),
    "Gaussian blur 1.5 px": _blur,
    "Gaussian noise 8": _noise,
    "mirrored": _flip,
    "moved by up to 4 %": _shift,
}


def robustness_table(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    detector: Detector,
    calibrator: Calibrator,
    *,
    limit: int = 400,
    seed: int = 0,
    changes: Mapping[str, Change | None] = CHANGES,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """AUROC by source after each change, on the same ``limit`` rows (drawn by ``seed``).

    The changes are made to the crops, so every face is looked for once. ``progress`` is told crops
    scored and in all.
    """
    chosen = list(rows)
    if len(chosen) > limit:
        picked = np.random.default_rng(seed).choice(len(chosen), limit, replace=False)
        chosen = [chosen[i] for i in sorted(picked)]
    scorer = Scorer(detector=detector, calibrator=calibrator)
    scored: dict[str, list[ScoredRow]] = {name: [] for name in changes}
    found = found_in(chosen, finder, detector.crop_spec, MediaLimits())
    for number, (row, faces) in enumerate(found):
        looks = [(row, _changed(faces, change, number)) for change in changes.values()]
        for name, result in zip(changes, score_found(looks, scorer), strict=True):
            scored[name].append(result)
        done = number + 1
        if progress is not None and (done % 20 == 0 or done == len(chosen)):
            progress(done * len(changes), len(chosen) * len(changes))
    table: dict[str, Any] = {}
    for name, rows_after in scored.items():
        require_scored(rows_after)
        result_after = summarise(rows_after, resamples=10)
        table[name] = {
            source: {key: numbers[key] for key in ("auroc", "ece", "n")}
            for source, numbers in {
                **result_after["sources"],
                "overall": result_after["overall"],
            }.items()
        }
    return {"schema": "whyfake.eval-robustness/1", "rows": len(chosen), "changes": table}


def _changed(faces: FoundFaces, change: Change | None, seed: int) -> FoundFaces:
    """The same faces with changed crops; the random generator is seeded by the row's number."""
    if faces.track is None or change is None:
        return faces
    rng = np.random.default_rng(seed)
    crops = [replace(face, crop=change(face.crop, rng)) for face in faces.track.faces]
    return replace(faces, track=replace(faces.track, faces=tuple(crops)))


def robustness_markdown(result: dict[str, Any]) -> str:
    """The AUROC of each change and source as a Markdown table."""
    changes = result["changes"]
    sources = list(next(iter(changes.values())))
    lines = ["| change | " + " | ".join(sources) + " |", "|" + "---|" * (len(sources) + 1)]
    for name, by_source in changes.items():
        shown = [by_source[s]["auroc"] for s in sources]
        lines.append(
            f"| {name} | " + " | ".join("-" if v is None else f"{v:.3f}" for v in shown) + " |"
        )
    return "\n".join(lines)
