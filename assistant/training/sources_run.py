"""``whyfake train detector`` with ``recipe: sources``: from manifests to the file that ships."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from assistant.calibration.curve import CurveCalibrator
from assistant.detectors.assembly import assemble
from assistant.detectors.delta_file import DeltaHeader, read_delta, write_delta
from assistant.detectors.low_rank import sum_low_rank
from assistant.detectors.tower import tower_sha256
from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.errors import ConfigError
from assistant.interfaces import FaceFinder
from assistant.training.frozen import loaded_tower
from assistant.training.leave_out import calibrated, leave_out, leave_out_table
from assistant.training.recipe import Recipe
from assistant.training.splits import list_sha256
from assistant.training.tower_stage import TunedTower
from assistant.training.two_heads import new_read_out, standardise
from assistant.training.view_data import Prepared, prepare

__all__ = ["judge_recipe", "train_sources", "write_detector"]


def judge_recipe(recipe: Recipe, base: Path, finder: FaceFinder, *, work: Path) -> dict[str, Any]:
    """The leave-out table of a recipe (``whyfake eval leave-out``); caches in ``work`` are used.

    Raises:
        ConfigError: a fold names an unknown source.
        TrainingError: the sources do not do.
    """
    data, read_out, _, _ = _prepared(recipe, base, finder, work)
    left = leave_out(recipe, data, read_out)
    curve = calibrated(recipe, data, left)
    return leave_out_table(recipe, data, left, curve)


def train_sources(
    recipe: Recipe,
    base: Path,
    finder: FaceFinder,
    *,
    work: Path,
    output: Path,
) -> dict[str, Any]:
    """Train on all sources, calibrate on sources left out, and write one file.

    ``work``: folder of caches; a run that was stopped goes on from there.

    Returns:
        The report that is also the file's card.

    Raises:
        ConfigError: a fold names an unknown source.
        TrainingError: the sources do not do, or the loss is not finite.
    """
    data, read_out, state, tuned = _prepared(recipe, base, finder, work)
    left = leave_out(recipe, data, read_out)
    curve = calibrated(recipe, data, left)
    table = leave_out_table(recipe, data, left, curve)
    model, _ = data.read_out(read_out, np.arange(len(data.rows)), recipe)
    return write_detector(recipe, data, model, curve, table, state, tuned, output)


def write_detector(
    recipe: Recipe,
    data: Prepared,
    model: TwoHeadReadOut,
    curve: CurveCalibrator,
    table: Mapping[str, Any],
    state: Mapping[str, Tensor],
    tuned: TunedTower | None,
    output: Path,
) -> dict[str, Any]:
    """Write what was trained as one delta of the base, with its card."""
    places = {"manifest", "more_manifests", "start"}
    card = {
        "data_sha256": list_sha256(data.manifest),
        "pictures": len(data.manifest),
        "views": len(data.rows),
        "sources": len(set(data.sources)),
        "leave_out": table,
        "recipe": recipe.model_dump(mode="json", exclude=places),
    }
    header = DeltaHeader(
        tower=recipe.layout,
        base_sha256=tower_sha256(state),
        read_out=model.options(),
        crop=recipe.crop.spec,
        mirror=recipe.mirror,
        calibration=curve.to_json(),
        card=card,
    )
    write_delta(
        output,
        header,
        norms={} if tuned is None else tuned.norms,
        read_out=model.state_dict(),
        low_rank={} if tuned is None else tuned.low_rank,
        small=True,
    )
    return {**card, "thresholds": list(curve.thresholds)}


def _prepared(
    recipe: Recipe, base: Path, finder: FaceFinder, work: Path
) -> tuple[Prepared, TwoHeadReadOut, dict[str, Tensor], TunedTower | None]:
    """Views, the read-out to train on, the base's weights, and how the tower differs from it."""
    torch.set_num_threads(recipe.threads)
    state = load_file(base)
    work.mkdir(parents=True, exist_ok=True)
    (work / "recipe.json").write_text(json.dumps(recipe.model_dump(mode="json"), indent=2))
    if recipe.start is None:
        tower = loaded_tower(state, recipe.layout)
        read_out = new_read_out(
            recipe.heads, width=recipe.layout.width, grid=recipe.layout.grid[0], seed=recipe.seed
        )
        data, tuned = prepare(recipe, tower, read_out, finder, work=work)
        if tuned is None:
            standardise(read_out, data.statistics, np.arange(len(data.rows)))
        return data, read_out, state, tuned
    start = read_delta(recipe.start)
    tower, found = assemble(state, start)
    if not isinstance(found, TwoHeadReadOut):
        raise ConfigError(
            f"{recipe.start.name} has a read-out of another kind, which cannot be trained on.",
            hint="Start from a detector that this recipe made, or leave `start` out.",
        )
    tower.requires_grad_(False)
    found.shares = recipe.heads.shares
    data, tuned = prepare(recipe, tower, found, finder, work=work)
    both = TunedTower(
        norms={**start.norms, **({} if tuned is None else tuned.norms)},
        low_rank=sum_low_rank(start.low_rank, {} if tuned is None else tuned.low_rank),
    )
    return data, found, state, both
