"""Checks of what a clause says of quality, of the file's origin and of likeness to known faces."""

from __future__ import annotations

import re

from assistant.grounding.amounts import Amount, amounts, matches_value
from assistant.grounding.case import Case
from assistant.grounding.clauses import Clause
from assistant.grounding.lexicon import ISSUES, MEANINGS, NEGATION, ORIGINS
from assistant.types import Fact

__all__ = ["domain_words", "origin_words", "quality_words"]

_PROBLEM = re.compile(
    r"\b(?:quality (?:problems?|issues?|check)|problems?(?: of the (?:picture|photo|image))?|"
    r"(?:poor|low|bad|good|high|fine|sufficient) quality|quality (?:is|was) (?:\w+ )?(?:poor|"
    r"low|bad|good|high|"
    r"fine|sufficient|a problem))\b"
)
_GOOD = re.compile(r"\b(?:good|high|fine|sufficient)\b")
_CARE = re.compile(
    r"\btrust (?:the score|it|this|the result) less\b|\bless reliable\b|\bwith (?:care|caution)\b|"
    r"\bscore is less\b|\b(?:be|stay) cautious\b"
)
_MEASURED = re.compile(r"\bmeasured\b|\blimit\b|\bat\b|\bof\b")


def quality_words(clause: Clause, case: Case) -> None:
    """Quality notes, what they mean, and that the score is to be trusted less."""
    for meaning, issues in MEANINGS:
        if clause.take(meaning):
            facts = [f for issue, f in case.issues.items() if issue in issues]
            if facts:
                clause.ok(*facts)
                clause.kind = "quality"
            else:
                clause.unfounded("no quality note means that")
    if clause.kind != "change":
        for issue, pattern in ISSUES.items():
            if clause.take(pattern):
                _issue(clause, case, issue)
    general = clause.take(_PROBLEM)
    if general:
        _general(clause, case, " ".join(m[0] for m in general))
    if clause.take(_CARE):
        ids = case.caution_ids()
        if ids:
            clause.ok(*(case.evidence[i] for i in ids))
        else:
            clause.unfounded("no fact asks to trust the score less")
    if clause.kind == "quality" and clause.issue:
        _numbers(clause, case.issues.get(clause.issue))


def _issue(clause: Clause, case: Case, issue: str) -> None:
    fact = case.issues.get(issue)
    clause.kind, clause.issue = "quality", issue
    denied = bool(NEGATION.search(clause.text))
    if not case.issues and case.flawless is None:
        clause.unfounded("no fact speaks of quality")
    elif denied and fact is None:
        clause.ok(*([case.flawless] if case.flawless else case.issues.values()))
    elif denied and fact is not None:
        clause.wrong(f"it is noted: {issue}", fact)
    elif fact is not None:
        clause.ok(fact)
    else:
        facts = [case.flawless] if case.flawless else list(case.issues.values())
        clause.wrong(f"not noted: {issue}", *facts[:1])


def _general(clause: Clause, case: Case, said: str) -> None:
    denied = bool(NEGATION.search(clause.text))
    noted = list(case.issues.values())
    if not noted and case.flawless is None:
        clause.unfounded("no fact speaks of quality")
    elif "check" in said and "problem" not in said:
        clause.neutral = True
    elif _GOOD.search(said):
        if noted and not denied:
            clause.wrong("quality problems were measured", *noted)
        else:
            clause.unfounded("only problems are measured, not good quality")
    elif denied == (case.flawless is not None):
        clause.ok(*([case.flawless] if case.flawless else noted))
    elif denied:
        clause.wrong("quality problems were measured", *noted)
    elif case.flawless is not None:
        clause.wrong("no quality problem was measured", case.flawless)
    clause.kind = "quality"


def _numbers(clause: Clause, fact: Fact | None) -> None:
    found = amounts(clause.text)
    if not found or fact is None:
        return
    value, limit = float(fact.values()["value"]), float(fact.values()["limit"])
    for amount in found:
        before = clause.text[max(0, amount.start - 16) : amount.start]
        wanted = limit if re.search(r"\blimit\b|\bat least\b|\bneeds?\b", before) else value
        clause.blank(amount.start, amount.end)
        if _is_scale(amount, before, fact):
            continue
        if _written(amount, wanted):
            clause.ok(fact)
        else:
            clause.wrong("that is not the measurement", fact)


def _is_scale(amount: Amount, before: str, fact: Fact) -> bool:
    """The 255 of "62 of 255": the unit of the measurement, no measurement."""
    return before.endswith("of ") and fact.values()["unit"] == f"of {amount.value:.0f}"


def _written(amount: Amount, actual: float) -> bool:
    """Measurements are written whole from 20 on, else with at most two digits, zeros left out."""
    exact = Amount(amount.value, amount.digits, amount.unit, "", amount.start, amount.end)
    if matches_value(exact, actual):
        return True
    return abs(actual) < 20 and abs(round(actual, 2) - amount.value) < 1e-9


_ORIGIN_CLAIMS = (
    (
        "editor",
        re.compile(
            r"\b(?:such programs (?:also |can )?do harmless work|(?:which|that) can be harmless|"
            r"can be harmless|such programs also do harmless work)\b"
        ),
    ),
    ("camera", re.compile(r"\bsuch a name can be copied(?: into any file)?\b")),
    (
        "generator",
        re.compile(
            r"\b(?:(?:that|this) is )?what the file says of itself\b|"
            r"\b(?:the file )?says of itself\b|"
            r"\b(?:is )?not a measurement\b"
        ),
    ),
    ("c2pa", re.compile(r"\b(?:its |the )?signature was not checked(?: here)?\b")),
    ("none", re.compile(r"\b(?:absence|which|that|this) proves nothing\b")),
)
_COMES = re.compile(r"\bit comes from\b")


def origin_words(clause: Clause, case: Case) -> None:
    """What the file says of its own origin."""
    for kind, pattern in _ORIGIN_CLAIMS:
        if clause.take(pattern):
            _has(clause, case, kind)
    text = clause.text
    kinds = [k for k, p in ORIGINS.items() if k != "none" and p.search(text)]
    generic = ORIGINS["none"].search(text)
    if not kinds and not generic:
        return
    denied = bool(NEGATION.search(text))
    for pattern in (*ORIGINS.values(), _COMES):
        clause.take(pattern)
    if not case.origins:
        clause.unfounded("no fact speaks of the file's origin")
    elif kinds:
        for kind in kinds:
            _kind(clause, case, kind, denied=denied)
    elif denied:
        if "none" in case.origins:
            clause.ok(case.origins["none"])
        else:
            clause.wrong("the file has a record of its origin", *case.origins.values())
    elif "none" in case.origins:
        clause.wrong("the file has no record of its origin", case.origins["none"])
    else:
        clause.ok(*case.origins.values())


def _has(clause: Clause, case: Case, kind: str) -> None:
    if kind in case.origins:
        clause.ok(case.origins[kind])
    else:
        clause.unfounded("no fact says this of the file's origin")


def _kind(clause: Clause, case: Case, kind: str, *, denied: bool) -> None:
    fact = case.origins.get(kind)
    if denied == (fact is None):
        clause.ok(*([fact] if fact else case.origins.values()))
    elif fact is None:
        clause.wrong("the file does not say that of its origin", *list(case.origins.values())[:1])
    else:
        clause.wrong("the file does say that of its origin", fact)


_DOMAIN = re.compile(
    r"\b(?:was |were |is |are )?(?P<not>not )?calibrated on\b|\b(?P<un>unlike|not like|"
    r"differs? from) (?:the |those )?faces\b|"
    r"\bfaces like (?:this one|this|it)\b|\blike (?:the|those) (?:faces|the detector)\b"
)


def domain_words(clause: Clause, case: Case) -> None:
    """Whether the face is like those the detector was calibrated on."""
    found = clause.take(_DOMAIN)
    if not found:
        return
    outside = any(m["not"] or m["un"] for m in found)
    if case.domain is None:
        clause.unfounded("no fact compares this face with known ones")
    elif bool(case.domain.values()["inside"]) == (not outside):
        clause.ok(case.domain)
    else:
        clause.wrong("the comparison with known faces says otherwise", case.domain)
