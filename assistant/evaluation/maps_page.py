"""A page of pictures of the map table: to see what the figures mean."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.evaluation.maps import MapTable
from assistant.types import Image

__all__ = ["maps_page", "overlay"]

_STYLE = (
    "body{font:15px system-ui;margin:2rem;max-width:110rem;color:#1c1b19;background:#faf9f7}"
    "figure{display:inline-block;margin:.3rem;text-align:center;vertical-align:top}"
    "img{width:168px;height:168px}figcaption{font-size:.8rem;max-width:168px}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2rem .6rem;"
    "text-align:right}th:first-child,td:first-child{text-align:left}"
    "@media (prefers-color-scheme:dark){body{background:#161513;color:#eee}}"
)


def maps_page(table: MapTable, result: Mapping[str, Any]) -> str:
    """Each sample with its mask, every method's map and where its highest point lies.

    It shows the faces of the manifest.
    """
    weights = html.escape(result["detector"].get("weights_sha256", "")[:12])
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width'><title>Maps beside known masks</title>",
        f"<style>{_STYLE}</style><h1>Maps beside known masks</h1>",
        f"<p>{html.escape(str(result['faces']))}. Detector weights {weights}. Default map: "
        f"{html.escape(result['default'])}. Figures over {html.escape(result['over'])} manipulated "
        "samples.</p>",
        _figures(result["methods"]),
    ]
    for sample, probability, maps in table.shown:
        title = f"{sample.kind} {sample.region}".strip()
        parts.append(f"<h2>{html.escape(title)}: P(manipulated) {probability:.2f}</h2>")
        parts.append(_figure(sample.crop, "picture"))
        outline = np.where(sample.mask[..., None], sample.crop, sample.crop // 4)
        covered = f"{100 * sample.mask.mean():.0f}% of the crop"
        parts.append(_figure(outline.astype(np.uint8), "known mask", covered))
        for name, heat in maps.items():
            parts.append(_figure(overlay(sample.crop, heat), name, _points_to(heat, sample.mask)))
    return "\n".join(parts) + "\n"


def _figures(methods: Mapping[str, Mapping[str, Any]]) -> str:
    columns = ("pointing", "iou", "auprc", "deletion_auc", "insertion_auc", "sanity_spearman")
    head = "".join(f"<th>{c.replace('_', ' ')}</th>" for c in columns)
    rows = []
    for name, entry in methods.items():
        cells = "".join(
            "<td>-</td>" if entry[c] is None else f"<td>{entry[c]:.2f}</td>" for c in columns
        )
        rows.append(f"<tr><td>{html.escape(name)}</td>{cells}</tr>")
    return f"<table><tr><th>method</th>{head}</tr>{''.join(rows)}</table>"


def _points_to(heat: NDArray[np.float32], mask: NDArray[np.bool_]) -> str:
    if heat.max() <= heat.min():
        return "points nowhere"
    if not mask.any():
        return "no mask to point to"
    inside = mask[np.unravel_index(int(heat.argmax()), heat.shape)]
    return "points into the mask" if inside else "points elsewhere"


def overlay(crop: Image, heat: NDArray[np.float32], *, opacity: float = 0.6) -> Image:
    """The map laid over the crop, dark where it says nothing."""
    import cv2

    colours = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = crop.mean(axis=2, keepdims=True)
    return np.asarray((opacity * colours + (1 - opacity) * grey).clip(0, 255).astype(np.uint8))


def _figure(picture: Image, caption: str, more: str = "") -> str:
    import cv2

    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]))
    text = base64.b64encode(data.tobytes()).decode("ascii")
    caption, more = html.escape(caption), html.escape(more)
    below = f"{caption}<br>{more}" if more else caption
    return (
        f"<figure><img alt='{caption}{', ' + more if more else ''}' "
        f"src='data:image/jpeg;base64,{text}'><figcaption>{below}</figcaption></figure>"
    )
