"""How often the router of questions is right on wordings it was not trained on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol

from assistant.routing import Router

__all__ = ["evaluate_router"]

_MOST_CONFUSED = 12


class Asked(Protocol):
    """A wording with what it asks for."""

    @property
    def text(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def list(self) -> str: ...


def evaluate_router(router: Router, wordings: Sequence[Asked]) -> dict[str, Any]:
    """Macro F1 over kinds and over topics, by list and by kind; and what is confused most.

    ``wordings``: held-out ones.
    """
    from sklearn.metrics import f1_score

    began = time.perf_counter()
    routes = [router(w.text) for w in wordings]
    spent = time.perf_counter() - began
    kinds = [w.label.partition("/")[0] for w in wordings]
    said = [r.kind.value for r in routes]
    topics = [f"{r.kind.value}/{r.topic}".rstrip("/") for r in routes]

    def macro(rows: Sequence[int]) -> float:
        true, told = [kinds[i] for i in rows], [said[i] for i in rows]
        return float(f1_score(true, told, labels=sorted(set(true)), average="macro"))

    lists = sorted({w.list for w in wordings})
    names = sorted(set(kinds))
    each = f1_score(kinds, said, labels=names, average=None)
    pairs = [(a, b) for a, b in zip(kinds, said, strict=True) if a != b]
    confused = sorted({p: pairs.count(p) for p in pairs}.items(), key=lambda item: -item[1])
    refused = [r.kind.value in {"person", "pressure"} for r in routes]
    harmless = [i for i, kind in enumerate(kinds) if kind not in {"person", "pressure"}]
    return {
        "wordings": len(wordings),
        "macro_f1": macro(range(len(wordings))),
        "accuracy": sum(a == b for a, b in zip(kinds, said, strict=True)) / len(wordings),
        "kind_or_next": sum(
            kind in {r.kind.value, *(k.value for k in r.others)}
            for kind, r in zip(kinds, routes, strict=True)
        )
        / len(wordings),
        "macro_f1_topics": float(f1_score([w.label for w in wordings], topics, average="macro")),
        "by_list": {
            name: {"wordings": len(rows), "macro_f1": macro(rows)}
            for name in lists
            for rows in [[i for i, w in enumerate(wordings) if w.list == name]]
        },
        "f1": dict(zip(names, map(float, each), strict=True)),
        "refused_wrongly": sum(refused[i] for i in harmless) / max(1, len(harmless)),
        "language": sum(
            r.language == ("" if w.language == "other" else w.language)
            for r, w in zip(routes, wordings, strict=True)
        )
        / len(wordings),
        "confused": [
            {"asked": a, "told": b, "times": n} for (a, b), n in confused[:_MOST_CONFUSED]
        ],
        "milliseconds": 1000 * spent / len(wordings),
    }
