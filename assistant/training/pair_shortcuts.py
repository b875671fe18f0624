"""What file metadata and low-level statistics tell of the classes, for each pair of sources.

In a batch the genuine pictures of every source stand beside the manipulated ones of every other. A
pair that can be told apart without looking at a face teaches the sources, not manipulation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import ManifestRow, drawn_by_hash
from assistant.evaluation.shortcuts import (
    FILE,
    LOW_LEVEL,
    file_and_picture,
    low_level_statistics,
    shortcut_auroc,
)
from assistant.evaluation.tables import table
from assistant.training.augmentation import worn

__all__ = ["LEAST", "REACH", "pair_shortcuts", "pairs_markdown"]

#: Pictures of a class that a source needs to be one of a pair.
LEAST = 20
#: The AUROC that no pair should exceed.
REACH = 0.55
_SIDE = 224
_SHOWN, _FOLDS = 15, 5
#: What compression leaves, of :data:`LOW_LEVEL`.
_TRACES = [LOW_LEVEL.index("8 x 8 edges"), LOW_LEVEL.index("fine noise")]
_KINDS = ("file", "pixels", "worn", "traces")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """Of the pictures of one class of one source: N x K statistics of each kind, and N videos."""

    values: Mapping[str, NDArray[np.float64]]
    videos: list[str]


def pair_shortcuts(
    rows: Sequence[ManifestRow],
    *,
    limit: int = 100,
    seed: int = 0,
) -> dict[str, Any]:
    """AUROC of a logistic regression that sees no face, genuine of one source against fakes of one.

    Cross-validated over videos (over pictures, in a source of fewer than five videos), the larger
    side cut to twice the smaller.

    ``limit``: pictures of each class of each source at most, drawn by the hash of their names.

    Returns:
        ``pairs``: ``genuine``, ``manipulated``, ``n`` and AUROC of ``file`` (:data:`FILE` as
        stored), ``pixels`` (:data:`LOW_LEVEL` of the picture as it is), ``worn`` (the same in the
        size of training, both classes worn and encoded alike) and ``traces`` (of ``worn``, noise
        and compression blocks alone); ``within_reach``: pairs at most 0.55 by ``worn`` and by
        ``traces``; ``left_out``: sources that are too small.

    Raises:
        TrainingError: no two sources with enough pictures.
    """
    groups: dict[tuple[str, int], list[ManifestRow]] = {}
    for row in rows:
        groups.setdefault((row.source, row.label), []).append(row)
    chosen = {key: drawn_by_hash(members, limit) for key, members in sorted(groups.items())}
    large = {key: members for key, members in chosen.items() if len(members) >= LEAST}
    sources = tqdm(large.items(), "sources")
    measured = {key: _measured(members, seed) for key, members in sources}
    kept = {key: one for key, one in measured.items() if len(one.videos) >= LEAST}
    pairs = [
        _pair(genuine, fake, kept[genuine, 0], kept[fake, 1])
        for genuine, label in kept
        if not label
        for fake, other in kept
        if other
    ]
    if not pairs:
        raise TrainingError(
            f"No source has {LEAST} genuine pictures beside one with {LEAST} manipulated ones.",
            hint="Give a manifest with larger sources of both classes.",
            code="one-class",
        )
    return {
        "schema": "whyfake.shortcut-pairs/1",
        "statistics": {"file": list(FILE), "pixels": list(LOW_LEVEL)},
        "limit": limit,
        "reach": REACH,
        "within_reach": {k: sum(p[k] <= REACH for p in pairs) for k in _KINDS},
        "median": {k: round(float(np.median([p[k] for p in pairs])), 4) for k in _KINDS},
        "pairs": sorted(pairs, key=lambda p: -p["worn"]),
        "left_out": [f"{s} ({'manipulated' if y else 'genuine'})" for s, y in groups.keys() - kept],
    }


def pairs_markdown(result: Mapping[str, Any]) -> str:
    """The pairs that fail most and those that do not, as Markdown, after how many do."""
    pairs, reach = result["pairs"], result["reach"]
    inside, median = result["within_reach"], result["median"]
    told = [
        f"{len(pairs)} pairs of sources; AUROC without a look at a face (0.5: chance), "
        f"at most {reach} wanted.",
        table(
            ("", "file metadata", "low-level", "worn alike", "traces of worn"),
            [
                ("median", *(f"{median[k]:.3f}" for k in _KINDS)),
                (f"pairs at most {reach}", *(f"{inside[k]} of {len(pairs)}" for k in _KINDS)),
            ],
        ),
    ]
    shown = pairs if len(pairs) <= 2 * _SHOWN else [*pairs[:_SHOWN], *pairs[-_SHOWN:]]
    told.append(
        table(
            ("genuine", "manipulated", "pictures", "file", "low-level", "worn alike", "traces"),
            [
                (p["genuine"], p["manipulated"], p["n"], *(f"{p[k]:.2f}" for k in _KINDS))
                for p in shown
            ],
        )
    )
    if len(shown) < len(pairs):
        told.append(f"Shown: the {_SHOWN} worst and the {_SHOWN} best; all with --json.")
    if result["left_out"]:
        told.append(f"Too small: {', '.join(sorted(result['left_out']))}.")
    return "\n\n".join(told)


def _measured(rows: Sequence[ManifestRow], seed: int) -> _Measured:
    values: dict[str, list[NDArray[np.float64]]] = {kind: [] for kind in _KINDS}
    videos = []
    for row in rows:
        read = file_and_picture(row)
        if read is None:
            continue
        file, picture = read
        shrinks = min(picture.shape[:2]) > _SIDE
        how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        resized = np.asarray(cv2.resize(picture, (_SIDE, _SIDE), interpolation=how), np.uint8)
        unmasked = np.zeros(resized.shape[:2], np.float32)
        used, _ = worn(resized, unmasked, np.random.default_rng((seed, row.line)))
        after = low_level_statistics(used)
        values["file"].append(file)
        values["pixels"].append(low_level_statistics(picture))
        values["worn"].append(after)
        values["traces"].append(after[_TRACES])
        videos.append(f"{row.source}/{row.video}")
    if len(set(videos)) < _FOLDS:  # too few videos to part: pictures are, which flatters the guess
        videos = [f"{video}/{i}" for i, video in enumerate(videos)]
    return _Measured(values={k: np.array(v) for k, v in values.items()}, videos=videos)


def _pair(genuine: str, fake: str, real: _Measured, made: _Measured) -> dict[str, Any]:
    most = 2 * min(len(real.videos), len(made.videos))
    n, m = min(most, len(real.videos)), min(most, len(made.videos))
    labels = np.repeat([0, 1], [n, m])
    videos = [*real.videos[:n], *made.videos[:m]]
    found = {
        kind: shortcut_auroc(
            np.concatenate([real.values[kind][:n], made.values[kind][:m]]), labels, videos
        )
        for kind in _KINDS
    }
    # Below one half is chance in small groups, not a shortcut turned round.
    rounded = {kind: round(value, 4) for kind, value in found.items()}
    return {"genuine": genuine, "manipulated": fake, "n": n + m, **rounded}
