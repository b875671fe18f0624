"""Drafts of statements of reasons (DSA, Article 17) for the EU Transparency Database, API v2.

A draft is validated here and never sent: only onboarded platforms can send one. It must hold no
personal data, so its facts are the measured ones alone; what a moderator adds is searched for
addresses, names of accounts and numbers of telephones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from assistant.cases.reader import Case
from assistant.errors import CaseError
from assistant.numbers import percent, reach

__all__ = ["DECISION_FACTS", "Statement", "draft"]

#: Longest ``decision_facts``, characters.
DECISION_FACTS = 5000
_PERSONAL = (
    ("an e-mail address", re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")),
    ("an account name", re.compile(r"(?<![\w/])@[A-Za-z0-9_]{2,}")),
    ("a web address", re.compile(r"\b(?:https?://|www\.)\S+|\bdid:\w+:\S+", re.IGNORECASE)),
    ("a telephone number", re.compile(r"(?<![\w.])\+?\d[\d ()/-]{8,}\d(?![\w.])")),
)
_CODE = r"^[A-Z][A-Z0-9_]*$"


class Statement(BaseModel):
    """The fields of a statement that a platform fills in, named as the database names them."""

    model_config = ConfigDict(extra="forbid")

    decision_visibility: list[
        Literal[
            "DECISION_VISIBILITY_CONTENT_REMOVED",
            "DECISION_VISIBILITY_CONTENT_DISABLED",
            "DECISION_VISIBILITY_CONTENT_DEMOTED",
            "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED",
            "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED",
            "DECISION_VISIBILITY_CONTENT_LABELLED",
            "DECISION_VISIBILITY_OTHER",
        ]
    ] = Field(min_length=1)
    decision_visibility_other: str | None = Field(None, max_length=500)
    decision_ground: Literal[
        "DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"
    ]
    illegal_content_legal_ground: str | None = Field(None, max_length=500)
    illegal_content_explanation: str | None = Field(None, max_length=2000)
    incompatible_content_ground: str | None = Field(None, max_length=500)
    incompatible_content_explanation: str | None = Field(None, max_length=2000)
    decision_facts: str = Field(min_length=1, max_length=DECISION_FACTS)
    content_type: list[str] = Field(min_length=1)
    category: str = Field("STATEMENT_CATEGORY_OTHER_VIOLATION_TC", pattern=_CODE)
    category_specification: list[str] = Field(default_factory=list)
    territorial_scope: list[str] = Field(default_factory=list)
    content_language: str | None = Field(None, pattern=r"^[A-Z]{2}$")
    content_date: date
    application_date: date
    source_type: Literal[
        "SOURCE_ARTICLE_16",
        "SOURCE_TRUSTED_FLAGGER",
        "SOURCE_TYPE_OTHER_NOTIFICATION",
        "SOURCE_VOLUNTARY",
    ] = "SOURCE_VOLUNTARY"
    automated_detection: Literal["Yes", "No"] = "Yes"
    automated_decision: Literal["AUTOMATED_DECISION_NOT_AUTOMATED"] = (
        "AUTOMATED_DECISION_NOT_AUTOMATED"
    )
    puid: str = Field(min_length=1, max_length=500, pattern=r"^[A-Za-z0-9_-]+$")

    @field_validator("category_specification", "content_type")
    @classmethod
    def _codes(cls, values: list[str]) -> list[str]:
        for value in values:
            if not re.fullmatch(_CODE, value):
                raise ValueError(f"{value!r} is no code such as KEYWORD_...")
        return values

    @model_validator(mode="after")
    def _complete(self) -> Statement:
        illegal = self.decision_ground == "DECISION_GROUND_ILLEGAL_CONTENT"
        kind = "illegal_content_legal" if illegal else "incompatible_content"
        texts = (
            f"{kind}_ground",
            "illegal_content_explanation" if illegal else "incompatible_content_explanation",
        )
        for name in texts:
            if not getattr(self, name):
                raise ValueError(f"{self.decision_ground} needs {name}")
        if (
            "DECISION_VISIBILITY_OTHER" in self.decision_visibility
            and not self.decision_visibility_other
        ):
            raise ValueError("DECISION_VISIBILITY_OTHER needs decision_visibility_other")
        for name, value in self:
            found = _personal(value) if isinstance(value, str) and name != "puid" else None
            if found:
                raise ValueError(f"{name} holds {found}; a statement must hold no personal data")
        return self


def draft(case: Case, **fields: Any) -> dict[str, Any]:
    """The statement on a decided case, as the JSON object that the database takes.

    Args:
        case: a confirmed case; nobody is told reasons for nothing.
        fields: what the platform decides: ``decision_visibility``, ``decision_ground`` with its
            texts, and whatever else differs from the defaults.

    Raises:
        CaseError: the case is not confirmed, or a field does not fit; all problems are named.
    """
    if case.row.state != "confirmed":
        raise CaseError(
            f"The case is {case.row.state}; a statement of reasons is drafted of a confirmed one.",
            hint="Decide the case first.",
            code="case-conflict",
        )
    settled = [d for d in case.decisions if d["kind"] == "decision"][-1]
    kind = "CONTENT_TYPE_VIDEO" if case.row.kind == "video" else "CONTENT_TYPE_IMAGE"
    values = {
        "decision_facts": decision_facts(case),
        "content_type": [kind, "CONTENT_TYPE_SYNTHETIC_MEDIA"],
        "content_date": case.row.created_at[:10],
        "application_date": settled["at"][:10],
        "puid": case.row.id,
        **{name: value for name, value in fields.items() if value not in (None, ())},
    }
    try:
        made = Statement.model_validate(values)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(str(p) for p in e['loc']) or 'statement'}: {e['msg']}"
            for e in error.errors()
        )
        raise CaseError(
            f"The draft is not valid: {told}.",
            hint="See the database's documentation of the fields, API v2.",
            code="bad-statement",
        ) from error
    return made.model_dump(mode="json", exclude_none=True)


def decision_facts(case: Case) -> str:
    """What was measured, in sentences, within the database's length; cut between facts."""
    faces = case.record["analysis"]["faces"]
    lines = [
        "A detector of manipulated faces estimated a probability of manipulation; a person "
        "decided. The estimate is no proof."
    ]
    for face in faces:
        span = reach(*face["interval"])
        lines.append(
            f"Face {face['index'] + 1} of {len(faces)}: probability {percent(face['probability'])}"
            + (f", interval {span}." if span else ".")
        )
        lines += [fact["text"] for fact in face["evidence"] if not fact["id"].startswith("P")]
    return _fitted(lines, DECISION_FACTS)


def _fitted(lines: Sequence[str], most: int) -> str:
    kept = ""
    for line in lines:
        more = f"{kept}\n{line}" if kept else line
        if len(more) > most:
            break
        kept = more
    return kept


def _personal(text: str) -> str | None:
    for what, pattern in _PERSONAL:
        if pattern.search(text):
            return what
    return None
