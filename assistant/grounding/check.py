"""Each sentence of a text against the evidence: supported, unsupported or contradicted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from assistant.grounding.amounts import amounts, matches
from assistant.grounding.case import Case, normal
from assistant.grounding.check_effect import change_words, effect_words, frame_words
from assistant.grounding.check_map import map_words
from assistant.grounding.check_score import certainty, score_words, verdict_words
from assistant.grounding.check_trust import domain_words, origin_words, quality_words
from assistant.grounding.clauses import Clause, Finding, clauses
from assistant.grounding.lexicon import ARTEFACT, FORBIDDEN, KNOWN, find_regions
from assistant.grounding.sentences import Piece, split, with_cites
from assistant.grounding.vocabulary import unknown_words
from assistant.phrases import is_closed
from assistant.types import Evidence, FactKind, Sentence, SentenceStatus, Verdict

__all__ = ["MARKUP", "REPEATED", "UNREAD", "check", "is_enough", "shown_text"]

#: The reason of a sentence that was said before, and how the reasons of unread ones begin.
REPEATED = "said before"
UNREAD = "beyond the"

_MOST_SENTENCES = 60
_MOST_CHARACTERS = 600
_SUPPORTED = SentenceStatus.SUPPORTED
_UNSUPPORTED = SentenceStatus.UNSUPPORTED
_CONTRADICTED = SentenceStatus.CONTRADICTED

MARKUP = re.compile(
    r"!?\[[^\]]*\]\([^)]*\)|https?://|www\.|<[a-z!/][^>]*>|<\||\[/?INST\]", re.IGNORECASE
)
_QUOTED = re.compile(r"\"([^\"]*)\"")
_NEUTRAL_FACES = re.compile(r"\buntouched faces\b", re.IGNORECASE)
_SIDE = re.compile(
    r"\(\s*(the (?:person|subject)'s (?:own )?(?:left|right) (?:eye|cheek))\s*\)", re.IGNORECASE
)
_REFUSAL = re.compile(
    r"^(?:i|this check|nothing|that|it|who\b.*|the detector)\b.*\b(?:cannot|can't|do not|don't|"
    r"does not|not|nothing)\b"
    r".*\b(?:say|tell|identify|judge|guess|answer|know|measured?|determine)\b",
    re.IGNORECASE,
)
_VERDICTS = frozenset(verdict.words for verdict in Verdict)

_CUES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("effect", re.compile(r"\bneutrali[sz]|\brandom patches\b")),
    ("change", re.compile(r"\beveryday changes?\b|\bchange[a-z]tag\b")),
    ("frames", re.compile(r"\bframes?\b")),
    ("map", re.compile(r"\bmap\b|\bst(?:ands?|anding|ood) out\b|\bdraw(?:s|n|ing)?\b|"
                       r"\bpoints? (?:\w+ )?to\b|"
                       r"\bhighlight|\bfocus|\battention\b|\bheat")),
)  # fmt: skip
# A change of the file that no fact names.
_UNTRIED = re.compile(
    r"\bre-?compress|\bresiz|\bre-?sav|\bscreenshot|\b(?:if|after|when|once|were|"
    r"had)\b.*\b(?:mirror|flip|crop|"
    r"shrunk|shrink|compress|smaller|larger|shifted|rotated|sharpened|blurred|upload|shared|saved)"
)
_WITHOUT = re.compile(
    r"\b(?:without|covered|covering|hidden|hiding|removed|removing|masked|taken away|left out)\b"
)
_IT = re.compile(r"\bit\b")
_SCORE_CUE = re.compile(
    r"\b(?:probabilit\w+|chances?|likelihood|odds|scores?|interval|calibration|threshold\w*)\b"
)
_REGION_POINT = re.compile(r"\bpoints? (?:\w+ )?to(?:wards?)?\b")

_CHECKS: tuple[Callable[[Clause, Case], None], ...] = (
    effect_words,
    change_words,
    frame_words,
    quality_words,
    origin_words,
    domain_words,
    map_words,
    certainty,
    score_words,
)


def check(text: str, evidence: Evidence) -> tuple[Sentence, ...]:
    """Check every sentence of ``text``.

    Strict: a sentence is supported only if all it says is what facts say. What no fact says is
    unsupported, what is against a fact is contradicted and carries the evidence's own sentence as
    ``replacement``. Sentences of :mod:`assistant.phrases` claim nothing and pass. A sentence said
    twice is unsupported the second time. At most 60 sentences are read; the rest is unsupported.
    """
    case = Case(evidence)
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
    """Whether enough stands up to be shown: a supported sentence, and half of all.

    A sentence that the model wrote again, and that stands up now, counts as supported.
    """
    kept = sum(s.status is _SUPPORTED or s.rewritten for s in sentences)
    return kept >= 1 and 2 * kept >= len(sentences)


def _unsupported(piece: Piece, reason: str, cites: tuple[str, ...] = ()) -> Sentence:
    return Sentence(
        text=with_cites(piece.body, cites), status=_UNSUPPORTED, cites=cites, reason=reason
    )


def _check(piece: Piece, case: Case, previous: tuple[str, ...]) -> Sentence:
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
        return Sentence(text=with_cites(piece.body, (own,)), status=_SUPPORTED, cites=(own,))
    if is_closed(piece.body):
        return Sentence(text=with_cites(piece.body, known), status=_SUPPORTED, cites=known)
    if FORBIDDEN.search(piece.body):
        if _REFUSAL.search(piece.body) and not find_regions(piece.body) and not amounts(piece.body):
            return Sentence(text=piece.body, status=_SUPPORTED, cites=())
        return _unsupported(piece, "speaks of who a person is or why; nothing of that was measured")
    findings, leftover = _findings(piece, case, known or previous)
    return _judged(piece, case, findings, leftover)


def _findings(piece: Piece, case: Case, context: tuple[str, ...]) -> tuple[list[Finding], str]:
    """All findings of a sentence, and the first word that no fact accounts for."""
    body = _SIDE.sub(lambda m: f" {m[1]} ", piece.body)
    findings: list[Finding] = []
    findings += [
        Finding(_UNSUPPORTED, (), f'quotes "{quoted[:40]}", which no fact names')
        for quoted in _QUOTED.findall(body)
        if quoted not in case.names and normal(quoted) not in _VERDICTS
    ]
    for name in sorted(case.names, key=len, reverse=True):
        body = body.replace(name, " ")
    text = _NEUTRAL_FACES.sub("faces", body.lower())
    tags: dict[str, str] = {}
    for i, name in enumerate(case.change_names):
        tag = f"change{chr(97 + i % 26)}tag"
        if name in text:
            tags[tag] = name
            text = text.replace(name, tag)
    joined = _joined_regions(text, case)
    parts = [joined] if joined else clauses(text)
    words = unknown_words(re.sub(r"\bchange[a-z]tag\b", " ", text), KNOWN | case.words)
    before = Clause(text="", whole=text)
    _seed(before, case, context)
    for part in parts:
        clause = _clause(part, text, before, tags)
        for run in _CHECKS:
            run(clause, case)
        _rest(clause, case)
        findings += clause.findings
        before = clause
    return findings, words[0] if words else ""


def _joined_regions(text: str, case: Case) -> str:
    """Sentences on several regions neutralised together, or lists of changes, stay in one piece."""
    if (
        re.search(r"\bneutrali[sz]|\btogether\b|\bcovered\b", text)
        and len(find_regions(text)) > 1
        and case.sets
    ):
        groups = {n for g in find_regions(text) for n in g}
        if any(groups in (set(f.values()["regions"]), set(f.values()["tried"])) for f in case.sets):
            return re.sub(r"[(),]", " ", text)
    if len(re.findall(r"\bchange[a-z]tag\b", text)) > 1 and ";" not in text:
        return text
    return ""


def _seed(clause: Clause, case: Case, context: tuple[str, ...]) -> None:
    """What "then" and "it" may refer to: the region of the fact cited, or told before."""
    for fact_id in context:
        fact = case.evidence[fact_id]
        if fact.kind in {FactKind.COUNTERFACTUAL, FactKind.REGION} and "region" in fact.values():
            clause.regions = ((str(fact.values()["region"]),),)
        if fact.kind is FactKind.COUNTERFACTUAL and re.search(r"\bwould then\b", clause.whole):
            clause.kind = "effect"
            if "regions" in fact.values():
                clause.regions = tuple((str(r),) for r in fact.values()["regions"])


def _clause(part: str, whole: str, before: Clause, tags: dict[str, str]) -> Clause:
    regions = tuple(find_regions(part))
    clause = Clause(
        text=part,
        whole=whole,
        kind=before.kind,
        regions=regions or before.regions,
        changes=before.changes,
        issue=before.issue,
        fresh=bool(regions),
    )
    named = tuple(name for tag, name in tags.items() if tag in part)
    clause.changes = named or clause.changes
    cue = next((kind for kind, pattern in _CUES if pattern.search(part)), "")
    if not cue and _UNTRIED.search(part):
        cue, clause.changes = "change", ("?",)
    if cue == "map" and not regions and _REGION_POINT.search(part) and "map" not in part:
        cue = ""
    if not cue and _WITHOUT.search(part) and (regions or (before.regions and _IT.search(part))):
        cue = "effect"
    if not cue and _SCORE_CUE.search(part) and clause.kind not in {"effect", "change", "frames"}:
        cue = "score"
    if cue:
        clause.kind = cue
    elif regions and clause.kind not in {"effect"}:
        clause.kind = "map"
    return clause


def _rest(clause: Clause, case: Case) -> None:
    """What is left of a clause after all that was understood."""
    if clause.kind not in {"effect", "change"} or not clause.findings:
        verdict_words(clause, case)
    flaw = ARTEFACT.search(clause.text)
    if flaw:
        clause.unfounded(f'no fact measures "{flaw[0]}"')
    for amount in amounts(clause.text):
        facts = (case.score,) if case.score and amount.unit == "%" else ()
        if case.score and case.probability is not None and matches(amount, case.probability):
            clause.unfounded(f"does not say what {amount.value:g}% is")
        elif facts and case.score:
            clause.wrong(f"{amount.value:g}% is not what was measured", case.score)
        else:
            clause.unfounded(f"no fact gives the number {amount.value:g}")
    if not clause.findings and not clause.neutral and len(clause.text.split()) > 3:
        clause.unfounded(f'nothing measured says "{" ".join(clause.text.split())}"')


def _judged(piece: Piece, case: Case, findings: list[Finding], unknown: str) -> Sentence:
    rests = _ordered(case, [i for f in findings if f.status is _SUPPORTED for i in f.ids])
    against = [f for f in findings if f.status is _CONTRADICTED]
    if against:
        ids = _ordered(case, list(against[0].ids))
        replacement = " ".join(with_cites(case.evidence[i].text, (i,)) for i in ids[:1])
        return Sentence(
            text=with_cites(piece.body, piece.cites),
            status=_CONTRADICTED,
            cites=ids[:1],
            reason=against[0].reason,
            replacement=replacement,
        )
    for finding in findings:
        if finding.status is _UNSUPPORTED:
            return _unsupported(piece, finding.reason, piece.cites)
    if unknown:
        return _unsupported(piece, f'no fact speaks of "{unknown}"', piece.cites)
    if not rests:
        return _unsupported(piece, "says nothing that was measured", piece.cites)
    cited = tuple(c for c in piece.cites if c in rests)
    cites = cited or rests[:3]
    reason = "" if cited else "citation added" if not piece.cites else "citation corrected"
    return Sentence(
        text=with_cites(piece.body, cites), status=_SUPPORTED, cites=cites, reason=reason
    )


def _ordered(case: Case, ids: list[str]) -> tuple[str, ...]:
    wanted = set(ids)
    return tuple(f.id for f in case.evidence.facts if f.id in wanted)
