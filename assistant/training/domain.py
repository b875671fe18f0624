"""``whyfake train domain``: fit the domain check of a detector on the pictures of a manifest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from assistant.calibration.domain import MEASURES, DomainModel, reading_feature
from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import found_in
from assistant.interfaces import FaceFinder, ReadingDetector
from assistant.media import MediaLimits
from assistant.training.splits import list_sha256, part_of

__all__ = ["fit_domain", "sources_told"]

#: Fewer faces of a source say nothing about how it is told apart.
_LEAST_OF_SOURCE = 20


def fit_domain(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    detector: ReadingDetector,
    *,
    limit: int = 2000,
    seed: int = 0,
) -> DomainModel:
    """Fit on pictures drawn evenly from the sources of a manifest.

    Half of the videos (by the hash of their names) fit the model, the others set its limits.
    Pictures that cannot be read are left out; crops in which no face is found count without the
    measures of a picture.

    ``detector``: whose feature is taken; ``limit``: at most this many pictures.

    Raises:
        TrainingError: too few faces.
    """
    chosen = _drawn(rows, limit, seed)
    features: list[list[np.ndarray]] = [[], []]
    groups: list[list[str]] = [[], []]
    measured: dict[str, list[float]] = {name: [] for name in MEASURES}
    pictures = found_in(chosen, finder, detector.crop_spec, MediaLimits(frames=1))
    for row, found in tqdm(pictures, "domain", len(chosen)):
        part = int(part_of(row.video, {"limits": 50}) == "limits")
        if found.track is None:
            continue
        for index, reading in enumerate(detector.read(found.crops)):
            features[part].append(reading_feature(reading))
            groups[part].append(row.source)
            for name, value in found.track.measures(index).items():
                measured[name].append(value)
    fitting, limiting = (np.array(part) for part in features)
    by_source = sources_told(fitting, groups[0], limiting, groups[1])
    return DomainModel.fit(
        fitting,
        groups[0],
        held_out=limiting,
        measures={name: np.array(v) for name, v in measured.items() if v},
        weights_sha256=detector.weights_sha256,
        fitted_on={
            "data_sha256": list_sha256(rows),
            "pictures": len(chosen),
            "seed": seed,
            "sources_left_out": by_source,
            "auroc_left_out": round(float(np.mean(list(by_source.values()))), 3)
            if by_source
            else None,
        },
    )


def sources_told(
    fitting: NDArray[np.float64],
    fitting_sources: Sequence[str],
    limiting: NDArray[np.float64],
    limiting_sources: Sequence[str],
) -> dict[str, float]:
    """How well the check tells a source that it does not know from those that it knows.

    For each source of at least 20 faces the check is fitted without it; the AUROC is that of its
    distances on that source against those on held-out videos of the others (0.5: not at all).

    Args:
        fitting: N x D features that fit the check.
        fitting_sources: N.
        limiting: M x D features of other videos.
        limiting_sources: M.

    Returns:
        AUROC by source; a source without which too few faces are left is not among them.
    """
    first, second = np.array(fitting_sources), np.array(limiting_sources)
    found = {}
    for source in sorted(set(fitting_sources)):
        out = np.concatenate([fitting[first == source], limiting[second == source]])
        if len(out) < _LEAST_OF_SOURCE:
            continue
        others = limiting[second != source]
        try:
            model = DomainModel.fit(
                fitting[first != source],
                first[first != source].tolist(),
                held_out=others,
                measures={},
                weights_sha256="",
            )
        except TrainingError:
            continue
        labels = np.r_[np.zeros(len(others)), np.ones(len(out))]
        distances = np.r_[model.distances(others), model.distances(out)]
        found[source] = round(float(roc_auc_score(labels, distances)), 3)
    return found


def _drawn(rows: Sequence[ManifestRow], limit: int, seed: int) -> list[ManifestRow]:
    """Pictures taken from the sources in turn, so that a large one does not crowd out others."""
    rng = np.random.default_rng(seed)
    by_source: dict[str, list[ManifestRow]] = {}
    for index in rng.permutation(len(rows)):
        by_source.setdefault(rows[index].source, []).append(rows[index])
    taken: list[ManifestRow] = []
    while by_source and len(taken) < limit:
        for source in sorted(by_source):
            taken.append(by_source[source].pop())
            if not by_source[source]:
                del by_source[source]
    return taken[:limit]
