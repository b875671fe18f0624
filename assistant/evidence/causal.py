"""Facts of what the score would have been: constructors that take plain numbers.

They import no stage, so any module that measures can make them. ``number`` is the fact's number: it
must differ within one kind (C, F, D) of a case.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.evidence.names import the_region
from assistant.numbers import percent, points
from assistant.types import Fact, FactKind, Verdict

__all__ = [
    "counterfactual_fact",
    "domain_fact",
    "fragility_fact",
    "fragility_summary",
    "frames_fact",
    "minimal_set_fact",
]

_HARDLY = 0.05


def frames_fact(probabilities: Sequence[float]) -> Fact:
    """S3: over how many frames of a video the score was taken, and how they spread."""
    low, high = min(probabilities), max(probabilities)
    return Fact(
        id="S3",
        kind=FactKind.SCORE,
        text=(
            f"The score is taken over {len(probabilities)} frames of the video; "
            f"single frames range from {percent(low)} to {percent(high)}."
        ),
        values={"frames": len(probabilities), "low": low, "high": high},
    )


def counterfactual_fact(
    number: int,
    *,
    region: str,
    before: float,
    after: float,
    matters: bool,
    stands_out: bool,
    verdict: Verdict,
    verdict_after: Verdict,
    control: float,
    control_n: int,
    method: str = "inpaint",
) -> Fact:
    """C: one region neutralised and the face scored again.

    Args:
        number: of the fact's id.
        region: one of :data:`assistant.types.REGIONS`.
        before: P(manipulated) of the untouched crop.
        after: P(manipulated) with the region neutralised.
        matters: whether the change is larger than random patches explain.
        stands_out: whether the map points to the region.
        verdict: verdict of ``before``.
        verdict_after: verdict of ``after``.
        control: mean change of P(manipulated) by equally large random patches.
        control_n: how many patches; 0 leaves the comparison out.
        method: how the region was neutralised; ``left-out``: the picture around was not looked at.
    """
    change = after - before
    span = f"from {percent(before)} to {percent(after)}"
    if percent(before) == percent(after):
        span = f"it stays at {percent(before)}"
    where = the_region(region)
    if matters and abs(change) >= _HARDLY:
        effect = "lowers" if change < 0 else "raises"
        text = f"Neutralising {where} {effect} the score {span}."
        if control_n:
            text += f" Random patches of that size move it by {points(control)} on average."
        if method == "left-out":
            text += " What is scored then is the aligned face alone."
        if not stands_out:
            text += f" The map does not point to the {region}."
    elif abs(change) < _HARDLY:
        effect = "hardly"
        if stands_out:
            text = (
                f"The map points to {where}, but neutralising it hardly moves the score ({span})."
            )
        else:
            text = f"Neutralising {where} hardly moves the score ({span})."
    else:
        effect = "like-random"
        text = (
            f"Neutralising {where} moves the score {span}, "
            "but random patches of that size can do the same."
        )
    changes = verdict_after is not verdict
    if changes:
        text += f" Without {where}, the verdict would be {verdict_after.words}."
    return Fact(
        id=f"C{number}",
        kind=FactKind.COUNTERFACTUAL,
        text=text,
        values={
            "region": region,
            "method": method,
            "before": before,
            "after": after,
            "control": control,
            "control_n": control_n,
            "effect": effect,
            "stands_out": stands_out,
            "verdict_after": verdict_after.value,
            "changes_verdict": changes,
        },
    )


def minimal_set_fact(
    number: int,
    *,
    regions: Sequence[str],
    after: float,
    verdict_after: Verdict,
    tried: Sequence[str],
) -> Fact:
    """C: the smallest set of regions whose neutralising changes the verdict, if one was found."""
    if regions:
        text = (
            f"Neutralising {_regions(regions)} would change the verdict to "
            f"{verdict_after.words} ({percent(after)})."
        )
    else:
        together = " together" if len(tried) > 1 else ""
        text = f"Neutralising {_regions(tried)}{together} does not change the verdict."
    return Fact(
        id=f"C{number}",
        kind=FactKind.COUNTERFACTUAL,
        text=text,
        values={
            "regions": tuple(regions),
            "after": after,
            "verdict_after": verdict_after.value,
            "tried": tuple(tried),
        },
    )


def fragility_summary(
    number: int,
    *,
    verdict: Verdict,
    changes: Sequence[tuple[str, float, Verdict]],
) -> Fact:
    """F: the score's spread over everyday changes of the file.

    Args:
        number: of the fact's id.
        verdict: the untouched face's.
        changes: name (``JPEG quality 70``), P(manipulated) and verdict afterwards; at least one.
    """
    low, high = min(c[1] for c in changes), max(c[1] for c in changes)
    flips = tuple(name for name, _, after in changes if after is not verdict)
    many = f"{len(changes)} everyday changes" if len(changes) > 1 else "1 everyday change"
    text = (
        f"After {many} of the file the score lies between {percent(low)} and {percent(high)}"
        if percent(low) != percent(high)
        else f"After {many} of the file the score is {percent(low)}"
    )
    if flips:
        text += f"; the verdict changes after {_listed(flips)}."
    else:
        text += "; the verdict stays the same."
    return Fact(
        id=f"F{number}",
        kind=FactKind.FRAGILITY,
        text=text,
        values={"count": len(changes), "low": low, "high": high, "flips": flips},
    )


def fragility_fact(
    number: int,
    *,
    change: str,
    before: float,
    probability: float,
    verdict: Verdict,
    verdict_after: Verdict,
) -> Fact:
    """F: the score after one everyday change of the file (``JPEG quality 70``, ``half size``)."""
    changes = verdict_after is not verdict
    end = f"the verdict would be {verdict_after.words}" if changes else "the verdict stays the same"
    moves = f"goes from {percent(before)} to {percent(probability)}"
    if percent(before) == percent(probability):
        moves = f"stays at {percent(before)}"
    return Fact(
        id=f"F{number}",
        kind=FactKind.FRAGILITY,
        text=(f"After {change} the score {moves}; {end}."),
        values={
            "change": change,
            "probability": probability,
            "before": before,
            "verdict_after": verdict_after.value,
            "changes_verdict": changes,
        },
    )


def domain_fact(
    number: int,
    *,
    inside: bool,
    distance: float,
    limit: float,
    reasons: Sequence[str] = (),
    abstained: bool = False,
) -> Fact:
    """D: whether the face is like those the detector was calibrated on.

    Args:
        number: of the fact's id.
        inside: whether ``distance`` is within ``limit``.
        distance: of the face's feature from the calibration data, in the units of ``limit``.
        limit: the largest distance that counts as alike.
        reasons: what is unusual, as plain words.
        abstained: whether no verdict is given for it.
    """
    if inside:
        text = "This face is like the faces the detector was calibrated on."
    else:
        text = (
            "This face is unlike the faces the detector was calibrated on, so trust the score less."
        )
        if reasons:
            text += f" What is unusual: {_listed(reasons)}."
        if abstained:
            text += " It lies outside what the detector knows, so no verdict is given."
        elif reasons:
            text += " The interval was widened for it."
    return Fact(
        id=f"D{number}",
        kind=FactKind.DOMAIN,
        text=text,
        values={
            "inside": inside,
            "distance": distance,
            "limit": limit,
            "reasons": tuple(reasons),
            "abstained": abstained,
        },
    )


def _regions(names: Sequence[str]) -> str:
    return _listed([f"the {name}" for name in names])


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
