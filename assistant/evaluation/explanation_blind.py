"""Two narrators' texts for the same cases side by side, unlabelled, for readers who judge them.

Which of the two stands first is drawn from the seed and the case, so that the file holds no key and
needs none: :func:`counted` draws again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import TrainingError
from assistant.evaluation.explanation_rows import Rows
from assistant.numbers import wilson

__all__ = ["blind_file", "counted"]


class _Pair(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    facts: str
    a: str
    b: str
    preferred: Literal["", "a", "b", "same"] = ""
    why: str = ""


class _Blind(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    judge: str = ""
    seed: int
    narrators: tuple[str, str]
    pairs: tuple[_Pair, ...]


def blind_file(rows: Rows, narrators: tuple[str, str], path: Path, *, seed: int) -> int:
    """Write the file for a judge, who fills in ``judge`` and ``preferred``; how many pairs.

    Args:
        rows: what the narrators told.
        narrators: two of them; cases that both explained are written.
        path: the file, JSON.
        seed: draws which text stands first.
    """
    narrators = (min(narrators), max(narrators))
    one, other = (rows.cases((name,)) for name in narrators)
    pairs = []
    for case in one:
        if case in other and not (one[case].failed or other[case].failed):
            first, second = _order(case, seed, one[case], other[case])
            pairs.append(_Pair(case=case, facts=one[case].facts, a=first.text, b=second.text))
    whole = _Blind(seed=seed, narrators=narrators, pairs=tuple(pairs))
    path.write_text(whole.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return len(pairs)


def counted(path: Path, rows: Rows) -> dict[str, Any]:
    """How often each narrator was preferred in a judged file, also of scores on the wrong side.

    Raises:
        TrainingError: it is no such file, or names no preference.
    """
    try:
        found = _Blind.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, json.JSONDecodeError) as error:
        raise TrainingError(
            f"{path.name} is no file of a blind comparison: {error}.",
            hint="Write one with `whyfake eval explanations --rows ROWS --blind FILE`.",
            code="blind",
        ) from error
    wrong = {case for case, row in rows.cases().items() if row.wrong}
    judged = [pair for pair in found.pairs if pair.preferred]
    if not judged:
        raise TrainingError(
            f"No pair of {path.name} has a preference.",
            hint='Fill in `preferred` with "a", "b" or "same".',
            code="blind",
        )
    preferred = {
        pair.case: "same"
        if pair.preferred == "same"
        else dict(zip("ab", _order(pair.case, found.seed, *found.narrators), strict=True))[
            pair.preferred
        ]
        for pair in judged
    }
    return {
        "judge": found.judge or "unnamed",
        "pairs": len(judged),
        "a_preferred": sum(pair.preferred == "a" for pair in judged),
        "all": _tally(list(preferred.values()), found.narrators),
        "score_on_the_wrong_side": _tally(
            [w for c, w in preferred.items() if c in wrong], found.narrators
        ),
    }


def _order(case: str, seed: int, one: Any, other: Any) -> tuple[Any, Any]:
    first = random.Random(f"{seed} {case}").random() < 0.5  # noqa: S311 - which stands first
    return (one, other) if first else (other, one)


def _tally(preferred: Sequence[str], narrators: tuple[str, str]) -> dict[str, Any]:
    counts = {name: preferred.count(name) for name in (*narrators, "same")}
    decided = counts[narrators[0]] + counts[narrators[1]]
    share = [round(v, 3) for v in wilson(counts[narrators[1]], decided)]
    return {**counts, f"{narrators[1]}_share_of_decided_interval": share}
