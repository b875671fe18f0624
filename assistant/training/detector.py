"""``whyfake train detector``: manifest to crops, statistics, read-out, calibration and one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from assistant.detectors.read_out import SumReadOut, token_statistics
from assistant.detectors.tower import (
    TowerLayout,
    build_tower,
    embed,
    fit_positions,
    run_blocks,
)
from assistant.evaluation.face_manifest import ManifestRow
from assistant.interfaces import FaceFinder
from assistant.training.detector_config import DetectorConfig, manifest_rows
from assistant.training.finishing import KnownFaces, faces_of, finish
from assistant.training.looks import Looks, MoreFaces
from assistant.training.read_out import TrainingSet, scores, train_read_outs
from assistant.training.splits import balanced_weights
from assistant.types import Image

__all__ = ["fit_read_out", "statistics_of", "train_detector"]

Progress = Callable[[str, int, int, float], None]


def statistics_of(
    state: dict[str, torch.Tensor], layout: TowerLayout, blocks: Sequence[int]
) -> Callable[[list[Image]], NDArray[np.float32]]:
    """A function from crops to B x blocks x 3 x width statistics of the frozen tower (bfloat16)."""
    tower = build_tower(layout)
    tower.load_state_dict(fit_positions(state, layout))
    tower = tower.bfloat16()

    def run(crops: list[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            tokens = embed(tower, layout.normalised(crops).bfloat16())
            outputs = run_blocks(tower, tokens, range(max(blocks) + 1))
            kept = [token_statistics(outputs[b].float()) for b in blocks]
        found: NDArray[np.float32] = torch.stack(kept, dim=1).numpy()
        return found

    return run


def train_detector(
    config: DetectorConfig,
    base: Path,
    finder: FaceFinder,
    *,
    work: Path,
    output: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Run the ``read-out`` recipe from manifest to delta; every step resumes where it stopped.

    Args:
        config: of the run.
        base: safetensors of the tower.
        finder: finds the faces.
        work: folder of caches and checkpoints.
        output: the delta to write.
        progress: told (what, done, in all, images a second or loss).

    Returns:
        The report that is also in the delta's card: data, splits, AUROC on the test part.

    Raises:
        TrainingError: the manifest is wrong, one class only, or the loss is not finite.
    """
    torch.set_num_threads(config.threads)
    state = load_file(base)
    layout = config.layout
    cache, faces = faces_of(config, manifest_rows(config), finder, work, progress)
    looks = Looks(
        config=config,
        cache=cache,
        parts=faces.parts,
        folder=cache.folder,
        run=statistics_of(state, layout, config.read_out.blocks),
        shape=config.statistics_shape,
        progress=progress,
    )
    read_out, blends = fit_read_out(looks, faces, checkpoint=work / "read-out")
    logits = np.zeros(len(faces.rows))
    logits[faces.held_out] = scores(read_out, looks.as_they_are(faces.held_out))
    return finish(
        config,
        faces,
        logits,
        read_out,
        state,
        output=output,
        report={"self_blended": blends},
    )


def fit_read_out(looks: Looks, faces: KnownFaces, *, checkpoint: Path) -> tuple[SumReadOut, int]:
    """Train the configured read-out over the statistics that a tower gives of training faces.

    Args:
        looks: at the faces, through that tower.
        faces: the rows, in the cache's order.
        checkpoint: of the read-out's training.

    Returns:
        The read-out, and how many blends were among the training set.
    """
    config = looks.config
    looks.folder.mkdir(parents=True, exist_ok=True)
    train = np.flatnonzero((faces.parts == "train") & faces.usable)
    learnt = looks.learnt(train)
    blended = looks.blended()
    more = [made for made in (blended, looks.without(train), *looks.exchanged()) if made]
    data = _training_set(config, faces.rows, learnt, faces.labels, train, more)
    if config.read_out.both_sides:
        data = replace(data, other_side=looks.other_sides(train))
    if config.read_out.degraded_share:
        share = config.read_out.degraded_share
        data = replace(data, degraded=looks.degraded(train), degraded_share=share)
    read_out = train_read_outs(
        data,
        config.read_out,
        width=looks.shape[-1],
        seed=config.seed,
        checkpoint=checkpoint,
        progress=looks.progress,
    )
    return read_out, len(blended.rows) if blended else 0


def _training_set(
    config: DetectorConfig,
    known: Sequence[ManifestRow],
    learnt: NDArray[np.float16],
    labels: NDArray[np.int64],
    train: NDArray[np.int64],
    more: Sequence[MoreFaces],
) -> TrainingSet:
    """The plain training faces first, then those that were made of them."""
    groups = [
        MoreFaces(
            statistics=learnt,
            rows=[int(i) for i in train],
            labels=labels[train],
            weight=1.0,
            blended=False,
        ),
        *more,
    ]
    sources = np.array([known[row].source for group in groups for row in group.rows])
    factors = np.concatenate([np.full(len(group.rows), group.weight) for group in groups])
    factors = factors * [config.source_weights.get(source, 1.0) for source in sources]
    both = np.concatenate([group.labels for group in groups])
    return TrainingSet(
        statistics=np.concatenate([group.statistics for group in groups]),
        labels=both,
        weights=balanced_weights(both, factors),
        sources=sources,
        blended=np.repeat([g.blended for g in groups], [len(g.rows) for g in groups]),
    )
