"""How often genuine photos are flagged, by kind: portraits, groups, night, old prints, ..."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from pydantic import Field

from assistant.edits import coded, shrunk
from assistant.errors import ConfigError, TrainingError
from assistant.evaluation.config_file import ConfigFile
from assistant.evaluation.detection_metrics import share_of
from assistant.evaluation.face_manifest import ManifestRow, drawn_by_hash
from assistant.evaluation.robustness import CHANGES
from assistant.evaluation.scoring import ScoredRow, faces_in, read_row, score_all, versions
from assistant.evaluation.tables import table
from assistant.interfaces import FaceFinder
from assistant.scoring import Scorer
from assistant.types import Image, Media, Verdict

__all__ = ["MADE", "KindsConfig", "false_alarms", "false_alarms_markdown", "load_kinds"]

#: Fewer genuine pictures of a kind say little of it.
_SMALL = 20
Change = Callable[[Image, np.random.Generator], Image]


def _night(picture: Image, rng: np.random.Generator) -> Image:
    """A fifth of the light, a high ISO's noise, and a phone's noise filter over it."""
    dark = 255.0 * (picture / 255.0) ** 1.6 * 0.35
    noisy = np.clip(dark + rng.normal(0.0, 9.0, picture.shape), 0, 255).astype(np.uint8)
    return np.asarray(cv2.bilateralFilter(noisy, 5, 25, 5), np.uint8)


def _old_print(picture: Image, rng: np.random.Generator) -> Image:
    """A faded brownish print, scanned: little contrast, soft, with the paper's grain."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)
    soft = cv2.GaussianBlur(grey, (0, 0), max(picture.shape[:2]) / 500.0)
    grain = cv2.GaussianBlur(rng.normal(0.0, 14.0, soft.shape), (0, 0), 0.8)
    faded = 55.0 + 0.62 * soft + grain
    return np.asarray(np.clip(faded[..., None] * [1.0, 0.92, 0.76], 0, 255), np.uint8)


def _retouched(picture: Image, rng: np.random.Generator) -> Image:
    """Skin smoothed as by a beauty filter, then a little sharpened."""
    del rng
    smooth = cv2.bilateralFilter(picture, 9, 40, 9).astype(np.float64)
    sharp = 1.3 * smooth - 0.3 * cv2.GaussianBlur(smooth, (0, 0), 2.0)
    return np.asarray(np.clip(sharp, 0, 255), np.uint8)


def _messenger(picture: Image, rng: np.random.Generator) -> Image:
    """Shrunk to 800 pixels and saved as JPEG of quality 60."""
    del rng
    share = min(1.0, 800.0 / max(picture.shape[:2]))
    return coded(shrunk(picture, share, back=False), 60)


def _of_robustness(name: str) -> Change:
    change = CHANGES[name]
    assert change is not None  # noqa: S101 - only "none" has no change
    return change


#: Kinds that are made by wearing other photos, on the whole RGB uint8 picture.
MADE: Mapping[str, Change] = {
    "black and white": _of_robustness("greyscale"),
    "night": _night,
    "old print": _old_print,
    "retouched": _retouched,
    "screenshot": _of_robustness("screenshot bars"),
    "messenger": _messenger,
}


class KindsConfig(ConfigFile):
    """Which sources are of which kind, and which kinds are made from them."""

    example: ClassVar[str] = "configs/false-alarms.yaml"

    kinds: dict[str, list[str]] = Field(default_factory=dict, description="Kind to sources.")
    made: list[str] = Field(default_factory=list, description="Kinds made by wearing others.")
    made_from: list[str] = Field(default_factory=list, description="Of these kinds; empty: all.")


def load_kinds(path: Path) -> KindsConfig:
    """Read a file such as ``configs/false-alarms.yaml``.

    Raises:
        ConfigError: it cannot be read, a field is wrong, or a kind to be made is unknown.
    """
    config = KindsConfig.read(path)
    unknown = [name for name in config.made if name not in MADE]
    unknown_from = [name for name in config.made_from if name not in config.kinds]
    if unknown or unknown_from:
        raise ConfigError(
            f"{path}: no such kind: {', '.join([*unknown, *unknown_from])}.",
            hint=f"Made can be: {', '.join(MADE)}; made_from: names under kinds.",
        )
    return config


def false_alarms(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    scorer: Scorer,
    *,
    config: KindsConfig | None = None,
    most: int = 60,
    seed: int = 0,
) -> dict[str, Any]:
    """Score the genuine rows of each kind, ``most`` by the hash of their names; the largest face.

    The kind of a row is its column ``kind``, else that of its source in ``config``; what the kinds
    that are made draw is of ``seed``.

    Returns:
        ``kinds[NAME]``: ``n`` scored, ``flagged`` with ``share``, ``low``, ``high`` (95 % Wilson)
        and ``count``, shares of ``uncertain`` and ``no_sign``, ``no_face``, ``made``, ``sources``
        and ``small`` (fewer than 20).

    Raises:
        TrainingError: no genuine row has a kind, a kind of ``config`` has none, or nothing could be
            scored.
    """
    config = config or KindsConfig()
    groups = _grouped(rows, config)
    chosen = {kind: drawn_by_hash(members, most) for kind, members in groups.items()}
    plain = [
        row for k, members in chosen.items() if k in (config.made_from or chosen) for row in members
    ]
    jobs: list[tuple[str, ManifestRow]] = [(k, r) for k, members in chosen.items() for r in members]
    jobs += [(kind, row) for kind in config.made for row in drawn_by_hash(plain, most)]
    looks = (
        (row, faces_in(_worn(kind, row, (seed, number)), row, finder, scorer.detector.crop_spec))
        for number, (kind, row) in enumerate(jobs)
    )
    scored = score_all(looks, scorer, total=len(jobs))
    found: dict[str, list[ScoredRow]] = {}
    for (kind, _), result in zip(jobs, scored, strict=True):
        found.setdefault(kind, []).append(result)
    return {
        "schema": "whyfake.false-alarms/1",
        "kinds": {
            kind: _numbers(results, made=kind in config.made) for kind, results in found.items()
        },
        "versions": versions(scorer),
    }


def false_alarms_markdown(result: Mapping[str, Any]) -> str:
    """The table as Markdown."""
    lines = []
    for kind, one in result["kinds"].items():
        flagged = one["flagged"]
        lines.append(
            (
                f"{kind}{' (made)' if one['made'] else ''}{' (few)' if one['small'] else ''}",
                one["n"],
                f"{flagged['share']:.0%} ({flagged['low']:.0%} to {flagged['high']:.0%})",
                f"{one['uncertain']:.0%}",
                f"{one['no_sign']:.0%}",
                one["no_face"],
            )
        )
    head = ("genuine photos", "faces", "flagged (95 %)", "uncertain", "no sign", "no face")
    return (
        f"{table(head, lines)}\n\nMade: other photos, worn to look so. Sources that the detector "
        "was trained on flatter it; sources left out are in `whyfake eval leave-out`."
    )


def _grouped(rows: Sequence[ManifestRow], config: KindsConfig) -> dict[str, list[ManifestRow]]:
    of_source = {source: kind for kind, names in config.kinds.items() for source in names}
    groups: dict[str, list[ManifestRow]] = {kind: [] for kind in config.kinds}
    for row in rows:
        kind = row.kind or of_source.get(row.source, "")
        if not row.label and kind:
            groups.setdefault(kind, []).append(row)
    empty = [kind for kind, members in groups.items() if not members]
    if not groups or empty:
        what = f"of these kinds: {', '.join(empty)}" if empty else "with a kind"
        raise TrainingError(
            f"The manifest lists no genuine picture {what}.",
            hint="Add a column `kind`, or name the sources of each kind with --kinds FILE.",
            code="no-kinds",
        )
    return groups


def _worn(kind: str, row: ManifestRow, seed: tuple[int, int]) -> Media | None:
    """A row's picture, made to look of a kind that is not its own."""
    media = read_row(row)
    if media is None or kind not in MADE or kind == row.kind:
        return media
    rng = np.random.default_rng(seed)
    frames = tuple(MADE[kind](frame, rng) for frame in media.frames)
    height, width = frames[0].shape[:2]
    return replace(media, frames=frames, width=width, height=height)


def _numbers(results: Sequence[ScoredRow], *, made: bool) -> dict[str, Any]:
    known = [s for s in results if s.verdict is not None]
    n = len(known)
    count = sum(s.verdict is Verdict.LIKELY_MANIPULATED for s in known)

    def share(verdict: Verdict) -> float:
        return round(sum(s.verdict is verdict for s in known) / n, 4) if n else 0.0

    return {
        "n": n,
        "flagged": share_of(count, n),
        "uncertain": share(Verdict.UNCERTAIN),
        "no_sign": share(Verdict.NO_SIGN),
        "no_face": len(results) - n,
        "made": made,
        "small": n < _SMALL,
        "sources": sorted({s.row.source for s in results}),
    }
