"""Checks of what a clause says of the score: probability, interval, thresholds, verdict."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.evidence.amounts import Amount, matches
from assistant.evidence.reading import (
    FAKE,
    NEGATION,
    QUIET,
    REAL,
    UNSURE,
    label_of,
    labels,
    negated,
    shares,
)
from assistant.types import Clause, Verdict

if TYPE_CHECKING:
    from assistant.evidence.score import ScoreFact, VerdictFact

__all__ = ["judge_bands", "judge_close", "judge_interval", "judge_score", "judge_verdict"]

_REAL, _FAKE, _UNSURE = Verdict.NO_SIGN, Verdict.LIKELY_MANIPULATED, Verdict.UNCERTAIN
_HEDGE = re.compile(
    r"\b(?:likely|probabl[ey]|seems?|appears?|looks?|suggest\w*|indicat\w*|leans?|"
    r"points? (?:to|towards?)|may|might|could|possibl[ey]|counts?(?: as)?|chance|probability|"
    r"likelihood|odds|suspected|consistent with)\b"
)
_WEAK = re.compile(r"\b(?:may|might|could|possibl[ey])\b")
_CALIBRATION = re.compile(
    r"\bcalibration (?:data|set|faces)\b|\bfaces (?:with|that) (?:such|this|score|similar)\b"
)
_SCORE = re.compile(
    r"\b(?:probabilit\w+|chances?|likelihood|likely|odds|scores?|scored|risk|rates?|estimates?)\b"
)
_OF_WHAT = re.compile(
    r"\b(?:probabilit\w+|chances?|likelihood|odds|risk|likely)\b[^,;]*\b(?:of|that|for|to)\b[^,;]*$|\b(?:of|for) (?:being |a )?$"
)
_PROBABILITY = re.compile(
    r"\b(?:probabilit(?:y|ies)|chances?|likelihood|odds|risk)\s+(?:of|that|for)\s+(?:it |this |"
    r"the |a |face |photo |picture |image |is |was |be |been |being |having |has |to )*"
)
_SIZE = re.compile(
    r"\b(high|higher|strong|great|large|big|low|lower|small|slight|little)\s+(?:\w+ )?(?:scores?|"
    r"probability|chance|likelihood|risk)\b|\bscores? (?:is |are |rather |quite |very )+(high|low)\b"
)
_HIGH = {"high", "higher", "strong", "great", "large", "big"}
_TRUST = re.compile(
    r"\b(?:confiden(?:t|ce)|sure|certain(?:ty)?|(?:un)?reliab\w+|(?:in)?accura\w+|precis\w+|wrong|"
    r"mistaken?s?|incorrect|errors?|false)\b"
)
_INTERVAL = re.compile(r"\b(?:interval|between|from|range|ranges|ranging|runs?|within|somewhere)\b")
_TO = re.compile(r"\s*(?:to|and|-|up to)\s*(?:under |over |about )?")
_BAND = re.compile(
    r"\bcounts? as\b|\bthresholds?\b|\blimits?\b|\bbegins? at\b|\bends? at\b|\bscores? (?:from|below|above|"
    r"between|under|over)\b.*\bcounts?\b|\breach(?:es|ed|ing)? (?:the |its |a )?(?:limit of )?\d"
)
#: Between the probability and a limit, on which side of it the probability lies.
_ABOVE = re.compile(r"\b(?:above|over|reach\w*|exceed\w*|at least)\b")
_BELOW = re.compile(r"\b(?:below|under|less than)\b")
_OF_MANIPULATION = re.compile(r"\b(?:probability|chance|likelihood|risk) of manipulation\b")
_COUNTS_AS = re.compile(
    r"\bcounts? as (?:likely |probably )?(?:manipulated|real|fake|uncertain|such)\b"
)
_AGAINST = re.compile(
    r"\b(above|over|exceeds?|beyond|higher than|below|under|lower than)\b[^,;]*\bthreshold"
)
_CLOSE = re.compile(
    r"\bcase is (?:not )?close\b|\bclose (?:case|call)\b|\bborderline\b|\b(?:crosses|crossing) (?:a|the) "
    r"threshold\b|\breach(?:es|ing)? into another (?:verdict|band)\b"
)
#: After a limit that was checked; it adds nothing.
_FROM_THERE = re.compile(r"\bwhere that answer (?:begins|ends)\b")


def judge_score(clause: Clause, fact: ScoreFact | None) -> None:
    """Probability, interval, its width, and what such a score meant."""
    if clause.take(_TRUST):
        clause.unfounded("no fact measures how right, accurate or confident it is")
    if _CALIBRATION.search(clause.text):
        clause.neutral = True
    width = re.search(r"\b(wide|narrow)\b", clause.text)
    if width and "interval" in clause.text and fact is not None:
        clause.blank(*width.span())
        good = (fact.width == width[1]) is not negated(clause)
        clause.judge(good, f"the interval is not {width[1]}", fact)
    if clause.scope not in {"", "score"}:
        return
    judge_interval(clause, fact)
    if _SCORE.search(clause.text) or clause.scope == "score":
        for amount in shares(clause.text):
            _probability(clause, fact, amount)
    _size(clause, fact)
    for match in list(_PROBABILITY.finditer(clause.text)):
        rest = clause.text[match.end() :]
        label = FAKE.match(rest) or REAL.match(rest)
        if label:
            clause.blank(match.start(), match.end() + label.end())
            clause.neutral = True


def judge_interval(clause: Clause, fact: ScoreFact | None) -> None:
    """Two numbers that are told as the ends of the interval."""
    for first, second in itertools.pairwise(shares(clause.text)):
        between = clause.text[first.end : second.start]
        if _TO.fullmatch(between) and _INTERVAL.search(clause.text[: first.start]):
            _interval(clause, fact, first, second)
            return


def _interval(clause: Clause, fact: ScoreFact | None, first: Amount, second: Amount) -> None:
    if fact is None:
        clause.unfounded("no fact gives an interval")
    else:
        good = matches(first, fact.low) and matches(second, fact.high)
        reason = f"the interval is not {first.value:g} to {second.value:g}"
        clause.judge(good, reason, fact)
    start = re.search(r"(?:under |over |about )?$", clause.text[: first.start])
    clause.blank(start.start() if start else first.start, second.end)


def _probability(clause: Clause, fact: ScoreFact | None, amount: Amount) -> None:
    side = label_of(clause.text) or _FAKE
    clause.blank(amount.start, amount.end)
    if fact is None or side is _UNSURE:
        clause.unfounded("no fact gives such a probability")
    else:
        share = fact.probability if side is _FAKE else 1 - fact.probability
        clause.judge(matches(amount, share), f"the probability is {fact.shown}", fact)
    _take_labels(clause)


def _size(clause: Clause, fact: ScoreFact | None) -> None:
    size = _SIZE.search(clause.text)
    if not size or clause.scope not in {"", "score"}:
        return
    side = label_of(clause.text) or _FAKE
    clause.blank(*size.span())
    _take_labels(clause)
    if fact is None or side is _UNSURE or negated(clause):
        clause.unfounded("no fact says this of the probability")
        return
    actual = fact.probability if side is _FAKE else 1 - fact.probability
    good = actual >= 0.6 if (size[1] or size[2]) in _HIGH else actual <= 0.4
    clause.judge(good, f"the probability is {fact.shown}", fact)


def _take_labels(clause: Clause) -> None:
    """Labels that say what the probability is of (``of manipulation``, ``of being real``)."""
    for pattern in (FAKE, REAL):
        for match in list(pattern.finditer(clause.text)):
            if _OF_WHAT.search(clause.text[max(0, match.start() - 60) : match.start()]):
                clause.blank(*match.span())


def judge_close(clause: Clause, fact: VerdictFact | None) -> None:
    """Whether the interval reaches into another verdict."""
    clause.neutral = clause.neutral or bool(clause.take(_FROM_THERE))
    found = _CLOSE.search(clause.text)
    if found:
        denied = negated(clause)
        clause.take(_CLOSE)
        if fact is None:
            clause.unfounded("no fact tells whether the case is close")
        else:
            good = fact.crosses is not denied
            clause.judge(good, "the interval lies within one verdict", fact)


def judge_bands(clause: Clause, fact: VerdictFact | None, score: ScoreFact | None) -> None:
    """The thresholds, and on which side of them the score lies."""
    against = _AGAINST.search(clause.text)
    if against and fact is not None and score is not None:
        over = against[1] in {"above", "over", "beyond", "higher than"} or "exceed" in against[1]
        true = score.probability >= fact.upper if over else score.probability < fact.lower
        good = true is not negated(clause)
        clause.judge(good, f"the score is not {against[1]} that threshold", fact)
    found = shares(clause.text)
    told = len(found) > 1 and score is not None and matches(found[0], score.probability)
    between = clause.text[found[0].end : found[1].end] if told else ""
    above, below = _ABOVE.search(between), _BELOW.search(between)
    bands = _BAND.search(clause.text) or _between(clause, fact, found[-2:]) or above or below
    if not found or not bands:
        return
    if fact is None:
        clause.unfounded("no fact names a threshold")
        return
    counted = _COUNTS_AS.search(clause.text)
    label = label_of(counted[0]) if counted and not counted[0].endswith("such") else None
    label = label or label_of(clause.text) or label_of(_OF_MANIPULATION.sub(" ", clause.whole))
    side = re.search(r"\b(lower|upper) threshold", clause.text)
    if side:
        label = _REAL if side[1] == "lower" else _FAKE
    both = [fact.lower, fact.upper]
    wanted = {_REAL: both[:1], _FAKE: both[1:]}.get(label, both) if label else both
    if told and score is not None and len(found) == len(wanted) + 1:
        clause.blank(found[0].start, found[0].end)
        found = found[1:]  # the probability, told beside the limit
        if above or below:
            limit = found[0].value / 100 if found[0].unit == "%" else found[0].value
            good = (score.probability >= limit - 0.005) if above else score.probability < limit
            clause.judge(good, f"the probability is {score.shown}", score)
    # How a threshold is written must not be read as "under" or "over" a value.
    bare = [replace(a, qualifier="") for a in found]
    if len(bare) == len(wanted):
        good = all(_is_threshold(a, t, fact) for a, t in zip(bare, wanted, strict=True))
    else:
        good = len(bare) == 1 and not label and any(_is_threshold(bare[0], t, fact) for t in wanted)
    clause.judge(good, f"{', '.join(f'{a.value:g}%' for a in found)} is not that threshold", fact)
    for amount in found:
        clause.blank(amount.start, amount.end)
    clause.take(_COUNTS_AS)


def _between(clause: Clause, fact: VerdictFact | None, found: list[Amount]) -> bool:
    """Whether "the score lies between 30% and 70%" means the thresholds, not the interval."""
    return (
        "between" in clause.text
        and "interval" not in clause.text
        and fact is not None
        and fact.verdict is _UNSURE
        and len(found) == 2
        and all(map(matches, found, (fact.lower, fact.upper)))
    )


def _is_threshold(amount: Amount, threshold: float, fact: VerdictFact) -> bool:
    if matches(amount, threshold):
        return True
    # "under 1%" and "over 99%" stand for what lies beyond them.
    fields = fact.fields()
    shown = fields["lower"] + fields["upper"]
    return amount.value in {1.0, 99.0} and f"{amount.value:g}%" in shown


def judge_verdict(clause: Clause, fact: VerdictFact | None) -> None:
    """Every verdict word that is left must be the verdict, with its "likely"."""
    text = clause.text
    found = labels(text)
    both = len({verdict for verdict, _ in found}) > 1
    label = _UNSURE if both and re.search(r"\bor\b", text) else label_of(text)
    if label is None:
        if found:
            clause.unfounded("verdict words of both sides")
        return
    before = text[: found[0][1].start()] if found else ""
    little = re.search(r"\b(?:little|few|hardly any)\b", before)
    if label is not _UNSURE and (little or NEGATION.search(before)):
        label = _FAKE if label is _REAL else _REAL
    clause.take(UNSURE, FAKE, REAL)
    if fact is None:
        clause.unfounded("no fact gives a verdict")
        return
    either = re.search(r"\b(?:whether|either|neither|cannot|not|uncertain|could|may|might)\b", text)
    if both and not either:
        clause.unfounded("names both verdicts")
    elif fact.verdict is _REAL and any(m[0].lower() != QUIET for m in REAL.finditer(text)):
        clause.wrong(f"that {fact.verdict.words} does not make it genuine", fact)
    elif label is fact.verdict:
        if label is _UNSURE or little or _HEDGE.search(text) or re.search(r"\bunlikely\b", text):
            clause.ok(fact)
        else:
            clause.unfounded(f'the verdict is "{fact.verdict.words}", which is not a certainty')
    elif fact.verdict is _UNSURE and _WEAK.search(text) and not re.search(r"\blikely\b", text):
        clause.unfounded("the verdict is uncertain, which supports neither side")
    else:
        clause.wrong(f"the verdict is {fact.verdict.words}", fact)
