"""A text tower trained against the locked picture tower, and what its prompts alone tell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from safetensors.torch import load_file
from tqdm import tqdm

from assistant.detectors.text_tower import (
    TextTowerLayout,
    VisionLanguageModel,
    Vocabulary,
    contrastive_loss,
)
from assistant.detectors.tower import TOWERS, tower_sha256
from assistant.errors import TrainingError
from assistant.evaluation.config_file import ConfigFile
from assistant.evaluation.detection_metrics import auroc_by_source
from assistant.evaluation.face_manifest import ManifestRow, read_manifest
from assistant.evaluation.scoring import found_in
from assistant.evaluation.tables import shown, table
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits
from assistant.training.captions import (
    HELD_OUT,
    Caption,
    all_captions,
    captions_of,
    read_annotations,
)
from assistant.training.detector_config import CropConfig
from assistant.training.face_cache import UNREADABLE, CropCache, RowStore, work_order
from assistant.training.frozen import statistics_of
from assistant.training.losses import descend
from assistant.training.splits import list_sha256, parts_of
from assistant.types import CropSpec

__all__ = [
    "PROMPTS", "TextTowerConfig", "train_text_tower", "zero_shot_markdown", "zero_shot_table",
]  # fmt: skip

#: Prompt pairs that are reported: name -> (real, manipulated). The last were never trained.
PROMPTS: dict[str, tuple[str, str]] = {
    "face": ("a real face", "a fake face"),
    "photo": ("a real photo of a person", "a fake photo of a person"),
    "held out": HELD_OUT,
}
_SPEC = CropSpec(size=224, scale=0.95, shift_y=-0.13)
_BATCH = 8


class TextTowerConfig(ConfigFile):
    """A whole run. ``per_source``: pictures of each source at most, half of each class."""

    example: ClassVar[str] = "configs/text-tower.yaml"
    places: ClassVar[tuple[str, ...]] = ("manifest", "annotations")

    manifest: Path
    annotations: Path | None = None
    base: str = "dinov2-vits14"
    crop: CropConfig = CropConfig()
    per_source: dict[str, int]
    blocks: tuple[int, ...] = (3, 5, 6, 8)
    width: int = Field(default=128, ge=16, le=512)
    layers: int = Field(default=3, ge=1, le=12)
    heads: int = Field(default=4, ge=1)
    context: int = Field(default=32, ge=8, le=77)
    epochs: int = Field(default=30, ge=1)
    batch: int = Field(default=192, ge=8)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.5, ge=0)
    test_percent: int = Field(default=15, ge=1, le=50)
    calibration_percent: int = Field(default=7, ge=1, le=50)
    seed: int = 0
    threads: int = Field(default=2, ge=1)


def train_text_tower(
    config: TextTowerConfig,
    base: Path,
    finder: FaceFinder,
    *,
    work: Path,
    output: Path,
) -> dict[str, Any]:
    """From manifest to one file; crops and statistics resume where they stopped.

    Returns:
        The report that is also in the file: data, and zero-shot AUROC of :data:`PROMPTS` by source
        on videos kept out.

    Raises:
        TrainingError: the manifest is wrong, a class is missing, or the loss is not finite.
    """
    torch.set_num_threads(config.threads)
    rows = read_manifest(config.manifest)
    annotations = read_annotations(config.annotations)
    chosen = _chosen(rows, config)
    cache = CropCache(work, chosen, config.crop.spec)
    cache.fill(finder, limit=len(chosen))
    state = load_file(base)
    name = f"text-{'-'.join(str(block) for block in config.blocks)}"
    shape = (len(config.blocks), 3, TOWERS["vit-s14"].width)
    store = RowStore(cache.folder, name, len(chosen), {name: (shape, np.float16)})
    run = statistics_of(state, TOWERS["vit-s14"], config.blocks)
    store.fill(
        lambda rows: {name: run([np.array(cache.crops[i]) for i in rows])},
        limit=len(chosen),
    )
    usable = cache.points[:, 0] != UNREADABLE
    known = [row for row, keep in zip(cache.rows, usable, strict=True) if keep]
    values = np.asarray(store.arrays[name])[usable]
    parts = parts_of(
        known, {"test": config.test_percent, "calibration": config.calibration_percent}
    )
    train, test = parts == "train", parts == "test"
    model = fit_text_tower(
        values[train],
        [row for row, keep in zip(known, train, strict=True) if keep],
        annotations,
        config,
    )
    judged = [row for row, keep in zip(known, test, strict=True) if keep]
    report = {
        "data_sha256": list_sha256(chosen),
        "pictures": len(known),
        "trained_on": int(train.sum()),
        "words": len(model.vocabulary),
        "annotated": sum(Path(r.name).stem in annotations for r in known),
        "zero_shot": {
            name: zero_shot(model, values[test], judged, real=[real], fake=[fake])
            for name, (real, fake) in PROMPTS.items()
        },
        "config": config.model_dump(mode="json", exclude={"manifest", "annotations"}),
    }
    model.save(output, base_sha256=tower_sha256(state), card=report)
    return report


def fit_text_tower(
    values: NDArray[np.floating],
    rows: Sequence[ManifestRow],
    annotations: dict[str, list[str]],
    config: TextTowerConfig,
) -> VisionLanguageModel:
    """Train on N x blocks x 3 x width statistics of ``rows``.

    Raises:
        TrainingError: a class is missing, or the loss is not finite.
    """
    labels = np.array([row.label for row in rows])
    if len(set(labels.tolist())) < 2:
        raise TrainingError(
            "The text tower needs real and manipulated faces; one class is missing.",
            hint="Add the other class to the manifest.",
            code="one-class",
        )
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    vocabulary = Vocabulary.of([*all_captions(annotations), *HELD_OUT, *HELD_OUT])
    layout = TextTowerLayout(
        context=config.context,
        width=config.width,
        heads=config.heads,
        layers=config.layers,
        blocks=config.blocks,
        picture_width=values.shape[-1],
    )
    model = VisionLanguageModel(layout, vocabulary)
    flat = torch.from_numpy(values.reshape(len(values), -1).astype(np.float32))
    with torch.no_grad():
        model.mean.copy_(flat.mean(0))  # type: ignore[operator]
        model.spread.copy_(flat.std(0) + 1e-4)  # type: ignore[operator]
    optimiser = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    draws = _draw_weights(rows)
    steps = max(1, len(rows) // config.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.epochs * steps)
    epochs = tqdm(range(config.epochs), "text tower")
    for epoch in epochs:
        model.train()
        total = 0.0
        for step in range(steps):
            picked = rng.choice(len(rows), min(config.batch, len(rows)), replace=False, p=draws)
            batch = [rows[i] for i in picked]
            captions = [captions_of(row, annotations, rng) for row in batch]
            loss = _loss(model, flat[torch.from_numpy(picked)], batch, captions)
            where = f"in epoch {epoch + 1}, step {step + 1}"
            total += descend(optimiser, loss, where, hint="Lower learning_rate.")
            schedule.step()
            with torch.no_grad():
                model.logit_scale.clamp_(0.0, float(np.log(100.0)))
        epochs.set_postfix(loss=total / steps)
    return model.eval().requires_grad_(False)


def zero_shot(
    model: VisionLanguageModel,
    values: NDArray[np.floating],
    rows: Sequence[ManifestRow],
    *,
    real: Sequence[str],
    fake: Sequence[str],
) -> dict[str, float | None]:
    """AUROC of prompts by source and overall (None: one class only)."""
    logits = model.prompt_logits(values, real=real, fake=fake)
    labels = np.array([row.label for row in rows], np.int64)
    sources = np.array([row.source for row in rows])
    found = auroc_by_source(labels, logits, sources, "overall")
    whole = found.pop("overall")
    return {**found, "overall": whole}


def _loss(
    model: VisionLanguageModel,
    values: torch.Tensor,
    batch: Sequence[ManifestRow],
    captions: Sequence[Caption],
) -> torch.Tensor:
    fits = torch.tensor([[float(c.fits(row)) for c in captions] for row in batch])
    texts = sorted({c.text for c in captions})  # plain ones come often: each is run once
    at = torch.tensor([texts.index(c.text) for c in captions])
    numbers = model.vocabulary.encode(texts, model.layout.context)
    return contrastive_loss(
        model.encode_statistics(values),
        model.encode_tokens(numbers)[at],
        fits,
        model.logit_scale.exp(),
    )


def _draw_weights(rows: Sequence[ManifestRow]) -> NDArray[np.float64]:
    """Every class the same in all; within it, sources by the root of their size."""
    keys = [(row.label, row.source) for row in rows]
    counts = {key: keys.count(key) for key in set(keys)}
    weights = np.array([counts[key] ** -0.5 for key in keys])
    labels = np.array([row.label for row in rows])
    for label in (0, 1):
        weights[labels == label] /= weights[labels == label].sum()
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _chosen(rows: Sequence[ManifestRow], config: TextTowerConfig) -> list[ManifestRow]:
    """At most ``per_source`` pictures of each source, half of each class where there are both."""
    order = work_order(len(rows))
    taken: list[ManifestRow] = []
    for source, most in sorted(config.per_source.items()):
        found = [rows[i] for i in order if rows[i].source == source]
        classes = [[r for r in found if r.label == label] for label in (0, 1)]
        both = all(classes)
        for members in classes:
            taken += members[: most // 2 if both else most]
    if not taken:
        raise TrainingError(
            f"The manifest holds no picture of {', '.join(sorted(config.per_source))}.",
            hint="Name its sources in per_source.",
            code="manifest",
        )
    return taken


def report_text(report: dict[str, Any]) -> str:
    """The zero-shot AUROC as a Markdown table."""
    found = report["zero_shot"]
    sources = list(next(iter(found.values())))
    rows = [[name, *(shown(one[s]) for s in sources)] for name, one in found.items()]
    head = json.dumps({k: report[k] for k in ("trained_on", "words")})
    return f"{head}\n\n{table(['prompts', *sources], rows)}"


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
