"""Does anything stand on both sides of a split? Videos, and pictures that are nearly the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.errors import WeightsError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import faces_in, read_row
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits
from assistant.training.splits import part_of
from assistant.types import CropSpec, Image

__all__ = ["check_leaks", "near_pairs", "perceptual_hash", "persons_on_both_sides"]

_SHOWN = 50
_SAME_PERSON = 0.6
#: Faces of each side, to look for the same people.
_SAMPLED = 400


def perceptual_hash(picture: Image) -> int:
    """64 bits of a picture's coarse structure: the signs of its low DCT terms about their median.

    Pictures that differ by resizing, recompression or a little light differ in few bits.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = np.asarray(cv2.dct(small))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int("".join("1" if bit else "0" for bit in bits), 2)


def near_pairs(
    hashes: Sequence[int], sides: Sequence[str], *, within: int = 4
) -> list[tuple[int, int, int]]:
    """Pairs (i, j, bits apart) on different sides that differ in at most ``within`` bits.

    Two such hashes agree in at least one of ``within + 1`` bands of bits: only those are compared.
    """
    width = 64 // (within + 1)
    found: dict[tuple[int, int], int] = {}
    for band in range(within + 1):
        last = band == within
        mask = ((1 << (64 - band * width)) - 1) if last else ((1 << width) - 1)
        buckets: dict[int, list[int]] = {}
        for index, value in enumerate(hashes):
            buckets.setdefault(value >> (band * width) & mask, []).append(index)
        for members in buckets.values():
            for position, first in enumerate(members):
                for second in members[position + 1 :]:
                    apart = (hashes[first] ^ hashes[second]).bit_count()
                    if apart <= within and sides[first] != sides[second]:
                        found[first, second] = apart
    return sorted((i, j, apart) for (i, j), apart in found.items())


def check_leaks(
    rows: Sequence[ManifestRow],
    percent: Mapping[str, int],
    *,
    within: int = 4,
) -> dict[str, Any]:
    """Look for what stands in two parts of a split.

    Args:
        rows: of a manifest; the part of a row is its ``split``, and where that is empty the one
            that its video's name falls into in training.
        percent: see :func:`assistant.training.splits.part_of`.
        within: bits of the perceptual hash that two pictures may differ in to count as the same.

    Returns:
        ``ok``, ``parts`` (pictures by part and class), ``videos`` on several sides, ``near`` pairs
        of pictures (path, path, bits), ``conflicts`` (nearly the same picture with both labels in
        one part), ``unreadable`` paths.
    """
    sides = [side_of(row, percent) for row in rows]
    where: dict[str, set[str]] = {}
    parts: dict[str, dict[str, int]] = {}
    for row, side in zip(rows, sides, strict=True):
        where.setdefault(row.video, set()).add(side)
        count = parts.setdefault(side, {"real": 0, "fake": 0})
        count["fake" if row.label else "real"] += 1
    hashes: list[int] = []
    kept: list[int] = []
    unreadable: list[str] = []
    for number, row in enumerate(rows):
        media = read_row(row, MediaLimits(frames=1))
        if media is None:
            unreadable.append(row.name)
        else:
            hashes.append(perceptual_hash(media.frames[0]))
            kept.append(number)
    pairs = near_pairs(hashes, [sides[i] for i in kept], within=within)
    same = [(h, rows[i].label) for h, i in zip(hashes, kept, strict=True)]
    both = {h for h, label in same if label == 0} & {h for h, label in same if label == 1}
    split_videos = sorted(video for video, found in where.items() if len(found) > 1)
    return {
        "schema": "whyfake.manifest-check/1",
        "ok": not (split_videos or pairs),
        "pictures": len(rows),
        "parts": dict(sorted(parts.items())),
        "videos_on_both_sides": split_videos,
        "near": [
            {"first": rows[kept[i]].name, "second": rows[kept[j]].name, "bits": apart}
            for i, j, apart in pairs[:_SHOWN]
        ],
        "near_count": len(pairs),
        "near_rows": sorted({kept[i] for pair in pairs for i in pair[:2]}),
        "same_picture_both_labels": len(both),
        "unreadable": unreadable,
    }


def persons_on_both_sides(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    encoder: Path,
    percent: Mapping[str, int],
) -> dict[str, Any]:
    """The share of real test faces that a face encoder takes for a person of the training part.

    An estimate on a sample: an encoder confuses people who look alike.

    Args:
        rows: of a manifest; only real faces are compared.
        finder: finds the faces.
        encoder: ONNX model from a 112 px face to an embedding (MobileFaceNet, ArcFace).
        percent: see :func:`assistant.training.splits.part_of`.

    Raises:
        WeightsError: the encoder cannot be loaded.
    """
    try:
        net = cv2.dnn.readNetFromONNX(str(encoder))
    except cv2.error as error:
        raise WeightsError(
            f"The face encoder {encoder} cannot be loaded.",
            hint="Give an ONNX model of a face encoder (112 px).",
            code="weights-damaged",
        ) from error
    by_side: dict[str, list[NDArray[np.float32]]] = {"train": [], "test": []}
    spec = CropSpec(size=112, scale=1.0)
    for index in np.random.default_rng(0).permutation(len(rows)):
        row = rows[index]
        side = side_of(row, percent)
        if row.label or side not in by_side or len(by_side[side]) >= _SAMPLED:
            continue
        found = faces_in(read_row(row, MediaLimits(frames=1)), row, finder, spec)
        if found.crops:
            blob = (found.crops[0].astype(np.float32) - 127.5) / 128.0
            net.setInput(np.ascontiguousarray(blob.transpose(2, 0, 1)[None]))
            code = np.asarray(net.forward(), np.float32).ravel()
            by_side[side].append(code / (np.linalg.norm(code) + 1e-9))
    train, test = by_side["train"], by_side["test"]
    if not train or not test:
        return {"train": len(train), "test": len(test), "same_person_share": None}
    nearest = (np.stack(test) @ np.stack(train).T).max(1)
    return {
        "train": len(train),
        "test": len(test),
        "same_person_share": round(float((nearest > _SAME_PERSON).mean()), 4),
        "similarity_from": _SAME_PERSON,
    }


def side_of(row: ManifestRow, percent: Mapping[str, int]) -> str:
    """The part a row belongs to."""
    return row.split or part_of(row.video, percent)
