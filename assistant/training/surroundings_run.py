"""The ``surroundings`` recipe: a read-out of the picture around a face, beside a trained detector.

It learns what comes whole from a generator (:mod:`assistant.detectors.surroundings`); the detector
that it stands beside is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from assistant.detectors.assembly import assemble, seen_beside
from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.read_out import StatisticsReadOut
from assistant.detectors.surroundings import SurroundingsScore
from assistant.detectors.texture import TextureEye, TextureScore
from assistant.errors import TrainingError
from assistant.interfaces import FaceFinder
from assistant.training.degradation import degrade
from assistant.training.detector_config import DetectorConfig, manifest_rows
from assistant.training.face_cache import CropCache, StatisticsCache, both_sides
from assistant.training.finishing import (
    KnownFaces,
    calibration_rows,
    faces_of,
    finish,
    score_held_out,
)
from assistant.training.looks import hash_of
from assistant.training.read_out import TrainingSet, train_read_outs
from assistant.training.splits import balanced_weights, list_sha256
from assistant.training.texture_run import started_beside
from assistant.training.window_cache import WindowCache
from assistant.types import Image

__all__ = ["look_around", "train_surroundings"]

_LEAST = 70
_MOST_CUT = 0.24
#: Of a share beside a logit, so that the regression's penalty meets both alike.
_SPREAD = 3.0

Progress = Callable[[str, int, int, float], None]


def train_surroundings(
    config: DetectorConfig,
    base: Path,
    finder: FaceFinder,
    *,
    texture: Path,
    work: Path,
    output: Path,
    progress: Progress,
) -> dict[str, Any]:
    """As :func:`assistant.training.texture_run.train_texture`: the picture around faces is read.

    Args:
        config: of the run.
        base: safetensors of the tower.
        finder: finds the faces.
        texture: safetensors of the texture network.
        work: folder of caches and checkpoints.
        output: the delta to write: ``config.start``'s, with the surroundings and a new calibration.
        progress: told (what, done, in all, images a second or loss).

    Raises:
        TrainingError: the manifest is wrong, ``config.start`` is missing or another's crop, or no
            training picture is generated.
        WeightsError: ``config.start`` is of another base.
    """
    torch.set_num_threads(config.threads)
    started = started_beside(config)
    rows = manifest_rows(config)
    generated = config.surroundings.generated
    if not any(row.label and row.source in generated for row in rows):
        raise TrainingError(
            "No manipulated picture is of a source that surroundings.generated names"
            f" ({', '.join(generated) or 'it names none'}).",
            hint=f"The manifest has {', '.join(sorted({row.source for row in rows}))}.",
            code="one-class",
        )
    cache, faces = faces_of(config, rows, finder, work, progress)
    learnt = _learnt(config, faces)
    chosen = np.concatenate([learnt, faces.held_out])
    windows = WindowCache(work, [faces.rows[i] for i in chosen], finder)
    windows.fill(progress)
    seen, _ = seen_beside(started, texture)
    eye = TextureEye.load(texture) if seen is None else seen.eye
    data = _training_set(config, faces, learnt, windows, eye, progress)
    networks = [_network(name, data, config, eye.count, work, progress) for name in generated]
    how = config.surroundings
    score = SurroundingsScore(eye, networks, start=how.start, sharpness=how.sharpness)
    state = load_file(base)
    tower, tower_read_out = assemble(state, started)
    if seen is not None:
        seen = TextureScore(eye, seen.read_out, seen.share)  # what kinds add is fitted anew
    detector = ClipLnDetector(
        tower, tower_read_out, started.header, weights_sha256="", texture=seen
    )
    crops = _Crops(faces, cache, work / f"scores-{started.sha256[:12]}", progress)
    logits = crops.kept("logits", detector.logits)
    logits[faces.held_out] += _held_out_lifts(score, windows, len(learnt), progress)
    if seen is not None and seen.gate is not None:
        shares = crops.kept("kinds", partial(_material, seen, config.mirror))
        seen = TextureScore(eye, seen.read_out, seen.share, _kinds(config, faces, logits, shares))
        logits = logits + shares @ np.array(seen.kinds)
    return finish(
        config,
        faces,
        logits,
        tower_read_out,
        state,
        output=output,
        report={
            "started_from": started.sha256,
            "surroundings": {
                "pictures": len(learnt),
                "looks": len(data.labels),
                "generated": int(data.labels.sum()),
            },
            "kinds": [] if seen is None else [round(value, 4) for value in seen.kinds],
        },
        norms=started.norms,
        low_rank=started.low_rank,
        texture=seen,
        surroundings=score,
    )


def look_around(picture: Image, rng: np.random.Generator, config: DetectorConfig) -> Image:
    """A changed look at the picture around a face; every choice is drawn from ``rng``.

    Mirrored, cut tighter as another framing would, smaller, worse: each with its share.
    """
    how = config.surroundings
    out = picture[:, ::-1] if rng.random() < 0.5 else picture
    if rng.random() < how.cut:
        left, right, top, bottom = rng.uniform(0.0, _MOST_CUT, 4)
        height, width = out.shape[:2]
        out = out[
            round(top * height) : height - round(bottom * height),
            round(left * width) : width - round(right * width),
        ]
    if rng.random() < how.shrunk:
        share = max(float(rng.uniform(0.6, 1.0)), _LEAST / min(out.shape[:2]))
        if share < 1.0:
            whole = np.ascontiguousarray(out)
            small = cv2.resize(whole, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
            out = np.asarray(small, np.uint8)
    out = np.ascontiguousarray(out)
    if rng.random() < how.degraded:
        out = degrade(out, rng, config.read_out.degradation)
    return np.ascontiguousarray(out)


def _network(
    name: str,
    data: TrainingSet,
    config: DetectorConfig,
    width: int,
    work: Path,
    progress: Progress,
) -> StatisticsReadOut:
    """What tells the pictures of one generator from all that no generator made."""
    hidden = config.surroundings.hidden.get(name, config.read_out.hidden)
    assert data.sources is not None  # noqa: S101 - _training_set says them
    kept = np.flatnonzero((data.labels == 0) | (data.sources == name))
    own = replace(
        data,
        statistics=data.statistics[kept],
        labels=data.labels[kept],
        weights=balanced_weights(data.labels[kept], data.weights[kept]),
        sources=data.sources[kept],
    )
    sum_of_one = train_read_outs(
        own,
        config.read_out.model_copy(update={"members": 1, "experts": (), "hidden": hidden}),
        width=width,
        seed=config.seed,
        checkpoint=work / f"surroundings-{name}",
        progress=lambda _what, *told: progress(f"generator {name}", *told),
    )
    return cast("StatisticsReadOut", sum_of_one.members[0])


@dataclass(frozen=True, slots=True)
class _Crops:
    """Numbers of the held-out crops, kept in ``folder`` because they take minutes."""

    faces: KnownFaces
    cache: CropCache
    folder: Path
    progress: Progress

    def kept(
        self, name: str, run: Callable[[list[Image]], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """A number a row, or some of them, in the cache's order, zero where it is not held out."""
        path = self.folder / f"{name}-{list_sha256(self.faces.rows)[:12]}.npy"
        if not path.exists():
            found = score_held_out(self.faces, self.cache, run, self.progress, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, found)
        kept: NDArray[np.float64] = np.load(path)
        return kept


def _material(seen: TextureScore, mirror: bool, crops: list[Image]) -> NDArray[np.float64]:
    """The shares of the kinds of material in crops, over the views that count."""
    with torch.inference_mode():
        found = seen.material(seen.eye(crops))
        if mirror:
            turned = [crop[:, ::-1].copy() for crop in crops]
            found = 0.5 * (found + seen.material(seen.eye(turned)))
        values: NDArray[np.float64] = found.double().numpy()
    return values


def _kinds(
    config: DetectorConfig,
    faces: KnownFaces,
    logits: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> list[float]:
    """What each kind of material adds to a logit, so that it means the same for all of them.

    A logistic regression of the calibration part's labels on the logit and the kinds; what it adds
    for the first kind is none.
    """
    from sklearn.linear_model import LogisticRegression

    rows, _ = calibration_rows(config, faces)
    known = np.column_stack([logits[rows], _SPREAD * shares[rows, 1:]])
    slope, *rest = LogisticRegression(C=1.0).fit(known, faces.labels[rows]).coef_[0]
    return [0.0, *(float(_SPREAD * value / slope) for value in rest)]


def _learnt(config: DetectorConfig, faces: KnownFaces) -> NDArray[np.int64]:
    """The training rows that are looked at: of each source the share that is asked for."""
    train = np.flatnonzero((faces.parts == "train") & faces.usable)
    shares = config.surroundings.shares
    wanted = np.array([shares.get(faces.rows[int(i)].source, 1.0) for i in train])
    drawn = np.random.default_rng((config.seed, 41)).random(len(train)) < wanted
    found: NDArray[np.int64] = train[drawn]
    return found


def _seen(eye: TextureEye, pictures: list[Image]) -> NDArray[np.float32]:
    """Statistics of pictures, which differ in size."""
    with torch.inference_mode():
        found: NDArray[np.float32] = torch.cat([eye([p]) for p in pictures]).numpy()
    return found


def _held_out_lifts(
    score: SurroundingsScore, windows: WindowCache, first: int, progress: Progress
) -> NDArray[np.float64]:
    """What is added to the logits of the rows from ``first`` on, the held-out ones."""
    rows = [i for i in range(first, len(windows.rows)) if windows.window(i) is not None]

    def look(place: int) -> Image:
        picture = windows.window(rows[place])
        assert picture is not None  # noqa: S101 - those without are left out
        return picture

    views = both_sides(
        windows.folder,
        f"held-out-{{side}}-{score.eye.sha256[:12]}",
        look,
        partial(_seen, score.eye),
        count=len(rows),
        shape=(score.eye.count,),
        mirror=True,
        progress=progress,
    )
    evidence = np.mean([_evidence(score, view) for view in views], axis=0)
    lifts = np.zeros(len(windows.rows) - first)
    lifts[np.array(rows, int) - first] = score.lifts(evidence)
    return lifts


def _evidence(score: SurroundingsScore, statistics: NDArray[np.float16]) -> NDArray[np.float64]:
    """N x networks logits of kept statistics."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(statistics), 1024):
            part = torch.from_numpy(statistics[start : start + 1024].astype(np.float32))
            found.append(score.evidence(part).double().numpy())
    return np.concatenate(found)


def _training_set(
    config: DetectorConfig,
    faces: KnownFaces,
    learnt: NDArray[np.int64],
    windows: WindowCache,
    eye: TextureEye,
    progress: Progress,
) -> TrainingSet:
    """What is learnt from: some looks at each row, and whether it comes from a generator."""
    how = config.surroundings
    looks: list[tuple[int, int]] = []
    for number, row in enumerate(learnt):
        if windows.window(number) is not None:
            more = how.looks.get(faces.rows[int(row)].source, 1)
            looks += [(number, view) for view in range(1 + more)]

    def look(place: int) -> Image:
        number, view = looks[place]
        picture = windows.window(number)
        assert picture is not None  # noqa: S101 - those without are not among the looks
        rng = np.random.default_rng((config.seed, 43, view, int(learnt[number])))
        return look_around(picture, rng, config) if view else picture

    seen_as = how.model_dump(include={"looks", "cut", "shrunk", "degraded"})
    key = json.dumps([seen_as, config.read_out.degradation.model_dump(), config.seed])
    name = f"looks-{eye.sha256[:12]}-{hash_of(key):08x}"
    store = StatisticsCache(windows.folder, name, count=len(looks), shape=(eye.count,))
    store.fill(look, partial(_seen, eye), limit=len(looks), progress=progress)
    seen_rows = [faces.rows[int(learnt[number])] for number, _ in looks]
    labels = np.array([int(r.label and r.source in how.generated) for r in seen_rows], np.int64)
    factors = np.array([config.source_weights.get(r.source, 1.0) for r in seen_rows])
    factors[[view == 0 for _, view in looks]] *= how.first_weight
    return TrainingSet(
        statistics=np.asarray(store.values),
        labels=labels,
        weights=balanced_weights(labels, factors),
        sources=np.array([r.source for r in seen_rows]),
    )
