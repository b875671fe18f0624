"""A found face to an aligned crop with its quality notes: the only place where faces are made."""

from __future__ import annotations

from assistant.errors import InferenceError
from assistant.faces.alignment import align
from assistant.faces.quality import quality_notes
from assistant.types import CropSpec, Detection, Face, Image

__all__ = ["make_face"]


def make_face(
    frame: Image,
    detection: Detection,
    spec: CropSpec,
    *,
    media_id: str,
    index: int,
    frame_index: int | None,
) -> Face:
    """Align a found face and judge its quality.

    Args:
        frame: RGB uint8 HWC.
        detection: the face, in pixels of ``frame``.
        spec: the crop the detector wants.
        media_id: id of the picture or video.
        index: number of the face in the picture, from 0.
        frame_index: number of the frame, from 0; None for one that is not kept.

    Raises:
        InferenceError: the five points lie on one spot, so no crop fits them.
    """
    try:
        crop, matrix = align(frame, detection.landmarks, spec)
    except ValueError as error:
        raise InferenceError(
            f"Face {index + 1} cannot be aligned: {error}.",
            hint="Use a photo in which eyes, nose and mouth are visible.",
            code="no-alignment",
        ) from error
    return Face(
        media_id=media_id,
        index=index,
        frame_index=frame_index,
        box_xyxy=detection.box_xyxy,
        landmarks=detection.landmarks,
        crop=crop,
        crop_spec=spec,
        matrix=matrix,
        confidence=detection.confidence,
        quality=quality_notes(frame, detection),
    )
