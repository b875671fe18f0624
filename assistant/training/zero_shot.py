"""Prompts against faces: what the text tower knows without being trained for a manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file

from assistant.detectors.text_tower import VisionLanguageModel
from assistant.detectors.tower import TOWERS, tower_sha256
from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import found_in
from assistant.evaluation.tables import shown, table
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits
from assistant.training.frozen import statistics_of
from assistant.training.text_tower import PROMPTS, zero_shot
from assistant.types import CropSpec

__all__ = ["zero_shot_markdown", "zero_shot_table"]

_SPEC = CropSpec(size=224, scale=0.95, shift_y=-0.13)
_BATCH = 8


def zero_shot_table(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    base: Path,
    text_tower: Path,
    *,
    prompts: Mapping[str, tuple[list[str], list[str]]] | None = None,
    limit: int = 400,
    seed: int = 0,
) -> dict[str, Any]:
    """AUROC of prompt pairs by source.

    Args:
        rows: of a manifest; of a video the first frame is judged.
        finder: finds the faces.
        base: safetensors of the picture tower.
        text_tower: file of ``whyfake train text-tower``.
        prompts: name -> (prompts of real faces, prompts of manipulated ones); default: those that
            were reported in training.
        limit: rows at most, drawn by ``seed``.
        seed: of the draw.

    Raises:
        TrainingError: no face was found in any picture.
        WeightsError: the text tower is missing, or was trained on another base.
    """
    state = load_file(base)
    model = VisionLanguageModel.load(text_tower, base_sha256=tower_sha256(state))
    run = statistics_of(state, TOWERS["vit-s14"], model.layout.blocks)
    pairs = prompts or {name: ([real], [fake]) for name, (real, fake) in PROMPTS.items()}
    texts = [text for sides in pairs.values() for side in sides for text in side]
    unknown = sorted({word for text in texts for word in model.vocabulary.unknown(text)})
    order = np.random.default_rng(seed).permutation(len(rows))[:limit]
    chosen = [rows[index] for index in sorted(order)]
    pictures = found_in(chosen, finder, _SPEC, MediaLimits(frames=1))
    seen = [(row, found.crops[0]) for row, found in pictures if found.crops]
    known, crops = [row for row, _ in seen], [crop for _, crop in seen]
    if not crops:
        raise TrainingError(
            f"No face was found in any of {len(order)} pictures.",
            hint="For pictures that are face crops already, add a column crop with 1.",
            code="no-faces",
        )
    values = np.concatenate([run(crops[i : i + _BATCH]) for i in range(0, len(crops), _BATCH)])
    return {
        "schema": "whyfake.zero-shot/1",
        "n": len(known),
        "not_scored": len(order) - len(known),
        "unknown_words": unknown,
        "prompts": {
            name: {
                "real": real,
                "fake": fake,
                "auroc": zero_shot(model, values, known, real=real, fake=fake),
            }
            for name, (real, fake) in pairs.items()
        },
    }


def zero_shot_markdown(result: dict[str, Any]) -> str:
    """The table as Markdown."""
    found = result["prompts"]
    sources = list(next(iter(found.values()))["auroc"])
    rows = [[name, *(shown(entry["auroc"][s]) for s in sources)] for name, entry in found.items()]
    lines = [table(["prompts", *sources], rows), "", f"AUROC on {result['n']} faces."]
    if result["unknown_words"]:
        lines.append(f"Words it does not know: {', '.join(result['unknown_words'])}.")
    return "\n".join(lines)
