"""A person of a clip over time: the moments that were scored, and the stretches that stand out."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field

from assistant.types.cues import CuesLooked
from assistant.types.measured import Attribution, Image, Verdict

__all__ = ["Moment", "Stretch", "Timeline", "WorstFrame"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One frame in which a person was scored.

    Attributes:
        seconds: when the frame is shown, from the beginning of the clip.
        logit: the detector's raw score of the face.
        probability: P(manipulated) of this frame alone.
        interval: of the probability.
        verdict: of this frame alone; of no weight beside the person's own verdict.
        judged: False where the face is unlike those the detector knows, so that its score says
            nothing.
        box_xyxy: where the face is, in pixels of the clip's frames; None where it is not known.
    """

    seconds: float
    logit: float
    probability: float
    interval: tuple[float, float]
    verdict: Verdict
    judged: bool = True
    box_xyxy: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a clip in which a person's score stands above the rest, or is high throughout.

    Attributes:
        begin: seconds; half way between the last frame before it and its first.
        end: seconds; half way between its last frame and the next.
        peak: the second of its highest score.
        probability: P(manipulated) of the stretch, of the mean of its logits.
        interval: of the probability.
        verdict: of the stretch.
        elsewhere: P(manipulated) of the rest; None where the stretch is the whole.
    """

    begin: float
    end: float
    peak: float
    probability: float
    interval: tuple[float, float]
    verdict: Verdict
    elsewhere: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.begin <= self.peak <= self.end:
            raise ValueError(
                f"expected 0 <= begin <= peak <= end, got {self.begin}, {self.peak}, {self.end}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstFrame:
    """One of the moments with the highest scores: the crop and where its score came from.

    ``cues``: what can be seen to differ in that frame; empty where nobody looked.
    """

    seconds: float
    probability: float
    crop: Image
    attribution: Attribution
    cues: CuesLooked = field(default_factory=CuesLooked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A person over time.

    Attributes:
        moments: in order of time, all different.
        stretches: in order of time, apart from one another.
        absent: stretches of time (begin, end) in which the person is not seen.
        begin: where the part of the clip that was looked at begins, in seconds.
        end: where it ends.
        rule: how one logit was made of the moments'.
        worst: the worst frames, the highest score first.
    """

    moments: tuple[Moment, ...]
    stretches: tuple[Stretch, ...] = ()
    absent: tuple[tuple[float, float], ...] = ()
    begin: float = 0.0
    end: float = 0.0
    rule: str = "mean"
    worst: tuple[WorstFrame, ...] = ()

    def __post_init__(self) -> None:
        times = [moment.seconds for moment in self.moments]
        if not times or times != sorted(set(times)):
            raise ValueError(f"expected moments in order of time, all different, got {times}")

    def within(self, begin: float, end: float) -> tuple[Moment, ...]:
        """The moments from ``begin`` to ``end``, both in seconds."""
        return tuple(m for m in self.moments if begin <= m.seconds <= end)

    def nearest(self, seconds: float) -> Moment:
        """The moment that is nearest to a second."""
        return min(self.moments, key=lambda m: abs(m.seconds - seconds))

    def box_at(self, seconds: float) -> tuple[float, float, float, float] | None:
        """Where the person is at a second, evenly between two moments; None where not seen.

        Over a cut, or where they leap by more than their face, the nearest moment's box counts.
        """
        nearest = self.nearest(seconds)
        if nearest.box_xyxy is None or any(a < seconds < b for a, b in self.absent):
            return None
        later = bisect([m.seconds for m in self.moments], seconds)
        if later in (0, len(self.moments)):
            return nearest.box_xyxy
        before, after = self.moments[later - 1], self.moments[later]
        if before.box_xyxy is None or after.box_xyxy is None:
            return nearest.box_xyxy
        share = (seconds - before.seconds) / (after.seconds - before.seconds)
        moves = [b - a for a, b in zip(before.box_xyxy, after.box_xyxy, strict=True)]
        side = before.box_xyxy[2] - before.box_xyxy[0]
        away = any(before.seconds < gap < after.seconds for gap, _ in self.absent)
        if away or max(abs(move) for move in moves) > side:
            return nearest.box_xyxy
        x0, y0, x1, y1 = (a + share * d for a, d in zip(before.box_xyxy, moves, strict=True))
        return x0, y0, x1, y1

    @property
    def peak(self) -> Moment:
        """The moment with the highest score."""
        return max(self.moments, key=lambda m: m.logit)
