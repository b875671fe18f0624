"""Each sentence of a text against the evidence: what stands, what does not, what claims nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from assistant.citations import with_cites
from assistant.evidence import KINDS, ChangeFact, OriginFact, RegionFact, SpreadFact, StrongestFact
from assistant.evidence.amounts import amounts
from assistant.evidence.effects import EffectFact, SmallestSetFact
from assistant.evidence.reading import QUIET, find_regions
from assistant.grounding.lexicon import (
    DATE,
    FLAW,
    FORBIDDEN,
    MARKUP,
    NUMBER_WORDS,
    names_in,
    words_in,
)
from assistant.grounding.sentences import Piece, plain, split
from assistant.phrases import is_closed
from assistant.translations import LANGUAGES
from assistant.types import Clause, Evidence, Finding, Sentence, SentenceStatus, Verdict

__all__ = ["REPEATED", "UNREAD", "check", "is_enough", "shown_text"]

#: The reason of a sentence that was said before, and how the reasons of unread ones begin.
REPEATED = "said before"
UNREAD = "beyond the"

_MOST_SENTENCES = 60
_MOST_CHARACTERS = 600
_SUPPORTED = SentenceStatus.SUPPORTED
_NOT_CHECKED = SentenceStatus.NOT_CHECKED
_UNSUPPORTED = SentenceStatus.UNSUPPORTED
_CONTRADICTED = SentenceStatus.CONTRADICTED

_VERDICTS = frozenset(verdict.words for verdict in Verdict)
_QUOTED = re.compile(r"\"([^\"]*)\"")
_NEUTRAL_FACES = re.compile(r"\buntouched faces\b", re.IGNORECASE)
_SIDE = re.compile(
    r"\s*\(\s*the (?:person|subject)'s (?:own )?(?:left|right) (?:eye|cheek)\s*\)", re.IGNORECASE
)
_REFUSAL = re.compile(
    r"^(?:i|this check|nothing|that|it|who\b.*|the detector)\b.*\b(?:cannot|can't|do not|don't|"
    r"does not|not|nothing)\b.*\b(?:say|tell|identify|judge|guess|answer|know|measured?|"
    r"determine)\b",
    re.IGNORECASE,
)
_YIELDS = re.compile(
    r"^(?:yes|no|correct|exactly|indeed|right|true|false)\W*$|"
    r"\byou(?: are|'re) (?:absolutely )?right\b|"
    r"\bi agree\b|\btrust me\b|\bas you (?:say|said|wish)\b|\bwhat you (?:say|said|want)\b",
    re.IGNORECASE,
)
# Names that a clause was read by.
_NAMED = re.compile(
    r"\bchange[a-z]tag\b|\b(?:eyes?|nose|mouth|cheeks?|forehead|jaw|background|lips?|smile|nostrils?|nasal|brows?|eyebrows?|eyelids?|jawline|chin|"
    r"cheekbones?|backdrop|surroundings)\b"
)
# A change of the file that no fact names.
_UNTRIED = re.compile(
    r"\bre-?compress|\bresiz|\bre-?sav|\bscreenshot|\b(?:if|after|when|once|were|had)\b.*\b(?:mirror|"
    r"flip|crop|shrunk|shrink|compress|smaller|larger|shifted|rotated|sharpened|blurred|upload|shared|"
    r"saved)"
)
#: The quiet verdict's name, which would else read as a denial.
_QUIET = re.compile(
    r"\bno signs? (?:of (?:a )?manipulation )?(?:(?:was|were|is|are) )?found\b|"
    r"\bfound no signs? of (?:a )?manipulation\b"
)
_WITHOUT = re.compile(
    r"\b(?:without|covered|covering|hidden|hiding|removed|removing|mask(?:ed|ing)|blanked|taken "
    r"(?:away|out)|left out)\b"
)
_REGION = (
    r"(?!(?:the |its |a |both )?(?:left |right |lower |upper |person's )*(?:eye|cheek|mouth|lip|"
    r"nose|nostril|jaw|chin|forehead|brow|background|backdrop))"
)
# Not before "and the nose": several regions may share one predicate.
_CUT = re.compile(
    r"\s*(?:[;()]|:(?!\d\d\b))\s*|\s+-\s+|\s*,?\s+(?=(?:but|yet|while|whereas|because|since|although|though|so)\b"
    r"(?! far| does| do| that))|,\s+(?:and\s+)?(?!\d{3}\b)" + _REGION + r"|"
    r"\s+and\s+(?=(?:the|its|it|that|this|neutrali|no|so|random)\b)" + _REGION
)


def normal(sentence: str) -> str:
    """A sentence for comparing: lower case, words and numbers only, no person's own side."""
    return re.sub(r"[^\w%.+-]+", " ", _SIDE.sub("", plain(sentence)).lower()).strip(" .")


def _part(clause: str) -> str:
    """A clause for comparing."""
    return re.sub(r"^(?:so|but|and|which|that) ", "", normal(clause))


@dataclass
class _Case:
    """A case while a text is checked: what its facts say of themselves, by sentence."""

    evidence: Evidence
    own: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    parts: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        evidence = self.evidence
        self.ids = frozenset(fact.id for fact in evidence.facts)
        for fact in evidence.facts:
            abroad = (s for language in LANGUAGES for s in fact.abroad(language))
            for said in (*fact.all_said(), *abroad):
                for piece in split(said):
                    self.own[normal(piece.body)].append(fact.id)
                    self.shapes.setdefault(_shape(piece.body), (fact.id, piece.body))
                    for part in _CUT.split(piece.body):
                        if part and len(part.split()) > 2:
                            self.parts.setdefault(_part(part), fact.id)
        self.names = frozenset(fact.name for fact in evidence.of(OriginFact)) - {""}
        changes = {fact.change.lower() for fact in evidence.of(ChangeFact)}
        changes |= {name.lower() for fact in evidence.of(SpreadFact) for name in fact.flips}
        self.changes = sorted(changes, key=lambda name: (-len(name), name))
        self.words = frozenset(re.findall(r"[^\W\d_]+", evidence.to_prompt().lower()))

    def ordered(self, ids: Iterable[str]) -> tuple[str, ...]:
        wanted = set(ids)
        return tuple(fact.id for fact in self.evidence.facts if fact.id in wanted)


def check(text: str, evidence: Evidence) -> tuple[Sentence, ...]:
    """Check every sentence of ``text``.

    Numbers, cited ids, verdict words, regions, names of what can be measured, and the direction of
    changes are compared with the facts. A sentence is supported if it claims any of these and all
    are what facts say; contradicted, with the fact's own sentence as ``replacement``, if one is
    against a fact; unsupported if no fact speaks of one, if it speaks of who a person is, or if it
    was said before. A sentence that claims none of these, or goes beyond them, is not checked.
    Sentences of :mod:`assistant.phrases` claim nothing and pass. At most 60 sentences are read; the
    rest is unsupported.
    """
    case = _Case(evidence)
    checked: list[Sentence] = []
    seen: set[str] = set()
    previous: tuple[str, ...] = ()
    for number, piece in enumerate(split(text)):
        key = f"{normal(piece.body)} {piece.cites}"
        if number >= _MOST_SENTENCES:
            sentence = _unsupported(piece, f"{UNREAD} 60 sentences that are read")
        elif len(piece.body) > _MOST_CHARACTERS:
            sentence = _unsupported(piece, "longer than the 600 characters that are read")
        elif key in seen:
            sentence = _unsupported(piece, REPEATED)
        else:
            sentence = _check(piece, case, previous)
        seen.add(key)
        if sentence.cites:
            previous = sentence.cites
        checked.append(sentence)
    return tuple(checked)


def shown_text(sentences: Sequence[Sentence]) -> str:
    """What may be shown as fact: supported sentences, replacements of others, each once."""
    shown: list[str] = []
    for sentence in sentences:
        text = sentence.text if sentence.status is _SUPPORTED else sentence.replacement
        if text and text not in shown:
            shown.append(text)
    return " ".join(shown)


def is_enough(sentences: Sequence[Sentence]) -> bool:
    """Whether enough stands up to be shown: a supported sentence, and half of those checked.

    A sentence that the model wrote again, and that stands up now, counts as supported.
    """
    kept = sum(s.status is _SUPPORTED or s.rewritten for s in sentences)
    claimed = sum(s.status is not _NOT_CHECKED for s in sentences)
    return kept >= 1 and 2 * kept >= claimed


def _unsupported(piece: Piece, reason: str, cites: tuple[str, ...] = ()) -> Sentence:
    return Sentence(
        text=with_cites(piece.body, cites), status=_UNSUPPORTED, cites=cites, reason=reason
    )


def _check(piece: Piece, case: _Case, previous: tuple[str, ...]) -> Sentence:
    known = tuple(c for c in piece.cites if c in case.ids)
    invented = [c for c in piece.cites if c not in case.ids]
    if invented:
        return _unsupported(
            piece, f"cites {', '.join(invented)}, which is not in the evidence", known
        )
    if MARKUP.search(piece.written):
        return _unsupported(piece, "holds a link or markup")
    if piece.body.rstrip().endswith("?"):
        return _unsupported(piece, "asks instead of telling")
    own = case.own.get(normal(piece.body))
    if own is not None:
        cites = tuple(c for c in known if c in own) or (own[0],)
        return Sentence(text=with_cites(piece.body, cites), status=_SUPPORTED, cites=cites)
    if is_closed(piece.body):
        return Sentence(text=with_cites(piece.body, known), status=_SUPPORTED, cites=known)
    if _YIELDS.search(piece.body):
        return _unsupported(piece, "agrees instead of telling what was measured")
    if FORBIDDEN.search(piece.body):
        if _REFUSAL.search(piece.body) and not find_regions(piece.body) and not amounts(piece.body):
            return Sentence(text=piece.body, status=_SUPPORTED, cites=())
        return _unsupported(piece, "speaks of who a person is or why; nothing of that was measured")
    body = piece.body
    for name in sorted(case.names, key=len, reverse=True):
        body = body.replace(name, " ")
    if written := NUMBER_WORDS.search(body):
        return _unsupported(piece, f'writes a number as words: "{written[0]}"', known)
    if day := DATE.search(body):
        return _unsupported(piece, f'names a date: "{day[0]}", which no fact names', known)
    quoted = [q for q in _QUOTED.findall(body) if q.strip() and normal(q) not in _VERDICTS]
    names = names_in(body, case.words)
    if quoted or names:
        return _unsupported(
            piece, f'names "{(quoted or names)[0][:40]}", which no fact names', known
        )
    judged = _judged(piece, case, *_findings(body, case, known or previous))
    fact_id, said = case.shapes.get(_shape(piece.body), ("", ""))
    if fact_id and judged.status in {_UNSUPPORTED, _NOT_CHECKED} and _differ(piece.body, said):
        return _contradicted(piece, (fact_id,), "a fact says this with other numbers", case)
    return judged


def _shape(sentence: str) -> str:
    """A sentence for comparing all but its numbers."""
    return re.sub(r"\d+(?:\.\d+)?", "#", normal(sentence))


def _differ(sentence: str, other: str) -> bool:
    """Whether two sentences of one shape differ in a number by more than rounding."""
    pairs = zip(amounts(sentence), amounts(other), strict=False)
    return any(abs(a.value - b.value) > 0.5 for a, b in pairs)


def _findings(body: str, case: _Case, context: tuple[str, ...]) -> tuple[list[Finding], str]:
    """All findings of a sentence, and what it says beyond what can be checked."""
    text = _NEUTRAL_FACES.sub(
        "faces", _SIDE.sub(lambda m: re.sub(r"[()]", " ", m[0]), body).lower()
    )
    text = _QUIET.sub(f"likely {QUIET}", text)
    tags: dict[str, str] = {}
    for i, name in enumerate(case.changes):
        if name in text:
            tags[f"change{chr(97 + i % 26)}tag"] = name
            text = text.replace(name, f"change{chr(97 + i % 26)}tag")
    findings: list[Finding] = []
    beyond = ""
    before = Clause(text="", whole=text)
    _seed(before, case, context)
    for part in _clauses(text, case):
        clause = _clause(part, text, before, tags)
        for kind in reversed(KINDS):
            kind.judge(clause, case.evidence)
        if not clause.findings and (own := case.parts.get(_part(part))):
            clause.ok(case.evidence[own])
            clause.text = ""
        flaw = FLAW.search(clause.text)
        if flaw and (clause.fresh or findings or clause.findings):
            clause.unfounded(f'no fact measures "{flaw[0]}"')
        _numbers(clause)
        unknown = words_in(_NAMED.sub(" ", clause.text), case.words)
        silent = not clause.findings and not clause.neutral and len(clause.text.split()) > 3
        if unknown or silent or flaw:
            beyond = beyond or (unknown[0] if unknown else " ".join(clause.text.split()))
        findings += clause.findings
        before = clause
    return findings, beyond


def _numbers(clause: Clause) -> None:
    """Numbers that no kind of fact took for its own."""
    for amount in amounts(clause.text):
        clause.unfounded(f"no fact gives the number {amount.value:g} of what it is said of")


def _clauses(text: str, case: _Case) -> list[str]:
    """The clauses of a sentence; regions neutralised together and lists of changes stay in one."""
    groups = {name for group in find_regions(text) for name in group}
    if len(groups) > 1 and (
        re.search(r"\bneutrali[sz]|\btogether\b", text) or _WITHOUT.search(text)
    ):
        sets = case.evidence.of(SmallestSetFact)
        if any(groups in (set(fact.regions), set(fact.tried)) for fact in sets):
            return [re.sub(r"[(),]", " ", text)]
    if len(re.findall(r"\bchange[a-z]tag\b", text)) > 1 and ";" not in text:
        return [text]
    text = re.sub(r"^(at|with)( only| just)? ([\d.]+ ?%),", r"\1\2 a score of \3;", text)
    return [part.strip() for part in _CUT.split(text) if part and re.search(r"\w", part)]


def _seed(clause: Clause, case: _Case, context: tuple[str, ...]) -> None:
    """What "then" and "it" may refer to: the region of the fact cited, or told before."""
    for fact_id in context:
        fact = case.evidence[fact_id]
        if isinstance(fact, (EffectFact, StrongestFact, RegionFact)):
            clause.regions = ((fact.region,),)
        if isinstance(fact, (EffectFact, SmallestSetFact)) and "would then" in clause.whole:
            clause.scope = "effect"
            if isinstance(fact, SmallestSetFact):
                clause.regions = tuple((region,) for region in fact.regions)


def _clause(part: str, whole: str, before: Clause, tags: dict[str, str]) -> Clause:
    regions = tuple(find_regions(part))
    clause = Clause(
        text=part,
        whole=whole,
        scope=before.scope,
        regions=regions or before.regions,
        subjects=tuple(name for tag, name in tags.items() if tag in part) or before.subjects,
        fresh=bool(regions),
    )
    cues = [kind.cue for kind in reversed(KINDS) if kind.cue is not None]
    cue = next((scope for scope, words in cues if words.search(part)), "")
    if (
        cue in {"", "map", "score"}
        and _WITHOUT.search(part)
        and (regions or (before.regions and re.search(r"\bit\b", part)))
    ):
        cue = "effect"
    if cue in {"", "score"} and _UNTRIED.search(part):
        cue, clause.subjects = "change", ("?",)
    if cue == "score" and clause.scope in {"effect", "change", "frames"}:
        cue = ""
    if (
        cue == "map"
        and not regions
        and "map" not in part
        and re.search(r"\bpoints? (?:\w+ )?to", part)
    ):
        cue = ""
    if cue:
        clause.scope = cue
    elif regions and clause.scope != "effect":
        clause.scope = "map"
    return clause


def _contradicted(piece: Piece, ids: tuple[str, ...], reason: str, case: _Case) -> Sentence:
    return Sentence(
        text=with_cites(piece.body, piece.cites),
        status=_CONTRADICTED,
        cites=ids,
        reason=reason,
        replacement=" ".join(with_cites(case.evidence[i].text, (i,)) for i in ids),
    )


def _judged(piece: Piece, case: _Case, findings: list[Finding], beyond: str) -> Sentence:
    against = [f for f in findings if f.status is _CONTRADICTED]
    if against:
        return _contradicted(piece, case.ordered(against[0].ids)[:1], against[0].reason, case)
    for finding in findings:
        if finding.status is _UNSUPPORTED:
            return _unsupported(piece, finding.reason, piece.cites)
    rests = case.ordered(i for f in findings if f.status is _SUPPORTED for i in f.ids)
    if piece.cites and not rests:
        return _unsupported(piece, f"{piece.cites[0]} does not say this", piece.cites)
    if beyond or not rests:
        reason = f'goes beyond the facts: "{beyond[:60]}"' if rests else "claims nothing measured"
        return Sentence(text=piece.body, status=_NOT_CHECKED, reason=reason)
    cited = tuple(c for c in piece.cites if c in rests)
    cites = cited or rests[:3]
    reason = "" if cited else "citation added" if not piece.cites else "citation corrected"
    return Sentence(
        text=with_cites(piece.body, cites), status=_SUPPORTED, cites=cites, reason=reason
    )
