"""The table of cues: which stay, which were tried and fell, and how the rest does together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from assistant.cues.reference import CueReference
from assistant.evaluation.tables import table
from assistant.training.cue_fit import CueConfig, CueTable, without_each_source
from assistant.training.cue_values import LOOKS, FaceValues, all_cues

__all__ = ["cues_json", "cues_markdown", "spoken_for"]

_LOOK = LOOKS[-1]


def spoken_for(
    faces: Sequence[FaceValues], reference: CueReference, config: CueConfig
) -> dict[str, dict[str, float]]:
    """Held-out faces that a visible cue speaks for, by comparison: manipulated, genuine, counts.

    A cue speaks where its reading is beyond its limit and told of at least twice as many
    manipulated faces, as in the product; genuine faces are compared with those of all other
    sources.
    """
    from assistant.cues.stage import base_rates

    cues = [c for c in all_cues() if c.name in reference.limits and c.visible]
    out: dict[str, dict[str, float]] = {}
    test = [f for f in faces if f.test]
    others = without_each_source([f for f in faces if not f.test and f.label == 0])
    left_out = {source: replace(reference, genuine=genuine) for source, genuine in others.items()}
    speaks = {}
    for face in test:
        compared = reference if face.label else left_out.get(face.source, reference)
        speaks[id(face)] = any(
            base_rates(c, face.values[c.name], face.eyes, face.fineness, compared)[2]
            for c in cues
            if c.name in face.values
        )
    for comparison in config.comparisons:
        row: dict[str, float] = {}
        for label, names in ((1, comparison.fake), (0, comparison.real)):
            chosen = [
                speaks[id(f)]
                for f in test
                if f.label == label and (f.source in names or f"{f.source}/{f.family}" in names)
            ]
            what = "manipulated" if label else "genuine"
            row[what] = sum(chosen) / max(1, len(chosen))
            row[f"{what}_looks"] = len(chosen)
        out[comparison.name] = row
    return out


def cues_json(
    tables: Sequence[CueTable],
    spoken: dict[str, dict[str, float]],
    faces: Sequence[FaceValues],
    list_sha256: str,
) -> dict[str, Any]:
    """All held-out measurements as JSON."""
    return {
        "made_by": "whyfake eval cues",
        "list_sha256": list_sha256,
        "faces": len({f.name for f in faces}),
        "held_out": len({f.name for f in faces if f.test}),
        "looks": list(LOOKS),
        "cues": {
            t.cue: {
                "visible": t.visible,
                "stays": not t.why,
                "speaks": t.speaks,
                "why": t.why,
                "limit": t.limit,
                "tells_of": t.kind,
                "all_genuine_beyond": round(t.all_false_alarms, 4),
                "judged": round(t.judged, 4),
                "auroc": {
                    name: {look: [round(v, 4) for v in ends] for look, ends in looks.items()}
                    for name, looks in t.auroc.items()
                },
                "genuine_beyond": {s: [round(v, 4), n] for s, (v, n) in t.false_alarms.items()},
                "manipulated_beyond": {s: [round(v, 4), n] for s, (v, n) in t.told.items()},
            }
            for t in tables
        },
        "any_visible_cue_speaks": {
            name: {k: round(v, 4) for k, v in row.items()} for name, row in spoken.items()
        },
    }


def cues_markdown(
    tables: Sequence[CueTable], spoken: dict[str, dict[str, float]], config: CueConfig
) -> str:
    """AUROC on compressed held-out faces and the share beyond the limit, those that stay first."""
    names = [c.name for c in config.comparisons]
    counts = {c.name: c.counts for c in config.comparisons}
    rows = []
    for cue in sorted(tables, key=lambda t: (bool(t.why), not t.visible, t.cue)):
        worst = max(cue.false_alarms.items(), key=lambda item: item[1][0], default=None)
        alarm = f"{cue.all_false_alarms:.1%}; " if worst else "-"
        alarm += f"{worst[1][0]:.1%} ({worst[0]}, {worst[1][1]} faces)" if worst else ""
        kept = "stays, speaks" if cue.speaks else "stays, measured only"
        outcome = "fell: " + cue.why if cue.why else kept
        seen = "yes" if cue.visible else "no"
        rows.append([cue.cue, seen, *(_cell(cue, name) for name in names), alarm, outcome])
    compared = [name + ("" if counts[name] else " *") for name in names]
    last = ["Genuine beyond limit: all; worst source", "Outcome"]
    held_out = ["Held-out faces", "Manipulated that a visible cue speaks for", "Genuine"]
    any_cue = [
        (
            name,
            f"{row['manipulated']:.1%} of {row['manipulated_looks']:.0f}",
            f"{row['genuine']:.1%} of {row['genuine_looks']:.0f}",
        )
        for name, row in spoken.items()
    ]
    return f"{table(['Cue', 'Seen', *compared, *last], rows)}\n\n{table(held_out, any_cue)}\n"


def _cell(table: CueTable, name: str) -> str:
    ends = table.auroc.get(name, {}).get(_LOOK)
    if ends is None:
        return "-"
    beyond, _ = table.told[name]
    return f"{ends[0]:.2f} ({ends[1]:.2f}-{ends[2]:.2f}); {beyond:.0%}"
