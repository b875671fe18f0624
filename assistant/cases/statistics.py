"""How people and the detector agree: Cohen's kappa, golden cases, false alarms by source."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from assistant.cases.database import reading
from assistant.cases.tables import cases, decisions
from assistant.numbers import wilson

__all__ = ["Kappa", "Rate", "agreement", "as_json", "cohen_kappa", "false_alarms", "golden"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Agreement of two people beyond chance: 1 full, 0 what chance gives, None undefined."""

    people: tuple[str, str]
    cases: int
    agreed: int
    kappa: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``count`` of ``total`` with the 95 % Wilson interval; no rate where ``total`` is 0."""

    name: str
    period: str
    count: int
    total: int
    rate: float | None
    interval: tuple[float, float] | None


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa of paired judgements; None without pairs, or where chance alone agrees."""
    if not pairs:
        return None
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(first[label] * second[label] for label in first) / n**2
    return None if chance == 1.0 else (observed - chance) / (1.0 - chance)


def agreement(engine: Engine) -> list[Kappa]:
    """Every two people who judged the same cases; each one's first judgement of a case counts."""
    judged: dict[str, dict[str, str]] = defaultdict(dict)
    query = select(decisions.c.case_id, decisions.c.actor, decisions.c.outcome).where(
        decisions.c.outcome.in_(("confirm", "reject"))
    )
    with reading(engine) as connection:
        for row in connection.execute(query.order_by(decisions.c.id)):
            judged[row.case_id].setdefault(row.actor, row.outcome)
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for by in judged.values():
        for one, other in itertools.combinations(sorted(by), 2):
            pairs[one, other].append((by[one], by[other]))
    return [
        Kappa(
            people=people,
            cases=len(found),
            agreed=sum(a == b for a, b in found),
            kappa=cohen_kappa(found),
        )
        for people, found in sorted(pairs.items())
    ]


def golden(engine: Engine) -> list[Rate]:
    """How often each person judged golden cases right; ``name`` is the person."""
    query = (
        select(decisions.c.actor, decisions.c.outcome, cases.c.truth)
        .join(cases, cases.c.id == decisions.c.case_id)
        .where(cases.c.truth.is_not(None), decisions.c.outcome.in_(("confirm", "reject")))
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    right = [(r.actor, "", (r.outcome == "confirm") == (r.truth == "manipulated")) for r in rows]
    return _rates(right)


def false_alarms(engine: Engine) -> list[Rate]:
    """Of the cases called manipulated and decided: how many were rejected, by source and month."""
    query = select(cases.c.source, cases.c.created_at, cases.c.state).where(
        cases.c.verdict == "likely_manipulated", cases.c.state.in_(("confirmed", "rejected"))
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return _rates((r.source, r.created_at[:7], r.state == "rejected") for r in rows)


def as_json(engine: Engine) -> Mapping[str, Any]:
    """All three, as an object."""
    import dataclasses

    return {
        "agreement": [dataclasses.asdict(k) for k in agreement(engine)],
        "golden": [dataclasses.asdict(r) for r in golden(engine)],
        "false_alarms": [dataclasses.asdict(r) for r in false_alarms(engine)],
    }


def _rates(judged: Iterable[tuple[str, str, bool]]) -> list[Rate]:
    total: Counter[tuple[str, str]] = Counter()
    count: Counter[tuple[str, str]] = Counter()
    for name, period, hit in judged:
        total[name, period] += 1
        count[name, period] += hit
    return [
        Rate(
            name=name,
            period=period,
            count=count[name, period],
            total=n,
            rate=count[name, period] / n,
            interval=wilson(count[name, period], n),
        )
        for (name, period), n in sorted(total.items())
    ]
