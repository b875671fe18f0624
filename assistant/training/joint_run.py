"""The ``joint`` recipe from manifest to delta: first a read-out, then everything together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from assistant.detectors.assembly import assemble
from assistant.detectors.delta_file import Delta, read_delta
from assistant.detectors.low_rank import fold_low_rank, sum_low_rank
from assistant.detectors.read_out import (
    PatchEvidenceReadOut,
    StatisticsReadOut,
    SumReadOut,
    build_read_out,
)
from assistant.detectors.tower import TowerLayout, build_tower, fit_positions
from assistant.errors import TrainingError
from assistant.interfaces import FaceFinder
from assistant.training.detector import fit_read_out, train_detector
from assistant.training.detector_config import DetectorConfig, manifest_rows
from assistant.training.finishing import KnownFaces, faces_of, finish, score_held_out
from assistant.training.joint import Jointly, JointModel, train_jointly
from assistant.training.looks import Looks
from assistant.training.pair_mix import PairMix

__all__ = ["train_joint"]


def train_joint(
    config: DetectorConfig,
    base: Path,
    finder: FaceFinder,
    *,
    work: Path,
    output: Path,
    progress: Callable[[str, int, int, float], None],
) -> dict[str, Any]:
    """As :func:`assistant.training.detector.train_detector`, which makes the first step.

    ``config.start`` is gone on from where it is named; else a read-out of the frozen tower is
    trained first. ``work`` keeps that one (``read-out.safetensors``), the checkpoint
    (``joint.pt``) and the log (``joint.csv``); what is there is not made again.

    Raises:
        TrainingError: as there; what it starts from is missing or not one statistics read-out.
        WeightsError: what it starts from is of another base.
    """
    torch.set_num_threads(config.threads)
    cache, faces = faces_of(config, manifest_rows(config), finder, work, progress)
    first = config.start or work / "read-out.safetensors"
    if not first.exists():
        if config.start is not None:
            raise TrainingError(
                f"The detector to start from, {first}, is not there.",
                hint="Train it first, or leave out `start`.",
                code="start-missing",
            )
        train_detector(config, base, finder, work=work, output=first, progress=progress)
    started = read_delta(first)
    state = load_file(base)
    layout = config.layout
    start_tower, _ = assemble(state, started)  # strict: a delta of another base is refused
    tower = build_tower(layout)
    tower.load_state_dict(fit_positions(start_tower.state_dict(), layout))
    torch.manual_seed(config.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    statistics, evidence = _read_outs(started, layout)
    model = JointModel(tower, layout, statistics, config.joint, evidence).to(device)
    joint = config.joint
    mix = PairMix(
        cache,
        np.flatnonzero((faces.parts == "train") & faces.usable),
        pair_shares=joint.pair_shares,
        blended_shares=joint.blended_shares,
        self_blended=joint.self_blended,
        augmentation=joint.augmentation,
        batch=joint.batch,
        borrowed_reals=config.borrowed_reals,
        generated_donors=joint.generated_donors,
        seed=config.seed,
        views=joint.views,
    )
    before = {
        **{f"norm.{n}": p.detach().clone() for n, p in model.norms.items()},
        **{f"read_out.members.0.{n}": p.detach().clone() for n, p in statistics.named_parameters()},
        **{
            f"read_out.members.1.{n}": p.detach().clone()
            for n, p in (evidence.named_parameters() if evidence is not None else ())
        },
    }
    tuned = train_jointly(
        model,
        mix,
        _validation(config, faces),
        seed=config.seed,
        checkpoint=work / "joint.pt",
        log=work / "joint.csv",
        progress=progress,
    )
    tuned = _interpolated(tuned, before, joint.interpolation)
    model.read_out.load_state_dict(tuned.read_out)
    with torch.no_grad():
        for name, parameter in model.norms.items():
            parameter.copy_(tuned.norms[name])
        for name, factor in model.low_rank.items():
            factor.copy_(tuned.low_rank[name])
        fold_low_rank(model.tower)  # from here on it is only used, a third faster
    report = {
        "first_read_out": started.sha256,
        "steps": joint.steps_made,
        "validation_auroc": [round(v, 4) for v in tuned.validation],
    }
    share = joint.share if joint.final_share is None else joint.final_share
    if joint.refit:
        made = json.dumps([report, joint.interpolation, config.seed])
        tower_key = hashlib.sha256(made.encode()).hexdigest()[:12]
        looks = Looks(
            config=config,
            cache=cache,
            parts=faces.parts,
            folder=cache.folder / f"tuned-{tower_key}",
            run=model.statistics,
            shape=config.statistics_shape,
            progress=progress,
        )
        read_out, blends = fit_read_out(looks, faces, checkpoint=work / "refit")
        model.read_with(read_out, share)
        report["self_blended"] = blends
    else:
        model.read_with(SumReadOut([statistics], [1.0]), share)
    score = partial(model.logits, mirror=config.mirror)
    logits = score_held_out(faces, cache, score, progress)
    return finish(
        config,
        faces,
        logits,
        model.read_out.cpu(),
        state,
        output=output,
        report=report,
        norms={**started.norms, **tuned.norms},
        low_rank=sum_low_rank(started.low_rank, tuned.low_rank),
    )


def _read_outs(
    started: Delta, layout: TowerLayout
) -> tuple[StatisticsReadOut, PatchEvidenceReadOut | None]:
    """The trained statistics read-out, and the patch evidence where there is one."""
    read_out = build_read_out(started.header.read_out)
    read_out.load_state_dict(dict(started.read_out))
    members = list(read_out.members) if isinstance(read_out, SumReadOut) else [read_out]
    statistics = [m for m in members if isinstance(m, StatisticsReadOut)]
    evidence = [m for m in members if isinstance(m, PatchEvidenceReadOut)]
    if len(statistics) != 1 or len(statistics) + len(evidence) != len(members):
        raise TrainingError(
            "Joint training starts from one statistics read-out.",
            hint="Set read_out.members to 1, and delete read-out.safetensors in --work.",
            code="first-read-out",
        )
    return statistics[0], evidence[0].resized(layout.grid[0]) if evidence else None


def _interpolated(tuned: Jointly, before: dict[str, Tensor], share: float) -> Jointly:
    """Between the start and the end of tuning (Wortsman et al., WiSE-FT, arXiv 2109.01903).

    A patch evidence that had no meaning at the start is the tuned one in any case.
    """

    def mixed(prefix: str, values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {
            name: torch.lerp(before[prefix + name].cpu(), value, share)
            if prefix + name in before
            else value
            for name, value in values.items()
        }

    return Jointly(
        norms=mixed("norm.", tuned.norms),
        low_rank={
            name: value * share if name.endswith(".up") else value
            for name, value in tuned.low_rank.items()
        },
        read_out=mixed("read_out.", tuned.read_out),
        validation=tuned.validation,
    )


def _validation(
    config: DetectorConfig, faces: KnownFaces
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Calibration rows by source, at most ``joint.validation`` of each, where both classes are."""
    chosen = {}
    for source in sorted({r.source for r in faces.rows}):
        inside = faces.of_source(source)
        rows = np.flatnonzero(inside & (faces.parts == "calibration") & faces.usable)
        rows = rows[: config.joint.validation]
        if len(set(faces.labels[rows].tolist())) == 2:
            chosen[source] = (rows, faces.labels[rows])
    if not chosen:
        raise TrainingError(
            "No source has both classes in its calibration part.",
            hint="Raise calibration_percent, or give more videos.",
            code="one-class",
        )
    return chosen
