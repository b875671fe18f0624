"""One cited sentence at a time: a fact's own sentences, chosen by what was told before."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from assistant.citations import with_cites
from assistant.evidence import (
    AgreementFact,
    ChangeFact,
    CueFact,
    DomainFact,
    EffectFact,
    FlawlessFact,
    FramesFact,
    KindFact,
    MapLimitFact,
    MissesFact,
    MomentFact,
    NextFact,
    NoCueFact,
    NotProofFact,
    OpinionFact,
    OriginFact,
    OtherPersonFact,
    OtherRegionsFact,
    PartFact,
    QualityFact,
    RegionFact,
    ScoreFact,
    SpreadFact,
    StretchFact,
    StrongestFact,
    VerdictFact,
)
from assistant.phrases import phrases
from assistant.routing import named_person, named_times
from assistant.types import FOR_ITS_SIZE, PERSON_SIDE, Evidence, Fact, FactKind, Verdict

__all__ = ["Line", "Writer", "joined"]

F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and the ids it rests on; ``text`` ends in its full stop, without the ids."""

    text: str
    cites: tuple[str, ...] = ()

    def __str__(self) -> str:
        return with_cites(self.text, self.cites)


def joined(lines: Iterable[Line]) -> str:
    """The sentences as one paragraph."""
    return " ".join(str(line) for line in lines)


class Writer:
    """Writes sentences about one case.

    Args:
        evidence: the case.
        rng: picks the patterns; None: always the first.
    """

    def __init__(self, evidence: Evidence, rng: random.Random | None = None) -> None:
        self.evidence = evidence
        self._pick: Callable[[Sequence[str]], str] = rng.choice if rng else lambda said: said[0]
        self._sides_told: set[str] = set()
        self._regions_told: set[str] = set()
        self._effects_told: set[str] = set()
        self._care_told = False  # that the score is to be trusted less
        self.usual = True  # whether to tell what is as usual, or was said by the verdict

    def say(self, topic: str, fact: Fact, **fields: str) -> Line:
        """One of a fact's sentences of a topic."""
        return Line(self._pick(fact.said(topic, **fields)), (fact.id,))

    def cues(self, *, most: int = 3, nothing: bool = False) -> list[Line]:
        """What can be seen to differ; with ``nothing``, that it is nothing, where that is so."""
        kinds = (CueFact, NoCueFact) if nothing else (CueFact,)
        told = [fact for fact in self.facts(FactKind.CUE) if isinstance(fact, kinds)]
        said = [fact.short if isinstance(fact, CueFact) else fact.text for fact in told[:most]]
        return [Line(text, (fact.id,)) for text, fact in zip(said, told, strict=False)]

    def closed(self, topic: str, *facts: Fact) -> Line:
        """A sentence that claims nothing; ``facts`` it is said because of may be cited."""
        return Line(self._pick(phrases(topic)), tuple(f.id for f in facts))

    def facts(self, kind: FactKind) -> tuple[Fact, ...]:
        """The case's facts whose ids begin with one letter."""
        return self.evidence.of_kind(kind)

    def first(self, made: type[F]) -> F | None:
        """The first fact of one class."""
        return self.evidence.first(made)

    def _with_region(self, topic: str, fact: Fact, region: str) -> Line:
        """As :meth:`say`, with the person's own side told once where it differs."""
        name = f"the {region}"
        other = PERSON_SIDE.get(region)
        if other and region not in self._sides_told:
            self._sides_told.add(region)
            name += f" (the person's {other})"
        return self.say(topic, fact, region=name, Region=name[0].upper() + name[1:])

    # -- the score ------------------------------------------------------------------------------

    def score(self, *, short: bool = False) -> list[Line]:
        """The probability, with its interval unless ``short``."""
        fact = self.first(ScoreFact)
        return [self.say("score-short" if short else "score", fact)] if fact else []

    def meaning(self) -> list[Line]:
        """For which faces the probability is meant, where that is known."""
        fact = self.first(ScoreFact)
        return [self.say("unseen", fact)] if fact is not None and fact.unseen else []

    def width(self) -> list[Line]:
        """That the interval is wide or narrow, where it is.

        A narrow one is not told where the case is close all the same: it would sound like comfort.
        """
        fact = self.first(ScoreFact)
        if (
            fact is None
            or fact.width not in fact.topics()
            or (fact.width == "narrow" and self._close())
        ):
            return []
        return [self.say(fact.width, fact)]

    def opinions(self) -> list[Line]:
        """How many detectors of an ensemble agree, and what a second detector said."""
        agreed = self.first(AgreementFact)
        lines = [self.say(agreed.topics()[0], agreed)] if agreed else []
        return lines + [Line(f.text, (f.id,)) for f in self.evidence.of(OpinionFact)]

    def _close(self) -> bool:
        """Whether the interval or an everyday change of the file reaches another verdict."""
        verdict, spread = self.first(VerdictFact), self.first(SpreadFact)
        return bool(verdict and verdict.crosses) or bool(spread and spread.flips)

    def verdict(self, *, short: bool = False, kept: bool = False) -> list[Line]:
        """The verdict, with the threshold behind it unless ``short``; or that it is ``kept``."""
        fact = self.first(VerdictFact)
        if fact is None:
            return []
        if kept or short:
            return [self.say("verdict-kept" if kept else "verdict-short", fact)]
        return [self.say(f"verdict-{fact.reason}", fact)]

    def opening(self) -> list[Line]:
        """Verdict, probability, limits and closeness in one sentence, and the interval."""
        verdict, score = self.first(VerdictFact), self.first(ScoreFact)
        topic = f"opening-{verdict.verdict.value}" if verdict else ""
        if verdict is None or score is None or topic not in verdict.topics():
            return [*self.score(), *self.verdict()]
        told = [self.say(topic, verdict)]
        return (
            [*told, self.say(score.interval, score)] if score.interval in score.topics() else told
        )

    def limits(self) -> list[Line]:
        """From where to where each verdict goes."""
        fact = self.first(VerdictFact)
        if fact is None:
            return []
        silent = fact.reason == "uncalibrated"
        return [self.say("verdict-uncalibrated" if silent else "limits", fact)]

    def closeness(self) -> list[Line]:
        """An uncertain score is clear enough for neither; an interval may cross a threshold."""
        fact = self.first(VerdictFact)
        if fact is None:
            return []
        told = fact.topics()
        lines = [self.say("neither", fact)] if self.usual and "neither" in told else []
        return [*lines, self.say("crosses", fact)] if "crosses" in told else lines

    def frames(self) -> list[Line]:
        """Over how many frames of a video the score was taken."""
        fact = self.first(FramesFact)
        return [self.say("frames", fact)] if fact else []

    def times(self, *, most: int = 2) -> list[Line]:
        """The stretches of a clip that stand out."""
        return [self.say("stretch", fact) for fact in self.evidence.of(StretchFact)[:most]]

    def asked_times(self, question: str) -> list[Line]:
        """What was measured at the time, or of the other person, that a question names."""
        told: list[Fact] = []
        named = named_times(question)
        for fact in self.evidence.facts:
            if (isinstance(fact, MomentFact) and named == fact.at) or (
                isinstance(fact, PartFact) and named == (fact.begin, fact.end)
            ):
                told.append(fact)
            elif isinstance(fact, StretchFact) and isinstance(named, float):
                told += [fact] if fact.begin <= named <= fact.end else []
        person = named_person(question)
        others = self.evidence.of(OtherPersonFact)
        told += [f for f in others if person is not None and person in (0, f.person)]
        return [Line(fact.text, (fact.id,)) for fact in told]

    # -- the map --------------------------------------------------------------------------------

    @property
    def tells_of_the_map(self) -> bool:
        """Whether a region was told of."""
        return bool(self._regions_told)

    def regions(self, *, most: int = 3, asked: bool = False) -> list[Line]:
        """Where the map is strongest and what stands out; or that nothing does.

        The background is told where it is all that the map shows, and something was found: of a
        face without a sign it says nothing that helps, unless the map is ``asked`` for.
        """
        lines: list[Line] = []
        first, after = self._peaks()
        out = self.evidence.of(RegionFact)
        told = [fact for fact in out if fact.region != "background"]
        if not told and first is None and (asked or self.evidence.verdict is not Verdict.NO_SIGN):
            told = [*out]
        if first is not None:
            lines.append(self.peak(first))
            most -= 1
        for fact in told[:most]:
            lines.append(self.region(fact, first=not lines))
            if fact.region == "background":
                lines.append(self.say("background", fact))
        if after is not None and len(told) < most and (first is not None or told):
            lines.append(self.peak(after))
        rest = self.first(OtherRegionsFact)
        if rest is not None and (
            (rest.alone and first is None) or (self.usual and told == [*out] and told[:most])
        ):
            lines.append(self.say(rest.topics()[0], rest))
        return lines

    def peak(self, fact: StrongestFact) -> Line:
        """Where the map is strongest or next strongest, though not beyond untouched faces."""
        self._regions_told.add(fact.region)
        return self._with_region(fact.place, fact, fact.region)

    def _peaks(self) -> tuple[StrongestFact | None, NextFact | None]:
        """Where the map is strongest though that does not stand out, and where it is next."""
        after = self.first(NextFact)
        return next((f for f in self.evidence.of(StrongestFact) if f is not after), None), after

    def region(self, fact: RegionFact, *, first: bool = True, alone: bool = False) -> Line:
        """One region that stands out; ``alone``: no other was told before."""
        topic = "region-first" if first else "region-alone" if alone else "region-next"
        if first and fact.lift < FOR_ITS_SIZE:
            topic = "region-more"
        self._regions_told.add(fact.region)
        return self._with_region(topic, fact, fact.region)

    def region_asked(self, region: str) -> list[Line]:
        """What is known of a region that was asked for."""
        for peak in self._peaks():
            if peak is not None and peak.region == region:
                return [self.peak(peak)]
        for fact in self.evidence.of(RegionFact):
            if fact.region == region:
                return [self.region(fact, first=fact.rank == 1, alone=True)]
        rest = self.first(OtherRegionsFact)
        if rest is not None and region in rest.regions:
            return [self._with_region("region-not", rest, region)]
        return [self.closed("not-mapped")]

    def map_limit(self) -> list[Line]:
        """What the map does not tell."""
        fact = self.first(MapLimitFact)
        return [self.say(fact.topics()[-1], fact)] if fact else []

    # -- what if --------------------------------------------------------------------------------

    def causes(self) -> list[Line]:
        """What lowers the score most once it is taken out, beyond what random patches do."""
        facts = [fact for fact in self._untold_effects() if fact.effect == "lowers"]
        if not facts:
            return []
        strongest = min(facts, key=lambda fact: fact.change)
        self._effects_told.add(strongest.id)
        return self.effect(strongest)

    def effects(self, regions: Sequence[str] = (), *, most: int = 2) -> list[Line]:
        """What neutralising regions did: those named, else the most telling ones."""
        facts = self._untold_effects()
        if regions:
            facts = [f for f in facts if f.region in regions]
        else:
            # What moves the score most comes first; what tells nothing of a region is left out.
            facts.sort(key=lambda f: -abs(f.change))
            facts = [f for f in facts if f.effect in {"lowers", "raises"} or f.stands_out]
        return [line for fact in facts[:most] for line in self.effect(fact)]

    def _untold_effects(self) -> list[EffectFact]:
        return [f for f in self.evidence.of(EffectFact) if f.id not in self._effects_told]

    def effect(self, fact: EffectFact) -> list[Line]:
        """What neutralising one region did to the score, and to the verdict where it changes."""
        topic = fact.topic(told=fact.region in self._regions_told)
        line = self._with_region(topic, fact, fact.region)
        return [line, Line(fact.beside, (fact.id,))] if fact.beside else [line]

    def fragility(self, *, each: bool = False) -> list[Line]:
        """How the score stands up to everyday changes of the file; ``each`` tells every one."""
        fact = self.first(SpreadFact)
        lines = [self.say(fact.topics()[0], fact)] if fact else []
        return lines + [self.change(f) for f in self.evidence.of(ChangeFact)[:4] if each]

    def change(self, fact: ChangeFact) -> Line:
        """The score after one everyday change of the file."""
        return self.say(fact.topics()[0], fact)

    # -- what the score can be trusted for --------------------------------------------------------

    def domain(self) -> list[Line]:
        """Whether the face is like those the detector was calibrated on, else what is unusual."""
        fact = self.first(DomainFact)
        if fact is None:
            return []
        if fact.inside:
            return [self.say("domain-inside", fact)] if self.usual else []
        topic = "domain-outside-too" if self._care_told else "domain-outside"
        self._care_told = True
        line = self.say(topic, fact)
        return [line, Line(fact.unusual, (fact.id,))] if fact.unusual else [line]

    def quality(self, *, most: int = 2) -> list[Line]:
        """The quality notes, or that there is none."""
        flawless = self.first(FlawlessFact)
        if flawless is not None:
            return [self.say("quality-none", flawless)] if self.usual else []
        lines = []
        for fact in self.evidence.of(QualityFact)[:most]:
            lines.append(self.say("quality-next" if self._care_told else "quality-issue", fact))
            self._care_told = True
        return lines

    def origin(self, *, most: int = 2) -> list[Line]:
        """What the file says of its own origin."""
        return [self.say(fact.topics()[0], fact) for fact in self.evidence.of(OriginFact)[:most]]

    def kind(self) -> list[Line]:
        """Swapped, or made from nothing; or that the detector cannot tell."""
        fact = self.first(KindFact)
        return [self.say(fact.topics()[0], fact)] if fact else []

    def misses(self) -> list[Line]:
        """What the detector misses, where it flags nothing."""
        fact = self.first(MissesFact)
        return [Line(fact.line, (fact.id,))] if fact else []

    def advice(self) -> list[Line]:
        """What to do with an uncertain verdict."""
        fact = self.first(VerdictFact)
        uncertain = fact is not None and fact.verdict is Verdict.UNCERTAIN
        told = fact is not None and uncertain and self.usual
        return [self.closed("advice-uncertain", fact)] if fact and told else []

    def not_proof(self) -> list[Line]:
        """That the score is an estimate."""
        fact = self.first(NotProofFact)
        return [self.say("not-proof", fact)] if fact else []
