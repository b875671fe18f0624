"""Which pictures of which sources a detector learns from, checked before anything is made.

A *source* is where pictures come from (a data set, a repository, a generator). Every source weighs
alike, whatever its size, and what is chosen between models is judged on sources that were left out
(:mod:`assistant.training.leave_out`).
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import ManifestRow, hashed
from assistant.training.splits import part_of

__all__ = ["MADE", "check_sources", "choose_rows", "kind_of", "source_weights"]

_LOG = logging.getLogger(__name__)
_FEW = 8

#: Families of pictures that came whole out of a generator or decoder; of the others something was
#: laid into a genuine picture.
MADE = frozenset({"whole-face-gan", "diffusion", "autoencoder", "attribute-edit", "beautified"})


def kind_of(row: ManifestRow) -> str:
    """``genuine``, ``laid-in`` (something was blended into a genuine picture) or ``made``."""
    if not row.label:
        return "genuine"
    return "made" if row.family in MADE else "laid-in"


def choose_rows(
    rows: Sequence[ManifestRow], *, most: int, home: Sequence[str], test_percent: int
) -> list[ManifestRow]:
    """At most ``most`` pictures of each class of a source, whole videos by the hash of their name.

    Args:
        rows: of all manifests.
        most: pictures of one class of one source.
        home: sources whose test part (``test_percent`` of the videos) is left out altogether.
        test_percent: size of that part.
    """
    taken: Counter[tuple[str, int]] = Counter()
    chosen = []
    for row in sorted(rows, key=lambda r: (hashed(r.video), r.name)):
        part = part_of(row.video, {"test": test_percent})
        if row.source in home and part == "test":
            continue
        if taken[row.source, row.label] < most:
            taken[row.source, row.label] += 1
            chosen.append(row)
    return sorted(chosen, key=lambda r: (r.source, r.name))


def check_sources(rows: Sequence[ManifestRow]) -> None:
    """Say what is wrong with a list of sources, by name, before training.

    Sources with fewer than eight pictures are told in a warning.

    Raises:
        TrainingError: only one class, only one source of genuine pictures, all manipulated ones of
            one family, or two sources that hold the same picture files.
    """
    genuine = sorted({r.source for r in rows if not r.label})
    families = sorted({r.family or "unnamed" for r in rows if r.label})
    if not genuine or not families:
        missing = "genuine" if not genuine else "manipulated"
        raise TrainingError(
            f"The manifests list no {missing} pictures.",
            hint="A detector needs both; add rows with the other label.",
            code="one-class",
        )
    if len(genuine) < 2:
        raise TrainingError(
            f"All genuine pictures are of one source ({genuine[0]}): what is learnt would be that "
            "source, not what is genuine.",
            hint="Add genuine pictures of a second source.",
            code="one-source",
        )
    if len(families) < 2:
        raise TrainingError(
            f"All manipulated pictures are of one family ({families[0]}).",
            hint="Add pictures of another family, so that one can be left out.",
            code="one-family",
        )
    _check_twins(rows)
    counts = Counter(r.source for r in rows)
    for source, count in sorted(counts.items()):
        if count < _FEW:
            _LOG.warning("source %s has %d pictures only: it tells little", source, count)


def _check_twins(rows: Sequence[ManifestRow]) -> None:
    """Two sources with the same files are one source under two names."""
    sizes: defaultdict[int, list[ManifestRow]] = defaultdict(list)
    for row in rows:
        sizes[row.path.stat().st_size].append(row)
    seen: dict[str, ManifestRow] = {}
    shared: Counter[tuple[str, str]] = Counter()
    for group in sizes.values():
        if len({r.source for r in group}) < 2:
            continue
        for row in group:
            digest = hashlib.sha256(row.path.read_bytes()).hexdigest()
            other = seen.setdefault(digest, row)
            if other.source != row.source:
                first, second = sorted((other.source, row.source))
                shared[first, second] += 1
    if shared:
        (first, second), count = shared.most_common(1)[0]
        raise TrainingError(
            f"The sources {first} and {second} share {count} pictures, byte by byte: leaving one "
            "out would not leave it out.",
            hint="Give both the same source name, or drop the copies.",
            code="same-source",
        )


def source_weights(rows: Sequence[ManifestRow]) -> NDArray[np.float64]:
    """Weights with mean 1: both classes alike, within a class every source alike.

    A source's weight grows with the square root of its size up to 200 pictures, so that five
    pictures do not count as much as five hundred.
    """
    counts = Counter((r.source, r.label) for r in rows)
    share = {key: min(count, 200) ** 0.5 for key, count in counts.items()}
    weights = np.array([share[r.source, r.label] / counts[r.source, r.label] for r in rows])
    labels = np.array([r.label for r in rows])
    for label in (0, 1):
        part = labels == label
        if part.any():
            weights[part] /= weights[part].sum()
    return np.asarray(weights / weights.mean())
