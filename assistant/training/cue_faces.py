"""Faces with the picture around them, found once and kept on disk, to fit the visible cues on."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from assistant.cues.window import WINDOW_EYES, FaceWindow, face_window
from assistant.errors import InferenceError, MediaError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.faces.dense import DenseLandmarks
from assistant.faces.quality import is_too_small
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits, load_media, read_path

__all__ = ["collect", "pick_rows", "window_of"]

_LOG = logging.getLogger(__name__)
#: Kept windows are this much larger than what cues look at, so that looks can shrink them.
_KEPT_EYES = 1.25 * WINDOW_EYES


def pick_rows(
    rows: Sequence[ManifestRow], most: int, more: Mapping[str, int] | None = None
) -> list[ManifestRow]:
    """At most ``most`` rows of every source and family (``more``: other numbers by source).

    Rows are taken by the hash of their video, so that a genuine face comes with the fakes made
    of it; the order returned is by hash of the name, so that any first part is a fair sample.
    """
    groups: dict[tuple[str, str, int], list[ManifestRow]] = {}
    for row in sorted(rows, key=lambda r: (_hash(r.video), r.name)):
        group = groups.setdefault((row.source, row.family, row.label), [])
        if len(group) < (more or {}).get(row.source, most):
            group.append(row)
    return sorted((r for g in groups.values() for r in g), key=lambda r: _hash(r.name))


def collect(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    dense: DenseLandmarks,
    folder: Path,
) -> list[tuple[ManifestRow, Path]]:
    """Find the most confident face of each row and keep its window; resumes where it stopped.

    Returns:
        Rows in which a face was found, with the file of its window (see :func:`window_of`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for row in tqdm(rows, "faces"):
        path = folder / f"{_hash(row.name)[:20]}.npz"
        if not path.exists():
            window = _find(row, finder, dense)
            draft = path.with_suffix(".part")
            with draft.open("wb") as file:
                if window is None:
                    np.savez(file, found=False)
                else:
                    png = cv2.imencode(
                        ".png", window.image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1]
                    )
                    np.savez(file, found=True, png=png[1], points=window.points, depth=window.depth)
            draft.replace(path)
        with np.load(path) as kept:
            if bool(kept["found"]):
                out.append((row, path))
    return out


def window_of(path: Path) -> FaceWindow:
    """The window kept in a file of :func:`collect`."""
    with np.load(path) as kept:
        image = np.asarray(cv2.imdecode(kept["png"], cv2.IMREAD_COLOR))[..., ::-1]
        return FaceWindow(
            image=np.ascontiguousarray(image),
            points=kept["points"],
            depth=kept["depth"],
            offset=(0.0, 0.0),
            scale=1.0,
        )


def _find(row: ManifestRow, finder: FaceFinder, dense: DenseLandmarks) -> FaceWindow | None:
    try:
        limits = MediaLimits(frames=1)
        frame = load_media(read_path(row.path, limits), limits).frames[0]
        found = [d for d in finder.find(frame) if not is_too_small(d)]
        if not found:
            return None
        points = dense.find(frame, found[0].landmarks)
    except (MediaError, InferenceError) as error:
        _LOG.warning("line %d: %s: %s", row.line, row.name, error.user_message)
        return None
    if points.confidence < 0.5:
        return None
    return face_window(frame, points.points, points.depth, eyes=_KEPT_EYES)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
