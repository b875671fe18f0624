"""A case as a file: HTML, PDF, JSON, or the draft of a statement of reasons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from assistant.cases.dsa import draft
from assistant.cases.pages import case_json, html_report, pdf_report
from assistant.cases.store import CaseStore
from assistant.errors import CaseError

__all__ = ["exported"]

_LISTS = ("decision_visibility", "category_specification", "territorial_scope", "content_type")


def exported(
    store: CaseStore, case_id: str, kind: str, fields: Mapping[str, Any] | None = None
) -> bytes:
    """The bytes of the file; ``kind`` is ``html``, ``pdf``, ``json`` or ``dsa``, which has fields.

    Raises:
        CaseError: there is no such case, or the statement is not valid.
    """
    case, anchor = store.get(case_id), store.anchor()
    if kind == "json":
        return _json(case_json(case, anchor))
    if kind == "dsa":
        given = {
            name: [value] if name in _LISTS and isinstance(value, str) else value
            for name, value in (fields or {}).items()
        }
        return _json(draft(case, **given))
    card = _card(store, case_id)
    if kind == "pdf":
        return pdf_report(case, anchor, card)
    return html_report(case, anchor, card).encode()


def _card(store: CaseStore, case_id: str) -> bytes | None:
    try:
        return store.picture(case_id, "card")
    except CaseError as error:
        if error.code in ("no-picture", "case-key"):
            return None
        raise


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
