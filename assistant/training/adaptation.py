"""``whyfake adapt``: a small step from the shipped read-out to a user's own faces.

The part of the read-out that reads block statistics goes on training on the user's pictures, held
close to where it began; what reads patches, and so the map, stays as it is. The adapted detector
is judged on groups that were kept out, beside the one it came from, and only recommended where it
wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch.nn import functional
from tqdm import tqdm

from assistant.calibration.fitting import fit_calibrator
from assistant.detectors.assembly import assemble
from assistant.detectors.delta_file import DeltaHeader, read_delta, write_delta
from assistant.detectors.tower import Tower
from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.errors import TrainingError
from assistant.evaluation.detection_metrics import auroc, ece
from assistant.evaluation.face_manifest import ManifestRow, hashed
from assistant.evaluation.listed import pictures_below
from assistant.interfaces import FaceFinder
from assistant.training.face_cache import UNREADABLE, CropCache
from assistant.training.frozen import block_tokens, stacked_statistics

__all__ = ["adapt_detector", "folder_rows"]

_LEAST, _SMALL = 40, 300
_AT_ONCE = 64
_EPOCHS, _BATCH = 20, 64
#: Of the pull back to the starting weights.
_PULL = 2e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Faces:
    """Views of N faces: the crops, and their mirror images where these count too.

    ``statistics``: a view's N x blocks x 3 x width; ``evidence``: its N logits of the patches.
    """

    statistics: list[torch.Tensor]
    evidence: list[torch.Tensor]
    labels: NDArray[np.int64]
    groups: list[str]


def folder_rows(folder: Path) -> list[ManifestRow]:
    """The pictures under ``folder/real`` and ``folder/fake`` as manifest rows.

    A picture's group is the sub-folder it lies in, or else its own name: put pictures of one person
    or video into one sub-folder.

    Raises:
        TrainingError: a folder is missing or holds too few pictures; both are named at once.
    """
    rows: list[ManifestRow] = []
    problems = []
    for label, name in enumerate(("real", "fake")):
        inside = folder / name
        found = pictures_below(inside)
        if len(found) < _LEAST:
            problems.append(f"{inside} holds {len(found)} pictures")
        for path in found:
            parent = path.parent.relative_to(inside).as_posix()
            rows.append(
                ManifestRow(
                    line=len(rows) + 1,
                    name=path.relative_to(folder).as_posix(),
                    path=path,
                    label=label,
                    source="own",
                    video=parent if parent != "." else path.stem,
                    family=name,
                    crop=True,
                )
            )
    if problems:
        raise TrainingError(
            f"{' and '.join(problems)}; at least {_LEAST} of each are needed.",
            hint="Put real faces under FOLDER/real and manipulated ones under FOLDER/fake.",
            code="too-few-to-adapt",
        )
    return rows


def adapt_detector(
    rows: Sequence[ManifestRow],
    base: Path,
    delta: Path,
    finder: FaceFinder,
    *,
    work: Path,
    output: Path,
) -> dict[str, Any]:
    """Adapt, calibrate and write a delta.

    Groups are parted by the hash of their names: half to train, a quarter to calibrate, a quarter
    to judge.

    Returns:
        ``before`` and ``after`` (AUROC and ECE on the judged part), ``recommended``, ``warnings``.

    Raises:
        TrainingError: a part lacks a class, or the delta's read-out cannot be adapted.
    """
    read = read_delta(delta)
    tower, read_out = assemble(load_file(base), read)
    if not isinstance(read_out, TwoHeadReadOut):
        raise TrainingError(
            "Only detectors that read block statistics can be adapted here.",
            hint="Train with `whyfake train detector` and the layer-norms recipe instead.",
            code="cannot-adapt",
        )
    faces = _faces(rows, tower, read_out, read.header, finder, work)
    quarter = np.array([hashed(group) % 4 for group in faces.groups])
    train, held, judged = quarter < 2, quarter == 2, quarter == 3
    for name, chosen in (("training", train), ("calibration", held), ("judged", judged)):
        if len(set(faces.labels[chosen].tolist())) < 2:
            raise TrainingError(
                f"The {name} part holds one class only: too few groups.",
                hint="Spread the pictures over more sub-folders (one a person or video).",
                code="too-few-groups",
            )
    before_logits = _logits(read_out, faces)
    _continue(read_out, faces, train)
    after_logits = _logits(read_out, faces)
    calibrator = fit_calibrator(
        after_logits[held],
        faces.labels[held],
        groups=[g for g, keep in zip(faces.groups, held, strict=True) if keep],
        fitted_on={"pictures": int(held.sum()), "split": "by group", "own": True},
    )
    old = fit_calibrator(before_logits[held], faces.labels[held], resamples=2)
    before = _judge(faces.labels[judged], before_logits[judged], old.probabilities)
    after = _judge(faces.labels[judged], after_logits[judged], calibrator.probabilities)
    least = int(min((faces.labels == 0).sum(), (faces.labels == 1).sum()))
    report: dict[str, Any] = {
        "schema": "whyfake.adapt/1",
        "n_real": int((faces.labels == 0).sum()),
        "n_fake": int((faces.labels == 1).sum()),
        "groups": len(set(faces.groups)),
        "judged": int(judged.sum()),
        "before": before,
        "after": after,
        "recommended": bool((after["auroc"] or 0) > (before["auroc"] or 0) + 0.01),
        "warnings": [],
    }
    if least < _SMALL:
        report["warnings"].append(
            f"only {least} faces of the smaller class: these numbers may be luck; "
            f"give {_SMALL} of each"
        )
    if not report["recommended"]:
        report["warnings"].append("adapting did not help by more than 0.01 AUROC: keep what ships")
    header = replace(
        read.header,
        calibration=calibrator.to_json(),
        card={"adapted_from": read.sha256, **report},
        read_out=read_out.options(),
    )
    write_delta(
        output, header, norms=read.norms, read_out=read_out.state_dict(), low_rank=read.low_rank
    )  # not small: what was judged is what is written
    return report


def _faces(
    rows: Sequence[ManifestRow],
    tower: Tower,
    read_out: TwoHeadReadOut,
    header: DeltaHeader,
    finder: FaceFinder,
    work: Path,
) -> _Faces:
    """Crops of all rows, found where they are missing, and what the tower makes of them."""
    cache = CropCache(work, rows, header.crop)
    cache.fill(finder, limit=len(rows))
    usable = np.flatnonzero(cache.points[:, 0] != UNREADABLE)
    statistics, evidence = [], []
    for step in (1, -1)[: 1 + header.mirror]:
        seen, said = [], []
        for start in tqdm(range(0, len(usable), _AT_ONCE), "faces read"):
            crops = [np.array(cache.crops[i])[:, ::step].copy() for i in usable[start:][:_AT_ONCE]]
            with torch.inference_mode():
                tokens = block_tokens(tower, header.tower, crops, read_out.blocks)
                seen.append(stacked_statistics(tokens))
                said.append(read_out.evidence(tokens))
        statistics.append(torch.cat(seen).clone())
        evidence.append(torch.cat(said).clone())
    return _Faces(
        statistics=statistics,
        evidence=evidence,
        labels=np.array([cache.rows[i].label for i in usable], np.int64),
        groups=[cache.rows[i].video for i in usable],
    )


def _logits(read_out: TwoHeadReadOut, faces: _Faces) -> NDArray[np.float64]:
    """The faces' logits, the mean over their views."""
    with torch.inference_mode():
        views = [
            read_out.joined(seen, said).logsumexp(1)
            for seen, said in zip(faces.statistics, faces.evidence, strict=True)
        ]
        mean: NDArray[np.float64] = torch.stack(views).mean(0).double().numpy()
    return mean


def _continue(
    read_out: TwoHeadReadOut,
    faces: _Faces,
    train: NDArray[np.bool_],
) -> None:
    """Train on, in place, with a pull back to the starting weights (L2-SP, arXiv 1802.01483)."""
    labels = faces.labels[train]
    balance = np.where(labels == 1, (labels == 0).mean(), (labels == 1).mean()) * 2
    weights = torch.from_numpy(balance).float()
    target = torch.from_numpy(labels).float()
    seen = [view[train] for view in faces.statistics]
    said = [view[train] for view in faces.evidence]
    part = read_out.network.requires_grad_(True)
    start = {n: p.detach().clone() for n, p in part.named_parameters()}
    optimiser = torch.optim.AdamW(part.parameters(), 3e-4, weight_decay=0.0)
    torch.manual_seed(0)
    for epoch in tqdm(range(_EPOCHS), "adapting"):
        part.train()
        order = np.random.default_rng((0, epoch)).permutation(len(labels))
        for number, first in enumerate(range(0, len(order), _BATCH)):
            rows = torch.from_numpy(order[first : first + _BATCH])
            view = (epoch + number) % len(seen)
            loss = functional.binary_cross_entropy_with_logits(
                read_out.joined(seen[view][rows], said[view][rows]).logsumexp(1),
                target[rows],
                weight=weights[rows],
            )
            drift = sum(((p - start[n]) ** 2).sum() for n, p in part.named_parameters())
            optimiser.zero_grad()
            (loss + _PULL * drift).backward()
            optimiser.step()
    read_out.eval().requires_grad_(False)


def _judge(
    labels: NDArray[np.int64],
    logits: NDArray[np.float64],
    probabilities: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> dict[str, float | None]:
    return {"auroc": auroc(labels, logits), "ece": ece(labels, probabilities(logits))}
