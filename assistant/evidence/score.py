"""S: the score, the verdict that is read from it, and over how many frames it was taken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.amounts import amounts
from assistant.evidence.languages import percent_abroad, sentences
from assistant.evidence.reading import clear, fit, shares
from assistant.evidence.score_claims import (
    judge_bands,
    judge_close,
    judge_interval,
    judge_score,
    judge_verdict,
)
from assistant.numbers import crosses, percent, reach, written
from assistant.types import Clause, Evidence, Fact, FactKind, Score, Verdict, Wordings

__all__ = ["FramesFact", "ScoreFact", "VerdictFact"]

_ENGLISH, _ABROAD = sentences("score")

_CUE = re.compile(
    r"\b(?:probabilit\w+|chances?|likelihood|odds|scores?|interval|calibration|threshold\w*)\b"
)
_PROBABILITY = re.compile(r"\b(?:probabilit\w+|chances?|likelihood|odds)\b")
#: For which faces a probability is meant that was calibrated on sources left out of training.
_UNSEEN = "from a source like none of those that the detector was trained on"
_NARROW, _WIDE = 0.10, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFact(Fact):
    """P(manipulated), its interval, and for which faces it is meant.

    Attributes:
        probability: in [0, 1], within ``low`` to ``high``.
        digits: behind the point of the probability as shown; more where a whole percent would make
            it look like a threshold.
        unseen: whether it was calibrated on sources left out of training, so that it is meant for a
            face from a source that the detector never saw.
        calibrated: False where ``probability`` is a raw score that was never fitted to faces; it is
            then written as a decimal, and no probability is claimed.
    """

    kind: ClassVar[FactKind] = FactKind.SCORE
    wordings: ClassVar[Wordings] = _ENGLISH["score"]
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = ("score", _CUE)

    probability: float
    low: float
    high: float
    digits: int = 0
    unseen: bool = False
    calibrated: bool = True

    @property
    def shown(self) -> str:
        """The probability as it is written."""
        return written(self.probability, self.calibrated, self.digits)

    @property
    def width(self) -> str:
        """Of the interval: ``narrow`` (to 10 points), ``moderate``, or ``wide`` (from 25)."""
        size = self.high - self.low
        return "narrow" if size <= _NARROW else "wide" if size >= _WIDE else "moderate"

    @property
    def interval(self) -> str:
        """The topic of a sentence on the interval alone."""
        return "interval-wide" if self.width == "wide" else "interval"

    @property
    def text(self) -> str:
        text = self.said("score")[0]
        if not self.calibrated:
            return text
        if self.unseen:
            text = f"{text.removesuffix('.')}, for a face {_UNSEEN}."
        return text if self.width != "wide" else f"{text} The interval is wide."

    def said(self, topic: str, **fields: str) -> tuple[str, ...]:
        if not self.calibrated:
            topic = "raw"
        elif topic == "score" and not reach(self.low, self.high):
            topic = "score-short"  # two ends that read alike are no interval
        return Fact.said(self, topic, **fields)  # a class with slots has no super()

    def values(self) -> dict[str, Any]:
        return {
            "probability": self.probability,
            "calibrated": self.calibrated,
            "low": self.low,
            "high": self.high,
            "shown": self.shown,
            "shown_low": percent(self.low),
            "shown_high": percent(self.high),
            "width": self.width,
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        t = _ABROAD[language]
        if not self.calibrated:
            return (t["raw"].format(shown=self.shown),)
        low, high = percent_abroad(self.low, language), percent_abroad(self.high, language)
        shown = percent_abroad(self.probability, language, self.digits)
        topic = "score-short" if low == high else "score"
        said: tuple[str, ...] = (t[topic].format(shown=shown, low=low, high=high),)
        if self.unseen:
            said = (*said, t["unseen"])
        return (*said, t["wide"]) if self.width == "wide" else said

    def topics(self) -> tuple[str, ...]:
        if not self.calibrated:
            return ("raw",)
        meant = ("unseen",) if self.unseen else ()
        if not reach(self.low, self.high):
            return ("score", "score-short", *meant)
        width = {self.width} - {"moderate"}
        return ("score", "score-short", *meant, *width, self.interval)

    def fields(self) -> dict[str, str]:
        return {
            "shown": self.shown,
            "low": percent(self.low),
            "high": percent(self.high),
        }

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        fact = evidence.first(cls)
        claimed = _PROBABILITY.search(clause.text) and shares(clause.text)
        if clause.scope == "score" and fact is not None and not fact.calibrated and claimed:
            clause.wrong("the score was never calibrated, so it is no probability", fact)
            clear(clause)
        judge_close(clause, evidence.first(VerdictFact))
        if clause.scope in {"", "score"}:
            if "interval" in clause.text:
                judge_interval(clause, evidence.first(cls))
            judge_bands(clause, evidence.first(VerdictFact), evidence.first(cls))
        judge_score(clause, evidence.first(cls))


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFact(Fact):
    """The verdict, the thresholds behind it, and whether the case is close.

    ``crosses``: the interval reaches into another verdict; ``abstained``: the face lies outside
    what the detector knows, so that its score gives no verdict; ``digits`` as of the score.
    """

    kind: ClassVar[FactKind] = FactKind.SCORE
    wordings: ClassVar[Wordings] = _ENGLISH["verdict"]

    verdict: Verdict
    probability: float
    lower: float
    upper: float
    crosses: bool
    abstained: bool = False
    digits: int = 0
    calibrated: bool = True

    @classmethod
    def of(cls, score: Score, digits: int) -> VerdictFact:
        """The verdict of a score, as fact S2."""
        lower, upper = score.thresholds
        return cls(
            id="S2",
            verdict=score.verdict,
            probability=score.probability,
            lower=lower,
            upper=upper,
            crosses=score.calibrated
            and not score.abstained
            and crosses(score.interval, score.thresholds),
            abstained=score.abstained,
            digits=digits,
            calibrated=score.calibrated,
        )

    @property
    def reason(self) -> str:
        """Why the verdict is what it is: itself, ``abstained`` or ``uncalibrated``."""
        silent = not self.calibrated and self.lower <= 0.0 and self.upper >= 1.0
        told = "uncalibrated" if silent else self.verdict.value
        return "abstained" if self.abstained else told

    def said(self, topic: str, **fields: str) -> tuple[str, ...]:
        told = Fact.said(self, topic, **fields)
        if self.calibrated:
            return told
        return tuple(text.replace("probability", "raw score") for text in told)

    @property
    def text(self) -> str:
        text = self.said(f"verdict-{self.reason}")[0]
        return f"{text} {self.said('crosses')[0]}" if self.crosses else text

    def values(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.value,
            "lower": self.lower,
            "upper": self.upper,
            "shown_lower": written(self.lower, self.calibrated, self.digits),
            "shown_upper": written(self.upper, self.calibrated, self.digits),
            "crosses": self.crosses,
            "abstained": self.abstained,
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        t = _ABROAD[language]
        if self.reason in {"abstained", "uncalibrated"}:
            return (t[self.reason],)
        shares = {"shown": self.probability, "lower": self.lower, "upper": self.upper}
        named = {k: percent_abroad(v, language, self.digits) for k, v in shares.items()}
        said = t[self.verdict.value].format(**named)
        return (said, t["crosses"]) if self.crosses else (said,)

    def topics(self) -> tuple[str, ...]:
        short = ("verdict-short", "verdict-kept", "limits")
        if self.reason == "uncalibrated":
            return (*short[:2], "verdict-uncalibrated")
        if self.abstained:
            return (*short, "verdict-abstained")
        more = ("neither",) if self.verdict is Verdict.UNCERTAIN else ()
        more = (*more, "crosses") if self.crosses else more
        return (*short, f"verdict-{self.verdict.value}", f"opening-{self.verdict.value}", *more)

    def fields(self) -> dict[str, str]:
        return {
            "verdict": self.verdict.words,
            "close": ", and the case is close" if self.crosses else "",
            "shown": written(self.probability, self.calibrated, self.digits),
            "lower": written(self.lower, self.calibrated, self.digits),
            "upper": written(self.upper, self.calibrated, self.digits),
        }

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        if clause.scope not in {"effect", "change"} or not clause.findings:
            judge_verdict(clause, evidence.first(cls))


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesFact(Fact):
    """Over how many frames of a video the score was taken, and how they spread."""

    kind: ClassVar[FactKind] = FactKind.SCORE
    wordings: ClassVar[Wordings] = _ENGLISH["frames"]
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = ("frames", re.compile(r"\bframes?\b"))

    frames: int
    low: float
    high: float

    @classmethod
    def of(cls, probabilities: Sequence[float]) -> FramesFact:
        """The frames' own P(manipulated), as fact S3."""
        return cls(
            id="S3", frames=len(probabilities), low=min(probabilities), high=max(probabilities)
        )

    @property
    def text(self) -> str:
        return (
            f"The score is taken over {self.frames} frames of the video; "
            f"single frames range from {percent(self.low)} to {percent(self.high)}."
        )

    def abroad(self, language: str) -> tuple[str, ...]:
        low, high = percent_abroad(self.low, language), percent_abroad(self.high, language)
        return (_ABROAD[language]["frames"].format(frames=self.frames, low=low, high=high),)

    def fields(self) -> dict[str, str]:
        return {"frames": str(self.frames), "low": percent(self.low), "high": percent(self.high)}

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        found = amounts(clause.text)
        if clause.scope != "frames":
            return
        fact = evidence.first(cls)
        if not found:
            clause.neutral = True
        elif fact is None:
            clause.unfounded("no fact speaks of frames")
        else:
            counts = [a.value for a in found if not a.unit and not a.digits]
            ends = shares(clause.text)
            good = fit(ends, (fact.low, fact.high)) or (len(ends) == 1 and fit(ends, (fact.low,)))
            good = good and all(count == fact.frames for count in counts)
            good = good and not re.search(r"%\s+of (?:the |all )?frames", clause.text)
            clause.judge(good, "those are not the frames measured", fact)
        clear(clause)
