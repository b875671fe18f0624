"""Limits of the cues, which of them stay, how these do on held-out faces, and the reference.

Limits and the choice see no held-out face. Every face is compared with genuine faces of all other
sources: a user's picture is of no known source either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from assistant.cues.cue import Cue
from assistant.cues.reference import NEVER, SCHEMA, Known
from assistant.evaluation.config_file import ConfigFile, Strict
from assistant.evaluation.detection_metrics import auroc, bootstrap_interval
from assistant.numbers import wilson
from assistant.training.cue_values import LOOKS, FaceValues, all_cues
from assistant.training.splits import part_of

__all__ = [
    "Compared",
    "Comparison",
    "CueConfig",
    "CueTable",
    "choose",
    "compare",
    "fit_limits",
    "held_out",
    "reference",
    "without_each_source",
]

#: Limits that are tried, the largest first: shares of genuine faces.
_LIMITS = (0.04, 0.032, 0.024, 0.016, 0.012, 0.008, 0.004)
_LEAST_AUROC, _MOST_FALSE = 0.6, 0.05
#: A source's share of faces beyond a limit is drawn towards that of all sources, as if it had so
#: many more faces that are like the others: few faces of a source tell little.
_PRIOR_FACES = 30
_RESAMPLES = 60


class Comparison(Strict):
    """A family against genuine faces."""

    name: str
    fake: tuple[str, ...]
    real: tuple[str, ...]


class CueConfig(ConfigFile):
    """What ``configs/cues.yaml`` says; its comments explain each line."""

    example: ClassVar[str] = "configs/cues.yaml"
    places: ClassVar[tuple[str, ...]] = ("manifest",)

    manifest: Path
    most: int = Field(ge=1)
    more: Mapping[str, int] = {}
    seed: int = 0
    skip_percent: int = Field(default=0, ge=0, le=98)
    test_percent: int = Field(ge=1, le=98)
    least_faces: int = Field(ge=1)
    false_alarms: float = Field(gt=0, lt=1)
    all_false_alarms: float = Field(gt=0, lt=1)
    kinds: Mapping[str, tuple[str, ...]] = {}
    comparisons: tuple[Comparison, ...] = Field(min_length=1)

    def is_test(self, video: str) -> bool:
        """Whether the faces of a video are held out, by the hash of its name."""
        shares = {"skipped": self.skip_percent, "test": self.test_percent}
        return part_of(video, shares) == "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class CueTable:
    """The measurements of one cue; all shares in [0, 1].

    Attributes:
        auroc: comparison -> look -> (AUROC, low, high), of what genuine faces of the size show.
        false_alarms: source -> (share of genuine faces beyond the limit, drawn towards the share
            of all; faces).
        all_false_alarms: the share of all genuine faces.
        told: family -> (share of manipulated faces beyond the limit, their number, share of the
            genuine faces that it is compared with, their number).
        kind: of manipulation that shows most faces beyond the limit.
        speaks: whether of some family at least twice as many faces lie beyond the limit
            as of its genuine ones, and both intervals lie apart; else it is only measured.
        why: empty for a cue that stays, else why it falls.
    """

    cue: str
    visible: bool
    limit: float
    judged: float
    auroc: Mapping[str, Mapping[str, tuple[float, float, float]]]
    false_alarms: Mapping[str, tuple[float, int]]
    all_false_alarms: float
    told: Mapping[str, tuple[float, int, float, int]]
    kind: str
    speaks: bool
    why: str


def known(
    faces: Sequence[FaceValues],
    cues: Sequence[Cue],
    kinds: Mapping[str, tuple[str, ...]] | None = None,
) -> Known:
    """Faces as the columns of a reference."""
    return Known(
        eyes=np.array([f.eyes for f in faces], np.float64),
        fineness=np.array([f.fineness for f in faces], np.float64),
        values={c.name: np.array([f.values.get(c.name, np.nan) for f in faces]) for c in cues},
        kinds=np.array([_kind_of(f, kinds) for f in faces] if kinds else [], np.str_),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Faces, and by cue and ``id`` the share of genuine faces of other sources with as much."""

    faces: Sequence[FaceValues]
    shares: Mapping[str, Mapping[int, float]]

    def judged(self, cue: str) -> list[FaceValues]:
        """The faces that a cue judged."""
        return [f for f in self.faces if id(f) in self.shares[cue]]


def compare(faces: Sequence[FaceValues], *, held_out: bool) -> Compared:
    """The faces that are held out, or those that are not, beside the genuine ones that are not."""
    cues = all_cues()
    others = without_each_source([f for f in faces if not f.test and f.label == 0])
    chosen = [f for f in faces if f.test is held_out]
    shares: dict[str, dict[int, float]] = {cue.name: {} for cue in cues}
    for face in chosen:
        beside = others.get(face.source, others[""])
        order = beside.by_likeness(face.eyes, face.fineness)
        for cue in cues:
            if cue.name in face.values and np.isfinite(beside.values[cue.name]).any():
                rate = beside.rate_in(cue.name, cue.sign, face.values[cue.name], order)
                shares[cue.name][id(face)] = rate.share
    return Compared(faces=chosen, shares=shares)


def fit_limits(compared: Compared, config: CueConfig) -> dict[str, float]:
    """For each cue the largest limit at which genuine faces raise few enough alarms.

    At most ``all_false_alarms`` of all, and ``false_alarms`` of any source, by :func:`_alarms`.
    """
    limits = {}
    for cue in all_cues():
        share = compared.shares[cue.name]
        judged = [f for f in compared.judged(cue.name) if f.label == 0]
        fits = [
            limit
            for limit in _LIMITS
            if _pooled(judged, share, limit) <= config.all_false_alarms
            and all(
                s <= config.false_alarms
                for s, _ in _alarms(judged, share, limit, config.least_faces).values()
            )
        ]
        limits[cue.name] = fits[0] if fits else _LIMITS[-1]
    return limits


def choose(compared: Compared, limits: Mapping[str, float], config: CueConfig) -> list[CueTable]:
    """Every cue on faces that are not held out: which stay, and which speak."""
    return [_judge_one(cue, compared, limits[cue.name], config) for cue in all_cues()]


def held_out(compared: Compared, chosen: Sequence[CueTable], config: CueConfig) -> list[CueTable]:
    """The same on held-out faces.

    Whether a cue speaks, and of which kind, stays as it was chosen; ``why`` tells which would fall.
    """
    made = []
    for cue, before in zip(all_cues(), chosen, strict=True):
        after = _judge_one(cue, compared, before.limit, config)
        made.append(replace(after, speaks=before.speaks, kind=before.kind))
    return made


def without_each_source(genuine: Sequence[FaceValues]) -> dict[str, Known]:
    """For each source the genuine faces of all others; under an empty name those of all."""
    cues = all_cues()
    return {
        source: known([f for f in genuine if f.source != source], cues)
        for source in ("", *sorted({f.source for f in genuine}))
    }


def reference(
    faces: Sequence[FaceValues], tables: Sequence[CueTable], list_sha256: str, config: CueConfig
) -> dict[str, Any]:
    """``cues.json``: the faces that were not held out, and the cues that stay with their limits."""
    kept = [t for t in tables if not t.why]
    train = [f for f in faces if not f.test]
    sources: dict[str, list[int]] = {}
    for face in train:
        if face.look == LOOKS[0]:
            sources.setdefault(face.source, [0, 0])[face.label] += 1

    def columns(label: int) -> dict[str, Any]:
        chosen = [f for f in train if f.label == label]
        kinds = {"kinds": [_kind_of(f, config.kinds) for f in chosen]} if label else {}
        return {
            **kinds,
            "eyes": [round(f.eyes, 1) for f in chosen],
            "fineness": [round(f.fineness, 2) for f in chosen],
            "values": {
                t.cue: [round(f.values[t.cue], 3) if t.cue in f.values else None for f in chosen]
                for t in kept
            },
        }

    return {
        "schema": SCHEMA,
        "made_by": "whyfake train cues",
        "list_sha256": list_sha256,
        "seed": config.seed,
        "looks": list(LOOKS),
        "sources": dict(sorted(sources.items())),
        "limits": {t.cue: t.limit if t.speaks else NEVER for t in kept},
        "tells_of": {t.cue: t.kind for t in kept if t.kind},
        "genuine": columns(0),
        "manipulated": columns(1),
    }


def _judge_one(cue: Cue, compared: Compared, limit: float, config: CueConfig) -> CueTable:
    there, share = compared.judged(cue.name), compared.shares[cue.name]
    genuine = [f for f in there if f.label == 0]
    scores: dict[str, dict[str, tuple[float, float, float]]] = {}
    for comparison in config.comparisons:
        for look in LOOKS[-1:]:
            chosen = [
                f
                for f in there
                if f.look == look and _is_of(f, comparison.fake if f.label else comparison.real)
            ]
            labels = np.array([f.label for f in chosen], np.int64)
            if min((labels == 0).sum(), (labels == 1).sum()) < 20:
                continue
            values = np.array([-share[id(f)] for f in chosen])
            videos = [f.video for f in chosen]
            middle = auroc(labels, values)
            ends = bootstrap_interval(auroc, labels, values, videos, resamples=_RESAMPLES)
            if middle is not None and ends is not None:
                scores.setdefault(comparison.name, {})[look] = (middle, *ends)
    alarms = _alarms(genuine, share, limit, config.least_faces)
    told = {}
    for comparison in config.comparisons:
        chosen = [f for f in there if f.label == 1 and _is_of(f, comparison.fake)]
        beside = [f for f in genuine if _is_of(f, comparison.real)]
        if chosen and beside:
            told[comparison.name] = (
                _pooled(chosen, share, limit),
                len({f.name for f in chosen}),
                _pooled(beside, share, limit),
                len({f.name for f in beside}),
            )
    pooled = _pooled(genuine, share, limit)
    return CueTable(
        cue=cue.name,
        visible=cue.visible,
        limit=limit,
        judged=len(there) / max(1, len(compared.faces)),
        auroc=scores,
        false_alarms=alarms,
        all_false_alarms=pooled,
        told=told,
        kind=_told_most([f for f in there if f.label == 1], share, limit, config),
        speaks=_tells(told),
        why=_why(scores, alarms),
    )


def _told_most(
    fakes: Sequence[FaceValues], share: Mapping[int, float], limit: float, config: CueConfig
) -> str:
    """The kind of manipulation of which most faces lie beyond a limit; empty without kinds."""
    beyond: dict[str, list[bool]] = {}
    for face in fakes:
        if id(face) in share and (kind := _kind_of(face, config.kinds)):
            beyond.setdefault(kind, []).append(share[id(face)] <= limit)
    enough = {k: v for k, v in beyond.items() if len(v) >= 2 * config.least_faces}
    return max(enough, key=lambda k: float(np.mean(enough[k])), default="")


def _tells(told: Mapping[str, tuple[float, int, float, int]]) -> bool:
    """Whether what lies beyond a limit is manipulated more often than genuine, in some family."""
    return any(
        fake >= 2 * real and wilson(round(fake * n), n)[0] > wilson(round(real * m), m)[1]
        for fake, n, real, m in told.values()
    )


def _why(
    scores: Mapping[str, Mapping[str, tuple[float, float, float]]],
    alarms: Mapping[str, tuple[float, int]],
) -> str:
    """Why a cue falls; empty where it stays."""
    compressed = [v["compressed"] for v in scores.values() if "compressed" in v]
    best = max((middle for middle, low, _ in compressed if low > 0.5), default=0.0)
    if not compressed:
        return "too few faces of any family could be judged"
    if best < _LEAST_AUROC:
        top = max((middle for middle, _, _ in compressed), default=0.0)
        return f"AUROC at most {top:.2f} on compressed faces, too low or too uncertain"
    worst = max(alarms, key=lambda s: alarms[s][0], default="")
    if worst and alarms[worst][0] > _MOST_FALSE:
        return f"{alarms[worst][0]:.1%} of the genuine faces of {worst} lie beyond its limit"
    return ""


def _pooled(faces: Sequence[FaceValues], share: Mapping[int, float], limit: float) -> float:
    """Share of faces beyond a limit."""
    return float(np.mean([share[id(f)] <= limit for f in faces])) if faces else 0.0


def _alarms(
    faces: Sequence[FaceValues], share: Mapping[int, float], limit: float, least: int
) -> dict[str, tuple[float, int]]:
    """Genuine faces beyond a limit by source, drawn towards the share of all.

    Sources of few faces are taken together.
    """
    counts = Counter(f.source for f in faces if f.look == LOOKS[0])
    groups: dict[str, list[FaceValues]] = {}
    for face in faces:
        name = face.source if counts[face.source] >= least else "small sources together"
        groups.setdefault(name, []).append(face)
    pooled = _pooled(faces, share, limit)
    found = {}
    for name, group in sorted(groups.items()):
        count = len({f.name for f in group})
        drawn = count * _pooled(group, share, limit) + _PRIOR_FACES * pooled
        found[name] = (drawn / (count + _PRIOR_FACES), count)
    return found


def _kind_of(face: FaceValues, kinds: Mapping[str, tuple[str, ...]]) -> str:
    """The kind of manipulation that a face is of; empty where none is named for it."""
    return next((kind for kind, names in kinds.items() if _is_of(face, names)), "")


def _is_of(face: FaceValues, names: Sequence[str]) -> bool:
    return face.source in names or f"{face.source}/{face.family}" in names
