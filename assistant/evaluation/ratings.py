"""Readers' ratings of explanations: which narrator they prefer, means, and how far they agree."""

from __future__ import annotations

import csv
import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.errors import TrainingError

__all__ = ["COLUMNS", "SCALES", "krippendorff_alpha", "preference_words", "rated"]

#: What a text may be rated for by itself, 1 to 5.
SCALES = ("true", "clear", "useful")
#: Columns of a ratings file: ``place`` of the text on the page (1 or 2), ``preferred`` (yes, no,
#: same, or empty), then the scales (1 to 5, or empty).
COLUMNS = ("rater", "case", "place", "narrator", "preferred", *SCALES)
_POINTS = {"yes": 1.0, "same": 0.5, "no": 0.0}
_Z = 1.959964  # both tails of 95 %


def rated(files: Sequence[Path]) -> dict[str, Any]:
    """Preference, means and agreement over ratings files as the page for readers saves them.

    ``preference`` holds, where two narrators were compared, the share of cases in which the first
    by name is preferred ("no difference" counts half; a case that several rate counts once, as
    their mean), its 95 % interval (Wilson 1927, which takes ties as splits and so errs on the wide
    side), and the two-sided sign test's p over the cases that were not split.

    Raises:
        TrainingError: a file lacks a column, holds what cannot be, or the same answer twice.
    """
    rows = [row for path in files for row in _rows(path)]
    seen: set[tuple[str, str, str]] = set()
    for row in rows:
        one = (row["rater"], row["case"], row["narrator"])
        if one in seen:
            raise TrainingError(
                f"Rater {one[0]!r} rated {one[2]} on {one[1]} twice.",
                hint="Give each rater other initials, and name each file once.",
                code="ratings",
            )
        seen.add(one)
    scores: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    units: dict[str, dict[tuple[str, str], list[int]]] = {k: defaultdict(list) for k in SCALES}
    for row in rows:
        for key in SCALES:
            if row[key]:
                value = int(row[key])
                scores[row["narrator"]][key].append(value)
                units[key][(row["case"], row["narrator"])].append(value)
    preference, by_case = _preference(rows)
    agreement = {key: krippendorff_alpha(list(units[key].values())) for key in SCALES}
    halves = [[int(2 * p) for p in points] for points in by_case.values()]
    return {
        "raters": len({row["rater"] for row in rows}),
        "ratings": len(rows),
        "preference": preference,
        "narrators": {
            name: {key: round(statistics.fmean(v), 3) for key, v in by.items() if v}
            for name, by in sorted(scores.items())
        },
        "agreement": {"preferred": krippendorff_alpha(halves), **agreement},
    }


def preference_words(result: dict[str, Any]) -> str:
    """What ``rated`` found of the preference, in one sentence."""
    found = result["preference"]
    if found is None:
        return "No preference was given."
    better = {"first": found["first"], "second": found["second"], "open": "neither"}[
        found["better"]
    ]
    return (
        f"{found['first']} was preferred to {found['second']} in {found['share']:.0%} of "
        f"{found['cases']} cases (interval {found['low']:.0%} to {found['high']:.0%}, "
        f"p {found['p']:.3f}): {better} is shown to be better."
    )


def _preference(
    rows: Sequence[dict[str, str]],
) -> tuple[dict[str, Any] | None, dict[str, list[float]]]:
    answered = [row for row in rows if row["preferred"]]
    narrators = sorted({row["narrator"] for row in answered})
    if not answered:
        return None, {}
    if len(narrators) != 2:
        raise TrainingError(
            f"The ratings compare {', '.join(narrators)}; a preference is between two narrators.",
            hint="Sum up the files of one page only.",
            code="ratings",
        )
    first, second = narrators
    by_case: dict[str, list[float]] = defaultdict(list)
    early: list[float] = []
    for row in answered:
        points = _POINTS[row["preferred"]]
        if row["narrator"] == first:
            by_case[row["case"]].append(points)
        if row["place"] == "1":
            early.append(points)
    means = [statistics.fmean(points) for points in by_case.values()]
    share = statistics.fmean(means)
    low, high = _wilson(share, len(means))
    wins, losses = sum(m > 0.5 for m in means), sum(m < 0.5 for m in means)
    found = {
        "first": first,
        "second": second,
        "cases": len(means),
        "share": round(share, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "wins": wins,
        "ties": len(means) - wins - losses,
        "losses": losses,
        "p": round(_sign_test(wins, losses), 4),
        "better": "first" if low > 0.5 else "second" if high < 0.5 else "open",
        # Far from a half: the place on the page mattered, not the text.
        "first_place_preferred": round(statistics.fmean(early), 4) if early else None,
    }
    return found, by_case


def _wilson(share: float, n: int) -> tuple[float, float]:
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _sign_test(wins: int, losses: int) -> float:
    """Two-sided exact p of so uneven a split, were either side as likely."""
    n, k = wins + losses, min(wins, losses)
    tail: int = sum(math.comb(n, i) for i in range(k + 1))
    return min(1.0, math.ldexp(tail, 1 - n))


def krippendorff_alpha(units: Sequence[Sequence[int]]) -> float | None:
    """Krippendorff's alpha with the interval metric (2011); None where nothing was rated twice.

    Args:
        units: the ratings that each rated thing got; 1 is full agreement, 0 that of chance.
    """
    paired = [list(u) for u in units if len(u) >= 2]
    values = [v for u in paired for v in u]
    n = len(values)
    if n < 2:
        return None
    observed = (
        sum(
            2 * sum((a - b) ** 2 for a, b in itertools.combinations(u, 2)) / (len(u) - 1)
            for u in paired
        )
        / n
    )
    expected = 2 * sum((a - b) ** 2 for a, b in itertools.combinations(values, 2)) / (n * (n - 1))
    return 1.0 if expected == 0 else round(1 - observed / expected, 4)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
            rows = [{c: (row.get(c) or "").strip() for c in COLUMNS} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(
            f"The ratings file {path.name} cannot be read: {error}.", code="ratings"
        ) from error
    if missing:
        raise TrainingError(
            f"The ratings file {path.name} lacks the columns {', '.join(missing)}.",
            hint="Save it with the button on the page for readers.",
            code="ratings",
        )
    for row in rows:
        for key in SCALES:
            if row[key] not in {"", "1", "2", "3", "4", "5"}:
                raise TrainingError(
                    f"{path.name}: the rating {key}={row[key]!r} is not 1 to 5.", code="ratings"
                )
        if row["preferred"] not in {"", *_POINTS}:
            raise TrainingError(
                f"{path.name}: preferred={row['preferred']!r} is not yes, no or same.",
                code="ratings",
            )
    return rows
