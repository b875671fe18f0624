"""Analyse a file and keep it as a case, in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.cards import render_card
from assistant.cases.record import Recorded, record
from assistant.cases.store import CaseStore

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from assistant.events import Event
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

__all__ = ["Kept", "keep", "pictures_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A new case and the result it was made of."""

    case_id: str
    recorded: Recorded


def keep(
    store: CaseStore,
    assistant: Assistant,
    settings: Settings,
    data: bytes,
    *,
    actor: str,
    source: str = "",
    subject: str = "",
    truth: str | None = None,
    keep_picture: bool = False,
    explain: bool = True,
    tell: Callable[[Event], None] | None = None,
    within: Connection | None = None,
) -> Kept:
    """Analyse ``data`` and store the outcome, a typed failure too.

    Args:
        store: where to.
        assistant: what analyses.
        settings: what it was built from.
        data: the file's bytes.
        actor: who does it.
        source: where the file came from.
        subject: the caller's own name of the item.
        truth: makes it a golden case.
        keep_picture: keep the file and its picture card, sealed, for ``cases.keep_days``.
        explain: also write the explanation.
        tell: is handed every event.
        within: a writing transaction to take part in.
    """
    made = record(assistant, settings, data, explain=explain, tell=tell)
    case_id = store.create(
        made.record,
        actor=actor,
        source=source,
        subject=subject,
        truth=truth,
        picture=pictures_of(data, made, demo=assistant.demo) if keep_picture else None,
        keep_days=settings.cases.keep_days,
        within=within,
    )
    return Kept(case_id=case_id, recorded=made)


def pictures_of(data: bytes, made: Recorded, *, demo: bool) -> dict[str, bytes]:
    """What is kept of a file on request: itself, and its card where a face was found."""
    kept = {"original": data}
    if made.analysis is not None:
        kept["card"] = render_card(made.analysis, demo=demo)
    return kept
