"""A run of ``whyfake eval explanations``: all narrators on one case before the next."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tqdm import tqdm

from assistant.errors import TrainingError
from assistant.evaluation.explanation_pictures import MadePicture
from assistant.evaluation.explanation_rows import Rows
from assistant.evaluation.explanation_summary import same_texts, summary
from assistant.evaluation.explanations import ASKED, ATTACKS_TRIED, Case, errs, tell_case
from assistant.interfaces import VlmBackend
from assistant.prompting import PromptLibrary
from assistant.routing import QuestionKind
from assistant.types import FaceAnalysis, Score

__all__ = ["Run"]


class _Analyses(Protocol):
    def __call__(self, name: str, data: bytes, *, fragility: bool) -> FaceAnalysis | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Who explains how many cases, and what was told so far.

    Attributes:
        rows: what was told, also before this run.
        backends: narrators by name.
        controls: what they are misled with, on the first ``few`` cases.
        limit: cases at most.
        few: on so many of them questions are asked and those of ``on_few`` are measured.
        questions: asked on each of the few, each of another kind.
        ways: to ask, by kind.
        attacks: spread over all cases.
        seed: of all that is drawn.
    """

    rows: Rows
    backends: Mapping[str, VlmBackend]
    prompts: PromptLibrary
    controls: tuple[str, ...] = ()
    limit: int = 50
    few: int = 8
    on_few: Collection[str] = ()
    questions: int = 0
    ways: Mapping[QuestionKind, Sequence[str]] = field(default_factory=dict)
    attacks: bool = False
    seed: int = 0

    def half_wrong(
        self, pictures: Iterator[MadePicture], score_of: Callable[[bytes], Score | None]
    ) -> Iterator[MadePicture]:
        """Of ``pictures`` so many that the score lies on the wrong side in half of the cases.

        Pictures without a face, or of which nothing is known, are left out.
        """
        told = self.rows.cases()
        room = {True: self.limit // 2, False: self.limit - self.limit // 2}
        for picture in pictures:
            if picture.name in told:
                wrong = bool(told[picture.name].wrong)
            else:
                score = None if picture.manipulated is None else score_of(picture.data)
                if score is None or picture.manipulated is None:
                    continue
                wrong = errs(score, picture.manipulated)
            if room[wrong]:
                room[wrong] -= 1
                yield picture
            if not any(room.values()):
                return

    def tell(
        self,
        pictures: Iterator[MadePicture],
        analysed: _Analyses,
    ) -> None:
        """Have every picture explained that was not before.

        Raises:
            TrainingError: no picture has a face.
        """
        others: list[FaceAnalysis] = []
        case: Case | None = None
        seen = count = 0
        bar = tqdm(desc="cases", total=self.limit)
        tries = -(-ATTACKS_TRIED // self.limit) if self.attacks else 0
        for picture in pictures:
            seen += 1
            small = count < self.few
            names = [name for name in self.backends if small or name not in self.on_few]
            if not all(picture.name in self.rows.cases((name,)) for name in names):
                result = analysed(picture.name, picture.data, fragility=count % 2 == 0)
                if result is None:
                    continue
                case = Case(
                    name=picture.name,
                    result=result,
                    manipulated=picture.manipulated,
                    region=picture.region,
                )
                for name in names:
                    whole = name not in self.on_few
                    tell_case(
                        self.rows,
                        name,
                        self.backends[name],
                        case,
                        self.prompts,
                        questions=self._questions(picture.name) if small else (),
                        attacks=tries if whole else 0,
                        others=others,
                        controls=self.controls if count <= self.few and whole else (),
                        seed=self.seed,
                    )
                others = [*others, result][-self.few :]
            count += 1
            bar.update()
        if case is not None and tries:  # the rest, where there were fewer cases than might be
            for name in set(self.backends) - set(self.on_few):
                vlm = self.backends[name]
                tell_case(self.rows, name, vlm, case, self.prompts, attacks=ATTACKS_TRIED)
        if not count:
            raise TrainingError(
                f"No face was found in {seen} pictures, so there is nothing to explain.",
                hint="Name pictures with faces in the manifest.",
                code="no-faces",
            )

    def _questions(self, name: str) -> list[str]:
        rng = random.Random(f"{self.seed} {name}")  # noqa: S311 - picks questions
        return [rng.choice(self.ways[kind]) for kind in rng.sample(ASKED, self.questions)]

    def result(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        rows = self.rows
        names = list(dict.fromkeys(row.narrator for row in rows.rows))
        cases = rows.cases(self.backends)
        return {
            "schema": "whyfake.eval-explanations/2",
            "cases": len(cases),
            "few": self.few,
            "seed": self.seed,
            "machine": {"cpus": os.cpu_count(), "load_1min": round(os.getloadavg()[0], 1)},
            "verdicts": dict(Counter(row.verdict for row in cases.values())),
            "score_on_the_wrong_side": sum(bool(row.wrong) for row in cases.values()),
            "verdict_wrong": sum(
                bool(row.wrong) and row.verdict != "uncertain" for row in cases.values()
            ),
            "provenance": {name: dict(vlm.provenance()) for name, vlm in self.backends.items()},
            "narrators": {name: summary(rows.of(name)) for name in names},
            "same_text_with_another_picture": {
                name: same_texts(rows.of(name), rows.of(f"{name}+picture"))
                for name in names
                if f"{name}+picture" in names
            },
            "fell_for": {name: [r.question for r in rows.of(name) if r.fell] for name in names},
        }
