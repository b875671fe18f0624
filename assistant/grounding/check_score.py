"""Checks of what a clause says of the score: verdict, probability, interval, certainty."""

from __future__ import annotations

import itertools
import re

from assistant.grounding.amounts import Amount, amounts, matches, matches_value
from assistant.grounding.case import Case
from assistant.grounding.clauses import Clause
from assistant.grounding.lexicon import CERTAIN, FAKE, HEDGE, NEGATION, REAL, UNSURE, WEAK
from assistant.types import Fact, Verdict

__all__ = ["certainty", "label_of", "labels", "score_words", "verdict_words"]

_REAL, _FAKE, _UNSURE = Verdict.LIKELY_REAL, Verdict.LIKELY_MANIPULATED, Verdict.UNCERTAIN
_PROBABILITY = re.compile(
    r"\b(?:probabilit(?:y|ies)|chances?|likelihood|odds|risk)\s+(?:of|that|for)\s+(?:it |this |"
    r"the |a |"
    r"face |photo |picture |image |is |was |be |been |being |having |has |to )*"
)
_MEANING = re.compile(r"\b(?:in|out of|of)(?: every)? 100\b")
_CALIBRATION = re.compile(
    r"\bcalibration (?:data|faces)\b|\bfaces (?:with|that) (?:such|this|score)\b"
)
_BAND = re.compile(
    r"\bcounts? as\b|\bthresholds?\b|\bbegins? at\b|\bends? at\b|\bscores? (?:from|below|above|"
    r"between|under|"
    r"over)\b.*\bcounts?\b"
)
_COUNTS_AS = re.compile(
    r"\bcounts? as (?:likely |probably )?(?:manipulated|real|fake|uncertain|such)\b"
)
_SURE = re.compile(
    r"\b(?:no|without (?:a |any )?|beyond (?:a |any |all )?(?:reasonable )?)\s*doubt\b|"
    r"\bnever wrong\b|"
    r"\bcan(?:not|'t| not| never) be wrong\b|\binfallible\b"
)
_CAN_BE_WRONG = re.compile(
    r"\b(?:can|could|may|might) (?:still |also |always |well )?(?:be (?:wrong|mistaken)|err|"
    r"make mistakes)\b|"
    r"\b(?:is |are |only |just |as )?an estimate\b|\b(?:is|was) estimated\b"
)
_WRONG = re.compile(r"\b(?:wrong|mistaken?s?|incorrect|errors?|false)\b")
_TRUST = re.compile(
    r"\b(?:confiden(?:t|ce)|sure|certain(?:ty)?|reliab\w+|accura\w+|trustworth\w+|precis\w+)\b"
)
_SIZE = re.compile(
    r"\b(high|higher|strong|great|large|big|low|lower|small|slight|little)\s+(?:\w+ )?(?:score|"
    r"probability|"
    r"chance|likelihood|risk)\b|\bscores? (?:is |are |rather |quite |very )+(high|low)\b"
)
_AGAINST = re.compile(
    r"\b(above|over|exceeds?|beyond|higher than|below|under|lower than)\b[^,;]*\bthreshold"
)


def labels(text: str) -> list[tuple[Verdict, re.Match[str]]]:
    """The verdict words of ``text`` in order; "not fake" counts as one word, not as "fake"."""
    found = [(_FAKE, m) for m in FAKE.finditer(text)] + [(_REAL, m) for m in REAL.finditer(text)]

    def inside(a: re.Match[str], b: re.Match[str]) -> bool:
        return b.start() <= a.start() and a.end() <= b.end() and a.span() != b.span()

    kept = [(v, m) for v, m in found if not any(inside(m, other) for _, other in found)]
    return sorted(kept, key=lambda pair: pair[1].start())


def label_of(text: str) -> Verdict | None:
    """The verdict that verdict words alone name (``uncertain``, ``likely real``), or None."""
    if UNSURE.search(text):
        return _UNSURE
    sides = {verdict for verdict, _ in labels(text)}
    return sides.pop() if len(sides) == 1 else None


def certainty(clause: Clause, case: Case) -> None:
    """Proof and certainty are never claimed; that the detector can be wrong may be."""
    limit = case.limits.get("not-proof")
    for match in clause.take(_CAN_BE_WRONG):
        if limit is None:
            clause.unfounded(f'no fact says "{match[0]}"')
        else:
            clause.ok(limit)
    strong = clause.take(_SURE)
    found = clause.take(CERTAIN)
    if strong or (found and not NEGATION.search(clause.text)):
        word = (strong or found)[0][0]
        reason = f'"{word}" claims certainty; the score is an estimate'
        if limit is None:
            clause.unfounded(reason)
        else:
            clause.wrong(reason, limit)
    elif found:
        if limit is None:
            clause.unfounded("no fact speaks of proof")
        else:
            clause.ok(limit)
    if clause.take(_WRONG):
        clause.unfounded("no fact says that something is wrong")


def score_words(clause: Clause, case: Case) -> None:
    """Probability, interval, thresholds, calibration, width and closeness."""
    _meaning(clause, case)
    _width(clause, case)
    _close(clause, case)
    if clause.kind in {"effect", "change", "frames", "map", "quality"}:
        return
    _bands(clause, case)
    _interval(clause, case)
    _probability(clause, case)
    _confidence(clause)


def _meaning(clause: Clause, case: Case) -> None:
    if _CALIBRATION.search(clause.text):
        clause.neutral = True
    if not _MEANING.search(clause.text):
        return
    share = case.probability
    for amount in amounts(clause.text):
        if amount.unit != "in100":
            continue
        label = label_of(clause.text)
        if share is None or case.score is None or label is None or label is _UNSURE:
            clause.unfounded("no fact says how many in 100 of what")
        elif _exactly(amount, share if label is _FAKE else 1 - share):
            clause.ok(case.score)
        else:
            clause.wrong(f"{amount.value:g} in 100 is not what was measured", case.score)
        clause.blank(amount.start, amount.end)
        for pattern in (FAKE, REAL):
            clause.take(pattern)


def _exactly(amount: Amount, share: float) -> bool:
    """Even "about 93 in 100" must be the rounded number itself."""
    if amount.qualifier in {"about", "around", "roughly", "nearly", "almost", "approximately"}:
        amount = Amount(amount.value, amount.digits, amount.unit, "", amount.start, amount.end)
    return matches_value(amount, 100 * share)


def _width(clause: Clause, case: Case) -> None:
    found = re.search(r"\b(wide|narrow)\b", clause.text)
    if found and "interval" in clause.text:
        clause.blank(*found.span())
        if case.score is None or "width" not in case.score.values():
            clause.unfounded("no fact tells how wide the interval is")
        elif (case.score.values()["width"] == found[1]) == (NEGATION.search(clause.text) is None):
            clause.ok(case.score)
        else:
            clause.wrong(f"the interval is not {found[1]}", case.score)
    loose = re.search(r"\bnumber with care\b|\bnumber could well be another\b", clause.text)
    if loose:
        clause.blank(*loose.span())
        if case.score is not None and case.score.values().get("width") == "wide":
            clause.ok(case.score)
        else:
            clause.unfounded("the interval is not wide")


_CLOSE = re.compile(
    r"\bcase is close\b|\bclose (?:case|call)\b|\b(?:crosses|crossing) (?:a|the) threshold\b|"
    r"\breach(?:es|ing)? into another (?:verdict|band)\b"
)


def _close(clause: Clause, case: Case) -> None:
    if not clause.take(_CLOSE):
        return
    if case.verdict is None:
        clause.unfounded("no fact tells whether the case is close")
    elif bool(case.verdict.values()["crosses"]) == (NEGATION.search(clause.text) is None):
        clause.ok(case.verdict)
    else:
        clause.wrong("the interval lies within one verdict", case.verdict)


def _bands(clause: Clause, case: Case) -> None:
    against = _AGAINST.search(clause.text)
    if against and case.verdict is not None and case.probability is not None:
        above = against[1] in {"above", "over", "beyond", "higher than"} or "exceed" in against[1]
        lower, upper = float(case.verdict.values()["lower"]), float(case.verdict.values()["upper"])
        true = case.probability >= upper if above else case.probability < lower
        if bool(NEGATION.search(clause.text)) == true:
            clause.wrong(f"the score is not {against[1]} that threshold", case.verdict)
        else:
            clause.ok(case.verdict)
    shares = [a for a in amounts(clause.text) if a.unit == "%" or (a.digits and a.value <= 1)]
    if not shares:
        return
    if not _BAND.search(clause.text) and not _between_bands(clause, case, shares):
        return
    if case.verdict is None:
        clause.unfounded("no fact names a threshold")
        return
    label = _band_label(clause, case)
    lower, upper = float(case.verdict.values()["lower"]), float(case.verdict.values()["upper"])
    wanted = {_REAL: [lower], _FAKE: [upper], _UNSURE: [lower, upper], None: [lower, upper]}[label]
    # How a threshold is written must not be read as "under" or "over" a value.
    bare = [Amount(a.value, a.digits, a.unit, "", a.start, a.end) for a in shares]
    if len(bare) == len(wanted):
        good = all(_shown(a, t, case.verdict) for a, t in zip(bare, wanted, strict=True))
    else:
        good = (
            len(bare) == 1
            and label is None
            and any(_shown(bare[0], t, case.verdict) for t in wanted)
        )
    if good:
        clause.ok(case.verdict)
    else:
        named = ", ".join(f"{a.value:g}%" for a in shares)
        clause.wrong(f"{named} is not that threshold", case.verdict)
    for amount in shares:
        clause.blank(amount.start, amount.end)
    clause.take(_COUNTS_AS)


def _between_bands(clause: Clause, case: Case, shares: list[Amount]) -> bool:
    """Whether "the score lies between 30% and 70%" means the thresholds, not the interval."""
    return (
        "between" in clause.text
        and "interval" not in clause.text
        and case.verdict_name == _UNSURE.value
        and case.verdict is not None
        and len(shares) == 2
        and matches(shares[0], float(case.verdict.values()["lower"]))
        and matches(shares[1], float(case.verdict.values()["upper"]))
    )


def _shown(amount: Amount, threshold: float, fact: Fact) -> bool:
    if matches(amount, threshold):
        return True
    # "under 1%" and "over 99%" stand for what lies beyond them.
    return amount.value in {1.0, 99.0} and f"{amount.value:g}%" in (
        str(fact.values().get("shown_lower", "")) + str(fact.values().get("shown_upper", ""))
    )


def _band_label(clause: Clause, case: Case) -> Verdict | None:
    named = _COUNTS_AS.search(clause.text)
    if named and not named[0].endswith("such"):
        return label_of(named[0])
    return label_of(clause.text) or label_of(clause.whole) or None


_RANGE = re.compile(r"(?:\bto\b|\band\b|-)\s*(?:under |over |about )?$")
_INTERVAL = re.compile(r"\b(?:interval|between|from|range|ranges|ranging|runs?|within|somewhere)\b")


def _interval(clause: Clause, case: Case) -> None:
    found = [a for a in amounts(clause.text) if _is_share(a)]
    for first, second in itertools.pairwise(found):
        between = clause.text[first.end : second.start]
        cue = clause.text[: first.start]
        if not re.fullmatch(
            r"\s*(?:to|and|-|up to)\s*(?:under |over |about )?", between
        ) or not _INTERVAL.search(cue):
            continue
        if case.score is None:
            clause.unfounded("no fact gives an interval")
        elif matches(first, float(case.score.values()["low"])) and matches(
            second, float(case.score.values()["high"])
        ):
            clause.ok(case.score)
        else:
            clause.wrong(f"the interval is not {first.value:g} to {second.value:g}", case.score)
        start = re.search(r"(?:under |over |about )?$", clause.text[: first.start])
        clause.blank(first.start if start is None else start.start(), second.end)
        return


def _is_share(amount: Amount) -> bool:
    return amount.unit == "%" or (amount.unit == "" and amount.digits > 0 and amount.value <= 1)


_SCORE = re.compile(r"\b(?:probabilit\w+|chances?|likelihood|likely|odds|scores?|scored|risk)\b")


def _probability(clause: Clause, case: Case) -> None:
    share = case.probability
    cue = _SCORE.search(clause.text) or clause.kind == "score"
    for amount in amounts(clause.text):
        if not _is_share(amount) or not cue:
            continue
        polarity = _polarity(clause.text)
        clause.blank(amount.start, amount.end)
        if share is None or case.score is None:
            clause.unfounded("no fact gives a probability")
        elif polarity is _UNSURE:
            clause.unfounded("no fact gives a probability of being uncertain")
        elif matches(amount, share if polarity is _FAKE else 1 - share):
            clause.ok(case.score)
        else:
            clause.wrong(f"the probability is {case.score.values()['shown']}", case.score)
        _take_labels(clause)
    size = _SIZE.search(clause.text)
    if size and clause.kind in {"", "score"}:
        high = (size[1] or size[2]) in {"high", "higher", "strong", "great", "large", "big"}
        polarity = _polarity(clause.text)
        clause.blank(*size.span())
        _take_labels(clause)
        if share is None or case.score is None or polarity is _UNSURE:
            clause.unfounded("no fact gives a probability")
        else:
            actual = share if polarity is _FAKE else 1 - share
            if NEGATION.search(clause.text):
                clause.unfounded("no fact says this of the probability")
            elif (actual >= 0.6) if high else (actual <= 0.4):
                clause.ok(case.score)
            else:
                clause.wrong(f"the probability is {case.score.values()['shown']}", case.score)
    for match in list(_PROBABILITY.finditer(clause.text)):
        rest = clause.text[match.end() :]
        label = FAKE.match(rest) or REAL.match(rest)
        if label:
            clause.blank(match.start(), match.end() + label.end())
            clause.neutral = True


def _polarity(text: str) -> Verdict:
    """Which side a probability in this clause is of; a score is always that of manipulation."""
    label = label_of(text)
    return _FAKE if label is None else label


def _take_labels(clause: Clause) -> None:
    """Labels that say what the probability is of (``of manipulation``, ``of being real``)."""
    for pattern in (FAKE, REAL):
        for match in list(pattern.finditer(clause.text)):
            before = clause.text[max(0, match.start() - 60) : match.start()]
            if re.search(
                r"\b(?:probability|chance|likelihood|odds|risk|likely)\b[^,;]*"
                r"\b(?:of|that|for|to)\b[^,;]*$",
                before,
            ) or re.search(r"\b(?:of|for) (?:being |a )?$", before):
                clause.blank(*match.span())


def _confidence(clause: Clause) -> None:
    if clause.take(_TRUST):
        clause.unfounded("no fact measures how accurate or confident it is")


def verdict_words(clause: Clause, case: Case) -> None:
    """Every verdict word left over must be the verdict, with its "likely"."""
    text = clause.text
    named = labels(text)
    both = len({verdict for verdict, _ in named}) > 1
    label = _UNSURE if both and re.search(r"\bor\b", text) else label_of(text)
    if label is None:
        if named:
            clause.unfounded("verdict words of both sides")
        return
    if label is not _UNSURE and NEGATION.search(text[: named[0][1].start()]):
        label = _FAKE if label is _REAL else _REAL
    unlikely = re.search(r"\bunlikely\b", text)
    for pattern in (UNSURE, FAKE, REAL):
        clause.take(pattern)
    if case.verdict is None:
        clause.unfounded("no fact gives a verdict")
        return
    actual = Verdict(case.verdict_name)
    hedged = bool(HEDGE.search(text)) or bool(unlikely)
    if both and not re.search(
        r"\b(?:whether|either|neither|cannot|not|uncertain|could|may|might)\b", text
    ):
        clause.unfounded("names both verdicts", case.verdict)
    elif label is actual:
        if label is not _UNSURE and not hedged:
            clause.unfounded(
                f'the verdict is "{actual.words}", which is not a certainty', case.verdict
            )
        else:
            clause.ok(case.verdict)
    elif actual is _UNSURE and WEAK.search(text) and not re.search(r"\blikely\b", text):
        clause.unfounded("the verdict is uncertain, which supports neither side", case.verdict)
    else:
        clause.wrong(f"the verdict is {actual.words}", case.verdict)
