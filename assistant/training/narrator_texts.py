"""Texts that a narrator learns from: a sentence a fact, in many wordings, true by construction.

Which facts are told, and in which order, is what the prompt shows (``to_the_point``); so that a
model learns to tell the first ones first and to leave out what hardly matters. Every sentence is
held against the facts by the check that guards the product, and one that it does not support is
drawn anew.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.resources import files

import yaml

from assistant import grounding
from assistant.evidence import (
    ChangeFact,
    CueFact,
    DomainFact,
    EffectFact,
    FlawlessFact,
    FramesFact,
    MapLimitFact,
    MissesFact,
    NoCueFact,
    NotProofFact,
    OtherRegionsFact,
    QualityFact,
    RegionFact,
    ScoreFact,
    SpreadFact,
    StrongestFact,
    VerdictFact,
)
from assistant.types import PERSON_SIDE, Evidence, Fact, SentenceStatus

__all__ = ["sentence_of", "told"]

_DRAWS = 6
_CHOICE = re.compile(r"\{([^{}]*)\}")
_FIELD = re.compile(r"<(\w+)>")
# Facts of which a text may say nothing, once the first two are told.
_MAY_BE_LEFT_OUT = 0.3


def told(
    evidence: Evidence, rng: random.Random, *, most: int = 7, must: Collection[str] = ()
) -> list[str]:
    """Sentences with their ids on the facts of ``evidence``, in their order, at most ``most``.

    The first two facts are told, and those with an id in ``must``; of the others, seven in ten.
    """
    out: list[str] = []
    for place, fact in enumerate(evidence.facts):
        needed = place < 2 or fact.id in must
        if len(out) == most or (not needed and rng.random() < _MAY_BE_LEFT_OUT):
            continue
        sentence = sentence_of(fact, evidence, rng, again=bool(out))
        if sentence and sentence not in out:
            out.append(sentence)
    return out


def sentence_of(fact: Fact, evidence: Evidence, rng: random.Random, *, again: bool = False) -> str:
    """One sentence on a fact, ending in its id; a sentence of its own where none is supported.

    ``again``: others were told before, so that the probability need not be told once more.
    """
    topics = [topic for topic in _topics(fact, again) if topic in _patterns()]
    fields = _fields(fact)
    for _ in range(_DRAWS if topics else 0):
        pattern = rng.choice(_patterns()[rng.choice(topics)])
        body = _filled(_chosen(pattern, rng), fields)
        if body is None:
            continue
        (checked, *more) = grounding.check(f"{body} [{fact.id}].", evidence)
        if checked.status is SentenceStatus.SUPPORTED and not checked.reason and not more:
            return checked.text
    own = [piece.body for said in fact.all_said() for piece in grounding.split(said)]
    body = rng.choice(own[:4])
    return f"{body.removesuffix('.')} [{fact.id}]."


@cache
def _patterns() -> Mapping[str, tuple[str, ...]]:
    text = (files("assistant.training") / "narrator_wordings.yaml").read_text(encoding="utf-8")
    return {topic: tuple(said) for topic, said in yaml.safe_load(text).items()}


def _chosen(pattern: str, rng: random.Random) -> str:
    while choice := _CHOICE.search(pattern):
        picked = rng.choice(choice[1].split("|"))
        pattern = pattern[: choice.start()] + picked + pattern[choice.end() :]
    return pattern


def _filled(pattern: str, fields: Mapping[str, str]) -> str | None:
    """The pattern with its fields; None where the fact has not all of them."""
    if any(name not in fields for name in _FIELD.findall(pattern)):
        return None
    body = _FIELD.sub(lambda found: fields[found[1]], pattern)
    return body[0].upper() + body[1:]


def _topics(fact: Fact, again: bool) -> Iterable[str]:
    match fact:
        case VerdictFact():
            yield "verdict-abstained" if fact.abstained else f"verdict-{fact.verdict.value}"
        case ScoreFact():
            yield from ("score", "score-wide") if fact.width == "wide" else ("score",)
            if not again:
                yield "score-short"
        case EffectFact() if fact.effect == "hardly":
            yield "steady" if fact.steady else "hardly"
        case EffectFact():
            yield fact.effect
        case RegionFact():
            yield "region"
        case StrongestFact():
            yield "peak"
        case OtherRegionsFact() if fact.alone:
            yield "regions-none"
        case CueFact() if not fact.visible:
            yield "cue-unseen"
        case CueFact() if fact.unit == "times":
            yield "cue-less" if fact.value < 1 else "cue-more"
        case CueFact():
            yield "cue-differs"
        case NoCueFact():
            yield "no-cue" if fact.judged else "no-cue-judged"
        case QualityFact():
            yield "quality"
        case FlawlessFact():
            yield "quality-none"
        case DomainFact():
            yield "domain-inside" if fact.inside else "domain-outside"
        case SpreadFact():
            yield "spread-flips" if fact.flips else "spread-same"
        case ChangeFact():
            yield fact.topics()[0]
        case MissesFact():
            yield "misses"
        case NotProofFact():
            yield "not-proof"
        case MapLimitFact():
            yield "map-limit"
        case FramesFact():
            yield "frames"


def _fields(fact: Fact) -> dict[str, str]:
    fields = {name: text for name, text in fact.fields().items() if text}
    if isinstance(fact, EffectFact):
        turned = fact.changes_verdict and fact.effect != "like-random"
        fields["then"] = f", and the verdict would be {fact.verdict_after.words}" if turned else ""
    if isinstance(fact, VerdictFact):
        fields["close"] = ", and the case is close" if fact.crosses else ""
    if isinstance(fact, CueFact):
        text = fact.text
        rates = re.findall(r"(?:fewer than )?\d+ in 100", text)
        amount = re.search(r"[\d.]+ times|by ([\d.]+ [^;]+);", text)
        fields |= {"first": fact.places[0], "second": fact.places[1], "quantity": fact.quantity}
        fields |= {"genuine": rates[0], "manipulated": rates[1], "kind": fact.of_kind}
        if amount:
            fields["amount" if amount[1] else "times"] = amount[1] or amount[0]
    if isinstance(fact, NoCueFact) and not fact.judged:
        fields["why"] = fact.text.partition("because ")[2].removesuffix(".")
    region = getattr(fact, "region", "")
    if region in PERSON_SIDE and "region" in fields:
        fields["region"] = f"the {region}"
    return fields
