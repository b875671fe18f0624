"""The faces of a picture or the people of a clip, as tracks: one track for each result to come."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assistant.events import Event, NoFace, NoFaceReason
from assistant.faces import domain_measures, is_lying, is_too_small, make_face
from assistant.interfaces import FaceFinder
from assistant.types import CropSpec, Detection, Face, Image, Media, Reading

__all__ = [
    "Find",
    "FoundTracks",
    "Read",
    "Track",
    "find_tracks",
    "found_tracks",
    "judgeable",
    "no_face",
]

#: What a detector says of crops, see :meth:`assistant.scoring.Scorer.read`.
Read = Callable[[Sequence[Image]], Sequence[Reading]]
#: The faces of a picture, most confident first.
Find = Callable[[Image], Sequence[Detection]]

_LYING = "The picture lies on its side or upside down; its faces were judged upright."
_TOO_SMALL = "A face is too small to be judged (under 24 pixels) and was left out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One person and the media that they are in: one face in a picture, many in a clip.

    Attributes:
        media: the picture or clip.
        faces: in order of time.
        measured: of each face what the domain check compares of it in its picture; empty where the
            faces are crops with no picture around them.
        seconds: when each face is seen; (0.0,) in a picture.
        readings: of each face, where the detector was asked already.
        shots: the shot of a clip that each face is of; empty in a picture.
        absent: from when to when, in seconds, the person of a clip is not seen.
        moments: of each face of a clip what the cues over time compare, see
            :data:`assistant.cues.moments.VALUES`.
    """

    media: Media
    faces: tuple[Face, ...]
    measured: tuple[Mapping[str, float], ...] = ()
    seconds: tuple[float, ...] = (0.0,)
    readings: tuple[Reading, ...] | None = None
    shots: tuple[int, ...] = ()
    absent: tuple[tuple[float, float], ...] = ()
    moments: tuple[NDArray[np.float64], ...] = ()

    def measures(self, number: int) -> Mapping[str, float]:
        """What the domain check compares of a face; empty without a picture."""
        return self.measured[number] if self.measured else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTracks:
    """The tracks of a file, and what a person must be told of the search."""

    tracks: tuple[Track, ...] = ()
    warnings: tuple[str, ...] = ()


def find_tracks(
    media: Media, finder: FaceFinder, spec: CropSpec, *, most: int, read: Read | None = None
) -> Generator[Event, None, FoundTracks]:
    """Find faces; a video's progress is told on the way.

    A picture's faces are a track each, the largest first; the people of a clip are a track each,
    the most prominent first; ``most`` at most. With ``read`` the people of a clip are told apart by
    their looks too, and it is looked at closely where their scores move.

    Raises:
        InferenceError: a face that was found cannot be aligned.
        Cancelled: the reading of a clip was stopped.
    """
    if media.kind == "video":
        from assistant.watching import watch

        return (yield from watch(media, finder, spec, most=most, read=read))
    return _picture_tracks(media, finder, spec, most)


def found_tracks(
    media: Media, finder: FaceFinder, spec: CropSpec, *, most: int, read: Read | None = None
) -> FoundTracks:
    """As :func:`find_tracks`, where nobody waits to be told of the progress."""
    steps = find_tracks(media, finder, spec, most=most, read=read)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: FoundTracks = end.value
            return found


def _picture_tracks(media: Media, finder: FaceFinder, spec: CropSpec, most: int) -> FoundTracks:
    frame = media.frames[0]
    large, warnings = judgeable(finder.find, frame)
    found = sorted(large, key=lambda d: -d.area)
    if len(found) > most:
        warnings.append(f"{len(found)} faces were found; the {most} largest were analysed.")
    if found and all(is_lying(detection) for detection in found[:most]):
        warnings.append(_LYING)
    tracks = tuple(
        Track(
            media=media,
            faces=(
                make_face(frame, detection, spec, media_id=media.id, index=index, frame_index=0),
            ),
            measured=(domain_measures(frame, detection),),
        )
        for index, detection in enumerate(found[:most])
    )
    return FoundTracks(tracks=tracks, warnings=tuple(warnings))


def judgeable(find: Find, frame: Image) -> tuple[list[Detection], list[str]]:
    """The faces of a frame that are large enough to be judged, and what to tell of the others."""
    found = find(frame)
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
