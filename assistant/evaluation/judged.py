"""People of clips as they were judged, beside the truth, and a file of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.cues.motion import Motion
from assistant.errors import TrainingError
from assistant.evaluation.json_lines import JsonLines
from assistant.interfaces import Calibrator
from assistant.lanes import stretches_of
from assistant.timeline import StretchRule, TemporalHead, clip_features, clip_logit
from assistant.types import Moment, Stretch, Verdict

__all__ = ["JudgedFile", "JudgedPerson"]

_DIGITS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPerson:
    """A person of a clip as they were judged, beside the truth.

    Attributes:
        clip: what is held out together: the clip, or a genuine one and the fakes made of it.
        name: of the clip itself.
        manipulated: whether the person is, at any time.
        stretch: when, in seconds; None: never, or all the time, or nobody knows when.
        moments: of the person's lane; empty where the person was not found.
        span: the part of the clip that was looked at.
        crf: quality of a made clip.
        source: the set that the clip is of.
        family: kind of manipulation.
        again: whether the clip was encoded once more before it was judged.
        abstained: whether the person is unlike what the detector knows, and got no verdict.
        laid_in: the detector's answers to that question at each moment, where it is asked.
        motion: what the cues over time see; None where the person was not found.
    """

    clip: str
    manipulated: bool
    stretch: tuple[float, float] | None
    name: str = ""
    moments: tuple[Moment, ...] = ()
    span: tuple[float, float] = (0.0, 0.0)
    crf: int = 0
    source: str = ""
    family: str = ""
    again: bool = False
    abstained: bool = False
    laid_in: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)
    motion: Motion | None = field(default=None, repr=False, compare=False)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """When each moment is shown."""
        return np.array([m.seconds for m in self.moments])

    @property
    def logits(self) -> NDArray[np.float64]:
        """Of the moments."""
        return np.array([m.logit for m in self.moments])

    def stretches(
        self, calibrator: Calibrator, rule: StretchRule | None = None
    ) -> tuple[Stretch, ...]:
        """What stands out by a rule."""
        return stretches_of(
            self.moments,
            self.span,
            calibrator,
            rule,
            laid_in=self.laid_in,
            looks=self.looks,
            shots=None if self.motion is None else self.motion.shots,
        )

    def features(self) -> NDArray[np.float64]:
        """What the head over time sees of the person."""
        shots = None if self.motion is None else self.motion.shots
        return clip_features(self.seconds, self.logits, self.laid_in, self.looks, shots=shots)

    def logit(self, head: TemporalHead | None) -> float:
        """Of the whole clip: by the head, or the mean where there is none."""
        if head is None:
            return clip_logit(self.seconds, self.logits)
        return head.logit(self.features())

    @property
    def looks(self) -> NDArray[np.float64] | None:
        """What the face looks like to the detector's tower at each moment; None: not shown."""
        return self.motion.looks if self.motion is not None and self.motion.looks.size else None


class JudgedFile(JsonLines[JudgedPerson]):
    """Judged people, a line each: what was judged is not judged again.

    Args:
        path: made where it is missing; None: nothing is kept.
        weights_sha256: of the detector in use.

    Raises:
        TrainingError: the file is none of these, or was judged with other weights.
    """

    def __init__(self, path: Path | None, weights_sha256: str) -> None:
        def read(line: dict[str, Any]) -> JudgedPerson:
            weights = line.pop("weights")
            if weights != weights_sha256:
                raise TrainingError(
                    f"{path} was judged with other weights of the detector ({weights[:8]}, in use "
                    f"are {weights_sha256[:8]}).",
                    hint="Name a new file, or delete this one.",
                    code="other-weights",
                )
            return _person(line)

        def write(person: JudgedPerson) -> dict[str, Any]:
            return {"weights": weights_sha256, **_line(person)}

        super().__init__(path, read, write, made_by="whyfake eval video --judged")

    def of(self, name: str, *, again: bool = False) -> list[JudgedPerson]:
        """The people of a clip; none where it was not judged yet."""
        return [p for p in self.rows if p.name == name and p.again == again]


def _line(person: JudgedPerson) -> dict[str, Any]:
    """Of a person; numbers of the looks are rounded."""
    line = {f.name: getattr(person, f.name) for f in fields(person)}
    line["moments"] = [asdict(moment) for moment in person.moments]
    if person.laid_in is not None:
        line["laid_in"] = person.laid_in.tolist()
    if person.motion is not None:
        motion = {f.name: getattr(person.motion, f.name) for f in fields(person.motion)}
        line["motion"] = {
            name: np.round(value * 1, _DIGITS).tolist() if isinstance(value, np.ndarray) else value
            for name, value in motion.items()
        }
    return line


def _person(line: Mapping[str, Any]) -> JudgedPerson:
    motion, laid_in = line["motion"], line["laid_in"]
    if motion is not None:
        arrays = {
            name: np.array(value, bool if name in ("spoilt", "inside") else np.float64)
            for name, value in motion.items()
            if isinstance(value, list) and name != "box_xyxy"
        }
        arrays["shots"] = np.array(motion["shots"], np.int64)
        motion = Motion(**{**motion, **arrays, "box_xyxy": tuple(motion["box_xyxy"])})
    given = {
        "motion": motion,
        "laid_in": None if laid_in is None else np.array(laid_in, np.float64),
        "moments": tuple(_moment(m) for m in line["moments"]),
        "span": tuple(line["span"]),
        "stretch": None if line["stretch"] is None else tuple(line["stretch"]),
    }
    return JudgedPerson(**{**line, **given})


def _moment(line: Mapping[str, Any]) -> Moment:
    given = {
        "verdict": Verdict(line["verdict"]),
        "interval": tuple(line["interval"]),
        "box_xyxy": tuple(line["box_xyxy"]),
    }
    return Moment(**{**line, **given})
