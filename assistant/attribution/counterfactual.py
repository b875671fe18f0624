"""What a score would have been: with a region taken away, and with the file treated as the web treats it.

The values made here are measured, never generated. A change of probability is always *after* minus
*before*: negative means that the face looked less manipulated without that region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assistant.types import Verdict

__all__ = [
    "CounterfactualMethod",
    "Counterfactual",
    "CounterfactualCard",
    "Fragility",
    "MinimalSet",
]

CounterfactualMethod = Literal["inpaint", "blur", "mean", "mirror"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """One region neutralised and the face scored again.

    Attributes:
        region: one of :data:`assistant.types.REGIONS`.
        method: how it was neutralised: ``inpaint`` (filled from its rim), ``blur``, ``mean`` (the mean
            colour of the face) or ``mirror`` (the other side of the face, flipped).
        area: share of the crop that was changed, in (0, 1].
        probability_before: P(manipulated) of the untouched crop.
        probability_after: P(manipulated) with the region neutralised.
        logit_change: raw score after minus before; finer than the probability near 0 and 1.
        verdict_after: the verdict of ``probability_after``.
        control_mean: mean change of probability over ``control_n`` equally large random patches of the
            same crop, neutralised the same way.
        control_std: their standard deviation; 0.0 where ``control_n`` is 1.
        control_logit_mean: mean change of the raw score over the same patches.
        control_logit_std: its standard deviation.
        control_n: number of random patches.
    """

    region: str
    method: CounterfactualMethod
    area: float
    probability_before: float
    probability_after: float
    logit_change: float
    verdict_after: Verdict
    control_mean: float
    control_std: float
    control_logit_mean: float
    control_logit_std: float
    control_n: int

    @property
    def change(self) -> float:
        """Change of probability: after minus before, in [-1, 1]."""
        return self.probability_after - self.probability_before

    @property
    def matters(self) -> bool:
        """Whether the change is one: at least 0.05, and beyond the controls' mean by two deviations."""
        beyond = abs(self.change - self.control_mean) >= 2.0 * self.control_std
        return abs(self.change) >= 0.05 and beyond and abs(self.change) > abs(self.control_mean)


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimalSet:
    """The smallest set of regions found whose neutralising changes the verdict (greedy search).

    ``regions`` is empty, and the two values are the untouched face's, where no set that was tried
    changes it; ``tried`` is the largest set tried.
    """

    regions: tuple[str, ...]
    probability_after: float
    verdict_after: Verdict
    tried: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragility:
    """The score of the same face after an everyday change of the file.

    Attributes:
        name: what was done, as people read it: ``JPEG quality 70``, ``half size``, ``mirrored``,
            ``shifted left``, ``slight blur``.
        probability: P(manipulated) afterwards.
        change: ``probability`` minus the untouched face's.
        verdict: the verdict afterwards.
    """

    name: str
    probability: float
    change: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterfactualCard:
    """All re-scorings of one face.

    Attributes:
        probability: P(manipulated) of the untouched face; ``verdict`` its verdict.
        counterfactuals: one a region, largest absolute change first.
        minimal: the smallest set of regions that changes the verdict.
        fragility: one an everyday change, in the order tried.
        not_examined: regions that could not be neutralised, with the reason (``forehead`` ->
            ``outside the crop``).
        scored: number of crops that were scored.
        seconds: wall time.
    """

    probability: float
    verdict: Verdict
    counterfactuals: tuple[Counterfactual, ...]
    minimal: MinimalSet
    fragility: tuple[Fragility, ...]
    not_examined: tuple[tuple[str, str], ...] = ()
    scored: int = 0
    seconds: float = 0.0

    @property
    def spread(self) -> tuple[float, float]:
        """Lowest and highest probability over the fragility card and the untouched face."""
        values = [self.probability, *(item.probability for item in self.fragility)]
        return min(values), max(values)

    @property
    def flips(self) -> tuple[str, ...]:
        """The everyday changes after which the verdict is another one."""
        return tuple(item.name for item in self.fragility if item.verdict != self.verdict)
