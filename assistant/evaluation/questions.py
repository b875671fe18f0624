"""Whether questions, as people put them, are answered from a fitting fact."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from tqdm import tqdm

from assistant.citations import without_cites
from assistant.errors import TrainingError
from assistant.events import Analyzed, Failed, TurnDone
from assistant.phrases import about
from assistant.pipeline import Assistant
from assistant.routing import HARD_WORDS, REFUSED, route
from assistant.types import FaceAnalysis, FactKind, Turn

__all__ = ["Asked", "Question", "ask_all", "problem_of", "read_questions"]


class Question(BaseModel):
    """A question with what fits it.

    ``facts``: letters of facts, of which the answer must cite one where the case has any;
    ``about``: a topic of ``assistant/about.yaml`` that may be told instead; ``refused``: the topic
    of a refusal; ``after``: the question before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: str
    facts: str = ""
    about: str = ""
    refused: str = ""
    after: str = ""
    one_sentence: bool = False
    simple: bool = False


class Asked(BaseModel):
    """A question, its answer on one picture, and what is wrong with it; empty: nothing."""

    model_config = ConfigDict(frozen=True)

    picture: str
    question: str
    answer: str
    problem: str


def read_questions(path: Path) -> list[Question]:
    """The questions of a YAML file.

    Raises:
        TrainingError: it cannot be read, or names what there is not.
    """
    try:
        found = TypeAdapter(list[Question]).validate_python(yaml.safe_load(path.read_text("utf-8")))
        for one in found:
            for topic in filter(None, (one.about, one.refused)):
                about(topic)
            for letter in one.facts:
                FactKind(letter)
    except (
        OSError,
        UnicodeDecodeError,
        yaml.YAMLError,
        ValidationError,
        KeyError,
        ValueError,
    ) as error:
        raise TrainingError(
            f"The questions {path} cannot be used: {error}.",
            hint="Take configs/questions.yaml as a pattern.",
            code="config",
        ) from error
    return found


def ask_all(
    assistant: Assistant,
    pictures: Sequence[tuple[str, FaceAnalysis]],
    questions: Sequence[Question],
) -> list[Asked]:
    """Every question on every picture, each in a conversation of its own."""
    out: list[Asked] = []
    for name, result in tqdm(pictures, "pictures"):
        for question in questions:
            history: tuple[Turn, ...] = ()
            if question.after:
                turn, result = _asked(assistant, result, question.after, ())
                history = (turn,) if turn else ()
            turn, result = _asked(assistant, result, question.ask, history)
            answer = turn.explanation.text if turn else ""
            problem = problem_of(question, result, turn) if turn else "no answer"
            out.append(Asked(picture=name, question=question.ask, answer=answer, problem=problem))
    return out


def _asked(
    assistant: Assistant, result: FaceAnalysis, question: str, history: Sequence[Turn]
) -> tuple[Turn | None, FaceAnalysis]:
    turn = None
    for event in assistant.ask(result, question, history=history):
        if isinstance(event, Analyzed):
            result = event.result
        elif isinstance(event, TurnDone):
            turn = event.turn
        elif isinstance(event, Failed):
            return None, result
    return turn, result


def problem_of(question: Question, result: FaceAnalysis, turn: Turn) -> str:
    """Why an answer does not fit its question; empty where it does."""
    text = turn.explanation.text
    struck = [s for s in turn.explanation.sentences if s.struck and not s.replacement]
    if not text.strip():
        return "empty"
    if struck:
        return f"struck: {struck[0].text}"
    refused = [t for t in ("identity", "traits", "pressure") if _tells(text, t)]
    if question.refused:
        return "" if question.refused in refused else "not refused"
    if refused and route(question.ask).kind in REFUSED:
        return f"refused as {refused[0]}"
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", without_cites(text)) if s]
    if question.one_sentence and len(sentences) != 1:
        return f"{len(sentences)} sentences where one was asked for"
    if question.simple and (hard := HARD_WORDS.search(text)):
        return f"a hard word: {hard[0]}"
    cited = set(re.findall(r"\[([A-Z])\d+\]", text))
    there = {fact.id[0] for fact in result.evidence.facts}
    if question.about and _tells(text, question.about):
        return ""
    wanted = set(question.facts) & there
    if question.facts and (wanted & cited or not (wanted or question.about)):
        return ""
    return f"neither cites {question.facts or 'a fact'} nor tells of {question.about or 'it'}"


def _tells(text: str, topic: str) -> bool:
    return about(topic)[0].rstrip(".") in without_cites(text)
