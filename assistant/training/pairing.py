"""Batches in which a real face stands beside a fake one made from the same video.

GenD (arXiv 2508.06248) finds that this matters most: what differs in a pair is the manipulation,
not person, camera or compression.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.errors import TrainingError

__all__ = ["paired_batches"]


def paired_batches(
    labels: NDArray[np.int64], videos: Sequence[str], *, batch: int, seed: int, epoch: int
) -> Iterator[NDArray[np.int64]]:
    """Row numbers of one epoch's batches, half real and half fake.

    Every fake is drawn once, with a random real face of its video; where its video has none, with
    any real face.

    Args:
        labels: N, 1 = manipulated.
        videos: N source videos.
        batch: rows a batch; even.
        seed: of the run.
        epoch: from 0; another epoch, another order.

    Raises:
        TrainingError: an odd batch, or a class is missing.
    """
    if batch < 2 or batch % 2:
        raise TrainingError(
            f"A paired batch of {batch} cannot be halved.", hint="Choose an even batch."
        )
    reals, fakes = np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)
    if not len(reals) or not len(fakes):
        raise TrainingError(
            "Pairs need real and manipulated faces; one class is missing.",
            hint="Add the other class to the manifest.",
            code="one-class",
        )
    rng = np.random.default_rng((seed, epoch))
    by_video: dict[str, list[int]] = {}
    for row in reals:
        by_video.setdefault(videos[int(row)], []).append(int(row))
    order = rng.permutation(fakes)
    mates = np.array(
        [
            rng.choice(by_video[videos[f]]) if videos[f] in by_video else rng.choice(reals)
            for f in order
        ]
    )
    half = batch // 2
    for start in range(0, len(order) - half + 1, half) if len(order) >= half else [0]:
        chosen = slice(start, start + half)
        yield np.stack([mates[chosen], order[chosen]], axis=1).ravel()
