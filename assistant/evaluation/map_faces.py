"""The faces that known masks are made from: those that packages ship, or those of a manifest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.attribution.regions import LEAST_AREA, region_masks
from assistant.errors import AssistantError, TrainingError
from assistant.evaluation.known_masks import AlignedFace
from assistant.evaluation.listed import listed_pictures
from assistant.faces.crops import make_face
from assistant.interfaces import FaceFinder
from assistant.types import CropSpec, Image

__all__ = ["aligned_faces", "manifest_pictures", "shipped_pictures"]

_log = logging.getLogger(__name__)
_FOUND_WIDE = 0.25
#: Parts that samples are made of: a face without one of them in view is left out.
_NEEDED = ("left eye", "right eye", "nose", "mouth")


def shipped_pictures() -> list[tuple[str, Image]]:
    """Portraits in the public domain that installed packages carry (name, RGB uint8)."""
    found: list[tuple[str, Image]] = []
    try:
        from skimage import data as skimage_data
    except ImportError:
        _log.info("scikit-image is not installed: no astronaut")
    else:
        samples: Any = skimage_data
        found.append(("skimage astronaut", np.asarray(samples.astronaut(), np.uint8)))
    try:
        import matplotlib
    except ImportError:
        _log.info("matplotlib is not installed: no Grace Hopper")
    else:
        from PIL import Image as Pictures

        path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
        if path.is_file():
            with Pictures.open(path) as picture:
                found.append(("matplotlib grace_hopper", np.asarray(picture.convert("RGB"))))
    return found


def manifest_pictures(path: Path, *, limit: int | None = None) -> list[tuple[str, Image]]:
    """The pictures a manifest names, unreadable ones left out with a warning.

    ``path``: a CSV file with a ``path`` column (and ``label``: rows with 1 are left out, they are
    manipulated already), or a text file with one path a line; relative to the manifest. ``limit``:
    at most this many.

    Raises:
        TrainingError: the manifest cannot be read or names no picture that can.
    """
    from assistant.media import MediaLimits, load_media
    from assistant.media.files import read_path

    rows = listed_pictures(path)
    names = [row["path"] for row in rows if (row.get("label") or "0").strip() == "0"]
    found: list[tuple[str, Image]] = []
    limits = MediaLimits()
    for name in names:
        if limit is not None and len(found) >= limit:
            break
        try:
            media = load_media(read_path(path.parent / name, limits), limits)
        except AssistantError as error:
            _log.warning("left out %s: %s", name, error.user_message)
            continue
        found.append((name, media.frames[0]))
    if not found:
        raise TrainingError(
            f"The manifest {path} names no picture that can be read.",
            hint="Paths are relative to the manifest; rows with label 1 are left out.",
            code="manifest",
        )
    return found


def aligned_faces(
    pictures: Sequence[tuple[str, Image]], finder: FaceFinder, spec: CropSpec
) -> list[AlignedFace]:
    """The surest face of each picture, aligned.

    Pictures without one, or with eyes, nose or mouth out of view, are left out with a warning.

    A picture that is filled by its face is searched once more with a border around it.
    """
    faces = []
    for name, picture in pictures:
        frame = picture
        found = finder.find(frame)
        if not found:
            border = round(_FOUND_WIDE * max(picture.shape[:2]))
            frame = np.pad(picture, ((border, border), (border, border), (0, 0)))
            found = finder.find(frame)
        if not found:
            _log.warning("left out %s: no face was found", name)
            continue
        try:
            face = make_face(frame, found[0], spec, media_id="", index=0, frame_index=0)
            masks = region_masks(face.crop_landmarks, spec.size)
        except AssistantError as error:
            _log.warning("left out %s: %s", name, error.user_message)
            continue
        hidden = [part for part in _NEEDED if masks[part].mean() < LEAST_AREA]
        if hidden:
            _log.warning("left out %s: the %s is not in view", name, hidden[0])
            continue
        faces.append(AlignedFace(crop=face.crop, crop_landmarks=face.crop_landmarks, name=name))
    return faces
