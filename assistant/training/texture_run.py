"""The ``texture`` recipe: a read-out of the texture beside a trained detector, which is kept.

The network that sees the texture is never trained (:mod:`assistant.detectors.texture`); what reads
it learns from the same looks at the training faces as the tower's read-outs do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from assistant.detectors.assembly import assemble
from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import Delta, read_delta
from assistant.detectors.texture import TextureEye, TextureScore
from assistant.errors import TrainingError
from assistant.interfaces import FaceFinder
from assistant.training.detector import fit_read_out
from assistant.training.detector_config import DetectorConfig, manifest_rows
from assistant.training.finishing import faces_of, finish, score_held_out
from assistant.training.looks import Looks
from assistant.types import Image

__all__ = ["started_beside", "train_texture"]


def train_texture(
    config: DetectorConfig,
    base: Path,
    finder: FaceFinder,
    *,
    texture: Path,
    work: Path,
    output: Path,
    progress: Callable[[str, int, int, float], None],
) -> dict[str, Any]:
    """As :func:`assistant.training.detector.train_detector`, beside the detector ``config.start``.

    Args:
        config: of the run.
        base: safetensors of the tower.
        finder: finds the faces.
        texture: safetensors of the texture network.
        work: folder of caches and checkpoints.
        output: the delta to write: ``config.start``'s, with the texture and a new calibration.
        progress: told (what, done, in all, images a second or loss).

    Raises:
        TrainingError: the manifest is wrong, or ``config.start`` is missing or another's crop.
        WeightsError: ``config.start`` is of another base.
    """
    torch.set_num_threads(config.threads)
    started = started_beside(config)
    cache, faces = faces_of(config, manifest_rows(config), finder, work, progress)
    eye = TextureEye.load(texture)

    def run(crops: list[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = eye(crops).numpy()
        return found

    looks = Looks(
        config=config,
        cache=cache,
        parts=faces.parts,
        folder=cache.folder / f"texture-{eye.sha256[:12]}",
        run=run,
        shape=(eye.count,),
        progress=progress,
    )
    read_out, blends = fit_read_out(looks, faces, checkpoint=work / "texture")
    score = TextureScore(eye, read_out, config.texture_share)
    state = load_file(base)
    tower, tower_read_out = assemble(state, started)
    detector = ClipLnDetector(
        tower, tower_read_out, started.header, weights_sha256="", texture=score
    )
    logits = score_held_out(faces, cache, detector.logits, progress)
    return finish(
        config,
        faces,
        logits,
        tower_read_out,
        state,
        output=output,
        report={
            "started_from": started.sha256,
            "tower": started.header.card.get("tower", dict(started.header.card)),
            "self_blended": blends,
        },
        norms=started.norms,
        low_rank=started.low_rank,
        texture=score,
    )


def started_beside(config: DetectorConfig) -> Delta:
    """The detector beside which more is read; it sees faces as ``config`` says.

    Raises:
        TrainingError: it is missing, or sees faces in another way.
    """
    if config.start is None or not config.start.exists():
        raise TrainingError(
            f"The detector to start from, {config.start}, is not there.",
            hint="Name a trained detector in `start`.",
            code="start-missing",
        )
    started = read_delta(config.start)
    header = started.header
    if (header.tower, header.crop, header.mirror) != (
        config.layout,
        config.crop.spec,
        config.mirror,
    ):
        raise TrainingError(
            f"{config.start.name} looks at faces in another way than this configuration.",
            hint="Give both the same tower, image_size, crop and mirror.",
            code="other-crop",
        )
    return started
