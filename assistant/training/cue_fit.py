"""Limits of the cues, how they do on faces they were not fitted on, and the reference to ship."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from assistant.cues.cue import Cue
from assistant.cues.reference import NEVER, SCHEMA, Known, wilson
from assistant.evaluation.config_file import ConfigFile, Strict
from assistant.evaluation.detection_metrics import auroc, bootstrap_interval
from assistant.training.cue_values import LOOKS, FaceValues, all_cues

__all__ = [
    "Comparison",
    "CueConfig",
    "CueTable",
    "fit_limits",
    "judge",
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
    """A family against genuine faces; ``counts``: whether a cue may stay because of it."""

    name: str
    fake: tuple[str, ...]
    real: tuple[str, ...]
    counts: bool = True


class CueConfig(ConfigFile):
    """What ``configs/cues.yaml`` says; its comments explain each line."""

    example: ClassVar[str] = "configs/cues.yaml"
    places: ClassVar[tuple[str, ...]] = ("manifest",)

    manifest: Path
    most: int = Field(ge=1)
    more: Mapping[str, int] = {}
    faces: int | None = Field(default=None, ge=1)
    seed: int = 0
    test_percent: int = Field(ge=1, le=99)
    least_faces: int = Field(ge=1)
    false_alarms: float = Field(gt=0, lt=1)
    all_false_alarms: float = Field(gt=0, lt=1)
    kinds: Mapping[str, tuple[str, ...]] = {}
    comparisons: tuple[Comparison, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CueTable:
    """The held-out measurements of one cue; all shares in [0, 1].

    Attributes:
        auroc: comparison -> look -> (AUROC, low, high), of what genuine faces of the size show.
        false_alarms: source -> (share of genuine faces beyond the limit of a reference without
            that source, drawn towards the share of all; faces).
        all_false_alarms: the share of all genuine faces.
        told: family -> (share of manipulated faces beyond the limit, faces).
        kind: of manipulation that shows most faces beyond the limit in the fitted part.
        speaks: whether of some family that counts more faces lie beyond the limit, by the lower end
            of the interval, than of all genuine faces; else it is only measured.
        why: empty for a cue that stays, else why it fell.
    """

    cue: str
    visible: bool
    limit: float
    judged: float
    auroc: Mapping[str, Mapping[str, tuple[float, float, float]]]
    false_alarms: Mapping[str, tuple[float, int]]
    all_false_alarms: float
    told: Mapping[str, tuple[float, int]]
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


def fit_limits(faces: Sequence[FaceValues], config: CueConfig) -> dict[str, float]:
    """For each cue the largest limit at which genuine faces raise few enough alarms.

    Measured on the faces that are not held out, each against the faces of all other sources: at
    most ``all_false_alarms`` of all, and ``false_alarms`` of any source, by :func:`_alarms`.
    """
    train = [f for f in faces if not f.test and f.label == 0]
    others = without_each_source(train)
    limits = {}
    for cue in all_cues():
        judged, share = _left_out(cue, train, others)
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


def judge(
    faces: Sequence[FaceValues], limits: Mapping[str, float], config: CueConfig
) -> list[CueTable]:
    """Every cue on the held-out faces, against a reference of the others.

    Alarms are those of a reference without the face's own source.
    """
    train = [f for f in faces if not f.test and f.label == 0]
    swapped = [f for f in faces if not f.test and f.label == 1]
    held = _HeldOut(
        test=[f for f in faces if f.test],
        genuine=known(train, all_cues()),
        others=without_each_source(train),
        manipulated=swapped,
    )
    return [_judge_one(cue, held, limits[cue.name], config) for cue in all_cues()]


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeldOut:
    """Faces that are judged, the genuine ones that they are compared with, and the manipulated."""

    test: Sequence[FaceValues]
    genuine: Known
    others: Mapping[str, Known]
    manipulated: Sequence[FaceValues]


def without_each_source(genuine: Sequence[FaceValues]) -> dict[str, Known]:
    """For each source the genuine faces of all others; under an empty name those of all."""
    cues = all_cues()
    return {
        source: known([f for f in genuine if f.source != source], cues)
        for source in ("", *sorted({f.source for f in genuine}))
    }


def _left_out(
    cue: Cue, faces: Sequence[FaceValues], others: Mapping[str, Known]
) -> tuple[list[FaceValues], dict[int, float]]:
    """Faces that a cue judged, and how many genuine faces of other sources show as much."""
    share = {}
    for face in faces:
        beside = others.get(face.source, others[""])
        if cue.name in face.values and np.isfinite(beside.values[cue.name]).any():
            share[id(face)] = _share(cue, face, beside)
    return [f for f in faces if id(f) in share], share


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


def _share(cue: Cue, face: FaceValues, genuine: Known) -> float:
    value = face.values[cue.name]
    return genuine.rate(cue.name, cue.sign, value, face.eyes, face.fineness).share


def _judge_one(cue: Cue, held: _HeldOut, limit: float, config: CueConfig) -> CueTable:
    there = [f for f in held.test if cue.name in f.values]
    fakes = [f for f in held.manipulated if cue.name in f.values]
    comparable = np.isfinite(held.genuine.values[cue.name]).any()
    share = {id(f): _share(cue, f, held.genuine) for f in [*there, *fakes] if comparable}
    there = [f for f in there if id(f) in share]
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
    judged, alone = _left_out(cue, [f for f in there if f.label == 0], held.others)
    alarms = _alarms(judged, alone, limit, config.least_faces)
    told = {}
    for comparison in config.comparisons:
        chosen = [f for f in there if f.label == 1 and _is_of(f, comparison.fake)]
        if chosen:
            told[comparison.name] = (
                float(np.mean([share[id(f)] <= limit for f in chosen])),
                len({f.name for f in chosen}),
            )
    pooled = _pooled(judged, alone, limit)
    return CueTable(
        cue=cue.name,
        visible=cue.visible,
        limit=limit,
        judged=len(there) / max(1, len(held.test)),
        auroc=scores,
        false_alarms=alarms,
        all_false_alarms=pooled,
        told=told,
        kind=_told_most(fakes, share, limit, config),
        speaks=_tells(told, pooled, config),
        why=_why(scores, alarms, config),
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


def _tells(told: Mapping[str, tuple[float, int]], pooled: float, config: CueConfig) -> bool:
    """Whether what lies beyond a limit is manipulated more often than genuine, in some family."""
    counted = [told[c.name] for c in config.comparisons if c.counts and c.name in told]
    return any(wilson(round(share * count), count)[0] > pooled for share, count in counted)


def _why(
    scores: Mapping[str, Mapping[str, tuple[float, float, float]]],
    alarms: Mapping[str, tuple[float, int]],
    config: CueConfig,
) -> str:
    """Why a cue falls; empty where it stays."""
    counting = {c.name for c in config.comparisons if c.counts}
    compressed = [
        v["compressed"] for name, v in scores.items() if name in counting and "compressed" in v
    ]
    best = max((middle for middle, low, _ in compressed if low > 0.5), default=0.0)
    if not compressed:
        return "too few faces of any family that counts could be judged"
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
