"""Train any detector plugin: faces of a manifest in, one safetensors file and its report out.

Deterministic for a seed where the epochs end the run; where the seconds do, the machine's speed
decides how far it gets, and the report says how far.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from assistant import registry
from assistant.calibration.fitting import fit_calibrator
from assistant.detectors.frozen import FeatureStore, FrozenFeatures, to_pixels
from assistant.detectors.plugin import Files, Recipe, TrainedDetector
from assistant.errors import PluginError, TrainingError
from assistant.training.augmentation import Augmentation, augment
from assistant.training.face_set import FaceSet
from assistant.training.losses import descend
from assistant.training.self_blended import self_blend
from assistant.types import Image

__all__ = ["Budget", "train_plugin", "trainable"]

#: Gentler than for the shipped detector: these runs are short.
_CHANGES = Augmentation(affine=0.3, downscale=0.1, blur=0.05, jpeg=0.5)
_FEATURE_SHARE = 0.7
#: Steps after which it is known how many the seconds allow.
_PACED = 3
_WARM = 0.1
#: Faces of each class that a calibration needs.
_LEAST_HELD = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a run may take.

    ``seconds`` of processor time, so that a busy machine takes nothing away; ``epochs`` (None: the
    recipe's); ``features``: those of a frozen tower take most of the seconds, or (false) are made
    for every face and not counted, as where several detectors share them.
    """

    seconds: float = 600.0
    epochs: int | None = None
    features: bool = True


def trainable(name: str, *, plugins: bool = True) -> type[TrainedDetector]:
    """The class of a detector that can be trained here.

    Raises:
        PluginError: there is none of this name, or it has no training of its own.
    """
    found = registry.load("detectors", name, plugins=plugins)
    if isinstance(found, type) and issubclass(found, TrainedDetector):
        return found
    raise PluginError(
        f"The detector {name!r} is not trained by this command.",
        hint="See its page in docs/detectors, or `whyfake train detector`.",
        code="not-trainable",
    )


def train_plugin(
    plugin: type[TrainedDetector],
    train: FaceSet,
    held: FaceSet | None,
    files: Files,
    *,
    output: Path,
    budget: Budget,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    store: FeatureStore | None = None,
) -> dict[str, Any]:
    """Train a plugin, fit its probabilities on faces held aside, and write its file.

    Args:
        plugin: its class.
        train: faces to train on.
        held: faces to fit the probabilities on; none is fitted on None or
            fewer than 30 of a class, and the detector then gives no verdicts.
        files: where models lie that it is built on.
        output: safetensors file; the report is written beside it as JSON.
        budget: what the run may take.
        seed: of everything that is drawn.
        options: of the plugin.
        store: of the frozen features that plugins on the same tower share.

    Returns:
        The report.

    Raises:
        TrainingError: one class only (``one-class``), or a loss that is no number (``nan-loss``).
    """
    start = time.process_time()
    torch.manual_seed(seed)
    recipe = plugin.recipe
    labels = _require(train, recipe)
    detector = plugin.create(options or {}, files)
    detector.network.train()
    detector.store = store = store or FeatureStore()
    run = _Run(detector, recipe, np.random.default_rng(seed), budget)
    epochs = budget.epochs or recipe.epochs
    if not any(p.requires_grad for p in detector.network.parameters()):
        steps, losses = 0, [0.0]  # such as a mean of detectors
    elif isinstance(detector.network, FrozenFeatures) and recipe.fakes == "given":
        steps, losses = run.on_features(train, labels, epochs, store)
    else:
        if recipe.first is not None and len(set(labels.tolist())) > 1:
            first = _Run(detector, recipe.first, run.rng, budget)
            first.network = detector.network.probe()  # type: ignore[operator]
            first.loss = TrainedDetector.loss
            first.on_features(train, labels, recipe.first.epochs, store)
            run.until += first.not_counted
        steps, losses = run.on_pictures(train, labels, epochs)
    detector.network.eval()
    calibration = None
    if held is not None and min(np.bincount(held.labels, minlength=2)) >= _LEAST_HELD:
        fitted = fit_calibrator(
            detector.logits(held.crops),
            held.labels,
            groups=[row.video for row in held.rows],
            resamples=60,
            seed=seed,
            fitted_on={"n": len(held)},
        )
        calibration = fitted.to_json()
    trained = [p for p in detector.network.parameters() if p.requires_grad]
    report: dict[str, Any] = {
        "schema": "whyfake.plugin-training/1",
        "plugin": plugin.name,
        "citation": plugin.citation,
        "recipe": {**recipe.model_dump(), "epochs": epochs},
        "options": detector.options.model_dump(mode="json", exclude={"weights", "start"}),
        "budget_seconds": budget.seconds,
        "seconds": round(time.process_time() - start, 1),
        "ended_by": "seconds" if run.out_of_time else "epochs",
        "steps": steps,
        "loss": [round(v, 4) for v in losses],
        "pictures": len(train),
        "pictures_used": run.used,
        "calibrated_on": 0 if calibration is None or held is None else len(held),
        "from_nothing": bool(getattr(detector.network, "from_nothing", False)),
        "parameters_trained": sum(p.numel() for p in trained),
        "seed": seed,
    }
    detector.save(output, calibration=calibration, card=report)
    report["bytes"] = output.stat().st_size
    output.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return report


def _rate(done: float) -> float:
    """The learning rate's share of its highest: up over a tenth of the steps, then down to 0."""
    if done < _WARM:
        return max(0.04, done / _WARM)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (done - _WARM) / (1 - _WARM))))


def pasted(crop: Image, rng: np.random.Generator) -> tuple[Image, NDArray[np.float32]]:
    """A picture with a piece of itself pasted elsewhere, turned and of another brightness.

    Returns:
        The picture, and the mask of the piece: H x W, 0 or 1.
    """
    height, width = crop.shape[:2]
    tall, wide = (int(v) for v in rng.uniform(0.06, 0.3, 2) * (height, width))
    top, left = int(rng.integers(0, height - tall)), int(rng.integers(0, width - wide))
    piece = crop[top : top + tall, left : left + wide][:: rng.choice([-1, 1]), ::-1]
    lit = np.clip(piece * rng.uniform(0.6, 1.4) + rng.uniform(-30, 30), 0, 255)
    down, across = int(rng.integers(0, height - tall)), int(rng.integers(0, width - wide))
    ellipse = np.zeros((tall, wide), np.uint8)
    cv2.ellipse(ellipse, (wide // 2, tall // 2), (wide // 2, tall // 2), 0, 0, 360, 1, -1)
    out, mask = crop.copy(), np.zeros((height, width), np.float32)
    place = (slice(down, down + tall), slice(across, across + wide))
    out[place] = np.where(ellipse[..., None] > 0, lit, out[place]).astype(np.uint8)
    mask[place] = ellipse
    return out, mask


def _require(train: FaceSet, recipe: Recipe) -> NDArray[np.int64]:
    labels = train.labels
    if recipe.fakes != "given":
        if not ((labels == 0) & (train.known | (recipe.fakes == "made"))).any():
            raise TrainingError(
                "Making fakes needs genuine faces, and none was found in this manifest.",
                hint="Add rows with label 0 (real) in which a face is found.",
                code="one-class",
            )
        return labels
    if len(set(labels.tolist())) < 2:
        only = "manipulated" if labels[0] else "genuine"
        raise TrainingError(
            f"The manifest shows {only} faces only; training needs both classes.",
            hint="Add rows with the other label (0: real, 1: manipulated).",
            code="one-class",
        )
    return labels


class _Run:
    """One training run of a detector's network."""

    def __init__(
        self,
        detector: TrainedDetector,
        recipe: Recipe,
        rng: np.random.Generator,
        budget: Budget,
    ) -> None:
        self.detector, self.recipe, self.rng, self.budget = detector, recipe, rng, budget
        self.until = time.process_time() + budget.seconds
        self.not_counted = 0.0
        self.out_of_time = False
        self.used = 0
        self.network: nn.Module = detector.network
        self.forward: Callable[[Tensor], Tensor] = detector.network
        self.loss = detector.loss
        trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            trained or [torch.zeros(())], lr=recipe.learning_rate, weight_decay=recipe.decay
        )

    def on_features(
        self, train: FaceSet, labels: NDArray[np.int64], epochs: int, store: FeatureStore
    ) -> tuple[int, list[float]]:
        """Features once, then the head: as many faces as most of the budget allows."""
        network = self.network
        if not isinstance(network, FrozenFeatures):
            raise TypeError("only frozen features are computed once")
        self.forward = network.head
        order = self.rng.permutation(len(train))
        began = time.process_time()
        until = began + _FEATURE_SHARE * max(0.0, self.until - began)
        if not self.budget.features:
            until = math.inf
        found = store.of(network, [train.crops[i] for i in order], until=until)
        if not self.budget.features:
            self.not_counted = time.process_time() - began
            self.until += self.not_counted
        chosen = order[: len(found)]
        kept = labels[chosen]
        if len(set(kept.tolist())) < 2:
            raise TrainingError(
                f"Only {len(found)} faces could be read in the time given, of one class.",
                hint="Give more seconds.",
                code="budget-too-small",
            )
        self.used = len(found)
        blank = torch.zeros(0)

        def batch(rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
            return found[rows], torch.from_numpy(kept[rows]), blank

        return self._epochs(kept, epochs, batch)

    def on_pictures(
        self, train: FaceSet, labels: NDArray[np.int64], epochs: int
    ) -> tuple[int, list[float]]:
        """Changed copies of the faces, epoch after epoch."""
        seen: set[int] = set()
        fakes = self.recipe.fakes
        blended = fakes != "given"
        genuine = (labels == 0) & (train.known | (fakes == "made"))
        pool = np.flatnonzero(genuine) if blended else np.arange(len(train))
        targets = np.arange(2 * len(pool)) % 2 if blended else labels

        def batch(rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
            crops, masks = [], []
            for row in rows:
                index = int(pool[row // 2] if blended else pool[row])
                seen.add(index)
                crop, mask = train.crops[index], np.zeros(train.crops[index].shape[:2], np.float32)
                if blended and row % 2:
                    crop, mask = (
                        self_blend(crop, train.landmarks[index], self.rng)
                        if train.known[index]
                        else pasted(crop, self.rng)
                    )
                if self.recipe.augment:
                    crop, moved = augment(crop, self.rng, _CHANGES, mask)
                    mask = mask if moved is None else moved
                crops.append(crop)
                masks.append(np.ascontiguousarray(mask))
            pixels = to_pixels(crops, self.detector.crop_spec.size)
            mask_values = torch.from_numpy(np.stack(masks)).float()
            return pixels, torch.from_numpy(targets[rows]), mask_values

        result = self._epochs(targets, epochs, batch)
        self.used = len(seen)
        return result

    def _epochs(
        self,
        labels: NDArray[np.int64],
        epochs: int,
        batch: Callable[[NDArray[np.int64]], tuple[Tensor, Tensor, Tensor]],
    ) -> tuple[int, list[float]]:
        """Epochs of balanced batches; each epoch draws as many faces as there are."""
        sides = [np.flatnonzero(labels == label) for label in (0, 1)]
        half = self.recipe.batch // 2
        count = max(1, len(labels) // self.recipe.batch)
        total, steps, losses = epochs * count, 0, []
        began = time.process_time()
        rounds = tqdm(range(epochs), self.detector.name)
        for _ in rounds:
            sums = []
            for _ in range(count):
                if time.process_time() > self.until:
                    self.out_of_time = True
                    break
                for group in self.optimiser.param_groups:
                    group["lr"] = self.recipe.learning_rate * _rate(steps / total)
                rows = np.concatenate([self.rng.choice(side, half) for side in sides])
                sums.append(self._step(*batch(rows)))
                steps += 1
                if steps == _PACED:  # a schedule that the seconds cut short would never come down
                    pace = (time.process_time() - began) / steps
                    total = min(total, steps + int(max(0.0, self.until - began) / pace))
            if sums:
                losses.append(float(np.mean(sums)))
                rounds.set_postfix(loss=losses[-1])
            if self.out_of_time:
                break
        if not steps:
            raise TrainingError(
                f"There was no time left for a single step of {self.detector.name}.",
                hint="Give more seconds.",
                code="budget-too-small",
            )
        return steps, losses

    def _step(self, values: Tensor, labels: Tensor, masks: Tensor) -> float:
        return descend(
            self.optimiser,
            self.loss(self.forward, values, labels, masks),
            f"in the training of {self.detector.name}",
            hint="Look for damaged pictures, or lower the learning rate of its recipe.",
            clip=5.0,
            code="nan-loss",
        )
