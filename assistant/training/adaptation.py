"""``whyfake adapt``: a small step from the shipped read-out to a user's own faces.

The part of the read-out that reads block statistics goes on training on the user's pictures, held
close to where it began; what reads patches, and so the map, stays as it is. The adapted detector
is judged on groups that were kept out, beside the one it came from, and only recommended where it
wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch.nn import functional

from assistant.calibration.fitting import fit_calibrator
from assistant.detectors.assembly import assemble, seen_beside, tuned_state
from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import Delta, read_delta, write_delta
from assistant.detectors.read_out import PooledReadOut, ReadOut, SumReadOut
from assistant.detectors.surroundings import SurroundingsScore
from assistant.detectors.texture import TextureScore
from assistant.errors import TrainingError
from assistant.evaluation.detection_metrics import auroc, ece
from assistant.evaluation.face_manifest import ManifestRow
from assistant.interfaces import FaceFinder
from assistant.training.detector import statistics_of
from assistant.training.face_cache import UNREADABLE, CropCache, both_sides
from assistant.training.read_out import scores
from assistant.training.window_cache import WindowCache
from assistant.types import Image

__all__ = ["adapt_detector", "folder_rows"]

_LEAST, _SMALL = 40, 300
_AT_ONCE = 64
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Faces:
    """``views``: the statistics of the crops, and of their mirror images where these count too.

    ``rest`` is what the other members of the read-out add to the logits: it stays as it is.
    """

    views: list[NDArray[np.float16]]
    labels: NDArray[np.int64]
    groups: list[str]
    rest: NDArray[np.float64]


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
        found = sorted(
            p for p in inside.rglob("*") if p.is_file() and p.suffix.lower() in _SUFFIXES
        )
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
                    split="",
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
    texture: Path | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int, float], None],
) -> dict[str, Any]:
    """Adapt, calibrate and write a delta.

    Groups are parted by the hash of their names: half to train, a quarter to calibrate, a quarter
    to judge. ``texture`` is the network of a delta that reads the texture or the surroundings: both
    stay as they are.

    Returns:
        ``before`` and ``after`` (AUROC and ECE on the judged part), ``recommended``, ``warnings``.

    Raises:
        TrainingError: a part lacks a class, or the delta's read-out cannot be adapted.
    """
    read = read_delta(delta)
    state = load_file(base)
    tower, whole = assemble(state, read)
    part, others = _parted(whole) if isinstance(whole, SumReadOut) else (None, None)
    if not isinstance(whole, SumReadOut) or part is None:
        raise TrainingError(
            "Only detectors that read block statistics can be adapted here.",
            hint="Train with `whyfake train detector` and the layer-norms recipe instead.",
            code="cannot-adapt",
        )
    tuned = tuned_state(state, read)
    stays = (
        ClipLnDetector(tower, others, read.header, weights_sha256=read.sha256) if others else None
    )
    seen, around = seen_beside(read, texture)
    faces = _faces(rows, tuned, read, part, (stays, seen, around), finder, work, progress)
    quarter = np.array(
        [int(hashlib.sha256(g.encode()).hexdigest(), 16) % 4 for g in faces.groups], np.int64
    )
    train, held, judged = quarter < 2, quarter == 2, quarter == 3
    for name, chosen in (("training", train), ("calibration", held), ("judged", judged)):
        if len(set(faces.labels[chosen].tolist())) < 2:
            raise TrainingError(
                f"The {name} part holds one class only: too few groups.",
                hint="Spread the pictures over more sub-folders (one a person or video).",
                code="too-few-groups",
            )
    share = 1.0 - (seen.share if seen else 0.0)
    before_logits = faces.rest + share * _mean_scores(part, faces.views)
    # in place: the part's members are the whole's
    _continue(part, share, faces, train, seed=seed, progress=progress)
    after_logits = faces.rest + share * _mean_scores(part, faces.views)
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
        read_out=whole.options(),
    )
    write_delta(
        output,
        header,
        norms=read.norms,
        read_out=whole.state_dict(),
        low_rank=read.low_rank,
        texture=read.texture,
        surroundings=read.surroundings,
    )  # not small: what was judged is what is written
    return report


def _parted(read_out: SumReadOut) -> tuple[SumReadOut | None, SumReadOut | None]:
    """The very members that read block statistics, which can learn from a cache, and the others."""

    def made(statistics: bool) -> SumReadOut | None:
        kept: list[ReadOut] = []
        weights: list[float] = []
        for member, weight in zip(read_out.members, read_out.weights, strict=True):
            if isinstance(member, PooledReadOut) is statistics:
                kept.append(cast(ReadOut, member))
                weights.append(weight)
        return SumReadOut(kept, weights) if kept else None

    return made(True), made(False)


def _mean_scores(part: SumReadOut, views: Sequence[NDArray[np.float16]]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.mean([scores(part, view) for view in views], axis=0)
    return mean


def _faces(
    rows: Sequence[ManifestRow],
    tuned: dict[str, torch.Tensor],
    read: Delta,
    part: SumReadOut,
    stays: tuple[ClipLnDetector | None, TextureScore | None, SurroundingsScore | None],
    finder: FaceFinder,
    work: Path,
    progress: Callable[[str, int, int, float], None],
) -> _Faces:
    blocks = part.blocks
    if any(m.blocks != blocks for m in part.members):
        raise TrainingError(
            "The read-outs of this detector look at different blocks, which cannot be adapted.",
            hint="Train with `whyfake train detector`.",
            code="cannot-adapt",
        )
    header = read.header
    cache = CropCache(work, rows, header.crop)
    cache.fill(finder, limit=len(rows), progress=progress)
    run = statistics_of(tuned, header.tower, blocks)
    usable = np.flatnonzero(cache.points[:, 0] != UNREADABLE)
    read_blocks = "-".join(str(block) for block in blocks)
    views = both_sides(
        cache.folder,
        f"of-{read.sha256[:12]}-{{side}}-{read_blocks}",  # another delta has another tower
        lambda index: cache.crops[index],
        run,
        count=len(rows),
        shape=(len(blocks), 3, header.tower.width),
        mirror=header.mirror,
        progress=progress,
    )
    rest = np.zeros(len(usable))
    others, texture, around = stays
    for start in range(0, len(usable) if others or texture else 0, _AT_ONCE):
        stop = min(start + _AT_ONCE, len(usable))
        crops = [np.array(cache.crops[i]) for i in usable[start:stop]]
        if others is not None:
            rest[start:stop] += others.logits(crops)
        if texture is not None:
            rest[start:stop] = (1.0 - texture.share) * rest[start:stop]
            rest[start:stop] += _seen(texture, crops, mirror=header.mirror)
        progress("what stays", stop, len(usable), 0.0)
    if around is not None:
        windows = WindowCache(work, [cache.rows[i] for i in usable], finder)
        windows.fill(progress)
        rest += [around.lift(windows.window(n)) for n in range(len(usable))]
    return _Faces(
        views=[view[usable] for view in views],
        labels=np.array([cache.rows[i].label for i in usable], np.int64),
        groups=[cache.rows[i].video for i in usable],
        rest=rest,
    )


def _seen(texture: TextureScore, crops: list[Image], *, mirror: bool) -> NDArray[np.float64]:
    """What the texture adds to the logits, over the views that count."""
    nothing = torch.zeros(len(crops))
    with torch.inference_mode():
        logits = texture.joined(nothing, crops)
        if mirror:
            turned = texture.joined(nothing, [crop[:, ::-1].copy() for crop in crops])
            logits = 0.5 * (logits + turned)
        found: NDArray[np.float64] = logits.double().numpy()
    return found


def _continue(
    part: SumReadOut,
    share: float,
    faces: _Faces,
    train: NDArray[np.bool_],
    *,
    seed: int,
    progress: Callable[[str, int, int, float], None],
    epochs: int = 20,
    batch: int = 64,
    pull: float = 2e-3,
) -> None:
    """Train on, in place, with a pull back to the starting weights (L2-SP, arXiv 1802.01483).

    What is learnt is the logit of the face, ``share`` of it the part's, so that the part makes up
    for what the rest, which stays, says of these faces.
    """
    labels = faces.labels[train]
    balance = np.where(labels == 1, (labels == 0).mean(), (labels == 1).mean()) * 2
    weights = torch.from_numpy(balance).float()
    target = torch.from_numpy(labels).float()
    rest = torch.from_numpy(faces.rest[train]).float()
    views = [torch.from_numpy(view[train].astype(np.float32)) for view in faces.views]
    part.requires_grad_(True)
    start = {n: p.detach().clone() for n, p in part.named_parameters()}
    optimiser = torch.optim.AdamW(part.parameters(), 3e-4, weight_decay=0.0)
    torch.manual_seed(seed)
    for epoch in range(epochs):
        part.train()
        order = np.random.default_rng((seed, epoch)).permutation(len(labels))
        total = 0.0
        for number, first in enumerate(range(0, len(order), batch)):
            rows = torch.from_numpy(order[first : first + batch])
            values = views[(epoch + number) % len(views)][rows]
            loss = functional.binary_cross_entropy_with_logits(
                rest[rows] + share * part.from_statistics(values),
                target[rows],
                weight=weights[rows],
            )
            drift = sum(((p - start[n]) ** 2).sum() for n, p in part.named_parameters())
            optimiser.zero_grad()
            (loss + pull * drift).backward()
            optimiser.step()
            total += float(loss.detach())
        progress("adapting", epoch + 1, epochs, total)
    part.eval().requires_grad_(False)


def _judge(
    labels: NDArray[np.int64],
    logits: NDArray[np.float64],
    probabilities: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> dict[str, float | None]:
    return {"auroc": auroc(labels, logits), "ece": ece(labels, probabilities(logits))}
