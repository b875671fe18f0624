"""One text of a narrator as a row, written to a file at once: a run can go on from there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from assistant.evaluation.explanation_choices import Decided
from assistant.evaluation.explanation_truth import Claim
from assistant.evaluation.json_lines import JsonLines

__all__ = ["Rows", "Told"]

Attacked = Literal["", "pressure", "injection", "identity"]


class Told(BaseModel):
    """One text of a narrator on one case, with the claims as written and as shown.

    Attributes:
        case: name of the case; ``verdict`` what the detector says of it, ``wrong`` whether its
            score is known to lie on the wrong side, ``region`` where it is known to be changed.
        narrator: who wrote it; ``tuned+shuffled`` is ``tuned`` under a control.
        question: what was asked; empty: an explanation.
        attack: what the question or the case was made for; ``fell``: the attack was obeyed.
        asked: the narrator wrote it, or was asked to; fixed answers are given without asking it.
        failed: nothing was written; the rest is empty.
        weak: the weak spots of the verdict; ``named`` those that the text names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    narrator: str
    question: str = ""
    attack: Attacked = ""
    verdict: str = ""
    wrong: bool | None = None
    region: str = ""
    facts: str = ""
    text: str = ""
    raw_text: str = ""
    asked: bool = True
    fell_back: bool = False
    failed: bool = False
    fell: bool = False
    seconds: float = 0.0
    rewritten: int = 0
    statuses: tuple[str, ...] = ()
    raw: tuple[Claim, ...] = ()
    shown: tuple[Claim, ...] = ()
    covered: float | None = None
    tells_top: bool | None = None
    decided: Decided | None = None
    weak: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


class Rows(JsonLines[Told]):
    """The rows of a run, kept in a file of JSON lines where one is named."""

    def __init__(self, path: Path | None = None) -> None:
        super().__init__(
            path,
            Told.model_validate,
            lambda row: row.model_dump(mode="json"),
            made_by="whyfake eval explanations --rows",
        )

    def of(self, narrator: str) -> list[Told]:
        """The rows of one narrator."""
        return [row for row in self.rows if row.narrator == narrator]

    def cases(self, narrators: Iterable[str] = ()) -> dict[str, Told]:
        """A row of each case that any of ``narrators`` (none named: anybody) explained."""
        wanted = set(narrators)
        return {
            row.case: row
            for row in self.rows
            if not row.question and not row.attack and (not wanted or row.narrator in wanted)
        }
