"""The published cross-dataset table: trained on FF++ only, video AUROC on sets never trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from assistant.evaluation.detection import summarise
from assistant.evaluation.scoring import ScoredRow
from assistant.evaluation.tables import shown, table

__all__ = ["PUBLISHED", "cross_dataset_markdown", "cross_dataset_table"]

#: Video AUROC as published (arXiv 2503.19683): trained on FF++, 32 frames a video. ``cdfv2``:
#: Celeb-DF-v2; ``dsv1``: DeepSpeak v1.
PUBLISHED: Mapping[str, float] = {
    "cdfv2": 0.9662,
    "dfd": 0.980,
    "dfdc": 0.8715,
    "ffiw": 0.9152,
    "dsv1": 0.9201,
}
_NAMES = {
    "celeb-df-v2": "cdfv2",
    "celebdf-v2": "cdfv2",
    "cdf-v2": "cdfv2",
    "deepspeak": "dsv1",
    "deepspeak-v1": "dsv1",
    "deepfakedetection": "dfd",
}


def cross_dataset_table(
    scored: Mapping[str, Sequence[ScoredRow]], *, resamples: int = 400
) -> dict[str, Any]:
    """AUROC by video (mean over its frames) of each set, beside the published numbers.

    ``scored``: name of a set -> its scored rows; names are matched without regard to case.
    ``resamples``: bootstrap draws for the interval.

    Returns:
        ``sets[NAME]``: ``auroc``, ``auroc_ci``, ``frame_auroc``, ``videos``, ``frames``,
        ``abstained``, ``published`` and ``difference`` (None where nothing was published);
        ``mean`` and ``published_mean`` over the sets that have both numbers.
    """
    sets: dict[str, Any] = {}
    for name, rows in scored.items():
        result = summarise(_one_source(rows, name), resamples=resamples)
        by_video, by_frame = result["videos"][name], result["sources"][name]
        published = PUBLISHED.get(_short(name))
        value = by_video["auroc"]
        sets[name] = {
            "auroc": value,
            "auroc_ci": by_video["auroc_ci"],
            "frame_auroc": by_frame["auroc"],
            "videos": by_video["n"],
            "frames": by_frame["n"],
            "no_face": by_frame["no_face"],
            "abstained": by_frame["abstained"],
            "published": published,
            "difference": None
            if published is None or value is None
            else round(value - published, 4),
        }
    both = [s for s in sets.values() if s["difference"] is not None]
    return {
        "schema": "whyfake.cross-dataset/1",
        "sets": sets,
        "mean": round(sum(s["auroc"] for s in both) / len(both), 4) if both else None,
        "published_mean": round(sum(s["published"] for s in both) / len(both), 4) if both else None,
    }


def cross_dataset_markdown(result: dict[str, Any]) -> str:
    """The table as Markdown."""
    head = ["set", "video AUROC", "95 % interval", "published", "difference", "videos", "frames"]
    rows = []
    for name, s in result["sets"].items():
        interval = s["auroc_ci"]
        span = "-" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
        numbers = [shown(s["auroc"]), span, shown(s["published"]), shown(s["difference"], "+.3f")]
        rows.append([name, *numbers, s["videos"], s["frames"]])
    rows.append(["mean", shown(result["mean"]), "", shown(result["published_mean"]), "", "", ""])
    note = "Published: arXiv 2503.19683, ViT-L/14 trained on FF++ alone, 32 frames a video."
    return f"{table(head, rows)}\n\n{note}"


def _short(name: str) -> str:
    plain = name.lower().replace("_", "-")
    return _NAMES.get(plain, plain)


def _one_source(rows: Sequence[ScoredRow], name: str) -> list[ScoredRow]:
    return [replace(s, row=replace(s.row, source=name)) for s in rows]
