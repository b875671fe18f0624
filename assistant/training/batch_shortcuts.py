"""What file metadata and low-level statistics tell of the classes in paired training batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.shortcuts import (
    FILE,
    LOW_LEVEL,
    file_and_picture,
    low_level_statistics,
    shortcut_auroc,
)
from assistant.evaluation.tables import table
from assistant.training.augmentation import Augmentation, augment
from assistant.training.pairing import paired_batches

__all__ = ["batch_shortcuts", "shortcuts_markdown"]

_LEAST = 40
_SIDE = 224


def batch_shortcuts(
    rows: Sequence[ManifestRow],
    *,
    limit: int = 800,
    seed: int = 0,
    how: Augmentation | None = None,
) -> dict[str, Any]:
    """AUROC of a logistic regression that sees no face, by source and on all batches together.

    Cross-validated over videos, on batches as training draws them: a manipulated face beside a real
    one of its video. A source with one class is left out: in training its faces meet others.

    Args:
        rows: of a manifest.
        limit: faces of each source at most.
        seed: of the draw.
        how: the augmentation that training applies.

    Returns:
        ``sources[NAME]``: ``file`` (:data:`FILE`), ``pixels`` (:data:`LOW_LEVEL` of the picture as
        it is) and ``augmented`` (the same after the augmentation); 0.5 is chance.

    Raises:
        TrainingError: no source has both classes and enough faces.
    """
    by_source: dict[str, list[ManifestRow]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row)
    sources: dict[str, Any] = {}
    whole: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]] = []
    for name, members in sorted(by_source.items()):
        found = _measured(members, limit, seed, how or Augmentation())
        if found is None:
            continue
        file, pixels, augmented, labels, videos = found
        sources[name] = {
            "file": round(shortcut_auroc(file, labels, videos), 4),
            "pixels": round(shortcut_auroc(pixels, labels, videos), 4),
            "augmented": round(shortcut_auroc(augmented, labels, videos), 4),
            "n": len(labels),
        }
        whole.append((file, pixels, augmented))
        sources[name]["_"] = (labels, [f"{name}/{v}" for v in videos])
    if not sources:
        raise TrainingError(
            f"No source has {_LEAST} faces of both classes.",
            hint="Give a manifest with real and manipulated faces of one source.",
            code="one-class",
        )
    kept = [entry.pop("_") for entry in sources.values()]
    labels = np.concatenate([k[0] for k in kept])
    videos = [v for k in kept for v in k[1]]
    stacked = [np.concatenate([w[i] for w in whole]) for i in range(3)]
    sources["all batches"] = {
        name: round(shortcut_auroc(values, labels, videos), 4)
        for name, values in zip(("file", "pixels", "augmented"), stacked, strict=True)
    } | {"n": len(labels)}
    return {
        "schema": "whyfake.shortcuts/1",
        "statistics": {"file": list(FILE), "pixels": list(LOW_LEVEL)},
        "sources": sources,
    }


def shortcuts_markdown(result: dict[str, Any]) -> str:
    """The table as Markdown."""
    head = ["source", "file metadata", "low-level statistics", "after augmentation", "faces"]
    rows = [
        [name, *(f"{s[kind]:.3f}" for kind in ("file", "pixels", "augmented")), s["n"]]
        for name, s in result["sources"].items()
    ]
    told = "AUROC between the classes without looking at the face; chance: 0.5."
    return f"{table(head, rows)}\n\n{told}"


def _measured(
    rows: Sequence[ManifestRow], limit: int, seed: int, how: Augmentation
) -> tuple[Any, Any, Any, Any, list[str]] | None:
    labels = np.array([row.label for row in rows], np.int64)
    smaller = int(min((labels == 0).sum(), (labels == 1).sum()))
    if smaller < _LEAST // 2:
        return None
    size = min(limit, 2 * smaller) // 2 * 2
    batch = next(
        paired_batches(labels, [row.video for row in rows], batch=size, seed=seed, epoch=0)
    )
    rng = np.random.default_rng(seed)
    values: list[list[NDArray[np.float64]]] = [[], [], []]
    kept: list[int] = []
    for index in batch:
        row = rows[index]
        read = file_and_picture(row)
        if read is None:
            continue
        file, picture = read
        resized = np.asarray(cv2.resize(picture, (_SIDE, _SIDE)), np.uint8)
        values[0].append(file)
        values[1].append(low_level_statistics(picture))
        values[2].append(low_level_statistics(augment(resized, rng, how)[0]))
        kept.append(int(index))
    if len(kept) < _LEAST:
        return None
    stacked = [np.stack(v) for v in values]
    return (*stacked, labels[kept], [rows[i].video for i in kept])  # type: ignore[return-value]
