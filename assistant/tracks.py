"""The faces of a picture or a video, as tracks: one list of faces for each result to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.events import Event, FaceFound, NoFace, NoFaceReason, Progress
from assistant.faces import is_lying, is_too_small, make_face
from assistant.interfaces import FaceFinder
from assistant.types import CropSpec, Detection, Face, Image, Media

__all__ = ["find_tracks", "no_face"]

_LYING = "The picture lies on its side or upside down; its faces were judged upright."
_TOO_SMALL = "A face is too small to be judged (under 24 pixels) and was left out."


def find_tracks(
    media: Media,
    finder: FaceFinder,
    spec: CropSpec,
    tracks: list[list[Face]],
    warnings: list[str],
    *,
    most: int,
) -> Iterator[Event]:
    """Find faces and tell of them; ``tracks`` and ``warnings`` are added to.

    A picture's faces are a track each, the largest first, ``most`` at most; of a video the largest
    face of each frame makes one track.
    """
    if media.kind == "video":
        yield from _video_faces(media, finder, spec, tracks, warnings)
    else:
        yield from _image_faces(media, finder, spec, tracks, warnings, most)


def _image_faces(
    media: Media,
    finder: FaceFinder,
    spec: CropSpec,
    tracks: list[list[Face]],
    warnings: list[str],
    most: int,
) -> Iterator[Event]:
    frame = media.frames[0]
    found = sorted(_find(finder, frame, warnings), key=lambda d: -d.area)
    if len(found) > most:
        warnings.append(f"{len(found)} faces were found; the {most} largest were analysed.")
    if found and all(is_lying(detection) for detection in found[:most]):
        warnings.append(_LYING)
    for index, detection in enumerate(found[:most]):
        face = make_face(frame, detection, spec, media_id=media.id, index=index, frame_index=0)
        tracks.append([face])
        yield FaceFound(face=face)


def _video_faces(
    media: Media,
    finder: FaceFinder,
    spec: CropSpec,
    tracks: list[list[Face]],
    warnings: list[str],
) -> Iterator[Event]:
    track: list[Face] = []
    several = 0
    for i, frame in enumerate(media.frames):
        yield Progress(stage="faces", done=i, total=len(media.frames))
        found = _find(finder, frame, warnings)
        several += len(found) > 1
        if found:
            detection = max(found, key=lambda d: d.area)
            face = make_face(frame, detection, spec, media_id=media.id, index=0, frame_index=i)
            track.append(face)
    if several:
        warnings.append(
            f"{several} of {len(media.frames)} frames show several faces; the largest was judged."
        )
    if track:
        if len(track) < len(media.frames):
            warnings.append(
                f"A face was found in {len(track)} of {len(media.frames)} frames; "
                "the others were left out."
            )
        tracks.append(track)
        yield FaceFound(face=track[0])


def _find(finder: FaceFinder, frame: Image, warnings: list[str]) -> list[Detection]:
    """The faces of a frame that are large enough to be judged."""
    found = finder.find(frame)
    large = [detection for detection in found if not is_too_small(detection)]
    if len(large) < len(found) and _TOO_SMALL not in warnings:
        warnings.append(_TOO_SMALL)
    return large


def no_face(media: Media, warnings: Sequence[str]) -> NoFace:
    """What to tell where no face could be judged: none was found, or only ones too small."""
    told = replace(media, warnings=tuple(warnings))
    if _TOO_SMALL in warnings:
        return NoFace(
            media=told,
            reason=NoFaceReason.TOO_SMALL,
            message="A face was found, but it is too small to be judged (under 24 pixels), so "
            "there is no score.",
            hint="Use the picture at its full size, or a closer one.",
        )
    return NoFace(
        media=told,
        reason=NoFaceReason.NONE,
        message="No face was found, so there is no score.",
        hint="Use a photo with an uncovered face of at least 24 pixels.",
    )
