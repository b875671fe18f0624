"""A start for the projector: its tokens come to lie near the words of what is seen.

A language model reads words; a projector that starts anywhere has to find by its gradient, at
seconds a picture, where the words lie. Here no language model runs: the mean token of a picture
shall point, among the words that tell an attribute's values apart (``dark``, ``bright``), to the
one that its caption holds. The word embeddings are fixed, so this takes seconds in all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from assistant.training.narrator_model import NarratorModel, picture_features
from assistant.training.narrator_pictures import Seen, caption, changed

__all__ = ["VALUES", "towards_words"]

#: Attribute by attribute: what a caption holds -> the word whose embedding stands for it.
VALUES: tuple[dict[str, str], ...] = (
    {
        "is tilted": "tilted",
        "is upright": "upright",
        "turned to the left": "left",
        "turned to the right": "right",
    },
    {
        "light is dark": "dark",
        "light is bright": "bright",
        "light is even": "even",
        "left side": "left",
        "right side": "right",
    },
    {"is soft": "soft", "is fairly sharp": "fairly", "is sharp": "sharp"},
    {"without colour": "without", "in colour": "colour"},
    {"are glasses": "glasses", "eyes are bare": "eyes"},
    {"a beard": "beard", "chin is bare": "chin"},
    {"mouth is open": "open", "mouth is closed": "closed"},
)
_TOKENS, _BATCH, _SHARPNESS, _RATE = 64, 16, 10.0, 2e-3


def towards_words(
    model: NarratorModel,
    eye: Any,
    tokenizer: Any,
    faces: Sequence[Seen],
    *,
    pictures: int,
    seed: int,
    progress: Callable[[str], None],
) -> None:
    """Train the projector on ``pictures`` changed faces, so many steps of 16 over four.

    Args:
        model: its projector is changed.
        eye: the tower (``vision_tower``).
        tokenizer: of the language model.
        faces: which are changed at random.
        pictures: how many changed faces.
        seed: of the changes.
        progress: told lines.
    """
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    draw = torch.Generator().manual_seed(seed)
    features, values = [], []
    for number in range(pictures):
        face = changed(faces[number * 7919 % len(faces)], rng)
        some = torch.randperm(256, generator=draw)[:_TOKENS]
        features.append(picture_features(eye, face.crop)[some].half())
        values.append(values_of(caption(face)))
        if (number + 1) % 200 == 0:
            progress(f"{number + 1}/{pictures} pictures seen by the tower")
    tokens, wanted = torch.stack(features), torch.tensor(values)
    embedded = model.word_embeddings().detach().float()
    length = float(embedded.norm(dim=1).mean())
    words = [_directions(embedded, tokenizer, list(by.values())) for by in VALUES]
    projector = [*model.linear_1.parameters(), *model.linear_2.parameters()]
    optimiser = torch.optim.AdamW(projector, lr=_RATE, weight_decay=0.0)
    steps = max(1, pictures // 3)
    for step in range(steps):
        picked = torch.randint(len(tokens), (_BATCH,), generator=draw)
        projected = model.projected(tokens[picked])
        mean = projected.mean(1) / length
        loss = ((projected.norm(dim=2) / length - 1) ** 2).mean()
        for column, directions in enumerate(words):
            known = wanted[picked, column]
            if (known >= 0).any():
                logits = _SHARPNESS * mean @ directions.T
                loss = loss + nn.functional.cross_entropy(logits, known, ignore_index=-1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        for group in optimiser.param_groups:
            group["lr"] = _RATE * max(0.05, 1 - step / steps)
    optimiser.zero_grad()
    progress(f"the projector points to words, last loss {loss.item():.2f}")


def values_of(text: str) -> list[int]:
    """Of each attribute the number of the value that a caption tells; -1: none."""
    return [next((i for i, said in enumerate(by) if said in text), -1) for by in VALUES]


def _directions(embedded: torch.Tensor, tokenizer: Any, words: Sequence[str]) -> torch.Tensor:
    """What tells the words of one attribute apart: unit vectors (words, width)."""
    vectors = torch.stack(
        [
            embedded[torch.tensor(tokenizer.encode(f" {word}", add_special_tokens=False))].mean(0)
            for word in words
        ]
    )
    apart = vectors - vectors.mean(0)
    unit: torch.Tensor = apart / apart.norm(dim=1, keepdim=True).clamp_min(1e-6)
    return unit
