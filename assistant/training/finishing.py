"""The end of every recipe that reads several blocks: calibrate, measure, write one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from assistant.calibration.fitting import fit_calibrator
from assistant.detectors.delta_file import DeltaHeader, write_delta
from assistant.detectors.read_out import ReadOut
from assistant.detectors.surroundings import SurroundingsScore
from assistant.detectors.texture import TextureScore
from assistant.detectors.tower import tower_sha256
from assistant.evaluation import detection_metrics as metrics
from assistant.evaluation.face_manifest import ManifestRow
from assistant.interfaces import FaceFinder
from assistant.training.detector_config import DetectorConfig
from assistant.training.face_cache import UNREADABLE, CropCache
from assistant.training.splits import list_sha256, parts_of
from assistant.types import Image

__all__ = ["KnownFaces", "calibration_rows", "faces_of", "finish", "known_faces", "score_held_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFaces:
    """The rows of a run with labels (1 = manipulated), part of the split, and whether usable."""

    rows: Sequence[ManifestRow]
    labels: NDArray[np.int64]
    parts: NDArray[np.str_]
    usable: NDArray[np.bool_]
    borrowed_reals: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def held_out(self) -> NDArray[np.int64]:
        """The rows of the calibration and test parts."""
        return np.flatnonzero((self.parts != "train") & self.usable)

    def of_source(self, source: str) -> NDArray[np.bool_]:
        """Which rows are of a source, with the real ones that it borrows."""
        lenders = self.borrowed_reals.get(source, ())
        return np.array(
            [r.source == source or (r.source in lenders and not r.label) for r in self.rows]
        )


def known_faces(config: DetectorConfig, cache: CropCache, limit: int) -> KnownFaces:
    """The first ``limit`` rows of a filled cache, split as the configuration says."""
    known = cache.rows[:limit]
    return KnownFaces(
        rows=known,
        labels=np.array([r.label for r in known], np.int64),
        parts=parts_of(
            known, test_percent=config.test_percent, calibration_percent=config.calibration_percent
        ),
        usable=np.asarray(cache.points[:limit, 0] != UNREADABLE),
        borrowed_reals=config.borrowed_reals,
    )


def faces_of(
    config: DetectorConfig,
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    work: Path,
    progress: Callable[[str, int, int, float], None],
) -> tuple[CropCache, KnownFaces]:
    """The crops of a run's pictures, made where they are missing, and what is known of them.

    Raises:
        TrainingError: the crops in ``work`` are another face finder's.
    """
    limit = min(config.limit or len(rows), len(rows))
    cache = CropCache(work, rows, config.crop.spec)
    cache.fill(finder, limit=limit, progress=progress)
    return cache, known_faces(config, cache, limit)


def score_held_out(
    faces: KnownFaces,
    cache: CropCache,
    numbers_of: Callable[[list[Image]], NDArray[np.float64]],
    progress: Callable[[str, int, int, float], None],
    name: str = "scores",
) -> NDArray[np.float64]:
    """Numbers of the calibration and test parts, in the cache's order; zero elsewhere.

    ``numbers_of`` gives one number a crop (logits), or a row of them.
    """
    rows, found = faces.held_out, []
    for start in range(0, len(rows), 128):
        chosen = rows[start : start + 128]
        found.append(numbers_of([np.array(cache.crops[row]) for row in chosen]))
        progress(name, start + len(chosen), len(rows), 0.0)
    values = np.concatenate(found) if found else np.zeros(0)
    whole = np.zeros((len(faces.rows), *values.shape[1:]))
    whole[rows] = values
    return whole


def calibration_rows(
    config: DetectorConfig, faces: KnownFaces
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The rows that a calibration is fitted on, and the sources they are of."""
    sources = np.array([row.source for row in faces.rows])
    chosen = config.calibration_sources or tuple(sorted(set(sources)))
    inside = (faces.parts == "calibration") & faces.usable & np.isin(sources, chosen)
    return np.flatnonzero(inside), chosen


def finish(
    config: DetectorConfig,
    faces: KnownFaces,
    logits: NDArray[np.float64],
    read_out: ReadOut,
    base: Mapping[str, Tensor],
    *,
    output: Path,
    report: Mapping[str, Any],
    norms: Mapping[str, Tensor] | None = None,
    low_rank: Mapping[str, Tensor] | None = None,
    texture: TextureScore | None = None,
    surroundings: SurroundingsScore | None = None,
) -> dict[str, Any]:
    """Fit the calibration on its own part, measure the test part by source, and write the delta.

    Args:
        config: of the run.
        faces: all of them.
        logits: one a face; only those of the calibration and test parts are looked at.
        read_out: trained.
        base: state of the untouched tower.
        output: the delta to write.
        report: what the recipe adds to the card.
        norms: tuned LayerNorms.
        low_rank: factors of the updates.
        texture: what is read of the texture.
        surroundings: what is read of the picture around a face; its lifts are in ``logits``.

    Returns:
        The card with the verdict thresholds.
    """
    sources = np.array([r.source for r in faces.rows])
    rows, chosen = calibration_rows(config, faces)
    calibrator = fit_calibrator(
        logits[rows],
        faces.labels[rows],
        method="platt",
        groups=[faces.rows[int(i)].video for i in rows],
        fitted_on={"pictures": len(rows), "split": "by video", "sources": list(chosen)},
    )
    tested = {}
    held_out = (faces.parts == "test") & faces.usable
    for source in sorted(set(sources)):
        part = held_out & faces.of_source(source)
        lent = config.borrowed_reals.get(source, ())
        value = metrics.auroc(faces.labels[part], logits[part])
        tested[source] = {
            "auroc": None if value is None else round(value, 4),
            "ece": metrics.ece(faces.labels[part], calibrator.probabilities(logits[part])),
            "n": int(part.sum()),
            **(
                {"reals_of": list(lent), "n_own": int((part & (sources == source)).sum())}
                if lent
                else {}
            ),
        }
    card = {
        "data_sha256": list_sha256(faces.rows),
        "pictures": len(faces.rows),
        "trained_on": int(((faces.parts == "train") & faces.usable).sum()),
        **report,
        "test": tested,
        "config": config.model_dump(mode="json", exclude={"manifest", "more_manifests", "start"}),
    }
    header = DeltaHeader(
        tower=config.layout,
        base_sha256=tower_sha256(base),
        read_out=read_out.options(),
        crop=config.crop.spec,
        mirror=config.mirror,
        texture=None if texture is None else texture.options(),
        surroundings=None if surroundings is None else surroundings.options(),
        calibration=calibrator.to_json(),
        card=card,
    )
    write_delta(
        output,
        header,
        norms=norms or {},
        read_out=read_out.state_dict(),
        low_rank=low_rank,
        texture=None if texture is None else texture.read_out.state_dict(),
        surroundings=None if surroundings is None else surroundings.networks.state_dict(),
        small=True,
    )
    return {**card, "thresholds": list(calibrator.thresholds)}
