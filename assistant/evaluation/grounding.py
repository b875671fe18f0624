"""What the check of sentences lets through: a table of true and false sentences on three cases.

Half of the sentences are written as a small model writes, half as a large one does; half are true.
A false one must never come out as supported; a true one should not come out as contradicted.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from assistant import evidence
from assistant.evidence import Fact, MapLimitFact, NotProofFact, ScoreFact
from assistant.grounding import check
from assistant.types import Evidence, SentenceStatus, Verdict

__all__ = ["TABLE", "Judged", "cases", "judged", "summary"]

TABLE = Path(__file__).with_name("grounding-sentences.csv")
_CASES = TABLE.with_name("grounding-cases.yaml")
_WRITERS = ("small", "large")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A sentence of the table, whether it is true of its case, and what the check made of it."""

    case: str
    written_by: str
    true: bool
    sentence: str
    status: SentenceStatus
    reason: str


@cache
def cases() -> dict[str, Evidence]:
    """The cases that the sentences speak of, by name."""
    found = {}
    for name, case in yaml.safe_load(_CASES.read_text("utf-8")).items():
        facts: list[Fact] = [
            TypeAdapter(getattr(evidence, kind)).validate_python(values)
            for fact in case["facts"]
            for kind, values in fact.items()
        ]
        score = next(fact for fact in facts if isinstance(fact, ScoreFact))
        found[name] = Evidence(
            media_id="0" * 64,
            face_index=0,
            verdict=Verdict(case["verdict"]),
            probability=score.probability,
            interval=(score.low, score.high),
            facts=(*facts, NotProofFact(id="L1"), MapLimitFact(id="L2")),
        )
    return found


def judged(table: Path = TABLE) -> list[Judged]:
    """Every sentence of the table, checked against its case.

    ``table``: columns ``case``, ``written_by``, ``true`` (0 or 1) and ``sentence``, parted by bars;
    ``{verdict}`` stands for the words of the case's verdict.
    """
    known = cases()
    found = []
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE):
            case = known[row["case"]]
            said = row["sentence"].replace("{verdict}", case.verdict.words)
            (sentence,) = check(said, case)
            found.append(
                Judged(
                    case=row["case"],
                    written_by=row["written_by"],
                    true=row["true"] == "1",
                    sentence=said,
                    status=sentence.status,
                    reason=sentence.reason,
                )
            )
    return found


def summary(found: list[Judged]) -> dict[str, Any]:
    """Counts of each status, for true and false sentences by who writes so, and the two limits."""
    true = [j for j in found if j.true]
    false = [j for j in found if not j.true]
    against = sum(j.status is SentenceStatus.CONTRADICTED for j in true)
    return {
        "sentences": len(found),
        "false_supported": sum(j.status is SentenceStatus.SUPPORTED for j in false),
        "true_contradicted": against,
        "true_contradicted_share": against / len(true) if true else None,
        "counts": {
            f"{name}, {writer}": {
                status.value: count.get(status, 0)
                for status in SentenceStatus
                if (count := Counter(j.status for j in part if j.written_by == writer))
            }
            for name, part in (("true", true), ("false", false))
            for writer in _WRITERS
        },
    }
