"""Batches of pairs: a manipulated face beside a real one of its video, a blend beside its face."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.known_masks import AlignedFace
from assistant.training.augmentation import Augmentation, augment
from assistant.training.blend_samples import blended
from assistant.training.face_cache import FOUND, UNREADABLE, CropCache
from assistant.types import Image

__all__ = ["Batch", "PairMix"]

#: Families of wholly synthetic pictures: every patch of theirs is manipulated.
_WHOLE_PICTURE = frozenset({"whole-face-gan"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One step's pictures: N crops, labels, rows, N x H x W masks and the weight of each mask."""

    crops: list[Image]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    masks: NDArray[np.float32]
    mask_weight: NDArray[np.float32]


class PairMix:
    """Draws batches, half of them real; the same seed and step give the same batch.

    Args:
        cache: filled with the crops of ``rows``.
        rows: of the training part.
        pair_shares: share of the pairs by source; ``blended`` for blends.
        blended_shares: share of the blends by the source of the face.
        self_blended: share of the blends that are of a face with itself.
        augmentation: of every crop.
        batch: pictures a step; even.
        seed: of all that is drawn.
        views: changed copies of each picture in a batch.
        borrowed_reals: for a source of manipulated faces alone: whose real ones stand beside them.
        generated_donors: share of the exchanges whose part is of a wholly generated face.

    Raises:
        TrainingError: an odd batch, or a source without both classes.
    """

    def __init__(
        self,
        cache: CropCache,
        rows: NDArray[np.int64],
        *,
        pair_shares: dict[str, float],
        blended_shares: dict[str, float],
        self_blended: float,
        augmentation: Augmentation,
        batch: int,
        seed: int,
        views: int = 1,
        borrowed_reals: Mapping[str, Sequence[str]] | None = None,
        generated_donors: float = 0.0,
    ) -> None:
        if batch < 2 or batch % (2 * views):
            raise TrainingError(
                f"A batch of {batch} cannot be made of pairs in {views} views.",
                hint="Choose a multiple of two times the views.",
            )
        self._cache, self._seed, self._batch = cache, seed, batch
        self._how, self._self_blended = augmentation, self_blended
        self._views = views
        usable = [int(i) for i in rows if cache.points[i, 0] != UNREADABLE]
        self._rows = usable
        known = cache.rows
        self._fakes: dict[str, list[int]] = {}
        self._reals: dict[str, list[int]] = {}
        self._found: dict[str, list[int]] = {}
        self._generated: list[int] = []
        self._generated_donors = generated_donors
        self._by_video: dict[str, list[int]] = {}
        for i in usable:
            row = known[i]
            (self._fakes if row.label else self._reals).setdefault(row.source, []).append(i)
            if not row.label:
                self._by_video.setdefault(row.video, []).append(i)
                if cache.points[i, 0] == FOUND:
                    self._found.setdefault(row.source, []).append(i)
            elif row.family in _WHOLE_PICTURE and cache.points[i, 0] == FOUND:
                self._generated.append(i)
        for source, lenders in sorted((borrowed_reals or {}).items()):
            lent = [i for lender in lenders for i in self._reals.get(lender, ())]
            if lent and source not in self._reals:
                self._reals[source] = lent
        if generated_donors and not self._generated:
            raise TrainingError(
                "Parts of generated faces are asked for, and there are no such faces.",
                hint="Set generated_donors to 0, or list faces of the family whole-face-gan.",
                code="no-generated",
            )
        self._pairs = _shares(pair_shares, {*self._fakes, "blended"} & {*self._reals, "blended"})
        self._bases = _shares(blended_shares, set(self._found)) if "blended" in pair_shares else {}
        drawn = [self._pairs, self._bases, self_blended, generated_donors]
        text = json.dumps([*drawn, augmentation.model_dump()])
        names = "\n".join(known[i].name for i in usable)
        self.key = hashlib.sha256(f"{text} {batch} {views} {names}".encode()).hexdigest()

    def crop(self, row: int) -> Image:
        """A row's crop as it is."""
        return np.array(self._cache.crops[row])

    def some(self, count: int, rng: np.random.Generator) -> list[Image]:
        """Some training crops as they are."""
        chosen = rng.choice(self._rows, min(count, len(self._rows)), replace=False)
        return [self.crop(int(row)) for row in chosen]

    def draw(self, step: int) -> Batch:
        """The batch of a step: real, manipulated, real, manipulated, ...; view after view."""
        rng = np.random.default_rng((self._seed, step))
        pairs = []
        for _ in range(self._batch // (2 * self._views)):
            kind = str(rng.choice(list(self._pairs), p=list(self._pairs.values())))
            pairs.append(self._blend(rng) if kind == "blended" else self._pair(kind, rng))
        crops: list[Image] = []
        masks, weights, rows = [], [], []
        for _ in range(self._views):
            for real, fake, rows_of, mask, weight in pairs:
                for crop, its_mask, its_weight in (
                    (real, np.zeros_like(mask), 1.0),
                    (fake, mask, weight),
                ):
                    changed, moved = augment(crop, rng, self._how, its_mask)
                    crops.append(changed)
                    masks.append(moved if moved is not None else its_mask)
                    weights.append(its_weight)
                rows += rows_of
        return Batch(
            crops=crops,
            labels=np.tile(np.array([0, 1], np.int64), self._batch // 2),
            rows=np.array(rows, np.int64),
            masks=np.stack(masks).astype(np.float32),
            mask_weight=np.array(weights, np.float32),
        )

    def _pair(
        self, source: str, rng: np.random.Generator
    ) -> tuple[Image, Image, list[int], NDArray[np.float32], float]:
        fake = int(rng.choice(self._fakes[source]))
        row: ManifestRow = self._cache.rows[fake]
        mates: Sequence[int] = self._by_video.get(row.video) or self._reals[source]
        real = int(rng.choice(mates))
        whole = row.family in _WHOLE_PICTURE
        size = self._cache.spec.size
        mask = np.full((size, size), float(whole), np.float32)
        return self.crop(real), self.crop(fake), [real, fake], mask, 0.5 if whole else 0.0

    def _blend(
        self, rng: np.random.Generator
    ) -> tuple[Image, Image, list[int], NDArray[np.float32], float]:
        source = str(rng.choice(list(self._bases), p=list(self._bases.values())))
        for _ in range(20):
            face, donor = (int(i) for i in rng.choice(self._found[source], 2))
            if self._generated_donors and rng.random() < self._generated_donors:
                donor = int(rng.choice(self._generated))
            try:
                crop, mask = blended(
                    self._face(face), self._face(donor), rng, self_blended=self._self_blended
                )
            except (ValueError, TrainingError):
                continue  # its parts lie outside its crop: another face
            return self.crop(face), crop, [face, face], mask, 1.0
        raise TrainingError(
            f"Twenty faces of {source!r} in turn could not be blended.",
            hint="Look at the crops of this source: are faces in them?",
            code="no-blends",
        )

    def _face(self, row: int) -> AlignedFace:
        return AlignedFace(crop=self.crop(row), crop_landmarks=self._cache.landmarks(row))


def _shares(wanted: dict[str, float], there: set[str]) -> dict[str, float]:
    kept = {name: share for name, share in sorted(wanted.items()) if share > 0 and name in there}
    total = sum(kept.values())
    if total <= 0:
        raise TrainingError(
            f"None of the sources {', '.join(sorted(wanted)) or '(none)'} has the faces needed; "
            f"there are {', '.join(sorted(there)) or 'none'}.",
            hint="Name sources of the manifest with real and manipulated faces.",
            code="no-pairs",
        )
    return {name: share / total for name, share in kept.items()}
