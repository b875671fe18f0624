"""Analyse a file and keep it as a case, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.cards import render_card
from assistant.cases.record import Recorded, record
from assistant.cases.store import CaseStore

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

__all__ = ["keep", "pictures_of"]


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
) -> str:
    """Analyse ``data`` and store the outcome, a typed failure too; returns the new case's id.

    ``keep_picture``: keep the file and its picture card, sealed, for ``cases.keep_days``. The other
    values are those of :func:`record` and :meth:`CaseStore.create`.
    """
    made = record(assistant, settings, data, explain=explain)
    return store.create(
        made.record,
        actor=actor,
        source=source,
        subject=subject,
        truth=truth,
        picture=pictures_of(data, made, demo=assistant.demo) if keep_picture else None,
        keep_days=settings.cases.keep_days,
    )


def pictures_of(data: bytes, made: Recorded, *, demo: bool) -> dict[str, bytes]:
    """What is kept of a file on request: itself, and its card where a face was found."""
    kept = {"original": data}
    if made.analysis is not None:
        kept["card"] = render_card(made.analysis, demo=demo)
    return kept
