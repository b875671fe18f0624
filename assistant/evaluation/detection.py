"""Scores and their numbers: the rows of a manifest by source, family, video and overall."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.evaluation import detection_metrics as metrics
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import ScoredRow, score_manifest, versions
from assistant.interfaces import FaceFinder
from assistant.scoring import Scorer
from assistant.types import Verdict

__all__ = ["evaluate", "summarise"]

SCHEMA = "whyfake.eval-detection/1"
_RATES = (0.01, 0.05, 0.1)


def summarise(scored: Sequence[ScoredRow], *, resamples: int = 400) -> dict[str, Any]:
    """The numbers by source, by family, by video and overall, and Cross-AUC."""
    by_source = _grouped(scored, lambda s: s.row.source)
    by_family = _grouped(scored, lambda s: s.row.family or "-")
    warnings = [
        f"source {name}: only one class, so no AUROC"
        for name, rows in by_source.items()
        if len({s.row.label for s in rows}) < 2
    ]
    if len(by_source) == 1:
        warnings.append("only one source: nothing is said of others")
    unreadable = [s for s in scored if s.face == "unreadable"]
    warnings += [f"line {s.row.line}: {s.row.name} could not be read" for s in unreadable]
    reals = [s for s in scored if s.row.label == 0]
    return {
        "schema": SCHEMA,
        "sources": {name: _numbers(rows, resamples) for name, rows in by_source.items()},
        # a family has no reals of its own: all reals of its sources stand against it
        "families": {
            name: _numbers(_against(rows, reals), resamples)
            for name, rows in by_family.items()
            if any(s.row.label == 1 for s in rows)
        },
        "videos": {name: _numbers(_by_video(rows), resamples) for name, rows in by_source.items()},
        "overall": _numbers(scored, resamples),
        "cross_auc": _cross(by_source),
        "warnings": warnings,
    }


def _numbers(scored: Sequence[ScoredRow], resamples: int) -> dict[str, Any]:
    known = [s for s in scored if s.logit is not None]
    labels = np.array([s.row.label for s in known], np.int64)
    logits = np.array([s.logit for s in known], np.float64)
    probability = np.array([s.probability for s in known], np.float64)
    groups = [s.row.video for s in known]
    interval = metrics.bootstrap_interval(
        metrics.auroc, labels, logits, groups, resamples=resamples
    )
    called = np.array([s.verdict or "" for s in known])

    def share(verdict: Verdict, label: int) -> float | None:
        rows = labels == label
        return _round(float((called[rows] == verdict).mean())) if rows.any() else None

    return {
        "auroc": _round(metrics.auroc(labels, logits)),
        "auroc_ci": None if interval is None else [_round(v) for v in interval],
        "ap": _round(metrics.average_precision(labels, logits)),
        "eer": _round(metrics.eer(labels, logits)),
        "tpr_at_fpr": {str(r): _round(metrics.tpr_at_fpr(labels, logits, r)) for r in _RATES},
        "ece": _round(metrics.ece(labels, probability)),
        "brier": _round(metrics.brier(labels, probability)),
        "nll": _round(metrics.negative_log_likelihood(labels, probability)),
        "n": len(scored),
        "n_real": sum(s.row.label == 0 for s in scored),
        "n_fake": sum(s.row.label == 1 for s in scored),
        "no_face": sum(s.face in ("whole", "none") for s in scored),
        "unreadable": sum(s.face == "unreadable" for s in scored),
        "abstained": sum(s.logit is None or s.domain == "outside" for s in scored),
        "outside_domain": sum(s.domain == "outside" for s in scored),
        "at_edge": sum(s.domain == "edge" for s in scored),
        "uncertain": int((called == Verdict.UNCERTAIN).sum()),
        "real_called_manipulated": share(Verdict.LIKELY_MANIPULATED, 0),
        "fake_called_real": share(Verdict.NO_SIGN, 1),
    }


def _cross(by_source: dict[str, list[ScoredRow]]) -> dict[str, dict[str, float | None]]:
    """AUROC of the reals of each source (row) against the fakes of each (column)."""

    def logits(rows: Iterable[ScoredRow], label: int) -> NDArray[np.float64]:
        return np.array(
            [s.logit for s in rows if s.logit is not None and s.row.label == label], np.float64
        )

    table: dict[str, dict[str, float | None]] = {}
    for real_name, real_rows in by_source.items():
        reals = logits(real_rows, 0)
        for fake_name, fake_rows in by_source.items():
            fakes = logits(fake_rows, 1)
            if len(reals) and len(fakes):
                labels = np.repeat([0, 1], [len(reals), len(fakes)])
                value = metrics.auroc(labels, np.concatenate([reals, fakes]))
                table.setdefault(real_name, {})[fake_name] = _round(value)
    return table


def _by_video(scored: Sequence[ScoredRow]) -> list[ScoredRow]:
    """One row a video and class: mean logit and probability of its pictures."""
    merged = []
    for rows in _grouped(scored, lambda s: f"{s.row.video}\n{s.row.label}").values():
        known = [s for s in rows if s.logit is not None]
        if not known:
            merged.append(rows[0])
            continue
        middle = sorted(known, key=lambda s: s.logit or 0.0)[len(known) // 2]
        merged.append(
            ScoredRow(
                row=rows[0].row,
                face=middle.face,
                frames=sum(s.frames for s in known),
                logit=float(np.mean([s.logit for s in known if s.logit is not None])),
                probability=float(
                    np.mean([s.probability for s in known if s.probability is not None])
                ),
                verdict=middle.verdict,
            )
        )
    return merged


def _against(rows: Sequence[ScoredRow], reals: Sequence[ScoredRow]) -> list[ScoredRow]:
    sources = {s.row.source for s in rows}
    return [s for s in rows if s.row.label == 1] + [s for s in reals if s.row.source in sources]


def _grouped(
    scored: Sequence[ScoredRow], key: Callable[[ScoredRow], str]
) -> dict[str, list[ScoredRow]]:
    groups: dict[str, list[ScoredRow]] = {}
    for item in scored:
        groups.setdefault(key(item), []).append(item)
    return dict(sorted(groups.items()))


def evaluate(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    scorer: Scorer,
    *,
    resamples: int = 400,
) -> tuple[dict[str, Any], list[ScoredRow]]:
    """Score and summarise, with throughput and the versions of what was used.

    ``abstained`` counts rows that got no verdict: not scored at all, or outside the detector's
    domain (``outside_domain``); ``at_edge`` counts those with a widened interval.
    """
    start = time.perf_counter()
    scored = score_manifest(rows, finder, scorer)
    seconds = time.perf_counter() - start
    result = summarise(scored, resamples=resamples)
    result["throughput"] = {
        "seconds": round(seconds, 2),
        "pictures_per_second": round(sum(max(1, s.frames) for s in scored) / seconds, 2),
    }
    finder_used = {"name": finder.name, **finder.provenance()}
    result["versions"] = {"finder": finder_used, **versions(scorer)}
    return result, scored


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
