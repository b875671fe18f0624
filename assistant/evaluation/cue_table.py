"""The table of cues: which stay, which were tried and fell, and how the rest does together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from assistant.cues.reference import NEVER, CueReference
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

    limits = reference.limits
    cues = [c for c in all_cues() if c.visible and limits.get(c.name, NEVER) > NEVER]
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
    chosen: Sequence[CueTable],
    held_out: Sequence[CueTable],
    spoken: dict[str, dict[str, float]],
    faces: Sequence[FaceValues],
    list_sha256: str,
) -> dict[str, Any]:
    """The measurements that cues were chosen by, and those on held-out faces, as JSON."""
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
                "limit": t.limit,
                "tells_of": t.kind,
                "chosen_by": _measured(t),
                "held_out": _measured(after),
            }
            for t, after in zip(chosen, held_out, strict=True)
        },
        "any_visible_cue_speaks": {
            name: {k: round(v, 4) for k, v in row.items()} for name, row in spoken.items()
        },
    }


def _measured(table: CueTable) -> dict[str, Any]:
    return {
        "falls_because": table.why,
        "all_genuine_beyond": round(table.all_false_alarms, 4),
        "judged": round(table.judged, 4),
        "auroc": {
            name: {look: [round(v, 4) for v in ends] for look, ends in looks.items()}
            for name, looks in table.auroc.items()
        },
        "genuine_beyond": {s: [round(v, 4), n] for s, (v, n) in table.false_alarms.items()},
        "manipulated_and_genuine_beyond": {
            s: [round(fake, 4), n, round(real, 4), m]
            for s, (fake, n, real, m) in table.told.items()
        },
    }


def cues_markdown(
    chosen: Sequence[CueTable],
    held_out: Sequence[CueTable],
    spoken: dict[str, dict[str, float]],
    config: CueConfig,
) -> str:
    """What became of each cue, and its figures on held-out faces; those that stay come first.

    AUROC is that of compressed faces, with the shares of the family and of its genuine faces beyond
    the limit.
    """
    names = [c.name for c in config.comparisons]
    rows = []
    after = {t.cue: t for t in held_out}
    for choice in sorted(chosen, key=lambda t: (bool(t.why), not t.visible, t.cue)):
        cue = after[choice.cue]
        worst = max(cue.false_alarms.items(), key=lambda item: item[1][0], default=None)
        alarm = f"{cue.all_false_alarms:.1%}; " if worst else "-"
        alarm += f"{worst[1][0]:.1%} ({worst[0]}, {worst[1][1]} faces)" if worst else ""
        kept = "stays, speaks" if choice.speaks else "stays, measured only"
        outcome = "fell: " + choice.why if choice.why else kept
        if cue.why and not choice.why:
            outcome += f"; on the held-out faces it would fall: {cue.why}"
        seen = "yes" if cue.visible else "no"
        rows.append([cue.cue, seen, *(_cell(cue, name) for name in names), alarm, outcome])
    last = ["Genuine beyond limit: all; worst source", "Outcome"]
    heads = ["Held-out faces", "Manipulated that a visible cue speaks for", "Genuine"]
    any_cue = [
        (
            name,
            f"{row['manipulated']:.1%} of {row['manipulated_looks']:.0f}",
            f"{row['genuine']:.1%} of {row['genuine_looks']:.0f}",
        )
        for name, row in spoken.items()
    ]
    return f"{table(['Cue', 'Seen', *names, *last], rows)}\n\n{table(heads, any_cue)}\n"


def _cell(table: CueTable, name: str) -> str:
    ends = table.auroc.get(name, {}).get(_LOOK)
    if ends is None:
        return "-"
    fake, _, real, _ = table.told[name]
    return f"{ends[0]:.2f} ({ends[1]:.2f}-{ends[2]:.2f}); {fake:.0%} / {real:.0%}"
