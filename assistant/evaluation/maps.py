"""Heat maps measured against known masks, beside a random map and a centre prior.

Every method sees the same samples. Localisation (pointing, IoU, AUPRC, first region) is averaged
over the manipulated samples that the detector flags; faithfulness (deletion, insertion) costs many
scores and is taken on the first ``deep`` of those, the sanity check on half.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assistant.attribution.regions import find_regions
from assistant.errors import InferenceError, TrainingError
from assistant.evaluation import map_metrics as figures
from assistant.evaluation.known_masks import KnownMask
from assistant.evaluation.map_faithfulness import faithful
from assistant.interfaces import Attributor, Calibrator, Detector
from assistant.types import Image, RegionFinding, Verdict, ranked_regions

__all__ = ["CENTRE", "METRICS", "TRUTH", "MapTable", "SampleRow", "able", "evaluate_maps"]

#: The name of the centre prior in the table; it is no attributor and can never be the default.
CENTRE = "centre-prior"
#: The known mask itself as a map: what a map that is right reaches, also in deletion.
TRUTH = "true-mask"
METRICS: tuple[str, ...] = (
    "pointing",
    "iou",
    "auprc",
    "first_region",
    "first_region_caused",
    "named",
    "named_right",
    "named_untouched",
    "deletion_auc",
    "insertion_auc",
    "deletion_below_random",
    "tenth_above_random",
    "sanity_spearman",
    "sanity_read_out",
    "entropy_untouched",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """What one method reached on one sample; ``figures`` holds those that were taken."""

    method: str
    kind: str
    region: str
    name: str
    flagged: bool
    probability: float
    figures: Mapping[str, float]
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MapTable:
    """All rows, with the maps of the first samples for the page of pictures."""

    rows: tuple[SampleRow, ...]
    score_milliseconds: float
    shown: tuple[tuple[KnownMask, float, Mapping[str, NDArray[np.float32]]], ...] = field(
        default=(), repr=False
    )

    def faces(self, method: str, metric: str, *, flagged: bool = True) -> list[str]:
        """The face behind each of :meth:`values`."""
        return [row.name for row in self._rows(method, metric, flagged)]

    @property
    def methods(self) -> tuple[str, ...]:
        """Names in the order they were run."""
        return tuple(dict.fromkeys(row.method for row in self.rows))

    def values(self, method: str, metric: str, *, flagged: bool = True) -> list[float]:
        """A metric's values over the manipulated samples (``..._untouched``: the untouched)."""
        return [row.figures[metric] for row in self._rows(method, metric, flagged)]

    def _rows(self, method: str, metric: str, flagged: bool) -> list[SampleRow]:
        untouched = metric.endswith("_untouched")
        return [
            row
            for row in self.rows
            if row.method == method
            and metric in row.figures
            and (row.kind == "untouched") is untouched
            and (untouched or row.flagged or not flagged)
        ]

    def flagged_count(self) -> int:
        """How many manipulated samples the detector flags."""
        first = self.methods[0]
        return sum(r.flagged for r in self.rows if r.method == first and r.kind != "untouched")


def able(
    detector: Detector, methods: Sequence[Attributor], crop: Image
) -> tuple[list[Attributor], dict[str, str]]:
    """The methods that can read a detector, and why the others cannot.

    ``detector``: to be mapped; ``methods``: are tried on ``crop``, but for those that need scores
    alone; ``crop``: RGB uint8 HWC.
    """
    fit: list[Attributor] = []
    unfit: dict[str, str] = {}
    for method in methods:
        try:
            if not _is_slow(method):
                method.attribute(detector, crop)
        except InferenceError as error:
            unfit[method.name] = error.user_message
        else:
            fit.append(method)
    return fit, unfit


def _is_slow(method: Attributor) -> bool:
    """Whether a map takes the scores of many crops."""
    return bool(getattr(method, "scores", 1) > 1)


def evaluate_maps(
    detector: Detector,
    calibrator: Calibrator,
    samples: Sequence[KnownMask],
    methods: Sequence[Attributor],
    *,
    randomised: Mapping[str, Detector] | None = None,
    baselines: Mapping[str, Mapping[str, float]] | None = None,
    deep: int = 12,
    show: int = 16,
    seed: int = 0,
) -> MapTable:
    """Measure methods on samples.

    Args:
        detector: whose maps are measured.
        calibrator: says what it calls manipulated.
        samples: with their masks.
        methods: attributors; a ``random`` one must be among them.
        randomised: controls of the sanity check by the figure they give: ``sanity_spearman`` (the
            detector with its LayerNorms randomised), ``sanity_read_out`` (with its read-out).
        baselines: by method, the share of the map above which each region stands out.
        deep: manipulated samples that get the costly figures. The sanity check runs on half of
            them; so do methods that score many crops a map, without it.
        show: samples whose maps are kept for the page.
        seed: of noise and random orders.

    Raises:
        TrainingError: no samples, or no ``random`` control among the methods.
        InferenceError: the detector cannot serve a method.
    """
    if not samples:
        raise TrainingError(
            "There is no sample to measure maps on.", hint="Name pictures with faces."
        )
    if "random" not in [m.name for m in methods]:
        raise TrainingError(
            "Maps are always measured beside the random control.",
            hint="Add `random`.",
            code="control",
        )
    logits, score_ms = _scores(detector, [s.crop for s in samples])
    verdicts = [calibrator.calibrate(float(x)) for x in logits]
    flags = [v.verdict is Verdict.LIKELY_MANIPULATED for v in verdicts]
    touched = [i for i, s in enumerate(samples) if s.kind != "untouched"]
    flagged_as_it_is = {
        s.name for s, flag in zip(samples, flags, strict=True) if s.kind == "untouched" and flag
    }
    flagged_first = sorted(touched, key=lambda i: (not flags[i], i))
    chosen, half = set(flagged_first[:deep]), set(flagged_first[: (deep + 1) // 2])
    rows: list[SampleRow] = []
    shown: list[tuple[KnownMask, float, Mapping[str, NDArray[np.float32]]]] = []
    for index, sample in enumerate(tqdm(samples, "samples")):
        is_deep = index in chosen
        active = [m for m in methods if index in half or not _is_slow(m)]
        maps = _maps(detector, active, sample.crop)
        height, width = sample.crop.shape[:2]
        maps[CENTRE] = (figures.centre_prior(height, width), 0.0)
        if sample.mask.any():
            maps[TRUTH] = (_truth(sample.mask, seed + index), 0.0)
        found = {
            name: _localise(heat, sample, (baselines or {}).get(name))
            for name, (heat, _) in maps.items()
        }
        if flags[index] and sample.name not in flagged_as_it_is:
            _of_its_own(found)
        if is_deep:
            faithful(detector, calibrator, sample, maps, found, float(logits[index]), seed + index)
        if index in half:
            _sane(randomised or {}, active, sample, maps, found)
        for name, (_, milliseconds) in maps.items():
            rows.append(
                SampleRow(
                    method=name,
                    kind=sample.kind,
                    region=sample.region,
                    name=sample.name,
                    flagged=flags[index],
                    probability=verdicts[index].probability,
                    figures=found[name],
                    milliseconds=milliseconds,
                )
            )
        if len(shown) < show:
            shown.append(
                (sample, verdicts[index].probability, {n: h for n, (h, _) in maps.items()})
            )
    return MapTable(rows=tuple(rows), score_milliseconds=score_ms, shown=tuple(shown))


def _scores(detector: Detector, crops: Sequence[Image]) -> tuple[NDArray[np.float64], float]:
    """All logits, and the median milliseconds of scoring one crop alone."""
    times = []
    for crop in crops[:5]:
        began = time.perf_counter()
        detector.logits([crop])
        times.append(1000 * (time.perf_counter() - began))
    return np.asarray(detector.logits(crops), np.float64), float(np.median(times))


def _maps(
    detector: Detector, methods: Sequence[Attributor], crop: Image
) -> dict[str, tuple[NDArray[np.float32], float]]:
    """Map and milliseconds by method; the time is that of score and map together where traced."""
    out = {}
    for method in methods:
        began = time.perf_counter()
        result = method.attribute(detector, crop)
        out[method.name] = (result.map, 1000 * (time.perf_counter() - began))
    return out


def _truth(mask: NDArray[np.bool_], seed: int) -> NDArray[np.float32]:
    """The mask with its cells in a random order, so that no corner of it goes first."""
    return (mask * np.random.default_rng(seed).uniform(0.98, 1.0, mask.shape)).astype(np.float32)


def _localise(
    heat: NDArray[np.float32], sample: KnownMask, baseline: Mapping[str, float] | None
) -> dict[str, float]:
    if sample.kind == "untouched":
        parts = _parts(heat, sample, baseline)
        return {
            "entropy_untouched": figures.entropy(heat),
            "named_untouched": float(any(f.stands_out for f in parts)),
        }
    found = {
        "pointing": figures.pointing(heat, sample.mask),
        "iou": figures.iou(heat, sample.mask),
        "auprc": figures.auprc(heat, sample.mask),
    }
    if sample.region:
        named = _parts(heat, sample, baseline)
        first = named[0]
        found["first_region"] = float(first.region == sample.region and first.share > 0)
        found["named"] = float(named[0].stands_out)
        if named[0].stands_out:
            found["named_right"] = found["first_region"]
    return found


def _parts(
    heat: NDArray[np.float32], sample: KnownMask, baseline: Mapping[str, float] | None
) -> list[RegionFinding]:
    """The face parts in the order in which they are told."""
    findings = find_regions(heat, sample.crop_landmarks, baseline)
    return [f for f in ranked_regions(findings) if f.region != "background"]


def _of_its_own(found: Mapping[str, dict[str, float]]) -> None:
    """A sample that is flagged while its untouched face is not: there the swap is the cause."""
    for figure in found.values():
        if "first_region" in figure:
            figure["first_region_caused"] = figure["first_region"]


def _sane(
    randomised: Mapping[str, Detector],
    methods: Sequence[Attributor],
    sample: KnownMask,
    maps: Mapping[str, tuple[NDArray[np.float32], float]],
    found: Mapping[str, dict[str, float]],
) -> None:
    """Rank correlation with the randomised detectors' maps."""
    for method in methods:
        if _is_slow(method):
            continue
        heat = maps[method.name][0]
        for figure, control in randomised.items():
            other = method.attribute(control, sample.crop).map
            pooled = (figures.average_pool(h, 16) for h in (heat, other))
            found[method.name][figure] = figures.spearman(*pooled)
