"""Which sightings of faces are of one person: by where they are, and by what they look like.

The trackers of kept libraries (ByteTrack, norfair) expect every frame and predict motion by it; the
frames here are some tenths of a second apart and lie closer where the score moves. So sightings are
assigned frame by frame (Hungarian method), with overlap and likeness together, and a person who was
seen before a cut is found again by likeness alone (docs/decisions/0032-people-in-clips.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sighting", "link_people"]

# Cosines of the mean patch of the first block that is read, measured on pairs of crops of ten
# clips: of one clip 98 in 100 lie above 0.95, of two clips 99 in 100 below 0.945.
_ALIKE = 0.95
#: Within a shot less likeness is needed, for the place speaks too; below this it is someone else.
_NOT_ALIKE = 0.80
#: Enough for someone who was hidden for a while and is about where they were going.
_ABOUT_ALIKE = 0.90
_OVERLAP = 0.15
_LONGEST = 2.5  # seconds after which a place says nothing any more
_WANDERS = 1.0  # sides of the face by which someone may miss the expected place, for each second
_REFUSED = 1e6
_MEMORY = 0.8  # of a person's looks, when a new sighting is added


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A face in a frame.

    Attributes:
        frame: number of the frame, rising with time.
        seconds: when it is shown.
        shot: number of the shot; places are compared within one only.
        box_xyxy: in pixels.
        looks: a feature vector of any length above 0, or None where there is none.
    """

    frame: int
    seconds: float
    shot: int
    box_xyxy: tuple[float, float, float, float]
    looks: NDArray[np.floating] | None = None


@dataclass(slots=True)
class _Person:
    last: Sighting
    looks: NDArray[np.float64] | None
    speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))  # pixels a second

    def expected(self, seconds: float) -> tuple[float, ...]:
        """Where the person would be now, had they moved on as they did."""
        shift = self.speed * (seconds - self.last.seconds)
        return tuple(np.asarray(self.last.box_xyxy) + np.concatenate([shift, shift]))

    def add(self, seen: Sighting) -> None:
        """Take a sighting in."""
        passed = seen.seconds - self.last.seconds
        if seen.shot != self.last.shot:
            self.speed = np.zeros(2)
        elif passed > 0:
            way = (_centre(seen.box_xyxy) - _centre(self.last.box_xyxy)) / passed
            weight = min(1.0, 2.0 * passed)  # of frames that lie close the boxes tremble
            self.speed = weight * way + (1.0 - weight) * self.speed
        self.last = seen
        looks = _unit(seen.looks)
        if looks is not None:
            old = looks if self.looks is None else self.looks
            self.looks = _unit(_MEMORY * old + (1.0 - _MEMORY) * looks)


def link_people(sightings: Sequence[Sighting]) -> list[int]:
    """Number the persons of a clip.

    Args:
        sightings: in order of time; of one frame any number.

    Returns:
        A person's number for each sighting, from 0 in order of appearance. Two sightings of one
        frame are never the same person.
    """
    people: list[_Person] = []
    numbers = [0] * len(sightings)
    by_frame: dict[int, list[int]] = {}
    for index, sighting in enumerate(sightings):
        by_frame.setdefault(sighting.frame, []).append(index)
    for indices in by_frame.values():
        taken = _assigned(people, [sightings[i] for i in indices])
        for place, index in enumerate(indices):
            person = taken.get(place)
            if person is None:
                person = len(people)
                people.append(_Person(sightings[index], _unit(sightings[index].looks)))
            else:
                people[person].add(sightings[index])
            numbers[index] = person
    return numbers


def _assigned(people: Sequence[_Person], seen: Sequence[Sighting]) -> dict[int, int]:
    """Which of the sightings of a frame is which known person."""
    if not people:
        return {}
    from scipy.optimize import linear_sum_assignment  # a photo has no need of it

    costs = np.array([[_cost(person, sighting) for person in people] for sighting in seen])
    rows, columns = linear_sum_assignment(costs)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if costs[row, column] < _REFUSED
    }


def _cost(person: _Person, seen: Sighting) -> float:
    """How ill a sighting fits a person: below 2 where it may be the same, else refused."""
    likeness = None
    looks = _unit(seen.looks)
    if person.looks is not None and looks is not None:
        likeness = float(person.looks @ looks)
    near, missed = 0.0, np.inf
    passed = seen.seconds - person.last.seconds
    if seen.shot == person.last.shot and passed <= _LONGEST:
        expected = person.expected(seen.seconds)
        near = max(_overlap(expected, seen.box_xyxy), _overlap(person.last.box_xyxy, seen.box_xyxy))
        side = max(1.0, seen.box_xyxy[3] - seen.box_xyxy[1])
        missed = float(np.linalg.norm(_centre(expected) - _centre(seen.box_xyxy))) / side
    if likeness is None:
        return 1.0 - near if near >= _OVERLAP else _REFUSED
    placed = near >= _OVERLAP and likeness >= _NOT_ALIKE
    about = missed <= 0.5 + _WANDERS * passed and likeness >= _ABOUT_ALIKE
    if not (placed or about or likeness >= _ALIKE):
        return _REFUSED
    # likeness is spread over the range that tells persons apart, so that it can outvote the place
    return (1.0 - likeness) / (1.0 - _NOT_ALIKE) + 0.3 * (1.0 - near)


def _unit(values: NDArray[np.floating] | None) -> NDArray[np.float64] | None:
    if values is None:
        return None
    vector = np.asarray(values, np.float64)
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else None


def _centre(box: Sequence[float]) -> NDArray[np.float64]:
    return np.array([box[0] + box[2], box[1] + box[3]]) / 2


def _overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return both / (areas - both)
