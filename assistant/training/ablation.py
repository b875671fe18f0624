"""What each term of the published recipe adds, term by term and with several seeds.

The rows of the table of arXiv 2503.19683 and 2508.06248, on any tower: each row keeps the terms of
the rows above it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.evaluation import tables
from assistant.interfaces import FaceFinder
from assistant.training.detector_config import DetectorConfig
from assistant.training.tuning_run import train_layer_norms

__all__ = ["ROWS", "run_ablation", "table"]

_NOTHING = {
    "layer_norms": False,
    "normalise": False,
    "uniformity": 0.0,
    "alignment": 0.0,
    "slerp": False,
    "paired": False,
}
#: Name of the row, and what it adds.
ROWS: dict[str, dict[str, Any]] = {
    "linear head": {},
    "+ LayerNorm tuning": {"layer_norms": True},
    "+ L2 normalisation": {"normalise": True},
    "+ uniformity and alignment": {"uniformity": 0.5, "alignment": 0.1},
    "+ slerp": {"slerp": True},
    "+ pairs of one video": {"paired": True},
    "+ self-blended faces": {},
}


def run_ablation(
    config: DetectorConfig,
    base: Path,
    finder: FaceFinder,
    *,
    work: Path,
    seeds: Sequence[int],
) -> dict[str, Any]:
    """Train every row with every seed.

    ``config``: ``recipe: layer-norms``; its terms are set by the rows, all else is kept. Its
    ``self_blended`` is used by the last row alone. ``work``: of caches and checkpoints; what is
    done is not done again.

    Returns:
        ``rows[NAME].{SOURCE}.{mean, deviation, values}`` of the test part's AUROC, ``seeds``,
        ``trained_on`` and ``config``.
    """
    found: dict[str, Any] = {}
    terms = dict(_NOTHING)
    trained_on = 0
    for number, (name, added) in enumerate(ROWS.items()):
        terms |= added
        last = number == len(ROWS) - 1
        values: dict[str, list[float]] = {}
        for seed in seeds:
            kept = work / f"ablation-{number}-{seed}.json"
            if not kept.exists():
                one = config.model_copy(
                    update={
                        "seed": seed,
                        "tuning": config.tuning.model_copy(update=terms),
                        "self_blended": config.self_blended if last else {},
                    }
                )
                report = train_layer_norms(
                    one,
                    base,
                    finder,
                    work=work,
                    output=work / "ablation.safetensors",
                )
                kept.write_text(json.dumps(report), encoding="utf-8")
            report = json.loads(kept.read_text("utf-8"))
            trained_on = trained_on or int(report["trained_on"])
            for source, numbers in report["test"].items():
                if numbers["auroc"] is not None:
                    values.setdefault(source, []).append(float(numbers["auroc"]))
        found[name] = {
            source: {
                "mean": round(float(np.mean(v)), 4),
                "deviation": round(float(np.std(v, ddof=1)), 4) if len(v) > 1 else None,
                "values": v,
            }
            for source, v in values.items()
        }
    return {
        "rows": found,
        "seeds": list(seeds),
        "trained_on": trained_on,
        "config": config.model_dump(mode="json", exclude={"manifest"}),
    }


def table(result: dict[str, Any]) -> str:
    """The result as a Markdown table: mean and deviation over the seeds."""
    rows = result["rows"]
    sources = list(next(iter(rows.values())))
    lines = []
    for name, numbers in rows.items():
        cells = []
        for source in sources:
            spread = numbers[source]["deviation"]
            shown = "" if spread is None else f" ± {spread:.3f}"
            cells.append(f"{numbers[source]['mean']:.3f}{shown}")
        lines.append([name, *cells])
    return tables.table(["terms", *sources], lines)
