"""The map table as JSON, Markdown and a page of pictures; and the rule that picks the default."""

from __future__ import annotations

import base64
import html
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.evaluation.map_metrics import bootstrap
from assistant.evaluation.maps import CENTRE, METRICS, MapTable
from assistant.types import Image

__all__ = ["MOST_COST", "SCHEMA", "maps_json", "maps_markdown", "maps_page", "pick_default"]

SCHEMA = "whyfake.maps/1"
#: Score with map may cost at most this many times the score alone.
MOST_COST = 1.6
_LOCAL = ("pointing", "iou", "auprc", "first_region")


def pick_default(methods: Mapping[str, Mapping[str, Any]]) -> str:
    """The class-specific method within the cost rule with the best mean of pointing and IoU.

    Where no method is within the rule, the cheapest class-specific one.

    Args:
        methods: name -> ``pointing``, ``iou``, ``ms_over_score``, ``class_specific``.
    """
    able = {name: m for name, m in methods.items() if m["class_specific"]}
    cheap = {name: m for name, m in able.items() if m["ms_over_score"] <= MOST_COST}
    if not cheap:
        return min(able, key=lambda name: float(able[name]["ms_over_score"]))
    return max(cheap, key=lambda name: float(cheap[name]["pointing"] + cheap[name]["iou"]))


def maps_json(
    table: MapTable,
    class_specific: Mapping[str, bool],
    *,
    detector: Mapping[str, str],
    source: str,
) -> dict[str, Any]:
    """The table as plain values.

    Figures are means over the flagged manipulated samples (over all of them where the detector
    flags
    none: ``over`` says which); ``interval`` holds 95 % bootstrap intervals.

    Args:
        table: the measurement.
        class_specific: by method.
        detector: its provenance.
        source: what the faces were, in words.
    """
    flagged = table.flagged_count()
    methods: dict[str, dict[str, Any]] = {}
    for name in table.methods:
        entry: dict[str, Any] = {}
        interval: dict[str, list[float | None]] = {}
        for metric in METRICS:
            values = table.values(name, metric, flagged=flagged > 0)
            mean, low, high = bootstrap(values)
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
            metric: _plain(bootstrap(table.values(name, metric, flagged=False))[0])
            for metric in _LOCAL
        }
        entry["by_kind"] = _by_kind(table, name)
        methods[name] = entry
    default = pick_default({k: v for k, v in methods.items() if k not in (CENTRE, "random")})
    kinds = Counter(row.kind for row in table.rows if row.method == table.methods[0])
    return {
        "schema": SCHEMA,
        "default": default,
        "over": "flagged" if flagged else "all",
        "faces": source,
        "samples": {"kinds": dict(kinds), "flagged": flagged},
        "score_ms": round(table.score_milliseconds, 1),
        "detector": dict(detector),
        "methods": methods,
        "targets": _targets(methods, default),
    }


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
        "ms_over_score": at_most(mine["ms_over_score"], MOST_COST),
    }


def maps_markdown(result: Mapping[str, Any]) -> str:
    """The table for people."""
    columns = [
        "pointing", "iou", "auprc", "first_region", "deletion_auc", "insertion_auc",
        "deletion_below_random", "road_drop", "sanity_spearman", "max_sensitivity",
        "entropy_untouched",
    ]  # fmt: skip
    head = ["method", *(c.replace("_", " ") for c in columns), "ms / score", "n"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, entry in result["methods"].items():
        cells = [f"**{name}**" if name == result["default"] else name]
        cells += [_cell(entry[c], entry["interval"][c]) for c in columns]
        cells += [f"{entry['ms_over_score']:.2f}", f"{entry['n']} / {entry['n_deep']}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: float | None, interval: Sequence[float | None]) -> str:
    if value is None:
        return "-"
    low, high = interval
    return f"{value:.2f} ({low:.2f}-{high:.2f})"


def maps_page(table: MapTable, result: Mapping[str, Any]) -> str:
    """A page of pictures: each sample, its mask and every method's map. It shows the faces."""
    parts = [
        "<!doctype html><meta charset='utf-8'><title>Maps beside known masks</title>",
        "<style>body{font:15px system-ui;margin:2rem;max-width:110rem}figure{display:inline-block;"
        "margin:.3rem;text-align:center}img{width:168px;height:168px}figcaption{font-size:.8rem}"
        "</style><h1>Maps beside known masks</h1>",
        f"<p>{html.escape(str(result['faces']))}. Detector weights "
        f"{html.escape(result['detector'].get('weights_sha256', '')[:12])}. Default map: "
        f"{html.escape(result['default'])}.</p>",
    ]
    for sample, probability, maps in table.shown:
        title = f"{sample.kind} {sample.region}".strip()
        parts.append(f"<h2>{html.escape(title)}: P(manipulated) {probability:.2f}</h2>")
        parts.append(_figure(sample.crop, "picture"))
        outline = np.where(sample.mask[..., None], sample.crop, sample.crop // 4)
        parts.append(_figure(outline.astype(np.uint8), "known mask"))
        parts += [_figure(overlay(sample.crop, heat), name) for name, heat in maps.items()]
    return "\n".join(parts) + "\n"


def overlay(crop: Image, heat: NDArray[np.float32], *, opacity: float = 0.6) -> Image:
    """The map laid over the crop, dark where it says nothing."""
    import cv2

    colours = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = crop.mean(axis=2, keepdims=True)
    return np.asarray((opacity * colours + (1 - opacity) * grey).clip(0, 255).astype(np.uint8))


def _figure(picture: Image, caption: str) -> str:
    import cv2

    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]))
    text = base64.b64encode(data.tobytes()).decode("ascii")
    caption = html.escape(caption)
    return (
        f"<figure><img alt='{caption}' src='data:image/jpeg;base64,{text}'>"
        f"<figcaption>{caption}</figcaption></figure>"
    )
