"""Sentences that did not stand up: which may be written again, and what stands in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.citations import with_cites, without_cites
from assistant.evidence import VerdictFact
from assistant.grounding.check import REPEATED, UNREAD, check, shown_text
from assistant.grounding.sentences import split
from assistant.types import Evidence, Fact, Sentence, SentenceStatus, Verdict

__all__ = ["mendable", "rewritten", "with_facts", "with_verdict"]

_SUPPORTED = SentenceStatus.SUPPORTED


def mendable(sentences: Sequence[Sentence], *, most: int) -> tuple[int, ...]:
    """Places of at most ``most`` sentences that are worth writing again.

    What was said before or never read is not, and nothing is where no sentence stands up: such a
    text is not mended but replaced whole.
    """
    if not any(s.status is _SUPPORTED for s in sentences):
        return ()
    wrong = (
        i
        for i, s in enumerate(sentences)
        if s.struck and s.reason != REPEATED and not s.reason.startswith(UNREAD)
    )
    return tuple(wrong)[:most]


def rewritten(
    sentences: Sequence[Sentence], place: int, text: str, evidence: Evidence
) -> tuple[Sentence, ...]:
    """The same sentences, the one at ``place`` replaced by what a model wrote in its stead.

    Only the first sentence of ``text`` that stands up counts, if it says what no other one does;
    otherwise nothing changes.
    """
    told = {_plain(s.text) for s in sentences if s.status is _SUPPORTED}
    told |= {_plain(s.replacement) for s in sentences if s.replacement and s.rewritten}
    new = next(
        (
            s
            for s in check(text, evidence)
            if s.status is _SUPPORTED and s.cites and _plain(s.text) not in told
        ),
        None,
    )
    if new is None:
        return tuple(sentences)
    mended = replace(sentences[place], replacement=new.text, cites=new.cites, rewritten=True)
    return (*sentences[:place], mended, *sentences[place + 1 :])


def with_facts(sentences: Sequence[Sentence], evidence: Evidence) -> tuple[Sentence, ...]:
    """The same sentences, unsupported ones replaced by the fact that they named as their ground.

    A fact that is told elsewhere in the text is not told again; a sentence that names none of the
    case's facts is left struck.
    """
    known = {fact.id: fact for fact in evidence.facts}
    told = {cite for s in sentences if s.status is _SUPPORTED or s.replacement for cite in s.cites}
    out = []
    for sentence in sentences:
        free = [c for c in sentence.cites if c in known and c not in told]
        hopeless = sentence.status is not SentenceStatus.UNSUPPORTED or sentence.replacement
        if hopeless or not free or sentence.reason == REPEATED:
            out.append(sentence)
            continue
        told.add(free[0])
        fact = known[free[0]]
        out.append(replace(sentence, replacement=_told(fact), cites=(fact.id,)))
    return tuple(out)


def with_verdict(sentences: Sequence[Sentence], evidence: Evidence) -> tuple[Sentence, ...]:
    """The same sentences, with the verdict before them where none that is shown tells it."""
    fact = evidence.first(VerdictFact)
    shown = shown_text(sentences).lower()
    words = "no sign" if evidence.verdict is Verdict.NO_SIGN else evidence.verdict.words
    if fact is None or words in shown:
        return tuple(sentences)
    told = with_cites(fact.said("verdict-short")[0], (fact.id,))
    first = Sentence(
        text="Nothing was said of the verdict.",
        status=SentenceStatus.UNSUPPORTED,
        cites=(fact.id,),
        reason="every explanation tells the verdict",
        replacement=told,
    )
    return (first, *sentences)


def _told(fact: Fact) -> str:
    """The fact's sentences, each with its id."""
    return " ".join(with_cites(piece.body, (fact.id,)) for piece in split(fact.text))


def _plain(text: str) -> str:
    return without_cites(text).lower()
