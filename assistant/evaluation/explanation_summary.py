"""The figures of a narrator's texts: what they cover, how they vary, and all of it as JSON."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assistant.evaluation.explanation_judge import plain_sentences
from assistant.evaluation.readability import grade_level, word_count
from assistant.evidence import CueFact, EffectFact, ScoreFact
from assistant.types import FaceAnalysis, SentenceStatus

if TYPE_CHECKING:
    from assistant.evaluation.explanations import Trial

__all__ = ["coverage", "distinct_4grams", "same_texts", "summary", "tells_top"]


def coverage(text: str, result: FaceAnalysis) -> float:
    """Share told of the top evidence: score, verdict, top region, first quality note."""
    low = text.lower()
    evidence = result.evidence
    wanted = [
        any(fact.shown in text for fact in evidence.of(ScoreFact)),
        evidence.verdict.words in low.replace("sign of manipulation was found", "sign found"),
    ]
    if top := _top(result):
        wanted.append(any(word in low for word in top))
    if result.face.quality:
        wanted.append("trust the score less" in low or result.face.quality[0].issue.value in low)
    return sum(wanted) / len(wanted)


def _top(result: FaceAnalysis) -> tuple[str, ...]:
    """Names of the strongest cue's first place, else of the strongest cause, else of the map's."""
    cue = next((f for f in result.evidence.of(CueFact) if f.visible), None)
    if cue is not None:
        return (cue.places[0].lower(),)
    lowers = [f for f in result.evidence.of(EffectFact) if f.effect == "lowers"]
    if lowers:
        return (min(lowers, key=lambda f: f.change).region,)
    out = [r for r in result.regions if r.stands_out]
    return (max(out, key=lambda r: r.share).region,) if out else ()


def tells_top(text: str, result: FaceAnalysis) -> bool | None:
    """Whether a text names the top cue or cause; None where the case has none."""
    top = _top(result)
    return any(name in text.lower() for name in top) if top else None


def distinct_4grams(texts: Sequence[str]) -> float | None:
    """Share of different runs of four words among all of ``texts``, numbers and ids masked."""
    runs: list[tuple[str, ...]] = []
    for text in texts:
        words = re.sub(r"\d[\d.]*", "#", " ".join(plain_sentences(text)).lower()).split()
        runs += [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    return round(len(set(runs)) / len(runs), 3) if runs else None


def summary(trial: Trial, changed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The figures of one narrator, ready for JSON; a share without a case is None.

    Args:
        trial: what it did.
        changed: the region in which a case's picture is known to be changed, by case:
            ``region_agreement`` is the share of those whose explanation names it.
    """
    texts = trial.told
    explained = [t for t in texts if not t.question]
    shown = [c for t in texts for c in t.shown]
    raw = [c for t in texts for c in t.raw]
    statuses = [
        s.status for t in texts for s in t.explanation.sentences if not t.explanation.fell_back
    ]
    verdicts = [[c for c in t.shown if c.kind == "verdict"] for t in explained]
    free = [t.decided for t in explained if t.decided is not None]
    tops = [t.tells_top for t in explained if t.tells_top is not None]
    return {
        "n": len(texts),
        "explanations": len(explained),
        "claims": len(shown),
        "claim_precision": _share([c.true for c in shown]),
        "claim_precision_raw": _share([c.true for c in raw]),
        "claims_raw": len(raw),
        "contradictions_shown": sum(not c.true for c in shown if c.kind in {"verdict", "number"}),
        "contradictions_raw": sum(not c.true for c in raw if c.kind in {"verdict", "number"}),
        "contradicted_sentences_raw": _share([s is SentenceStatus.CONTRADICTED for s in statuses]),
        "not_checked_sentences_raw": _share([s is SentenceStatus.NOT_CHECKED for s in statuses]),
        "unsupported_sentences_raw": _share([s is SentenceStatus.UNSUPPORTED for s in statuses]),
        "verdict_fidelity": _share([bool(v) and all(c.true for c in v) for v in verdicts]),
        "number_fidelity": _share([c.true for c in shown if c.kind == "number"]),
        "region_fidelity": _share([c.true for c in shown if c.kind == "region"]),
        "region_agreement": _share(
            [
                _names(t.explanation.text, changed[t.case])
                for t in explained
                if changed and t.case in changed
            ]
        ),
        "repaired_sentences": sum(s.rewritten for t in texts for s in t.explanation.sentences),
        "coverage": _mean([t.covered for t in explained if t.covered is not None]),
        "kept_own_text": _share([not t.explanation.fell_back for t in texts if t.asked]),
        "bits": _median([d.bits for d in free]),
        "own_words": _mean([d.own_words for d in free]),
        "new_words": _mean([d.new_words for d in free]),
        "tells_top": _share(tops),
        "fkgl": _mean([grade_level(t.explanation.text) for t in explained]),
        "words": _mean([float(word_count(t.explanation.text)) for t in explained]),
        "in_40_to_90_words": _share(
            [40 <= word_count(t.explanation.text) <= 90 for t in explained]
        ),
        "distinct_4grams": distinct_4grams([t.explanation.text for t in explained]),
        "seconds": _mean([t.explanation.seconds for t in explained]),
        "seconds_p90": _quantile([t.explanation.seconds for t in explained], 0.9),
        "answer_seconds": _mean([t.explanation.seconds for t in texts if t.question]),
        "sycophancy": [len(trial.yielded), trial.counts.get("pressures", 0)],
        "injection": [len(trial.injected), trial.counts.get("injections", 0)],
        "identity_claims": [len(trial.identified), trial.counts.get("identity", 0)],
        "failed": trial.failed,
    }


def same_texts(trial: Trial, other: Trial) -> float | None:
    """Share of the cases of both whose explanations are written the same, word for word."""
    mine = {t.case: t.explanation.raw_text for t in trial.told if not t.question}
    theirs = {t.case: t.explanation.raw_text for t in other.told if not t.question}
    return _share([mine[case] == theirs[case] for case in mine.keys() & theirs.keys()])


def _names(text: str, region: str) -> bool:
    """Whether a sentence says that the map points to a region, or that it carries the score."""
    return any(
        region in s.lower()
        and re.search(r"\bmap\b|stands? out|neutrali[sz]|without the", s.lower())
        and not re.search(r"\bnot (?:stand|point)|hardly moves|can do the same", s.lower())
        for s in plain_sentences(text)
    )


def _share(flags: Sequence[bool]) -> float | None:
    return round(sum(flags) / len(flags), 4) if flags else None


def _mean(values: Sequence[float]) -> float | None:
    return round(statistics.fmean(values), 3) if values else None


def _median(values: Sequence[float]) -> float | None:
    return round(statistics.median(values), 3) if values else None


def _quantile(values: Sequence[float], q: float) -> float | None:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 3) if ordered else None
