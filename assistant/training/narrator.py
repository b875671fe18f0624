"""Trains the embedded narrator: LoRA on the language model and the projector, the tower frozen.

The projector first learns to point to words (:mod:`assistant.training.narrator_words`); then
grounded dialogue and blind captions are mixed. Every text is composed from facts, measurements or
labels, so it is true by construction. Checkpoints let a run go on where it stopped. See Liu et al.,
"Visual Instruction Tuning", arXiv 2304.08485, and Hu et al., "LoRA", arXiv 2106.09685.
"""

from __future__ import annotations

import json
import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.numpy import load_file

from assistant.errors import TrainingError
from assistant.evaluation.map_faces import aligned_faces
from assistant.interfaces import FaceFinder
from assistant.prompting import PromptLibrary
from assistant.resources import resource_dir
from assistant.training.narrator_cases import made_up_evidence
from assistant.training.narrator_dialogue import caption_dialogue, case_dialogues, packed
from assistant.training.narrator_model import NarratorModel, picture_features
from assistant.training.narrator_pictures import Seen, changed, listed_seen, read_labels
from assistant.training.narrator_words import towards_words
from assistant.training.router import RouterConfig, Wording, read_wordings
from assistant.types import CropSpec, Image, Message
from assistant.vlm.llava import tokenizer_from_gguf, vision_tower

__all__ = [
    "NarratorConfig",
    "dialogues_of",
    "load_config",
    "read_pictures",
    "train_narrator",
    "write_dialogues",
]

_LOG = logging.getLogger(__name__)


class NarratorConfig(BaseModel):
    """Settings of one run; paths are relative to the working folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path = Field(description="Folder that the picture list's paths are relative to.")
    pictures: Path = Field(
        description="CSV: path, split (train, heldout), glasses, beard, open mouth (1, 0 or empty)."
    )
    language_model: str = "smollm2-135m-q4"
    tower: str = "dinov2-vits14"
    questions: Path = Field(
        default=Path("configs/router.yaml"), description="The router's recipe: ways to ask."
    )
    projector: Path | None = Field(default=None, description="Where it starts; else untrained.")
    adapter: Path | None = Field(default=None, description="LoRA it starts from; else none.")
    output: Path = Path("runs/narrator")
    steps: int = Field(default=200, ge=1, description="Sequences, one case or caption each.")
    accumulate: int = Field(default=2, ge=1, description="Sequences a step of the optimiser.")
    answers: int = Field(default=2, ge=1, description="Questions a case.")
    caption_share: float = Field(default=0.2, ge=0, le=1)
    words: int = Field(
        default=0, ge=0, description="Pictures that teach the projector words first; 0: none."
    )
    rank: int = Field(default=8, ge=1)
    alpha: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    projector_rate: float = Field(default=0.1, gt=0, description="Share of the learning rate.")
    warmup: int = Field(default=8, ge=0, description="Steps of the optimiser.")
    seed: int = 0
    threads: int = Field(default=1, ge=1)
    minutes: float = Field(default=40, gt=0, description="Longest time; the schedule follows it.")
    checkpoint_every: int = Field(default=20, ge=1)
    dtype: str = Field(default="float32", pattern="^(bfloat16|float32)$")


def load_config(path: Path) -> NarratorConfig:
    """Read a run's YAML file.

    Raises:
        TrainingError: missing, not YAML, or with wrong settings.
    """
    try:
        return NarratorConfig(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, TypeError, ValidationError) as error:
        raise TrainingError(
            f"The training config {path.name} cannot be used: {error}",
            hint="See configs/narrator.yaml for one that works.",
        ) from error


def read_pictures(config: NarratorConfig, split: str, finder: FaceFinder) -> list[Seen]:
    """The listed faces of one split, aligned, with their labels.

    Raises:
        TrainingError: the list or a picture is missing, or the split has no face.
    """
    import PIL.Image

    pictures = []
    for name, (of, *_) in read_labels(config.pictures).items():
        if of != split:
            continue
        try:
            with PIL.Image.open(config.data / name) as picture:
                pictures.append((name, np.array(picture.convert("RGB"))))
        except OSError as error:
            raise TrainingError(
                f"The pictures of {config.pictures} cannot be read ({error}).",
                hint="Set `data` to the folder they lie in.",
            ) from error
    faces = aligned_faces(pictures, finder, CropSpec())
    return listed_seen(config.pictures, {f.name: (f.crop, f.crop_landmarks) for f in faces}, split)


def dialogues_of(
    config: NarratorConfig,
    step: int,
    face: Seen,
    prompts: PromptLibrary,
    questions: Sequence[Wording],
) -> tuple[Image, list[list[Message]]]:
    """The picture and the dialogues of one step: a case's explanation and answers, or a caption.

    Each step has its own seed, so that a resumed run sees what an unbroken one sees.
    """
    rng = random.Random(config.seed * 1_000_003 + step)  # noqa: S311 - not for secrets
    if rng.random() < config.caption_share:
        face = changed(face, rng)
        return face.crop, [caption_dialogue(face, prompts)]
    evidence = made_up_evidence(rng)
    return face.crop, case_dialogues(evidence, prompts, rng, questions, answers=config.answers)


def write_dialogues(config: NarratorConfig, path: Path) -> tuple[int, float]:
    """Write the dialogues of all steps, a line of JSON each; how many, and words a text.

    Raises:
        TrainingError: the file cannot be written.
    """
    prompts = PromptLibrary(resource_dir("prompts"))
    questions = read_wordings(RouterConfig.read(config.questions))
    points = np.array([[80, 90], [144, 90], [112, 125], [88, 155], [136, 155]], np.float64)
    blank = Seen(crop=np.full((224, 224, 3), 128, np.uint8), points=points)
    count = words = 0
    try:
        with path.open("w", encoding="utf-8") as file:
            for step in range(config.steps):
                for dialogue in dialogues_of(config, step, blank, prompts, questions)[1]:
                    said = [{"role": m.role, "content": m.content} for m in dialogue]
                    file.write(json.dumps(said) + "\n")
                    count += 1
                    words += len(dialogue[-1].content.split())
    except OSError as error:
        raise TrainingError(
            f"The dialogues cannot be written ({error}).", hint="Name a file that can be written."
        ) from error
    return count, words / count


def train_narrator(
    config: NarratorConfig,
    *,
    language_model: Path,
    tower: Path,
    finder: FaceFinder,
    resume: bool = True,
    progress: Callable[[str], None] = _LOG.info,
) -> Path:
    """Train until ``steps`` or ``minutes`` are spent; returns the checkpoint.

    The learning rate falls along whichever of the two is further on. The checkpoint holds LoRA,
    projector, optimiser and counters.

    Raises:
        TrainingError: the loss is not finite, or a checkpoint is of another rank.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    config.output.mkdir(parents=True, exist_ok=True)
    faces = read_pictures(config, "train", finder)
    progress(f"{len(faces)} faces")
    eye = vision_tower(tower)
    prompts = PromptLibrary(resource_dir("prompts"))
    tokenizer = tokenizer_from_gguf(language_model)
    questions = read_wordings(RouterConfig.read(config.questions))
    model = NarratorModel(
        language_model,
        config.projector,
        rank=config.rank,
        alpha=config.alpha,
        dtype=getattr(torch, config.dtype),
    )
    if config.adapter is not None:
        model.load_lora(load_file(config.adapter))
    projector = [*model.linear_1.parameters(), *model.linear_2.parameters()]
    adapter = [p for n, p in model.named_parameters() if ".lora_" in n]
    learned = [*adapter, *projector]
    groups = [
        {"params": adapter, "share": 1.0},
        {"params": projector, "share": config.projector_rate},
    ]
    optimiser = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=0.0)
    checkpoint = config.output / "checkpoint.pt"
    start, spent = (0, 0.0)
    if resume and checkpoint.is_file():
        start, spent = _resume(model, optimiser, checkpoint)
        progress(f"going on from sequence {start}")
    elif config.words:
        towards_words(
            model,
            eye,
            tokenizer,
            faces,
            pictures=config.words,
            seed=config.seed,
            progress=progress,
        )
    began = time.monotonic() - spent
    smoothed = math.nan
    trained = start
    for step in range(start, config.steps):
        done = max(step / config.steps, (time.monotonic() - began) / (60 * config.minutes))
        if done >= 1:
            break
        rate = _rate(config, step, done)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
        face = faces[(config.seed + step * 7919) % len(faces)]
        image, dialogues = dialogues_of(config, step, face, prompts, questions)
        sample = packed(dialogues, tokenizer)
        loss = model.loss(sample, picture_features(eye, image))
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss is not finite at sequence {step}.", hint="Lower the learning rate."
            )
        (loss / config.accumulate).backward()
        if (step + 1) % config.accumulate == 0:
            torch.nn.utils.clip_grad_norm_(learned, 1.0)
            optimiser.step()
            optimiser.zero_grad()
        trained = step + 1
        value = loss.item()
        smoothed = value if math.isnan(smoothed) else 0.9 * smoothed + 0.1 * value
        elapsed = time.monotonic() - began
        left = min(elapsed / (step + 1) * (config.steps - step - 1), 60 * config.minutes - elapsed)
        progress(
            f"{step + 1}/{config.steps} loss {value:.3f} (mean {smoothed:.3f}) "
            f"{len(sample.tokens)} tokens, lr {rate:.1e}, {left / 60:.1f} min left"
        )
        if (step + 1) % config.checkpoint_every == 0:
            _save(model, optimiser, checkpoint, step + 1, elapsed)
    _save(model, optimiser, checkpoint, trained, time.monotonic() - began)
    return checkpoint


def _rate(config: NarratorConfig, step: int, done: float) -> float:
    warm = min(1.0, (step + 1) / max(1, config.warmup * config.accumulate))
    return config.learning_rate * warm * max(0.02, 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def _learned_state(model: NarratorModel) -> dict[str, torch.Tensor]:
    return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}


def _save(model: NarratorModel, optimiser: Any, path: Path, step: int, seconds: float) -> None:
    temporary = path.with_suffix(".part")
    torch.save(
        {
            "weights": _learned_state(model),
            "optimiser": optimiser.state_dict(),
            "step": step,
            "seconds": seconds,
        },
        temporary,
    )
    temporary.replace(path)


def _resume(model: NarratorModel, optimiser: Any, path: Path) -> tuple[int, float]:
    found = torch.load(path, weights_only=True)
    ours = _learned_state(model)
    if {k: v.shape for k, v in ours.items()} != {k: v.shape for k, v in found["weights"].items()}:
        raise TrainingError(
            f"The checkpoint {path} is of another model or rank.",
            hint="Give another `output`, or remove it.",
        )
    model.load_state_dict(found["weights"], strict=False)
    optimiser.load_state_dict(found["optimiser"])
    return int(found["step"]), float(found["seconds"])
