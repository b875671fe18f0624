"""What a text says of a case, while it is read against the facts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.types.facts import Fact

__all__ = ["Clause", "Finding", "SentenceStatus"]


class SentenceStatus(StrEnum):
    """What checking a sentence against the evidence found.

    ``not_checked``: it claims nothing that could be checked, or mixes that with what could not.
    """

    SUPPORTED = "supported"
    NOT_CHECKED = "not_checked"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Finding:
    """What checking one claim found, and the facts it was checked against."""

    status: SentenceStatus
    ids: tuple[str, ...]
    reason: str


@dataclass(slots=True)
class Clause:
    """A clause while it is read: what a kind of fact understood, it blanks out of ``text``.

    Attributes:
        text: lower case.
        whole: the sentence.
        scope: what its numbers are about, by the cue of a kind of fact (``score``, ``map``,
            ``effect``, ``change``, ...) or empty; handed on from the clause before.
        regions: the regions spoken of last; both sides of a plural in one entry.
        subjects: other names spoken of last: everyday changes, quality issues.
        fresh: the clause names a region itself.
        neutral: it only sets the scene.
        findings: what was found.
    """

    text: str
    whole: str = ""
    scope: str = ""
    regions: tuple[tuple[str, ...], ...] = ()
    subjects: tuple[str, ...] = ()
    fresh: bool = False
    neutral: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The regions, each once, in order."""
        return list(dict.fromkeys(name for group in self.regions for name in group))

    def ok(self, *facts: Fact) -> None:
        """A claim is what these facts say."""
        self._found(SentenceStatus.SUPPORTED, "", facts)

    def wrong(self, reason: str, *facts: Fact) -> None:
        """A claim is against these facts."""
        self._found(SentenceStatus.CONTRADICTED, reason, facts)

    def unfounded(self, reason: str) -> None:
        """No fact says this."""
        self._found(SentenceStatus.UNSUPPORTED, reason, ())

    def judge(self, good: bool | None, reason: str, *facts: Fact) -> None:
        """``ok`` or ``wrong``; None: nothing was claimed."""
        if good is not None:
            self.ok(*facts) if good else self.wrong(reason, *facts)

    def _found(self, status: SentenceStatus, reason: str, facts: tuple[Fact, ...]) -> None:
        self.findings.append(Finding(status, tuple(fact.id for fact in facts), reason))

    def blank(self, start: int, end: int) -> None:
        """Take a part out of the text; what stays keeps its place."""
        self.text = self.text[:start] + " " * (end - start) + self.text[end:]

    def take(self, *patterns: re.Pattern[str]) -> list[re.Match[str]]:
        """Find patterns and blank them out."""
        found = []
        for pattern in patterns:
            for match in list(pattern.finditer(self.text)):
                self.blank(match.start(), match.end())
                found.append(match)
        return found
