"""A sentence cut into clauses, and what one clause hands to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from assistant.types import Fact, SentenceStatus

__all__ = ["Clause", "Finding", "clauses"]

_REGION = (
    r"(?!(?:the |its |a |both )?(?:left |right |lower |upper |person's )*(?:eye|cheek|mouth|lip|"
    r"nose|nostril|"
    r"jaw|chin|forehead|brow|background|backdrop))"
)
# Not before "and the nose": several regions may share one predicate.
_CUT = re.compile(
    r"\s*[;:()]\s*|\s+-\s+|\s*,?\s+(?=(?:but|yet|while|whereas|because|since|although|though|so)\b"
    r"(?! far| does| do| that))|,\s+(?:and\s+)?(?!\d{3}\b)" + _REGION + r"|"
    r"\s+and\s+(?=(?:the|its|it|that|this|neutrali|no|so|random)\b)" + _REGION
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What checking one claim found, and the facts it was checked against."""

    status: SentenceStatus
    ids: tuple[str, ...]
    reason: str


@dataclass(slots=True)
class Clause:
    """A clause while it is read: what was understood is blanked out of ``text``.

    Attributes:
        text: lower case.
        kind: what its numbers are about: ``score``, ``map``, ``effect``, ``change``, ``frames``,
            ``quality`` or empty; handed on from the clause before.
        regions: the regions spoken of last.
        changes: the everyday changes spoken of last.
        issue: the quality issue spoken of last.
        fresh: the clause names a region itself.
        findings: what was found; ``neutral`` says that it only sets the scene.
    """

    text: str
    kind: str = ""
    regions: tuple[tuple[str, ...], ...] = ()
    changes: tuple[str, ...] = ()
    issue: str = ""
    whole: str = ""
    fresh: bool = False
    neutral: bool = False
    findings: list[Finding] = field(default_factory=list)

    def ok(self, *facts: Fact) -> None:
        """A claim is what these facts say."""
        ids = tuple(f.id for f in facts)
        self.findings.append(Finding(SentenceStatus.SUPPORTED, ids, ""))

    def wrong(self, reason: str, *facts: Fact) -> None:
        """A claim is against these facts."""
        ids = tuple(f.id for f in facts)
        self.findings.append(Finding(SentenceStatus.CONTRADICTED, ids, reason))

    def unfounded(self, reason: str, *facts: Fact) -> None:
        """No fact says this."""
        ids = tuple(f.id for f in facts)
        self.findings.append(Finding(SentenceStatus.UNSUPPORTED, ids, reason))

    def blank(self, start: int, end: int) -> None:
        """Take a part out of the text; what stays keeps its place."""
        self.text = self.text[:start] + " " * (end - start) + self.text[end:]

    def take(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """Find a pattern and blank it out."""
        found = list(pattern.finditer(self.text))
        for match in found:
            self.blank(match.start(), match.end())
        return found


def clauses(sentence: str) -> list[str]:
    """The clauses of a sentence, in order."""
    return [part.strip() for part in _CUT.split(sentence) if part and re.search(r"\w", part)]
