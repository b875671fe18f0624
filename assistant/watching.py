"""The people of a clip: a sparse pass over the whole, then a close look where the score moves.

Frames are looked at one after another and dropped; of each face its crop is kept. So the memory
does not depend on the clip's length.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assistant.cues.moments import moment_values, surroundings
from assistant.errors import InferenceError
from assistant.events import Event, Progress
from assistant.faces import domain_measures, is_lying, make_face
from assistant.interfaces import FaceFinder, UprightFinder
from assistant.timeline import (
    LOOKS,
    Sighting,
    colour_shares,
    denser,
    is_cut,
    link_people,
    movement,
)
from assistant.tracks import Find, FoundTracks, Read, Track, judgeable
from assistant.types import CropSpec, Face, Image, Media, Reading

__all__ = ["watch"]

AUDIO = "Only the picture was judged; the sound was not listened to."
_CLOSE_LOOK = 24  # frames of the second pass, fewer where there are many people
_LEAST_CLOSE_LOOK = 6
_BATCH = 4  # crops a call of the detector: an analysis that is stopped ends after one
_LEAST_SIGHTINGS = 2
_SURE = 0.8  # confidence of an upright face from which on its shot is taken to be upright

_Moment = tuple[float, Image, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A face with what was measured and read of it."""

    face: Face
    seconds: float
    measured: dict[str, float]
    moment: NDArray[np.float64]
    reading: Reading | None = None


@dataclass(slots=True, kw_only=True)
class _Watcher:
    media: Media
    finder: FaceFinder
    spec: CropSpec
    most: int
    read: Read | None
    seen: list[_Seen] = field(default_factory=list)
    looks: dict[float, NDArray[np.float64]] = field(default_factory=dict)  # of frames, by second
    warnings: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    crowd: int = 0  # the most faces in one frame
    upright: NDArray[np.float64] | None = None  # colours of the last frame seen to be upright

    def look(
        self, moments: Iterable[_Moment], before: int, total: int, more: int
    ) -> Generator[Event, None, None]:
        """Find and read the faces of frames; ``more`` frames will come after these."""
        waiting: list[_Seen] = []
        done = before
        for done, (seconds, frame, kept) in enumerate(moments, before):
            yield self._progress(done, total + more)
            waiting += self._faces(seconds, frame, kept)
            while len(waiting) >= _BATCH:
                self.seen += self._read(waiting[:_BATCH])
                del waiting[:_BATCH]
                yield self._progress(done, total + more)
        while waiting:
            self.seen += self._read(waiting[:_BATCH])
            del waiting[:_BATCH]
            yield self._progress(done, total + more)
        self.seen.sort(key=lambda s: s.seconds)

    def _progress(self, done: int, total: int) -> Progress:
        spent = time.monotonic() - self.began
        left = spent / done * (total - done) if done else None
        return Progress(stage="people", done=done, total=total, seconds_left=left)

    def _find(self, colours: NDArray[np.float64]) -> Find:
        """How faces are found in a frame: it is not turned where its shot is upright.

        A frame with no sure face, dark or blurred, is else searched four times over.
        """
        if (
            isinstance(self.finder, UprightFinder)
            and self.upright is not None
            and not is_cut(self.upright, colours)
        ):
            return self.finder.find_as_shown
        return self.finder.find

    def _faces(self, seconds: float, frame: Image, kept: int | None) -> list[_Seen]:
        self.looks[seconds] = colours = colour_shares(frame)
        found, told = judgeable(self._find(colours), frame)
        if any(d.confidence >= _SURE and not is_lying(d) for d in found):
            self.upright = colours
        self.warnings += [text for text in told if text not in self.warnings]
        self.crowd = max(self.crowd, len(found))
        out = []
        for detection in sorted(found, key=lambda d: -d.area)[: self.most]:
            try:
                face = make_face(
                    frame,
                    detection,
                    self.spec,
                    media_id=self.media.id,
                    index=0,
                    frame_index=kept,
                )
            except InferenceError as error:  # one face of many frames: the others tell
                if error.code != "no-alignment":
                    raise
                continue
            measured = dict(domain_measures(frame, detection))
            moment = moment_values(*surroundings(frame, detection.landmarks))
            out.append(_Seen(face=face, seconds=seconds, measured=measured, moment=moment))
        return out

    def _read(self, seen: Sequence[_Seen]) -> list[_Seen]:
        if self.read is None:
            return list(seen)
        readings = self.read([s.face.crop for s in seen])
        return [replace(s, reading=reading) for s, reading in zip(seen, readings, strict=True)]

    def shots(self) -> dict[float, int]:
        """The number of the shot of each frame that was looked at, by second."""
        times = sorted(self.looks)
        shots, shot = {times[0]: 0}, 0
        for earlier, later in pairwise(times):
            shot += is_cut(self.looks[earlier], self.looks[later])
            shots[later] = shot
        return shots

    def people(self) -> list[list[_Seen]]:
        """The faces by person, in order of appearance."""
        times, shots = sorted(self.looks), self.shots()
        number = {second: i for i, second in enumerate(times)}
        sightings = [
            Sighting(
                frame=number[s.seconds],
                seconds=s.seconds,
                shot=shots[s.seconds],
                box_xyxy=s.face.box_xyxy,
                looks=_looks(s.reading),
            )
            for s in self.seen
        ]
        lanes: dict[int, list[_Seen]] = {}
        for seen, person in zip(self.seen, link_people(sightings), strict=True):
            lanes.setdefault(person, []).append(seen)
        return [lanes[person] for person in sorted(lanes)]

    def absent(self, lane: Sequence[_Seen]) -> tuple[tuple[float, float], ...]:
        """From when to when the person of a lane is not seen: up to half way to their frames."""
        times = sorted(self.looks)
        there = {s.seconds for s in lane}
        edges = [self.media.span[0], *((a + b) / 2 for a, b in pairwise(times)), self.media.span[1]]
        gaps: list[tuple[float, float]] = []
        for second, begin, end in zip(times, edges, edges[1:], strict=False):
            if second in there:
                continue
            if gaps and gaps[-1][1] == begin:
                gaps[-1] = (gaps[-1][0], end)
            else:
                gaps.append((begin, end))
        return tuple((round(a, 3), round(b, 3)) for a, b in gaps if b > a)


def watch(
    media: Media, finder: FaceFinder, spec: CropSpec, *, most: int, read: Read | None
) -> Generator[Event, None, FoundTracks]:
    """The people of a clip, the most prominent first.

    Args:
        media: a clip with its sparse frames.
        finder: finds faces.
        spec: the crop the detector wants.
        most: people at most.
        read: reads crops; without it, nobody is found again after a cut, and there is no close
            look.

    Raises:
        Cancelled: the reading of the clip was stopped.
    """
    watcher = _Watcher(media=media, finder=finder, spec=spec, most=most, read=read)
    first = [
        (second, frame, i)
        for i, (second, frame) in enumerate(zip(media.seconds, media.frames, strict=True))
    ]
    close = _CLOSE_LOOK if read is not None and media.further is not None else 0
    yield from watcher.look(first, 0, len(first), close)
    if not watcher.seen:
        return FoundTracks(warnings=(*watcher.warnings, AUDIO))
    if close and media.further is not None:
        people = [lane for lane in watcher.people() if len(lane) > 1]
        wanted = denser(
            [_series(lane) for lane in people],
            max(_LEAST_CLOSE_LOOK, close // max(1, len(people))),
        )
        moments = ((at, frame, None) for at, frame in media.further(wanted)) if wanted else ()
        new = (m for m in moments if m[0] not in watcher.looks)
        yield from watcher.look(new, len(first), len(first) + len(wanted), 0)
    return _found(watcher, most)


def _found(watcher: _Watcher, most: int) -> FoundTracks:
    lanes = [lane for lane in watcher.people() if any(s.face.frame_index is not None for s in lane)]
    lasting = [lane for lane in lanes if len(lane) >= _LEAST_SIGHTINGS]
    if lasting:
        lanes = lasting
    # the most prominent: seen long and large
    lanes.sort(key=lambda lane: -sum(_area(s.face) for s in lane))
    warnings = list(watcher.warnings)
    people = max(len(lanes), watcher.crowd)
    if people > most:
        warnings.append(f"{people} people were seen; the {most} most prominent were analysed.")
    if len(lanes) > 1:
        warnings.append(f"{min(most, len(lanes))} people were told apart and judged one by one.")
    faced = len({s.seconds for s in watcher.seen})
    if faced < len(watcher.looks):
        warnings.append(
            f"A face was found in {faced} of {len(watcher.looks)} frames; the others were left out."
        )
    warnings.append(AUDIO)
    tracks = tuple(_track(watcher, lane, index) for index, lane in enumerate(lanes[:most]))
    return FoundTracks(tracks=tracks, warnings=tuple(warnings))


def _track(watcher: _Watcher, lane: Sequence[_Seen], index: int) -> Track:
    readings = tuple(s.reading for s in lane if s.reading is not None)
    shots = watcher.shots()
    return Track(
        media=watcher.media,
        faces=tuple(replace(s.face, index=index) for s in lane),
        measured=tuple(s.measured for s in lane),
        moments=tuple(s.moment for s in lane),
        seconds=tuple(s.seconds for s in lane),
        readings=readings if len(readings) == len(lane) else None,
        shots=tuple(shots[s.seconds] for s in lane),
        absent=watcher.absent(lane),
    )


def _series(lane: Sequence[_Seen]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    readings = [s.reading for s in lane if s.reading is not None]
    logits = np.array([r.logit for r in readings])
    shown = [r.statistics[LOOKS] for r in readings if r.statistics is not None]
    looks = np.stack(shown) if len(shown) == len(readings) else None
    return np.array([s.seconds for s in lane]), movement(logits, looks)


def _looks(reading: Reading | None) -> NDArray[np.float32] | None:
    """What a face looks like to the tower: the mean patch of the first block that is read."""
    if reading is None or reading.statistics is None:
        return None
    return np.asarray(reading.statistics[0, 1], np.float32)


def _area(face: Face) -> float:
    left, top, right, bottom = face.box_xyxy
    return max(0.0, right - left) * max(0.0, bottom - top)
