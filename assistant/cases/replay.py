"""Computing a case anew from its kept picture: what is the same bit for bit, what is not, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.cases.reader import Case
from assistant.cases.record import record

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

__all__ = ["Replayed", "compare", "replay"]

#: What a run may differ in without a difference in the result.
_TIMES = frozenset({"seconds", "first_token_seconds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a second run gave.

    Attributes:
        same: parts that are the same bit for bit.
        differences: place in the record -> ``(then, now)``.
        reasons: what was another then: weights, versions, settings, machine.
    """

    same: tuple[str, ...]
    differences: Mapping[str, tuple[Any, Any]]
    reasons: Mapping[str, tuple[str, str]]

    @property
    def identical(self) -> bool:
        """Whether every part of the result is the same."""
        return not self.differences


def replay(case: Case, data: bytes, assistant: Assistant, settings: Settings) -> Replayed:
    """Analyse the case's kept picture (``CaseStore.picture``) again and compare."""
    explained = bool(case.record["explained"])
    return compare(case.record, record(assistant, settings, data, explain=explained).record)


def compare(then: Mapping[str, Any], anew: Mapping[str, Any]) -> Replayed:
    """Two records of the same file."""
    differences: dict[str, tuple[Any, Any]] = {}
    for part in ("content_sha256", "perceptual", "analysis"):
        found = dict(_differences(then[part], anew[part], part))
        differences.update(found)
    before, after = then["analysis"], anew["analysis"]
    same = [
        name
        for name in ("status", "media", "faces", "explanation", "warnings")
        if not list(_differences(before.get(name), after.get(name), name))
    ]
    reasons = {
        f"{part}.{name}": (str(then[part].get(name)), str(anew[part].get(name)))
        for part in ("versions", "environment")
        for name in sorted({*then[part], *anew[part]})
        if then[part].get(name) != anew[part].get(name)
    }
    if then["settings_sha256"] != anew["settings_sha256"]:
        reasons["settings"] = (then["settings_sha256"][:12], anew["settings_sha256"][:12])
    return Replayed(same=tuple(same), differences=differences, reasons=reasons)


def _differences(then: Any, anew: Any, place: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(then, Mapping) and isinstance(anew, Mapping):
        for name in sorted({*then, *anew} - _TIMES):
            yield from _differences(then.get(name), anew.get(name), f"{place}.{name}")
    elif isinstance(then, list) and isinstance(anew, list) and len(then) == len(anew):
        for i, (one, other) in enumerate(zip(then, anew, strict=True)):
            yield from _differences(one, other, f"{place}[{i}]")
    elif then != anew:
        yield place, (then, anew)
