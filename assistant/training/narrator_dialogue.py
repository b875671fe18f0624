"""Training texts for the narrator as tokens: a case's prefix and the dialogues that branch off.

Picture, system message and facts are the costly part of a prompt, and the same for the explanation
and for every question. So one sequence holds them once, followed by several branches that each see
the prefix and themselves alone (a block mask, positions counted from the prefix): the loss is that
of separate dialogues at a third of the work.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.prompting import PromptLibrary
from assistant.routing import QuestionKind
from assistant.types import Evidence, Image, Message
from assistant.vlm.composition import compose_answer, compose_explanation, questions_for

__all__ = ["PICTURE", "Packed", "caption", "caption_dialogue", "case_dialogues", "packed"]

#: Stands for the picture's tokens in a token list.
PICTURE = -1
_KINDS = tuple(QuestionKind)
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
    evidence: Evidence, prompts: PromptLibrary, rng: random.Random, *, answers: int = 4
) -> list[list[Message]]:
    """An explanation and ``answers`` answers on one case, the last with a turn before it."""
    explain, answer = prompts.get("explain"), prompts.get("answer")
    facts = evidence.to_prompt()
    out = [
        [
            *explain.render(facts=facts),
            Message(role="assistant", content=compose_explanation(evidence, rng)),
        ]
    ]
    earlier: list[Message] = []
    for number in range(answers):
        kind = rng.choice(_KINDS)
        if kind is QuestionKind.EMPTY:
            kind = QuestionKind.WHY
        question = rng.choice(questions_for(kind))
        text = compose_answer(evidence, question, rng)
        *head, last = answer.render(facts=facts, question=question)
        past = earlier if number == answers - 1 else []
        out.append([*head, *past, last, Message(role="assistant", content=text)])
        earlier = [
            Message(role="user", content=question),
            Message(role="assistant", content=text),
        ]
    return out


def caption_dialogue(image: Image, prompts: PromptLibrary, rng: random.Random) -> list[Message]:
    """The blind description of a crop, from what was measured on it."""
    text = caption(image, rng)
    return [*prompts.get("describe").render(), Message(role="assistant", content=text)]


def caption(image: Image, rng: random.Random) -> str:
    """Light, contrast, colour and sharpness of a crop in words; measured, never guessed."""
    grey = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    bright = float(grey.mean())
    light = "dark" if bright < 80 else "bright" if bright > 150 else "evenly lit"
    half = grey.shape[1] // 2
    lean = float(grey[:, :half].mean() - grey[:, half:].mean())
    side = "left" if lean > 18 else "right" if lean < -18 else ""
    edges = np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()
    sharp = "soft" if edges < 6 else "sharp" if edges > 12 else "fairly sharp"
    colour = float(np.ptp(image.astype(np.int16), axis=2).mean())
    tone = "almost without colour" if colour < 12 else "strong in colour" if colour > 60 else ""
    said = [
        rng.choice((f"The picture is {light}.", f"The crop is {light}.")),
        rng.choice((f"It is {sharp}.", f"The picture looks {sharp}.")),
    ]
    if side:
        said.append(rng.choice((f"The {side} side is brighter.", f"More light is on the {side}.")))
    if tone:
        said.append(f"It is {tone}.")
    return " ".join(said)


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
