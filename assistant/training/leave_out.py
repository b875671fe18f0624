"""Judge a recipe on sources that were left out, and calibrate on them.

For each fold the read-out is trained without the fold's sources and scores their pictures as they
are. What all folds give together is how the detector does on a source like none of those it knows:
choices are made by it, and probabilities are fitted to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from assistant.calibration.curve import CurveCalibrator
from assistant.calibration.fitting import fit_calibrator
from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.evaluation import tables
from assistant.evaluation.detection_metrics import ece
from assistant.evidence.kind import named_kind
from assistant.training.recipe import Recipe
from assistant.training.sources import kind_of, source_weights
from assistant.training.two_heads import head_scores
from assistant.training.view_data import Prepared
from assistant.types import Verdict

__all__ = ["LeftOut", "calibrated", "leave_out", "leave_out_markdown", "leave_out_table"]

Array = NDArray[np.float64]
_RESAMPLES = 500
_KINDS = ("laid-in", "made")
#: Fewer genuine pictures of a source set no threshold.
_LEAST_OF_SOURCE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Pictures of sources left out: ``rows`` of the recipe, head logits N x 2, and their fold.

    ``blends``: B x 2 head logits of blends made of the genuine ones among them; ``patches``: N, the
    part of each logit that the patches give, which is what a map can show.
    """

    rows: NDArray[np.int64]
    heads: Array
    folds: NDArray[np.str_]
    blends: Array
    patches: Array

    @property
    def logits(self) -> Array:
        """N: both heads joined."""
        return np.asarray(np.logaddexp(self.heads[:, 0], self.heads[:, 1]))

    @property
    def map_share(self) -> float:
        """Spread of the patches' part of the logit over that of both parts."""
        spread, rest = self.patches.std(), (self.logits - self.patches).std()
        return float(spread / (spread + rest))


def leave_out(
    recipe: Recipe,
    data: Prepared,
    read_out: TwoHeadReadOut,
) -> LeftOut:
    """Train once for each fold without its sources, and score what was left out.

    Raises:
        TrainingError: without a fold's sources one class is left.
    """
    found: list[tuple[NDArray[np.int64], Array, str]] = []
    blends, patches = [np.zeros((0, 2))], []
    for name, sources in tqdm(sorted(recipe.folds.items()), "folds"):
        out = np.isin(data.sources, sources)
        kept = np.flatnonzero(~out)
        model, seen = data.read_out(read_out, kept, recipe)
        views = np.flatnonzero(out & (data.view_kinds == "plain"))
        heads = head_scores(model, seen, views)
        found.append((data.rows[views], heads, name))
        counted = np.exp(heads - np.logaddexp(heads[:, :1], heads[:, 1:]))
        patches.append((counted * (1 - np.array(model.shares)) * seen.evidence[views]).sum(1))
        blended = np.flatnonzero(out & (data.view_kinds == "laid-in"))
        blends.append(head_scores(model, seen, blended))
    return LeftOut(
        rows=np.concatenate([rows for rows, _, _ in found]),
        heads=np.concatenate([heads for _, heads, _ in found]),
        folds=np.concatenate([np.full(len(rows), name) for rows, _, name in found]),
        blends=np.concatenate(blends),
        patches=np.concatenate(patches),
    )


def calibrated(recipe: Recipe, data: Prepared, left: LeftOut) -> CurveCalibrator:
    """The probability of a face from a source that was never seen, with its verdict bands.

    Fitted by Platt's method on what was left out; every source weighs alike and resampled are whole
    sources, so the interval is that of a new source. *Likely manipulated* begins where at most
    ``recipe.flagged`` of the genuine pictures of every source (of 25 or more) are flagged; *no sign
    found* ends where at most one in ten of the manipulated of the sources left out lie below.
    """
    rows = [data.manifest[int(i)] for i in left.rows]
    labels = np.array([r.label for r in rows], np.int64)
    sources = np.array([r.source for r in rows])
    weights = source_weights(rows)
    curve = fit_calibrator(
        left.logits,
        labels,
        method="platt",
        groups=sources.tolist(),
        weights=weights,
        fitted_on={"pictures": len(rows), "split": "sources left out"},
    )
    probability = curve.probabilities(left.logits)
    uppers = []
    for source in sorted(set(sources)):
        genuine = probability[(sources == source) & (labels == 0)]
        if len(genuine) >= _LEAST_OF_SOURCE:
            uppers.append(float(np.quantile(genuine, 1 - recipe.flagged, method="higher")))
    upper = float(np.clip(max(uppers, default=0.5) + 1e-4, 0.5, 1.0))
    fakes = labels == 1
    lower = float(
        np.quantile(probability[fakes], 0.1, weights=weights[fakes], method="inverted_cdf")
    )
    lower = float(np.clip(lower, 0.0, min(0.5, upper)))
    values = curve.to_json()
    values["thresholds"] = [round(lower, 4), round(min(upper, 1.0), 4)]
    values["fitted_on"] = {
        **values["fitted_on"],
        "misses": _misses(recipe, rows, probability, (lower, upper)),
        "told": _told(recipe, rows, left.heads, probability, (lower, upper)),
    }
    return CurveCalibrator.from_json(values)


def leave_out_table(
    recipe: Recipe, data: Prepared, left: LeftOut, curve: CurveCalibrator
) -> dict[str, Any]:
    """By source: AUROC with its 95 % interval, ECE, verdicts; by family the mean over sources."""
    rows = [data.manifest[int(i)] for i in left.rows]
    labels = np.array([r.label for r in rows])
    sources = np.array([r.source for r in rows])
    probability = curve.probabilities(left.logits)
    low, high = curve.thresholds
    table: dict[str, Any] = {"manipulated": {}, "genuine": {}, "families": {}}
    for source in sorted(set(sources[labels == 1])):
        fake = (sources == source) & (labels == 1)
        real = (labels == 0) & (
            (sources == source)
            if source in recipe.own_reals
            else ~np.isin(sources, recipe.own_reals)
        )
        table["manipulated"][source] = {
            "n": int(fake.sum()),
            **_auroc(left.logits[real], left.logits[fake]),
            "caught": _share(probability[fake] >= high),
            "uncertain": _share((probability[fake] > low) & (probability[fake] < high)),
            "no_sign": _share(probability[fake] <= low),
            "under_0.1": _share(probability[fake] < 0.1),
        }
    for source in sorted(set(sources[labels == 0])):
        real = (sources == source) & (labels == 0)
        table["genuine"][source] = {
            "n": int(real.sum()),
            "flagged": _share(probability[real] >= high),
            "no_sign": _share(probability[real] <= low),
        }
    for one in curve.fitted_on["misses"]:
        kept = {name: one[name] for name in ("sources", "missed", "caught")}
        table["families"][one["family"]] = {"n": one["pictures"], **kept}
    if len(left.blends):
        logits = np.logaddexp(left.blends[:, 0], left.blends[:, 1])
        blended = curve.probabilities(logits)
        table["blends"] = {
            "n": len(logits),
            **_auroc(left.logits[labels == 0], logits),
            "caught": _share(blended >= high),
            "uncertain": _share((blended > low) & (blended < high)),
            "no_sign": _share(blended <= low),
        }
    table["map_share"] = round(left.map_share, 3)
    weights = source_weights(rows)
    table["ece"] = _rounded(ece(labels, probability, weights=weights))
    table["ece_by_fold"] = {
        str(fold): _rounded(ece(labels[left.folds == fold], probability[left.folds == fold]))
        for fold in sorted(set(left.folds))
    }
    each = [entry["auroc"] for entry in table["manipulated"].values() if entry["n"] >= 9]
    table["mean_auroc"] = round(float(np.mean(each)), 4)
    table["thresholds"] = list(curve.thresholds)
    return table


def leave_out_markdown(table: Mapping[str, Any]) -> str:
    """The table as Markdown: manipulated by source, genuine by source, families."""
    blends = {"blends made of the genuine": table["blends"]} if "blends" in table else {}
    manipulated = [
        [
            name,
            one["n"],
            f"{one['auroc']:.3f} ({one['low']:.2f} to {one['high']:.2f})",
            *(f"{one[verdict]:.0%}" for verdict in ("caught", "uncertain", "no_sign")),
        ]
        for name, one in {**table["manipulated"], **blends}.items()
    ]
    genuine = [
        [name, one["n"], f"{one['flagged']:.0%}", f"{one['no_sign']:.0%}"]
        for name, one in table["genuine"].items()
    ]
    families = [
        [name, one["n"], one["sources"], f"{one['caught']:.0%}", f"{one['missed']:.0%}"]
        for name, one in table["families"].items()
    ]
    head = ["manipulated, left out", "n", "AUROC (95 %)", "caught", "uncertain", "no sign"]
    return "\n\n".join(
        [
            tables.table(head, manipulated),
            tables.table(["genuine, left out", "n", "flagged", "no sign"], genuine),
            tables.table(["family", "pictures", "sources", "caught", "no sign"], families),
            f"Mean AUROC {table['mean_auroc']:.3f}; ECE {table['ece']:.3f}; the patches give "
            f"{table['map_share']:.2f} of the score's spread.",
        ]
    )


def kind_family(family: str) -> str:
    """The family as it is told: what people would call it."""
    known = {
        "face-swap": "face swaps",
        "Deepfakes": "face swaps",
        "FaceSwap": "face swaps",
        "FaceShifter": "face swaps",
        "Face2Face": "reenactment",
        "NeuralTextures": "reenactment",
        "whole-face-gan": "portraits by GANs",
        "diffusion": "portraits by diffusion models",
        "attribute-edit": "edited faces",
        "autoencoder": "edited faces",
        "beautified": "edited faces",
    }
    return known.get(family, family)


def _misses(
    recipe: Recipe, rows: Sequence[Any], probability: Array, limits: tuple[float, float]
) -> list[dict[str, Any]]:
    """What *no sign found* misses and what is caught, by family: the mean over its sources."""
    lower, upper = limits
    found = []
    names = np.array([kind_family(r.family) if r.label else "" for r in rows])
    sources = np.array([r.source for r in rows])
    rng = np.random.default_rng(recipe.seed)
    for family in sorted(set(names) - {""}):
        missed = probability <= lower
        groups = [missed[(names == family) & (sources == s)] for s in sorted(set(sources))]
        groups = [g for g in groups if len(g)]
        flagged = probability >= upper
        caught = [flagged[(names == family) & (sources == s)] for s in sorted(set(sources))]
        caught = [c for c in caught if len(c)]
        share = float(np.mean([g.mean() for g in groups]))
        drawn = [
            np.mean([rng.choice(groups[i], len(groups[i])).mean() for i in picked])
            for picked in rng.integers(0, len(groups), (_RESAMPLES, len(groups)))
        ]
        low, high = np.quantile(drawn, [0.025, 0.975])
        found.append(
            {
                "family": family,
                "missed": round(share, 3),
                "low": round(float(low), 3),
                "high": round(float(high), 3),
                "caught": round(float(np.mean([c.mean() for c in caught])), 3),
                "pictures": int(sum(len(g) for g in groups)),
                "sources": len(groups),
            }
        )
    return found


def _told(
    recipe: Recipe,
    rows: Sequence[Any],
    heads: Array,
    probability: Array,
    limits: tuple[float, float],
) -> dict[str, Any]:
    """How often the kind that is named is right, where both kinds are equally frequent.

    Over the manipulated pictures for which one is named (:func:`named_kind`). Of each kind the
    sources weigh alike; the interval resamples sources and their pictures.
    """
    kinds = np.array([kind_of(r) for r in rows])
    sources = np.array([r.source for r in rows])
    verdicts = [_verdict(p, limits) for p in probability]
    pairs = zip(heads, verdicts, strict=True)
    named = np.array([named_kind((float(h[0]), float(h[1])), v) or "" for h, v in pairs])
    groups = {
        kind: [
            named[rows_of]
            for source in sorted(set(sources))
            if (rows_of := (kinds == kind) & (sources == source) & (named != "")).any()
        ]
        for kind in _KINDS
    }
    if not all(groups.values()):
        return {}
    rng = np.random.default_rng(recipe.seed)
    found = {}
    for kind in _KINDS:
        if not (named[kinds != "genuine"] == kind).any():
            continue
        drawn = [
            _right(kind, {k: _resampled(g, rng) for k, g in groups.items()})
            for _ in range(_RESAMPLES)
        ]
        low, high = np.nanquantile(drawn, [0.025, 0.975])
        found[kind] = {
            "right": round(_right(kind, groups), 3),
            "low": round(float(low), 3),
            "high": round(float(high), 3),
            "pictures": int((named[kinds != "genuine"] == kind).sum()),
        }
    return found


def _right(kind: str, groups: Mapping[str, Sequence[NDArray[np.str_]]]) -> float:
    """Of equally many pictures of each kind, the share of those named ``kind`` that are of it."""
    share = {k: float(np.mean([(g == kind).mean() for g in own])) for k, own in groups.items()}
    total = sum(share.values())
    return share[kind] / total if total else float("nan")


def _resampled(
    groups: Sequence[NDArray[np.str_]], rng: np.random.Generator
) -> list[NDArray[np.str_]]:
    picked = rng.integers(0, len(groups), len(groups))
    return [rng.choice(groups[i], len(groups[i])) for i in picked]


def _verdict(probability: float, limits: tuple[float, float]) -> Verdict:
    lower, upper = limits
    if probability <= lower:
        return Verdict.NO_SIGN
    return Verdict.LIKELY_MANIPULATED if probability >= upper else Verdict.UNCERTAIN


def _auroc(real: Array, fake: Array) -> dict[str, Any]:
    labels = np.r_[np.zeros(len(real)), np.ones(len(fake))]
    value = float(roc_auc_score(labels, np.r_[real, fake]))
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(_RESAMPLES):
        part = np.r_[rng.choice(real, len(real)), rng.choice(fake, len(fake))]
        drawn.append(roc_auc_score(labels, part))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"auroc": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _share(values: NDArray[np.bool_]) -> float:
    return round(float(np.mean(values)), 4) if len(values) else 0.0
