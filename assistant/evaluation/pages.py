"""Pages of results to look at: whole in one file, loading nothing, every value escaped.

Those of maps show the faces of the manifest.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.overlay import blend, png_bytes

if TYPE_CHECKING:
    from jinja2 import Environment

    from assistant.evaluation.maps import MapTable
    from assistant.types import Image

__all__ = ["detection_page", "maps_page"]

_MAP_FIGURES = ("pointing", "iou", "auprc", "deletion_auc", "insertion_auc", "sanity_spearman")


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("assistant.evaluation"), autoescape=True, undefined=StrictUndefined
    )
    found.filters["data_uri"] = _data_uri
    return found


def _render(template: str, **values: Any) -> str:
    return _templates().get_template(template).render(values)


def _data_uri(picture: Image) -> str:
    return "data:image/png;base64," + base64.b64encode(png_bytes(picture)).decode("ascii")


def detection_page(tables: str, plots: Mapping[str, bytes]) -> str:
    """Markdown tables as they are, and plots (PNG files by name)."""
    coded = {name: base64.b64encode(data).decode("ascii") for name, data in plots.items()}
    return _render("detection.html", tables=tables, plots=coded)


def maps_page(table: MapTable, result: Mapping[str, Any]) -> str:
    """Each sample with its mask, every method's map and where its highest point lies."""
    samples = [
        {
            "title": f"{sample.kind} {sample.region}".strip(),
            "probability": probability,
            "crop": sample.crop,
            "outline": np.where(sample.mask[..., None], sample.crop, sample.crop // 4),
            "covered": 100 * sample.mask.mean(),
            "maps": [
                (name, blend(sample.crop, heat, 0.8), _points_to(heat, sample.mask))
                for name, heat in maps.items()
            ],
        }
        for sample, probability, maps in table.shown
    ]
    return _render("maps.html", result=result, columns=_MAP_FIGURES, samples=samples)


def _points_to(heat: NDArray[np.float32], mask: NDArray[np.bool_]) -> str:
    if heat.max() <= heat.min():
        return "points nowhere"
    if not mask.any():
        return "no mask to point to"
    inside = mask[np.unravel_index(int(heat.argmax()), heat.shape)]
    return "points into the mask" if inside else "points elsewhere"
