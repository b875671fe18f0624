"""From a recipe's manifests to cached views with their labels, sources and weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.detectors.tower import Tower, tower_sha256
from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.evaluation.face_manifest import ManifestRow
from assistant.interfaces import FaceFinder
from assistant.training.face_cache import FOUND, UNREADABLE, CropCache
from assistant.training.patches import PatchData, evidence_of, train_patches, widened
from assistant.training.recipe import FakeShares, Recipe
from assistant.training.reconstruction import BUILDS, Redrawer, train_redrawer
from assistant.training.sources import check_sources, choose_rows, kind_of
from assistant.training.tower_stage import TunedTower, tune_tower
from assistant.training.two_heads import (
    GENUINE,
    LAID_IN,
    MADE,
    HeadData,
    with_direction,
)
from assistant.training.views import ViewCache, ViewMaker, plan_views

__all__ = ["Prepared", "label_views", "prepare", "view_weights"]

_KINDS = {"genuine": GENUINE, "laid-in": LAID_IN, "made": MADE}
#: What the redrawers are trained on: so many genuine faces, the sources taken in turn.
_REDRAWN_FACES = 800
#: A source with fewer genuine faces borrows donors from all.
_OWN_DONORS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """N views, and where each is from.

    ``manifest``: the recipe's pictures; ``rows`` N indices into it; ``view_kinds`` N names of
    :data:`assistant.training.views.KINDS`; ``sources`` N; ``kinds`` N of
    :mod:`assistant.training.two_heads`; ``statistics`` N x blocks x 3 x width; ``made`` N logits of
    the patches that look for made pictures; ``patches`` with masks, for those of *laid in*.
    """

    manifest: Sequence[ManifestRow]
    rows: NDArray[np.int64]
    view_kinds: NDArray[np.str_]
    sources: NDArray[np.str_]
    kinds: NDArray[np.int64]
    statistics: NDArray[np.float16]
    made: NDArray[np.float32]
    patches: PatchData

    def read_out(
        self,
        start: TwoHeadReadOut,
        kept: NDArray[np.int64],
        recipe: Recipe,
    ) -> tuple[TwoHeadReadOut, HeadData]:
        """Train the patches that look for what was laid in, and fit the direction, on ``kept``.

        Returns:
            The read-out, and all views with the logits of its patches.

        Raises:
            TrainingError: what is kept lacks a class.
        """
        listed = np.array([bool(self.manifest[int(i)].label) for i in self.rows])
        own = kept[~listed[kept]]
        # Blends against genuine pictures, as many of the one as of the other.
        blends = FakeShares(listed=0, laid_in=1, redrawn=0)
        odds = view_weights(own, self.kinds, listed, self.sources, blends)
        own = own[odds[own] > 0]
        patches = train_patches(
            self.patches,
            own,
            odds,
            recipe.patches,
            hidden=recipe.heads.evidence_hidden[0],
            seed=recipe.seed,
        )
        model = with_direction(
            start,
            self.statistics,
            listed,
            self.sources,
            kept[np.isin(self.view_kinds[kept], ["plain", "worn"])],
            recipe.heads,
        )
        evidence = np.stack([evidence_of(patches, self.patches), self.made], axis=1)
        model.laid_in = widened(patches, self.patches.basis, recipe.heads.blocks)
        return model, HeadData(statistics=self.statistics, evidence=evidence)


def view_weights(
    kept: NDArray[np.int64],
    kinds: NDArray[np.int64],
    listed: NDArray[np.bool_],
    sources: NDArray[np.str_],
    shares: FakeShares,
) -> NDArray[np.float64]:
    """N weights, 0 but for ``kept``, mean 1 over these.

    Genuine and manipulated weigh alike; the manipulated half is shared as ``shares`` says between
    pictures that are ``listed`` as manipulated and those made here; in each part a source weighs by
    the square root of its views, 400 at most.
    """
    out = np.zeros(len(kinds))
    chosen = np.zeros(len(kinds), bool)
    chosen[kept] = True
    parts = (
        (kinds == GENUINE, 1.0),
        (listed, shares.listed),
        (~listed & (kinds == LAID_IN), shares.laid_in),
        (~listed & (kinds == MADE), shares.redrawn),
    )
    for part, share in parts:
        rows = np.flatnonzero(part & chosen)
        if not len(rows):
            continue
        _, member, counts = np.unique(sources[rows], return_inverse=True, return_counts=True)
        each = (np.minimum(counts, 400) ** 0.5 / counts)[member]
        out[rows] = share * each / each.sum()
    out[kept] /= out[kept].mean()
    return out


def prepare(
    recipe: Recipe,
    tower: Tower,
    read_out: TwoHeadReadOut,
    finder: FaceFinder,
    *,
    work: Path,
) -> tuple[Prepared, TunedTower | None]:
    """Choose pictures, find faces, train the redrawers, tune the tower and run it over all views.

    Every step goes on where it stopped. ``tower`` and ``read_out`` are tuned in place.

    Returns:
        The views, and what of the tower was tuned; None without steps of tuning.

    Raises:
        ConfigError: a fold names an unknown source.
        TrainingError: the sources do not do, a redrawer diverges, or a cache is another recipe's.
    """
    chosen = choose_rows(
        recipe.rows(), most=recipe.most, home=recipe.home, test_percent=recipe.test_percent
    )
    check_sources(chosen)
    recipe.check_folds([row.source for row in chosen])
    cache = CropCache(work, chosen, recipe.wide.spec)
    cache.fill(finder, limit=len(chosen))
    rows = cache.rows
    state = np.asarray(cache.points[:, 0])
    labels = [row.label for row in rows]
    genuine = [i for i in range(len(rows)) if not labels[i] and state[i] == FOUND]
    redrawers = _redrawers(recipe, cache, genuine, work)
    maker = ViewMaker(
        lambda row: np.array(cache.crops[row]),
        cache.landmarks,
        _donors(rows, genuine),
        redrawers,
        side=recipe.crop.size,
        seed=recipe.seed,
    )
    views = plan_views(
        labels, (state != UNREADABLE).tolist(), (state == FOUND).tolist(), recipe.views
    )
    of_rows = np.array([view.row for view in views])
    view_kinds = np.array([view.kind for view in views])
    sources = np.array([rows[int(i)].source for i in of_rows])
    of_views = [rows[int(i)] for i in of_rows]
    kinds = label_views(of_views, view_kinds)
    tuned = None
    if recipe.tuning.steps:
        seen = ~np.isin(sources, recipe.tuning.without)
        odds = view_weights(
            np.flatnonzero(seen), kinds, np.array([bool(r.label) for r in of_views]), sources,
            recipe.shares,
        )  # fmt: skip
        odds[view_kinds == "plain"] *= recipe.tuning.plain
        donors = [i for i in genuine if rows[i].source not in recipe.tuning.without]
        tuned = tune_tower(
            tower,
            read_out,
            recipe.layout,
            maker.with_donors(_donors(rows, donors)),
            views,
            kinds,
            odds / odds.sum(),
            recipe.tuning,
            recipe.heads,
            seed=recipe.seed,
            path=work / "tower.pt",
        )
    store = ViewCache(
        cache.folder / f"views-{tower_sha256(tower.state_dict())[:12]}",
        views,
        layout=recipe.layout,
        blocks=recipe.heads.blocks,
        dimensions=recipe.patches.dimensions,
    )
    store.fill(tower, maker, read_out.made)
    prepared = Prepared(
        manifest=rows,
        rows=of_rows,
        view_kinds=view_kinds,
        sources=sources,
        kinds=kinds,
        statistics=store.statistics,
        made=store.made,
        patches=PatchData(
            patches=store.patches, masks=store.masks, basis=store.basis(tower, maker)
        ),
    )
    return prepared, tuned


def label_views(rows: Sequence[ManifestRow], view_kinds: NDArray[np.str_]) -> NDArray[np.int64]:
    """Kinds of N views, of the row and the kind of view of each."""
    kinds = np.array([_KINDS[kind_of(row)] for row in rows])
    kinds[np.isin(view_kinds, ["laid-in", "spared"])] = LAID_IN
    kinds[view_kinds == "redrawn"] = MADE
    return kinds


def _redrawers(
    recipe: Recipe,
    cache: CropCache,
    genuine: Sequence[int],
    work: Path,
) -> list[Redrawer]:
    if not recipe.views.get("redrawn") and not recipe.views.get("laid-in"):
        return []
    faces = [np.array(cache.crops[i]) for i in genuine[:_REDRAWN_FACES]]
    return [
        train_redrawer(
            build,
            faces,
            seed=number,
            steps=recipe.redraw_steps,
            path=work / "redrawers" / f"{number}.safetensors",
        )
        for number, build in enumerate(BUILDS)
    ]


def _donors(rows: Sequence[ManifestRow], genuine: Sequence[int]) -> Callable[[int], Sequence[int]]:
    """Faces of the same source where it has enough, else of all."""
    by_source: dict[str, list[int]] = {}
    for index in genuine:
        by_source.setdefault(rows[index].source, []).append(index)

    def of(row: int) -> Sequence[int]:
        own = by_source.get(rows[row].source, [])
        return own if len(own) >= _OWN_DONORS else genuine

    return of
