"""The faces of a picture or a video, as tracks: one track for each result to come."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.events import Event, NoFace, NoFaceReason, Progress
from assistant.faces import domain_measures, is_lying, is_too_small, make_face
from assistant.interfaces import FaceFinder
from assistant.types import CropSpec, Detection, Face, Image, Media

__all__ = ["FoundTracks", "Track", "find_tracks", "found_tracks", "no_face"]

_LYING = "The picture lies on its side or upside down; its faces were judged upright."
_TOO_SMALL = "A face is too small to be judged (under 24 pixels) and was left out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One face and the media that it is in: once in a picture, once a frame in a video.

    ``framed``: False where the faces are crops with no picture around them to measure.
    """

    media: Media
    faces: tuple[Face, ...]
    framed: bool = True

    def frame(self, face: Face) -> Image:
        """The whole picture that a face of this track is in, RGB uint8 HWC."""
        return self.media.frames[face.frame_index]

    def measures(self, face: Face) -> Mapping[str, float]:
        """What the domain check compares of a face in its picture; empty without a picture."""
        if not self.framed:
            return {}
        detection = Detection(
            box_xyxy=face.box_xyxy, landmarks=face.landmarks, confidence=face.confidence
        )
        return domain_measures(self.frame(face), detection)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTracks:
    """The tracks of a file, and what a person must be told of the search."""

    tracks: tuple[Track, ...] = ()
    warnings: tuple[str, ...] = ()


def find_tracks(
    media: Media, finder: FaceFinder, spec: CropSpec, *, most: int
) -> Generator[Event, None, FoundTracks]:
    """Find faces; a video's progress is told on the way.

    A picture's faces are a track each, the largest first, ``most`` at most; of a video the largest
    face of each frame makes one track.

    Raises:
        InferenceError: a face that was found cannot be aligned.
    """
    if media.kind == "video":
        return (yield from _video_track(media, finder, spec))
    return _picture_tracks(media, finder, spec, most)


def found_tracks(media: Media, finder: FaceFinder, spec: CropSpec, *, most: int) -> FoundTracks:
    """As :func:`find_tracks`, where nobody waits to be told of the progress."""
    steps = find_tracks(media, finder, spec, most=most)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: FoundTracks = end.value
            return found


def _picture_tracks(media: Media, finder: FaceFinder, spec: CropSpec, most: int) -> FoundTracks:
    frame = media.frames[0]
    large, warnings = _find(finder, frame)
    found = sorted(large, key=lambda d: -d.area)
    if len(found) > most:
        warnings.append(f"{len(found)} faces were found; the {most} largest were analysed.")
    if found and all(is_lying(detection) for detection in found[:most]):
        warnings.append(_LYING)
    faces = [
        make_face(frame, detection, spec, media_id=media.id, index=index, frame_index=0)
        for index, detection in enumerate(found[:most])
    ]
    tracks = tuple(Track(media=media, faces=(face,)) for face in faces)
    return FoundTracks(tracks=tracks, warnings=tuple(warnings))


def _video_track(
    media: Media, finder: FaceFinder, spec: CropSpec
) -> Generator[Event, None, FoundTracks]:
    faces: list[Face] = []
    warnings: list[str] = []
    several = 0
    for i, frame in enumerate(media.frames):
        yield Progress(stage="faces", done=i, total=len(media.frames))
        found, told = _find(finder, frame)
        warnings += [text for text in told if text not in warnings]
        several += len(found) > 1
        if found:
            detection = max(found, key=lambda d: d.area)
            face = make_face(frame, detection, spec, media_id=media.id, index=0, frame_index=i)
            faces.append(face)
    if several:
        warnings.append(
            f"{several} of {len(media.frames)} frames show several faces; the largest was judged."
        )
    if not faces:
        return FoundTracks(warnings=tuple(warnings))
    if len(faces) < len(media.frames):
        warnings.append(
            f"A face was found in {len(faces)} of {len(media.frames)} frames; "
            "the others were left out."
        )
    return FoundTracks(tracks=(Track(media=media, faces=tuple(faces)),), warnings=tuple(warnings))


def _find(finder: FaceFinder, frame: Image) -> tuple[list[Detection], list[str]]:
    """The faces of a frame that are large enough to be judged, and what to tell of the others."""
    found = finder.find(frame)
    large = [detection for detection in found if not is_too_small(detection)]
    return large, [_TOO_SMALL] if len(large) < len(found) else []


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
