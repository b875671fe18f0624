"""Evidence looked up by what its facts say, for checking sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.grounding.sentences import plain
from assistant.translations import LANGUAGES
from assistant.types import Evidence, Fact, FactKind

__all__ = ["Case", "normal"]


def normal(sentence: str) -> str:
    """A sentence for comparing: lower case, words and numbers only."""
    return re.sub(r"[^\w%.+-]+", " ", plain(sentence).lower()).strip(" .")


def _sentences(text: str) -> Iterable[str]:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)


class Case:
    """One face's facts by role; what is absent is None or empty."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.ids = frozenset(fact.id for fact in evidence.facts)
        self.score: Fact | None = None
        self.verdict: Fact | None = None
        self.frames: Fact | None = None
        self.regions: dict[str, Fact] = {}
        self.rest: Fact | None = None
        self.issues: dict[str, Fact] = {}
        self.flawless: Fact | None = None
        self.origins: dict[str, Fact] = {}
        self.effects: dict[str, Fact] = {}
        self.sets: list[Fact] = []
        self.card: Fact | None = None
        self.changes: dict[str, Fact] = {}
        self.domain: Fact | None = None
        self.limits: dict[str, Fact] = {}
        for fact in evidence.facts:
            self._sort(fact)
        self.own: dict[str, str] = {}
        for fact in evidence.facts:
            own = [s for said in fact.all_said() for s in _sentences(said)]
            for language in LANGUAGES:
                own += fact.abroad(language)
            for sentence in own:
                self.own.setdefault(normal(sentence), fact.id)
        self.names = {
            str(f.values()["value"]) for f in self.origins.values() if f.values().get("value")
        }
        self.words = frozenset(re.findall(r"[^\W\d_]+", evidence.to_prompt().lower()))

    def _sort(self, fact: Fact) -> None:
        values = fact.values()
        if fact.kind is FactKind.SCORE:
            if "probability" in values:
                self.score = self.score or fact
            elif "verdict" in values:
                self.verdict = self.verdict or fact
            elif "frames" in values:
                self.frames = self.frames or fact
        elif fact.kind is FactKind.REGION:
            if values.get("stands_out") is True:
                self.regions.setdefault(str(values["region"]), fact)
            elif "regions" in values:
                self.rest = fact
        elif fact.kind is FactKind.QUALITY:
            issue = str(values.get("issue", ""))
            if issue:
                self.issues.setdefault(issue, fact)
            else:
                self.flawless = fact
        elif fact.kind is FactKind.PROVENANCE:
            self.origins.setdefault(str(values.get("kind", "none")), fact)
        elif fact.kind is FactKind.COUNTERFACTUAL:
            if "effect" in values:
                self.effects.setdefault(str(values["region"]), fact)
            elif "tried" in values:
                self.sets.append(fact)
        elif fact.kind is FactKind.FRAGILITY:
            if "flips" in values:
                self.card = self.card or fact
            elif "change" in values:
                self.changes.setdefault(str(values["change"]).lower(), fact)
        elif fact.kind is FactKind.DOMAIN:
            self.domain = self.domain or fact
        else:
            self.limits.setdefault(str(values.get("limit", "")), fact)

    @property
    def change_names(self) -> list[str]:
        """Names of everyday changes, longest first."""
        names = set(self.changes)
        if self.card is not None:
            names |= {str(name).lower() for name in self.card.values()["flips"]}
        return sorted(names, key=lambda n: (-len(n), n))

    @property
    def probability(self) -> float | None:
        """P(manipulated), where there is a score fact."""
        return None if self.score is None else float(self.score.values()["probability"])

    @property
    def verdict_name(self) -> str:
        """The verdict (``likely_real``), or an empty string."""
        return "" if self.verdict is None else str(self.verdict.values()["verdict"])

    def caution_ids(self) -> tuple[str, ...]:
        """Facts that ask to trust the score less."""
        ids = [fact.id for fact in self.issues.values()]
        if self.domain is not None and not self.domain.values()["inside"]:
            ids.append(self.domain.id)
        if self.score is not None and self.score.values().get("width") == "wide":
            ids.append(self.score.id)
        return tuple(ids)
