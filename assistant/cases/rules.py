"""What may be decided when, by whom: the states of a case and the names of people."""

from __future__ import annotations

import unicodedata

from assistant.errors import CaseError

__all__ = ["KINDS", "OUTCOMES", "STATES", "after_appeal", "after_decision", "limited", "person"]

STATES = ("open", "escalated", "confirmed", "rejected", "appealed")
OUTCOMES = ("confirm", "reject", "escalate")
KINDS = ("decision", "opinion")
_NEXT = {"confirm": "confirmed", "reject": "rejected", "escalate": "escalated"}


def person(name: str) -> str:
    """A person's name as it is compared: letter case, blanks and look-alike codes do not count.

    Raises:
        CaseError: it is empty or longer than 100 characters.
    """
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return limited("name of the person", plain, 100)


def limited(what: str, text: str, most: int, *, empty: bool = False) -> str:
    """``text`` if it fits.

    Raises:
        CaseError: it is too long, empty, or holds control characters that cannot be stored.
    """
    if not text.strip() and not empty:
        raise CaseError(f"The {what} is empty.", hint="Give one.", code="bad-value")
    if len(text) > most:
        raise CaseError(
            f"The {what} has {len(text):,} characters; at most {most:,} are kept.",
            hint="Shorten it.",
            code="bad-value",
        )
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t\r" for c in text):
        raise CaseError(
            f"The {what} holds control characters.", hint="Remove them.", code="bad-value"
        )
    return text


def after_decision(state: str, outcome: str, kind: str) -> str:
    """The state that follows; an opinion changes nothing.

    Raises:
        CaseError: unknown outcome, or the case is not open to a decision.
    """
    if outcome not in OUTCOMES or kind not in KINDS:
        raise CaseError(
            f"{kind} {outcome!r} is not known.",
            hint=f"Use one of {', '.join(OUTCOMES)}.",
            code="bad-value",
        )
    if kind == "opinion":
        if outcome == "escalate":
            raise CaseError(
                "An opinion confirms or rejects.", hint="Escalate by a decision.", code="bad-value"
            )
        return state
    if state in ("confirmed", "rejected"):
        raise CaseError(
            f"The case is {state} already.",
            hint="Only an appeal opens it again.",
            code="case-conflict",
        )
    if state == "appealed" and outcome == "escalate":
        raise CaseError(
            "An appeal is confirmed or rejected.",
            hint="Let somebody decide it who has not decided the case before.",
            code="case-conflict",
        )
    return _NEXT[outcome]


def after_appeal(state: str) -> str:
    """The state that follows an appeal.

    Raises:
        CaseError: nothing was decided yet, or an appeal is open.
    """
    if state not in ("confirmed", "rejected"):
        raise CaseError(
            f"A case that is {state} cannot be appealed.",
            hint="An appeal is against a decision: confirmed or rejected.",
            code="case-conflict",
        )
    return "appealed"
