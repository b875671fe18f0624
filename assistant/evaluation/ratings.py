"""Human ratings of explanations: means by narrator, and how far raters agree."""

from __future__ import annotations

import csv
import itertools
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.errors import TrainingError

__all__ = ["COLUMNS", "krippendorff_alpha", "rated"]

#: Columns of a ratings file; the last three are 1 to 5, or empty.
COLUMNS = ("rater", "case", "narrator", "true", "clear", "useful")


def rated(files: Sequence[Path]) -> dict[str, Any]:
    """Means and agreement over ratings files as the reading page saves them.

    Raises:
        TrainingError: a file lacks a column, or a rating is not 1 to 5.
    """
    rows = [row for path in files for row in _rows(path)]
    scores: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    units: dict[str, dict[tuple[str, str], list[int]]] = {k: defaultdict(list) for k in COLUMNS[3:]}
    for row in rows:
        for key in COLUMNS[3:]:
            if row[key]:
                value = int(row[key])
                scores[row["narrator"]][key].append(value)
                units[key][(row["case"], row["narrator"])].append(value)
    return {
        "raters": len({row["rater"] for row in rows}),
        "ratings": len(rows),
        "narrators": {
            name: {key: round(statistics.fmean(v), 3) for key, v in by.items() if v}
            for name, by in sorted(scores.items())
        },
        "agreement": {key: krippendorff_alpha(list(units[key].values())) for key in COLUMNS[3:]},
    }


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
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
        if missing:
            raise TrainingError(
                f"The ratings file {path.name} lacks the columns {', '.join(missing)}.",
                hint="Save it with the button on the reading page.",
                code="ratings",
            )
        rows = [{c: row[c] or "" for c in COLUMNS} for row in reader]
    for row in rows:
        for key in COLUMNS[3:]:
            if row[key] not in {"", "1", "2", "3", "4", "5"}:
                raise TrainingError(
                    f"{path.name}: the rating {key}={row[key]!r} is not 1 to 5.", code="ratings"
                )
    return rows
