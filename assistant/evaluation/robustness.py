"""What common changes of a picture do to score, interval and verdict.

The whole picture is changed, and the face in it is looked for anew, as if it had been uploaded so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from assistant.edits import coded, greyed, mirrored, moved, noisy, shrunk, softened
from assistant.evaluation.detection import summarise
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import (
    ScoredRow,
    faces_in,
    read_row,
    require_scored,
    score_all,
)
from assistant.evaluation.tables import shown, table
from assistant.interfaces import FaceFinder
from assistant.scoring import Scorer
from assistant.types import Image, Media, Verdict

__all__ = ["CHANGES", "robustness_markdown", "robustness_table"]

Change = Callable[[Image, np.random.Generator], Image]


def _bars(crop: Image, rng: np.random.Generator) -> Image:
    """As a phone's screenshot shows it: plain bars above and below, with a line of marks."""
    del rng
    height, width = crop.shape[:2]
    bar = np.full((max(2, height // 6), width, 3), 18, np.uint8)
    bar[len(bar) // 3 : len(bar) // 2, width // 20 : width // 4] = 230
    return np.concatenate([bar, crop, bar])


def _turned(quarters: int) -> Change:
    return lambda crop, rng: np.ascontiguousarray(np.rot90(crop, quarters))


def _one_level(crop: Image, rng: np.random.Generator) -> Image:
    values = crop.astype(np.int16) + rng.integers(-1, 2, crop.shape)
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def _shift(crop: Image, rng: np.random.Generator) -> Image:
    right, down = rng.uniform(-0.04, 0.04, 2)
    return moved(crop, right, down)


def _fixed(change: Callable[..., Image], *values: Any) -> Change:
    """A change that draws nothing."""
    return lambda crop, rng: change(crop, *values)


#: Name -> change of a picture. ``none`` comes first: what the others are compared with.
CHANGES: Mapping[str, Change | None] = {
    "none": None,
    "mirrored": _fixed(mirrored),
    "noise of one grey level": _one_level,
    "JPEG quality 90": _fixed(coded, 90),
    "JPEG quality 50": _fixed(coded, 50),
    "JPEG quality 30": _fixed(coded, 30),
    "WebP quality 80": _fixed(coded, 80, ".webp"),
    "resized to 50 %": _fixed(shrunk, 0.5),
    "Gaussian blur 1.5 px": _fixed(softened, 1.5),
    "Gaussian noise 8": lambda crop, rng: noisy(crop, 8.0, rng),
    "turned by 90 degrees": _turned(1),
    "turned by 180 degrees": _turned(2),
    "turned by 270 degrees": _turned(3),
    "greyscale": _fixed(greyed),
    "screenshot bars": _bars,
    "moved by up to 4 %": _shift,
}


def robustness_table(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    scorer: Scorer,
    *,
    limit: int = 400,
    seed: int = 0,
    changes: Mapping[str, Change | None] = CHANGES,
) -> dict[str, Any]:
    """What each change does to the same ``limit`` rows (drawn by ``seed``).

    Returns:
        ``changes[NAME].sources[SOURCE].{auroc, ece, n}``, and of the rows scored both before and
        after: ``verdict_kept``, ``interval_holds`` (the new probability lies in the old interval),
        both shares, ``turned_quiet`` (manipulated ones that got *no sign found* by the change) and
        ``lost`` (no face was found any more).

    Raises:
        TrainingError: nothing could be scored.
    """
    chosen = list(rows)
    if len(chosen) > limit:
        picked = np.random.default_rng(seed).choice(len(chosen), limit, replace=False)
        chosen = [chosen[i] for i in sorted(picked)]
    looks = (
        (row, faces_in(_changed(media, change, number), row, finder, scorer.detector.crop_spec))
        for number, row in enumerate(chosen)
        for media in [read_row(row)]
        for change in changes.values()
    )
    found = score_all(looks, scorer, total=len(chosen) * len(changes))
    scored = {name: found[place :: len(changes)] for place, name in enumerate(changes)}
    before = next(iter(scored.values()))
    table: dict[str, Any] = {}
    for name, after in scored.items():
        require_scored(after)
        summary = summarise(after, resamples=10)
        table[name] = {
            "sources": {
                source: {key: numbers[key] for key in ("auroc", "ece", "n")}
                for source, numbers in {
                    **summary["sources"],
                    "overall": summary["overall"],
                }.items()
            },
            **_kept(before, after),
        }
    return {"schema": "whyfake.eval-robustness/2", "rows": len(chosen), "changes": table}


def _kept(before: Sequence[ScoredRow], after: Sequence[ScoredRow]) -> dict[str, Any]:
    """How verdicts and intervals of the same rows hold."""
    held, kept, quiet, lost = [], [], 0, 0
    for old, new in zip(before, after, strict=True):
        if old.probability is None or old.low is None or old.high is None:
            continue
        if new.probability is None:
            lost += 1
            continue
        held.append(old.low <= new.probability <= old.high)
        kept.append(old.verdict == new.verdict)
        quiet += bool(
            old.row.label and old.verdict != Verdict.NO_SIGN and new.verdict == Verdict.NO_SIGN
        )
    share = {"verdict_kept": kept, "interval_holds": held}
    return {
        **{key: round(float(np.mean(v)), 4) if v else None for key, v in share.items()},
        "turned_quiet": quiet,
        "lost": lost,
    }


def _changed(media: Media | None, change: Change | None, seed: int) -> Media | None:
    """The media with every frame changed; the random generator is seeded by the row's number."""
    if change is None or media is None:
        return media
    frames = tuple(change(frame, np.random.default_rng(seed)) for frame in media.frames)
    height, width = frames[0].shape[:2]
    return replace(media, frames=frames, height=height, width=width)


def robustness_markdown(result: dict[str, Any]) -> str:
    """What holds after each change, and the AUROC by source, as a Markdown table."""
    changes = result["changes"]
    sources = list(next(iter(changes.values()))["sources"])
    heads = ["change", "verdict kept", "interval holds", "turned quiet", "no face", *sources]
    rows = []
    for name, one in changes.items():
        shares = (shown(one["verdict_kept"], ".0%"), shown(one["interval_holds"], ".0%"))
        aurocs = (shown(one["sources"][source]["auroc"]) for source in sources)
        rows.append([name, *shares, one["turned_quiet"], one["lost"], *aurocs])
    return table(heads, rows)
