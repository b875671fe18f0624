"""The map table as JSON and Markdown; and the rule that picks the default."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from assistant.evaluation.map_metrics import bootstrap
from assistant.evaluation.maps import CENTRE, METRICS, TRUTH, MapTable
from assistant.evaluation.tables import shown, table

__all__ = ["MOST_COST", "SCHEMA", "maps_json", "maps_markdown", "pick_default", "told_first_table"]

SCHEMA = "whyfake.maps/1"
#: Score with map may cost at most this many times the score alone.
MOST_COST = 1.6
_LOCAL = ("pointing", "iou", "auprc", "first_region")
_RANKS = ("named", "named_right")
_NAMES = ("first_region", "first_region_caused", "named", "named_right", "named_untouched")


def pick_default(methods: Mapping[str, Mapping[str, Any]]) -> str:
    """The class-specific method within the cost rule with the best mean of what the words rest on.

    These are pointing, IoU, and how often the exchanged region comes first; a figure that was not
    taken counts nothing.

    Where no method is within the rule, the cheapest class-specific one.

    ``methods``: name -> ``pointing``, ``iou``, ``first_region`` (may be left out),
    ``ms_over_score``, ``class_specific``.
    """
    able = {name: m for name, m in methods.items() if m["class_specific"]}
    cheap = {name: m for name, m in able.items() if m["ms_over_score"] <= MOST_COST}
    if not cheap:
        return min(able, key=lambda name: float(able[name]["ms_over_score"]))

    def worth(name: str) -> float:
        figures = (cheap[name].get(key) for key in ("pointing", "iou", "first_region"))
        return sum(0.0 if figure is None else float(figure) for figure in figures)

    return max(cheap, key=worth)


def maps_json(
    table: MapTable,
    class_specific: Mapping[str, bool],
    *,
    detector: Mapping[str, str],
    source: str,
    default: str | None = None,
    left_out: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The table as plain values.

    Figures are means over the flagged manipulated samples (over all of them where the detector
    flags none: ``over`` says which); ``interval`` holds 95 % bootstrap intervals in which all
    samples of a face are drawn together; ``all`` holds the same over all manipulated samples.

    ``source``: what the faces were, in words. ``default``: the map in use; None, or one that was
    not measured: what the rule picks. ``left_out``: methods that cannot read the detector, with the
    reason.
    """
    flagged = table.flagged_count()
    methods: dict[str, dict[str, Any]] = {}
    for name in table.methods:
        entry: dict[str, Any] = {}
        interval: dict[str, list[float | None]] = {}
        for metric in METRICS:
            mean, low, high = _mean(table, name, metric, flagged=flagged > 0)
            entry[metric] = _plain(mean)
            interval[metric] = [_plain(low), _plain(high)]
        times = [row.milliseconds for row in table.rows if row.method == name]
        entry["ms"] = round(float(np.median(times)), 1)
        entry["ms_over_score"] = round(entry["ms"] / max(table.score_milliseconds, 1e-9), 2)
        entry["n"] = len(table.values(name, "pointing", flagged=flagged > 0))
        entry["n_deep"] = len(table.values(name, "deletion_auc", flagged=flagged > 0))
        entry["class_specific"] = bool(class_specific.get(name, False))
        entry["interval"] = interval
        entry["all"] = {
            metric: [_plain(v) for v in _mean(table, name, metric, flagged=False)]
            for metric in (*_LOCAL, *_RANKS)
        }
        entry["all"]["n"] = len(table.values(name, "pointing", flagged=False))
        entry["by_kind"] = _by_kind(table, name)
        methods[name] = entry
    picked = pick_default({k: v for k, v in methods.items() if k not in (CENTRE, TRUTH, "random")})
    default = default if default in methods else picked
    kinds = Counter(row.kind for row in table.rows if row.method == table.methods[0])
    return {
        "schema": SCHEMA,
        "default": default,
        "picked": picked,
        "over": "flagged" if flagged else "all",
        "faces": source,
        "samples": {"kinds": dict(kinds), "flagged": flagged},
        "score_ms": round(table.score_milliseconds, 1),
        "detector": dict(detector),
        "methods": methods,
        "left_out": dict(left_out or {}),
        "targets": _targets(methods, default),
    }


def _mean(table: MapTable, name: str, metric: str, *, flagged: bool) -> tuple[float, float, float]:
    values = table.values(name, metric, flagged=flagged)
    return bootstrap(values, groups=table.faces(name, metric, flagged=flagged))


def _plain(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _by_kind(table: MapTable, method: str) -> dict[str, dict[str, float | None]]:
    out: dict[str, dict[str, float | None]] = {}
    for kind in dict.fromkeys(row.kind for row in table.rows):
        rows = [row for row in table.rows if row.method == method and row.kind == kind]
        if not rows:  # a slow method that saw no sample of this kind
            continue
        names = ("entropy_untouched",) if kind == "untouched" else ("pointing", "iou", "auprc")
        out[kind] = {
            name: _plain(bootstrap([r.figures[name] for r in rows if name in r.figures])[0])
            for name in names
        }
        out[kind]["flagged"] = _plain(float(np.mean([r.flagged for r in rows])))
    return out


def _targets(methods: Mapping[str, Mapping[str, Any]], default: str) -> dict[str, dict[str, Any]]:
    mine, chance, centre = methods[default], methods["random"], methods[CENTRE]

    def at_least(value: float | None, wanted: float) -> dict[str, Any]:
        return {"value": value, "at_least": wanted, "met": value is not None and value >= wanted}

    def at_most(value: float | None, wanted: float) -> dict[str, Any]:
        return {"value": value, "at_most": wanted, "met": value is not None and value <= wanted}

    return {
        "pointing": at_least(mine["pointing"], max(0.75, 2 * (chance["pointing"] or 0.0))),
        "iou": at_least(mine["iou"], max(0.35, centre["iou"] or 0.0)),
        "deletion_below_random": at_least(mine["deletion_below_random"], 0.8),
        "sanity_spearman": at_most(mine["sanity_spearman"], 0.3),
        "first_region": at_least(mine["first_region"], 0.65),
        "first_region_caused": at_least(mine["first_region_caused"], 0.65),
        "ms_over_score": at_most(mine["ms_over_score"], MOST_COST),
    }


def maps_markdown(result: Mapping[str, Any]) -> str:
    """The tables for people: where maps point, how faithful they are, and what was wished."""
    n = result["samples"]["flagged"]
    over = f"the {n} manipulated samples that are flagged" if n else "all manipulated samples"
    places = _table(result, _LOCAL, lambda e, c: _cell(e[c], e["interval"][c]))
    everywhere = _table(result, _LOCAL, lambda e, c: _cell(e["all"][c][0], e["all"][c][1:]))
    deep = _table(result, _FAITHFUL, lambda e, c: _cell(e[c], e["interval"][c]))
    control = _table(result, _CONTROLS, lambda e, c: _cell(e[c], e["interval"][c]))
    costs = _table(result, ("ms", "ms_over_score", "n", "n_deep"), lambda e, c: f"{e[c]}")
    parts = [
        f"{result['faces']}; means over {over}, with 95 % intervals. Default: {result['default']}; "
        f"the rule would pick {result['picked']} here.",
        places,
        f"Over all {result['methods']['random']['all']['n']} manipulated samples:",
        everywhere,
        "Regions: the exchanged one first; the same where the untouched face is not flagged; a "
        "region is named; it is the right one where one is; one is named on an untouched face.",
        _table(result, _NAMES, lambda e, c: _cell(e[c], e["interval"][c])),
        "Faithfulness, by the detector's own answer to a changed face (cells filled by noisy "
        "linear imputation, arXiv 2202.00449):",
        deep,
        "Controls: randomised weights, untouched faces.",
        control,
        "Cost: milliseconds with one score in them, and times that score.",
        costs,
        _wishes(result["targets"]),
        _causes(result.get("counterfactuals")),
        *(f"Left out: {name}. {why}" for name, why in result["left_out"].items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_FAITHFUL = ("deletion_auc", "insertion_auc", "deletion_below_random", "tenth_above_random")
_CONTROLS = ("sanity_spearman", "sanity_read_out", "entropy_untouched")


def _table(
    result: Mapping[str, Any],
    columns: Sequence[str],
    cell: Callable[[Mapping[str, Any], str], str],
) -> str:
    rows = []
    for name, entry in result["methods"].items():
        title = f"**{name}**" if name == result["default"] else name
        rows.append([title, *(cell(entry, column) for column in columns)])
    return table(["method", *(column.replace("_", " ") for column in columns)], rows)


def _cell(value: float | None, interval: Sequence[float | None]) -> str:
    low, high = interval
    if value is None or low is None or high is None:
        return "-"
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def _wishes(targets: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, target in targets.items():
        limit = "at least" if "at_least" in target else "at most"
        bound = target.get("at_least", target.get("at_most"))
        met = "yes" if target["met"] else "no"
        value = shown(target["value"], ".2f")
        rows.append((name.replace("_", " "), f"{limit} {bound:.2f}", value, met))
    return table(["wanted of the default", "limit", "value", "met"], rows)


def _causes(found: Mapping[str, Any] | None) -> str:
    """How far a true region moves the score, against equally large random patches."""
    if not found:
        return ""
    ways = [
        (
            name,
            entry["n"],
            f"{entry['change']:.2f}",
            f"{entry['control']:.2f}",
            shown(entry["ratio"], ".2f"),
            _cell(entry["difference"], entry["interval"]),
        )
        for name, entry in found["methods"].items()
        if entry["n"]
    ]
    head = ["way", "n", "change of the true region", "of random patches", "ratio", "difference"]
    lines = [
        f"Counterfactuals, over {'flagged' if found['over'] == 'flagged' else 'all'} region swaps:",
        "",
        table(head, ways),
    ]
    return "\n".join(lines)


def told_first_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """How often the exchanged part is told first, a row a set of pictures."""
    head = [
        "pictures",
        "n",
        "cause",
        "map",
        "cues, else cause",
        "cues spoke on",
        "where cause and map agree",
    ]
    rows = [
        (
            name,
            f"{row['n']} of {row['of_swaps']}",
            *(_ends(row[key]) for key in ("cause", "map", "cues")),
            row["cues_spoke"],
            f"{_ends(row['agreed'])} of {row['n_agreed']}",
        )
        for name, row in found.items()
    ]
    return table(head, rows)


def _ends(value: Sequence[float] | None) -> str:
    return "-" if value is None else _cell(value[0], value[1:])
