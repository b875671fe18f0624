"""One cited sentence at a time: a fact's values laid into a pattern."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assistant.numbers import amount, in_hundred, percent
from assistant.phrases import Variant, phrases
from assistant.types import PERSON_SIDE, Evidence, Fact, FactKind, Verdict
from assistant.vlm.composition.english import ISSUES, PATTERNS

__all__ = ["Line", "Writer", "joined"]

#: A region draws more than its size explains from here on (times).
_FOR_ITS_SIZE = 1.15


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and the ids it rests on; ``text`` ends in its full stop, without the ids."""

    text: str
    cites: tuple[str, ...] = ()

    def __str__(self) -> str:
        marks = "".join(f"[{cite}]" for cite in self.cites)
        if not marks:
            return self.text
        if self.text[-1:] in {".", "!", "?"}:
            return f"{self.text[:-1]} {marks}{self.text[-1]}"
        return f"{self.text} {marks}"


def joined(lines: Iterable[Line]) -> str:
    """The sentences as one paragraph."""
    return " ".join(str(line) for line in lines)


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _words(verdict: str) -> str:
    return Verdict(verdict).words


class Writer:
    """Writes sentences about one case.

    Args:
        evidence: the case.
        rng: picks the patterns.
        variant: which patterns: those a language model is trained on, or those it is tested on.
    """

    def __init__(self, evidence: Evidence, rng: random.Random, variant: Variant = "train") -> None:
        self.evidence = evidence
        self.rng = rng
        self.variant: Variant = variant
        self._sides_told: set[str] = set()
        self._regions_told: set[str] = set()
        self._effects_told: set[str] = set()
        self._care_told = False  # that the score is to be trusted less
        self.usual = True  # whether to tell what is as usual, or was said by the verdict

    def say(self, topic: str, *facts: Fact, **fields: str) -> Line:
        """A sentence of a topic, citing ``facts``."""
        pattern = self.rng.choice(PATTERNS[topic][self.variant])
        return Line(pattern.format(**fields), tuple(dict.fromkeys(fact.id for fact in facts)))

    def closed(self, topic: str, *facts: Fact) -> Line:
        """A sentence that claims nothing; ``facts`` it is said because of may be cited."""
        return Line(self.rng.choice(phrases(topic, self.variant)), tuple(f.id for f in facts))

    def facts(self, kind: FactKind) -> tuple[Fact, ...]:
        """The case's facts of one kind."""
        return self.evidence.of_kind(kind)

    def find(self, kind: FactKind, key: str, **equal: object) -> Fact | None:
        """The first fact of a kind that has ``key`` among its values and these values."""
        for fact in self.facts(kind):
            if key in fact.values and all(fact.values.get(k) == v for k, v in equal.items()):
                return fact
        return None

    def the(self, region: str, *, start: bool = False) -> str:
        """A region with its article; the person's own side is told once where it differs."""
        name = f"the {region}"
        other = PERSON_SIDE.get(region)
        if other and region not in self._sides_told:
            self._sides_told.add(region)
            name += f" (the person's {other})"
        return name[0].upper() + name[1:] if start else name

    # -- the score ------------------------------------------------------------------------------

    def score(self, *, short: bool = False) -> list[Line]:
        """The probability, with its interval unless ``short``."""
        fact = self.find(FactKind.SCORE, "probability")
        if fact is None:
            return []
        fields = _shown(fact.values)
        return [self.say("score-short" if short else "score", fact, **fields)]

    def meaning(self) -> list[Line]:
        """What such a score meant in the calibration data."""
        fact = self.find(FactKind.SCORE, "probability")
        if fact is None:
            return []
        return [self.say("meaning", fact, many=in_hundred(fact.values["probability"]))]

    def width(self) -> list[Line]:
        """That the interval is wide or narrow, where it is.

        A narrow one is not told where the case is close all the same: it would sound like comfort.
        """
        fact = self.find(FactKind.SCORE, "width")
        if fact is None or fact.values["width"] == "moderate":
            return []
        if fact.values["width"] == "narrow" and self._close():
            return []
        return [self.say(str(fact.values["width"]), fact)]

    def _close(self) -> bool:
        """Whether the interval or an everyday change of the file reaches another verdict."""
        verdict = self.find(FactKind.SCORE, "crosses")
        card = self.find(FactKind.FRAGILITY, "flips")
        return bool(verdict and verdict.values["crosses"]) or bool(card and card.values["flips"])

    def verdict(self, *, short: bool = False, kept: bool = False) -> list[Line]:
        """The verdict, with the threshold behind it unless ``short``; or that it is ``kept``."""
        fact = self.find(FactKind.SCORE, "verdict")
        if fact is None:
            return []
        verdict = str(fact.values["verdict"])
        fields = {
            "lower": str(fact.values["shown_lower"]),
            "upper": str(fact.values["shown_upper"]),
            "verdict": _words(verdict),
        }
        if kept or short:
            return [self.say("verdict-kept" if kept else "verdict-short", fact, **fields)]
        if fact.values.get("abstained"):
            return [self.say("verdict-abstained", fact)]
        return [self.say(f"verdict-{verdict}", fact, **fields)]

    def closeness(self) -> list[Line]:
        """An uncertain score is clear enough for neither; an interval may cross a threshold."""
        fact = self.find(FactKind.SCORE, "verdict")
        if fact is None:
            return []
        lines = []
        unclear = fact.values["verdict"] == Verdict.UNCERTAIN.value  # abstained: told already
        if self.usual and unclear and not fact.values.get("abstained"):
            lines.append(self.say("neither", fact))
        if fact.values["crosses"]:
            lines.append(self.say("crosses", fact))
        return lines

    def frames(self) -> list[Line]:
        """Over how many frames of a video the score was taken."""
        fact = self.find(FactKind.SCORE, "frames")
        if fact is None:
            return []
        fields = {
            "frames": str(fact.values["frames"]),
            "low": percent(fact.values["low"]),
            "high": percent(fact.values["high"]),
        }
        return [self.say("frames", fact, **fields)]

    # -- the map --------------------------------------------------------------------------------

    def regions(self, *, most: int = 3) -> list[Line]:
        """The regions that stand out, strongest first; or that none does."""
        lines: list[Line] = []
        out = [f for f in self.facts(FactKind.REGION) if f.values.get("stands_out") is True]
        for rank, fact in enumerate(out[:most]):
            lines.append(self.region(fact, first=rank == 0))
            if fact.values["region"] == "background":
                lines.append(self.say("background", fact))
        rest = self.find(FactKind.REGION, "alone")
        if rest is not None and (rest.values["alone"] or len(out) <= most):
            topic = "regions-none" if rest.values["alone"] else "regions-other"
            lines += [self.say(topic, rest)] if self.usual or rest.values["alone"] else []
        return lines

    def region(self, fact: Fact, *, first: bool = True, alone: bool = False) -> Line:
        """One region that stands out; ``alone``: no other was told before."""
        values = fact.values
        topic = "region-first" if first else "region-alone" if alone else "region-next"
        if first and values["lift"] < _FOR_ITS_SIZE:
            topic = "region-more"
        pattern = self.rng.choice(PATTERNS[topic][self.variant])
        name = self.the(str(values["region"]), start="{Region}" in pattern)
        self._regions_told.add(str(values["region"]))
        text = pattern.format(
            region=name,
            Region=name,
            share=percent(values["share"]),
            lift=f"{values['lift']:.1f}",
        )
        return Line(text, (fact.id,))

    def region_asked(self, region: str) -> list[Line]:
        """What is known of a region that was asked for."""
        fact = self.find(FactKind.REGION, "share", region=region)
        if fact is not None:
            return [self.region(fact, first=fact.values["rank"] == 1, alone=True)]
        rest = self.find(FactKind.REGION, "regions")
        if rest is not None and region in rest.values["regions"]:
            pattern = self.rng.choice(PATTERNS["region-not"][self.variant])
            name = self.the(region, start="{Region}" in pattern)
            return [Line(pattern.format(region=name, Region=name), (rest.id,))]
        return [self.closed("not-mapped")]

    def map_limit(self) -> list[Line]:
        """What the map does not tell."""
        fact = self.find(FactKind.LIMIT, "limit", limit="map")
        return [self.say("map-limit", fact)] if fact else []

    # -- what if --------------------------------------------------------------------------------

    def causes(self) -> list[Line]:
        """What lowers the score most once it is taken out, beyond what random patches do."""
        facts = [fact for fact in self._untold_effects() if fact.values["effect"] == "lowers"]
        if not facts:
            return []
        strongest = min(facts, key=lambda f: f.values["after"] - f.values["before"])
        self._effects_told.add(strongest.id)
        return self.effect(strongest)

    def effects(self, regions: Sequence[str] = (), *, most: int = 2) -> list[Line]:
        """What neutralising regions did: those named, else the most telling ones."""
        facts = self._untold_effects()
        if regions:
            facts = [f for f in facts if f.values["region"] in regions]
        else:
            # What moves the score most comes first; what tells nothing of a region is left out.
            facts.sort(key=lambda f: -abs(f.values["after"] - f.values["before"]))
            moves = {"lowers", "raises"}
            facts = [f for f in facts if f.values["effect"] in moves or f.values["stands_out"]]
        return [line for fact in facts[:most] for line in self.effect(fact)]

    def _untold_effects(self) -> list[Fact]:
        facts = (f for f in self.facts(FactKind.COUNTERFACTUAL) if "effect" in f.values)
        return [fact for fact in facts if fact.id not in self._effects_told]

    def effect(self, fact: Fact) -> list[Line]:
        """What neutralising one region did to the score, and to the verdict where it changes.

        What random patches do beside it is told in the fact's own sentence.
        """
        values = fact.values
        effect = str(values["effect"])
        topic = f"effect-{effect}"
        # What random patches can do as well is not told as an effect on the verdict.
        changes = values["changes_verdict"] and effect != "like-random"
        if effect == "hardly" and values["stands_out"] and not changes:
            told = values["region"] in self._regions_told
            topic = "effect-hardly-told" if told else "effect-hardly-map"
        if effect == "hardly" and percent(values["before"]) == percent(values["after"]):
            topic += "-same"
        pattern = self.rng.choice(PATTERNS[topic][self.variant])
        name = self.the(str(values["region"]), start="{Region}" in pattern)
        fields = {
            "region": name,
            "Region": name,
            "before": percent(values["before"]),
            "after": percent(values["after"]),
        }
        text = pattern.format(**fields)
        if changes:
            after = _words(str(values["verdict_after"]))
            text = f"{text.removesuffix('.')}, and the verdict would be {after}."
        beside = re.search(r"Random patches of that size [^.]+\.", fact.text)
        return [Line(text, (fact.id,)), *([Line(beside[0], (fact.id,))] if beside else [])]

    def smallest_set(self) -> list[Line]:
        """The smallest set of regions that changes the verdict, or that none was found."""
        fact = self.find(FactKind.COUNTERFACTUAL, "tried")
        if fact is None:
            return []
        values = fact.values
        if len(values["regions"] or values["tried"]) < 2:
            return []  # told by that region's own fact
        if values["regions"]:
            fields = {
                "regions": _list([f"the {r}" for r in values["regions"]]),
                "verdict_after": _words(str(values["verdict_after"])),
                "after": percent(values["after"]),
            }
            return [self.say("set-found", fact, **fields)]
        return [self.say("set-none", fact, tried=_list([f"the {r}" for r in values["tried"]]))]

    def fragility(self, *, each: bool = False) -> list[Line]:
        """How the score stands up to everyday changes of the file; ``each`` tells every one."""
        lines = []
        fact = self.find(FactKind.FRAGILITY, "flips")
        if fact is not None:
            flips = [str(name) for name in fact.values["flips"]]
            fields = {
                "count": str(fact.values["count"]),
                "low": percent(fact.values["low"]),
                "high": percent(fact.values["high"]),
                "flips": _list(flips) if flips else "",
            }
            steady = fields["low"] == fields["high"]
            topic = "flips" if flips else "steady" if steady else "same"
            lines.append(self.say(f"fragility-{topic}", fact, **fields))
        if each:
            changes = [f for f in self.facts(FactKind.FRAGILITY) if "change" in f.values]
            lines += [self.change(f) for f in changes[:4]]
        return lines

    def change(self, fact: Fact) -> Line:
        """The score after one everyday change of the file."""
        values = fact.values
        topic = "change-flips" if values["changes_verdict"] else "change-same"
        if topic == "change-same" and percent(values["before"]) == percent(values["probability"]):
            topic = "change-steady"
        return self.say(
            topic,
            fact,
            change=str(values["change"]),
            before=percent(values["before"]),
            after=percent(values["probability"]),
            verdict_after=_words(str(values["verdict_after"])),
        )

    # -- what the score can be trusted for --------------------------------------------------------

    def domain(self) -> list[Line]:
        """Whether the face is like those the detector was calibrated on, else what is unusual."""
        fact = self.find(FactKind.DOMAIN, "inside")
        if fact is None:
            return []
        if fact.values["inside"]:
            return [self.say("domain-inside", fact)] if self.usual else []
        topic = "domain-outside-too" if self._care_told else "domain-outside"
        self._care_told = True
        why = re.search(r"What is unusual: [^.]+\.", fact.text)
        return [self.say(topic, fact), *([Line(why[0], (fact.id,))] if why else [])]

    def quality(self, *, most: int = 2) -> list[Line]:
        """The quality notes, or that there is none."""
        lines = []
        for fact in self.facts(FactKind.QUALITY)[:most]:
            issue = str(fact.values.get("issue", ""))
            if not issue:
                lines += [self.say("quality-none", fact)] if self.usual else []
                continue
            case, meaning = ISSUES[issue]
            unit = str(fact.values["unit"])
            fields = {
                "case": case,
                "Case": case[0].upper() + case[1:],
                "meaning": meaning,
                "value": amount(fact.values["value"], unit),
                "limit": amount(fact.values["limit"], unit),
            }
            topic = "quality-next" if self._care_told else "quality-issue"
            self._care_told = True
            lines.append(self.say(topic, fact, **fields))
        return lines

    def origin(self, *, most: int = 2) -> list[Line]:
        """What the file says of its own origin."""
        lines = []
        for fact in self.facts(FactKind.PROVENANCE)[:most]:
            name = str(fact.values.get("value", ""))
            quoted = f' ("{name}")' if name else ""
            lines.append(self.say(f"origin-{fact.values['kind']}", fact, quoted=quoted))
        return lines

    def advice(self) -> list[Line]:
        """What to do with an uncertain verdict."""
        fact = self.find(FactKind.SCORE, "verdict", verdict=Verdict.UNCERTAIN.value)
        return [self.closed("advice-uncertain", fact)] if fact else []

    def not_proof(self) -> list[Line]:
        """That the score is an estimate."""
        fact = self.find(FactKind.LIMIT, "limit", limit="not-proof")
        return [self.say("not-proof", fact)] if fact else []


def _shown(values: Mapping[str, object]) -> dict[str, str]:
    return {
        "shown": str(values["shown"]),
        "low": str(values["shown_low"]),
        "high": str(values["shown_high"]),
    }
