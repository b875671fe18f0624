"""Training texts for the narrator as tokens: a case's prefix and the dialogues that branch off.

System message and picture are the same for the explanation and for every question. So one sequence
holds them once, followed by several branches that each see the prefix and themselves alone (a block
mask, positions counted from the prefix): the loss is that of separate dialogues at less work.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.citations import without_cites
from assistant.prompting import PromptLibrary
from assistant.routing import HARD_WORDS, QuestionKind
from assistant.routing.answering import ANSWERED_BY
from assistant.training.narrator_pictures import Seen, caption
from assistant.training.narrator_texts import sentence_of, told
from assistant.training.router import Wording
from assistant.types import Evidence, Message
from assistant.vlm.composition import compose_answer, must_be_told, to_the_point
from assistant.vlm.composition.pictures import ONE_PICTURE

__all__ = [
    "PICTURE",
    "Packed",
    "answered",
    "caption_dialogue",
    "case_dialogues",
    "explanation_text",
    "packed",
]

#: Stands for the picture's tokens in a token list.
PICTURE = -1
# Shares of the questions: answered by fixed sentences (refusals, what the tool is), in one
# sentence, in simple words, after an earlier turn.
_FIXED, _ONE_SENTENCE, _SIMPLE, _AFTER_A_TURN = 0.12, 0.15, 0.1, 0.3
_IN_ONE = ("In one sentence: {}", "{} In one sentence please.", "{} Keep it to one sentence.")
_SIMPLY = ("In simple words: {}", "{} Explain it simply.", "{} In plain words please.")
_FEWEST, _MOST, _TRIES = 40, 90, 8
_END = "<|im_end|>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Token ids (:data:`PICTURE` once a picture token), positions, branch numbers and targets.

    ``branch`` is 0 for the prefix; ``target`` is True where the token is to be learned. All have
    the same length.
    """

    tokens: NDArray[np.int64]
    positions: NDArray[np.int64]
    branch: NDArray[np.int64]
    target: NDArray[np.bool_]

    def mask(self) -> NDArray[np.bool_]:
        """T x T: which token (column) each token (row) may see."""
        order = np.arange(len(self.tokens))
        causal = order[None] <= order[:, None]
        seen = (self.branch[None] == 0) | (self.branch[None] == self.branch[:, None])
        allowed: NDArray[np.bool_] = causal & seen
        return allowed


def case_dialogues(
    evidence: Evidence,
    prompts: PromptLibrary,
    rng: random.Random,
    questions: Sequence[Wording],
    *,
    answers: int = 2,
) -> list[list[Message]]:
    """An explanation and ``answers`` answers on one case, some after an earlier turn.

    Args:
        evidence: the case.
        prompts: the prompt files.
        rng: picks facts to tell, wordings and questions.
        questions: ways to ask, of which English ones are taken.
        answers: questions that are asked.
    """
    explain, answer = prompts.get("explain"), prompts.get("answer")
    chosen = to_the_point(evidence, None)
    text = explanation_text(chosen, rng)
    shown = {"pictures": ONE_PICTURE, "facts": chosen.to_prompt()}
    out = [[*explain.render(**shown), Message(role="assistant", content=text)]]
    earlier: list[Message] = []
    for _ in range(answers):
        question, facts, text = answered(evidence, rng, questions)
        shown = {"pictures": ONE_PICTURE, "facts": facts, "question": question}
        *head, last = answer.render(**shown)
        past = earlier if rng.random() < _AFTER_A_TURN else []
        out.append([*head, *past, last, Message(role="assistant", content=text)])
        earlier = [
            Message(role="user", content=question),
            Message(role="assistant", content=text),
        ]
    return out


def explanation_text(chosen: Evidence, rng: random.Random) -> str:
    """An explanation of 40 to 90 words from the facts to the point, where there is that much."""
    must = must_be_told(chosen.facts)
    text = ""
    for _ in range(_TRIES):
        text = " ".join(told(chosen, rng, most=7, must=must))
        if _FEWEST <= len(without_cites(text).split()) <= _MOST:
            break
    return text


def answered(
    evidence: Evidence, rng: random.Random, questions: Sequence[Wording]
) -> tuple[str, str, str]:
    """A question, the facts that are told with it, and its answer."""
    english = [q for q in questions if q.language == "en" and not q.held_out]
    written = [q for q in english if q.kind in ANSWERED_BY]
    fixed = [q for q in english if q.kind not in ANSWERED_BY]
    asked = rng.choice(fixed if fixed and rng.random() < _FIXED else written)
    chosen = to_the_point(evidence, asked.kind, asked.text)
    if asked.kind not in ANSWERED_BY:
        text = compose_answer(evidence, asked.text, rng)
        cited = tuple(f for f in evidence.facts if f"[{f.id}]" in text)
        return asked.text, replace(evidence, facts=cited or chosen.facts).to_prompt(), text
    manner = rng.random()
    question = asked.text
    if manner < _ONE_SENTENCE:
        question = rng.choice(_IN_ONE).format(question)
        lead = next((f for f in chosen.facts if f.kind.value in "CVR"), chosen.facts[0])
        if asked.kind is not QuestionKind.WHY:
            lead = chosen.facts[0]
        return question, chosen.to_prompt(), sentence_of(lead, chosen, rng)
    if manner < _ONE_SENTENCE + _SIMPLE:
        question = rng.choice(_SIMPLY).format(question)
        for _ in range(_TRIES):
            said = told(chosen, rng, most=3)
            plain = [s for s in said if not HARD_WORDS.search(s)]
            if plain:
                return question, chosen.to_prompt(), " ".join(plain)
    return question, chosen.to_prompt(), " ".join(told(chosen, rng, most=5))


def caption_dialogue(face: Seen, prompts: PromptLibrary) -> list[Message]:
    """The blind description of a face, from what is known to be seen in it."""
    return [
        *prompts.get("describe").render(),
        Message(role="assistant", content=caption(face)),
    ]


def packed(
    dialogues: Sequence[Sequence[Message]], tokenizer: Any, *, picture_tokens: int = 256
) -> Packed:
    """Dialogues with the same beginning as one sequence; each ends in the answer to be learned."""
    rows = [_tokens(dialogue, tokenizer, picture_tokens) for dialogue in dialogues]
    shared = min(_common([row for row, _ in rows]), *(len(row) - learned for row, learned in rows))
    tokens = list(rows[0][0][:shared])
    positions = list(range(shared))
    branch = [0] * shared
    target = [False] * shared
    for number, (row, learned) in enumerate(rows, 1):
        rest = row[shared:]
        tokens += rest
        positions += range(shared, len(row))
        branch += [number] * len(rest)
        target += [False] * (len(rest) - learned) + [True] * learned
    return Packed(
        tokens=np.array(tokens),
        positions=np.array(positions),
        branch=np.array(branch),
        target=np.array(target),
    )


def _tokens(
    dialogue: Sequence[Message], tokenizer: Any, picture_tokens: int
) -> tuple[list[int], int]:
    """All tokens of a dialogue, and how many of the last are to be learned."""
    tokens: list[int] = []
    shown = False
    for message in dialogue[:-1]:
        tokens += _encoded(tokenizer, f"<|im_start|>{message.role}\n")
        if message.role == "user" and not shown:
            tokens += [PICTURE] * picture_tokens
            shown = True
        tokens += _encoded(tokenizer, message.content + _END)
    tokens += _encoded(tokenizer, "<|im_start|>assistant\n")
    answer = _encoded(tokenizer, dialogue[-1].content + "<|im_end|>")
    return tokens + answer, len(answer)


def _encoded(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return found


def _common(rows: Sequence[Sequence[int]]) -> int:
    shortest = min(len(row) for row in rows)
    for index in range(shortest):
        if len({row[index] for row in rows}) > 1:
            return index
    return shortest
