"""``whyfake train detector``: manifest to crops, statistics, read-out, calibration and one file."""

from __future__ import annotations

import hashlib
import json
import logging
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
from assistant.evaluation.face_manifest import ManifestRow, read_manifest
from assistant.interfaces import FaceFinder
from assistant.training.augmentation import Augmentation, augment
from assistant.training.degradation import degrade
from assistant.training.detector_config import DetectorConfig
from assistant.training.face_cache import CropCache, StatisticsCache
from assistant.training.finishing import KnownFaces, finish, known_faces
from assistant.training.read_out import TrainingSet, scores, train_read_outs
from assistant.training.self_blended import self_blend
from assistant.training.splits import balanced_weights
from assistant.types import Image

__all__ = ["fit_read_out", "statistics_of", "train_detector"]

_LOG = logging.getLogger(__name__)
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
    rows = read_manifest(config.manifest)
    limit = min(config.limit or len(rows), len(rows))
    state = load_file(base)
    layout = config.layout
    cache = CropCache(work, rows, config.crop.spec)
    cache.fill(finder, limit=limit, progress=progress)
    faces = known_faces(config, cache, limit)
    read_out, plain, blends = fit_read_out(
        config,
        cache,
        faces,
        statistics_of(state, layout, config.read_out.blocks),
        folder=cache.folder,
        checkpoint=work / "read-out",
        progress=progress,
    )
    return finish(
        config,
        faces,
        scores(read_out, plain),
        read_out,
        state,
        output=output,
        report={"self_blended": blends},
    )


def fit_read_out(
    config: DetectorConfig,
    cache: CropCache,
    faces: KnownFaces,
    run: Callable[[list[Image]], NDArray[np.float32]],
    *,
    folder: Path,
    checkpoint: Path,
    progress: Progress,
) -> tuple[SumReadOut, NDArray[np.float16], int]:
    """Train ``config.read_out`` over the statistics that a tower gives.

    Args:
        config: of the run.
        cache: its crops.
        faces: its rows, in the cache's order.
        run: crops to B x blocks x 3 x width statistics.
        folder: of the statistics; one for each tower.
        checkpoint: of the read-out's training.
        progress: as :func:`train_detector`.

    Returns:
        The read-out, the statistics of all rows, and how many blends were among the training set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    limit = len(faces.rows)
    plain = _plain_statistics(config, cache, folder, faces.parts, run, limit, progress)
    blended, origin = _blended_statistics(config, cache, folder, faces.parts, run, progress)
    train = np.flatnonzero((faces.parts == "train") & faces.usable)
    data = _training_set(config, faces.rows, plain, faces.labels, train, blended, origin)
    if config.read_out.both_sides:
        data = replace(data, other_side=_other_sides(config, cache, folder, train, run, progress))
    if config.read_out.degraded_share:
        degraded = _degraded(config, cache, folder, train, run, progress)
        share = config.read_out.degraded_share
        data = replace(data, degraded=degraded, degraded_share=share)
    if config.read_out.moved:
        changes = _changes(config, cache, folder, train, run, progress)
        data = replace(data, changes=changes)
    read_out = train_read_outs(
        data,
        config.read_out,
        width=config.layout.width,
        seed=config.seed,
        checkpoint=checkpoint,
        progress=progress,
    )
    return read_out, plain, len(blended)


def _plain_statistics(
    config: DetectorConfig,
    cache: CropCache,
    folder: Path,
    parts: NDArray[np.str_],
    run: Callable[[list[Image]], NDArray[np.float32]],
    limit: int,
    progress: Progress,
) -> NDArray[np.float16]:
    """Statistics of the crops; half of the training part mirrored, so that sides do not matter."""
    mirrored = _mirrored(config, len(cache.rows))

    def crop_at(index: int) -> Image:
        crop = np.array(cache.crops[index])
        return crop[:, ::-1].copy() if mirrored[index] and parts[index] == "train" else crop

    name = "mirrored" if config.flip else "plain"
    return _kept(config, folder, name, len(cache.rows), crop_at, run, progress, limit=limit)


def _mirrored(config: DetectorConfig, count: int) -> NDArray[np.bool_]:
    """Which rows are looked at mirrored while training."""
    chosen: NDArray[np.bool_] = (np.random.default_rng(7).random(count) < 0.5) & config.flip
    return chosen


def _kept(
    config: DetectorConfig,
    folder: Path,
    name: str,
    count: int,
    crop_at: Callable[[int], Image],
    run: Callable[[list[Image]], NDArray[np.float32]],
    progress: Progress,
    limit: int | None = None,
) -> NDArray[np.float16]:
    """Statistics of ``count`` crops, of the first ``limit`` only, from the cache of that name."""
    most = count if limit is None else limit
    store = StatisticsCache(
        folder, name, count=count, blocks=config.read_out.blocks, width=config.layout.width
    )
    store.fill(crop_at, run, limit=most, progress=progress)
    return np.asarray(store.values[:most])


def _other_sides(
    config: DetectorConfig,
    cache: CropCache,
    folder: Path,
    train: NDArray[np.int64],
    run: Callable[[list[Image]], NDArray[np.float32]],
    progress: Progress,
) -> NDArray[np.float16]:
    """Statistics of the training faces as :func:`_plain_statistics` does not look at them."""
    mirrored = _mirrored(config, len(cache.rows))

    def crop_at(number: int) -> Image:
        crop = np.array(cache.crops[train[number]])
        return crop if mirrored[train[number]] else crop[:, ::-1].copy()

    name = f"other-sides-{len(train)}"
    return _kept(config, folder, name, len(train), crop_at, run, progress)


def _degraded(
    config: DetectorConfig,
    cache: CropCache,
    folder: Path,
    train: NDArray[np.int64],
    run: Callable[[list[Image]], NDArray[np.float32]],
    progress: Progress,
) -> NDArray[np.float16]:
    """Statistics of the training faces in a worse quality, half of them mirrored."""
    how = config.read_out.degradation

    def crop_at(number: int) -> Image:
        crop = np.array(cache.crops[train[number]])
        rng = np.random.default_rng((config.seed, 19, number))
        turn = config.flip and rng.random() < 0.5
        return degrade(crop[:, ::-1].copy() if turn else crop, rng, how)

    name = f"degraded-{len(train)}-{hash_of(f'{how.model_dump_json()} {config.seed}'):08x}"
    return _kept(config, folder, name, len(train), crop_at, run, progress)


def _blended_statistics(
    config: DetectorConfig,
    cache: CropCache,
    folder: Path,
    parts: NDArray[np.str_],
    run: Callable[[list[Image]], NDArray[np.float32]],
    progress: Progress,
) -> tuple[NDArray[np.float16], list[int]]:
    """Statistics of self-blended faces of the training part, and the row each was made from."""
    rng = np.random.default_rng(11)
    picked = cache.pick_for_blending(parts, config.self_blended, rng)
    if not picked:
        return np.zeros((0, len(config.read_out.blocks), 3, config.layout.width), np.float16), []
    picked = [int(i) for i in rng.permutation(picked)]

    def crop_at(number: int) -> Image:
        row = picked[number]
        points = cache.landmarks(row)
        crop = np.array(cache.crops[row])
        try:
            return self_blend(crop, points, np.random.default_rng((config.seed, number)))[0]
        except ValueError:
            _LOG.warning("row %s: its points lie outside its crop; left out", cache.rows[row].name)
            return np.zeros_like(crop)

    key = json.dumps([config.self_blended, len(parts), config.seed])
    name = f"self-blended-{hash_of(key):08x}"
    return _kept(config, folder, name, len(picked), crop_at, run, progress), picked


#: Moves of a crop as another finding of the same face makes them, and another file of it.
_MOVES = Augmentation(
    mirror=0.0,
    affine=1.0,
    degrees=3.0,
    shift=0.025,
    scale=0.05,
    blur=0.0,
    downscale=0.1,
    jitter=0.03,
    jpeg=0.4,
    jpeg_quality=(60, 95),
)


def _changes(
    config: DetectorConfig,
    cache: CropCache,
    folder: Path,
    train: NDArray[np.int64],
    run: Callable[[list[Image]], NDArray[np.float32]],
    progress: Progress,
) -> NDArray[np.float32]:
    """What small moves of the crop do to the statistics of some training faces."""
    picked = np.random.default_rng((config.seed, 13)).permutation(train)[: config.read_out.moved]
    seen = []
    for name in ("as-is", "moved"):

        def crop_at(number: int, name: str = name) -> Image:
            crop = np.array(cache.crops[picked[number]])
            rng = np.random.default_rng((config.seed, 17, number))
            return crop if name == "as-is" else augment(crop, rng, _MOVES)[0]

        key = f"{name}-{len(picked)}-{config.seed}"
        kept = _kept(config, folder, key, len(picked), crop_at, run, progress)
        seen.append(kept.astype(np.float32))
    changes: NDArray[np.float32] = seen[1] - seen[0]
    return changes


def hash_of(text: str) -> int:
    """32 bits of SHA-256."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def _training_set(
    config: DetectorConfig,
    known: Sequence[ManifestRow],
    plain: NDArray[np.float16],
    labels: NDArray[np.int64],
    train: NDArray[np.int64],
    blended: NDArray[np.float16],
    origin: list[int],
) -> TrainingSet:
    factors = [config.source_weights.get(known[i].source, 1.0) for i in train]
    factors += [
        config.self_blended_weight * config.source_weights.get(known[i].source, 1.0) for i in origin
    ]
    both = np.concatenate([labels[train], np.ones(len(origin), np.int64)])
    return TrainingSet(
        statistics=np.concatenate([plain[train], blended]),
        labels=both,
        weights=balanced_weights(both, np.array(factors)),
        sources=np.array([known[int(i)].source for i in [*train, *origin]]),
        blended=np.arange(len(both)) >= len(train),
    )
