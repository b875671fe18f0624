"""The table and the plot of a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assistant.errors import TrainingError
from assistant.evaluation.tables import shown, table

__all__ = ["comparison_markdown", "write_comparison_plot"]


def comparison_markdown(result: dict[str, Any]) -> str:
    """Overall, by source, false alarms by source and by family, as Markdown tables."""
    done = {n: r for n, r in result["detectors"].items() if "error" not in r}
    counts = ", ".join(f"{n} {name}" for name, n in result["pictures"].items())
    lines = [
        f"Pictures: {counts}. Training: at most {result['budget_seconds']:.0f} s for each "
        f"detector, seed {result['seed']}.",
        "",
    ]
    head = ["detector", "AUROC (95 %)", "Cross-AUC", "ECE", "EER", "genuine called manipulated"]
    head += ["trained", "faces seen", "MB", "ms a face", "memory MB", "the paper"]
    lines.append(table(head, [_overall(name, row) for name, row in done.items()]))
    sources = sorted({s for r in done.values() for s in r["sources"]})
    families = sorted({f for r in done.values() for f in r["families"]})
    for title, kind, names, value in (
        ("AUROC by source", "sources", sources, _auroc),
        ("Genuine faces called manipulated, by source", "sources", sources, _alarms),
        ("AUROC by family", "families", families, _auroc),
    ):
        kept = [n for n in names if any(value(r[kind].get(n)) != "-" for r in done.values())]
        if kept:
            lines += ["", f"{title}:", ""]
            rows = [[d, *(value(r[kind].get(n)) for n in kept)] for d, r in done.items()]
            lines.append(table(["detector", *kept], rows))
    failed = {n: r for n, r in result["detectors"].items() if "error" in r}
    if failed:
        lines += ["", "Not run:", ""]
        lines += [f"- {name}: {row['error']}" for name, row in failed.items()]
    quiet = {n: r["no_answers"] for n, r in done.items() if r["no_answers"]}
    lines += [f"- {name} gave no answer for {count} faces." for name, count in quiet.items()]
    return "\n".join(lines) + "\n"


def write_comparison_plot(result: dict[str, Any], path: Path) -> None:
    """AUROC of each detector with its interval, and a point a source.

    Raises:
        TrainingError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise TrainingError(
            "The plot needs matplotlib, which is not installed.",
            hint="Install it: pip install matplotlib.",
        ) from error
    done = {
        name: row
        for name, row in result["detectors"].items()
        if "error" not in row and row["overall"]["auroc"] is not None
    }
    figure = Figure(figsize=(8, 1.2 + 0.32 * len(done)), layout="constrained")
    axes = figure.subplots()
    order = sorted(done, key=lambda name: done[name]["overall"]["auroc"])
    sources = sorted({s for row in done.values() for s in row["sources"]})
    for place, name in enumerate(order):
        overall = done[name]["overall"]
        if overall["auroc_ci"]:
            axes.plot(overall["auroc_ci"], [place, place], color="0.4", linewidth=2)
        axes.plot([overall["auroc"]], [place], "k|", markersize=12)
    for number, source in enumerate(sources):
        points = [
            (done[name]["sources"][source]["auroc"], place)
            for place, name in enumerate(order)
            if done[name]["sources"].get(source, {}).get("auroc") is not None
        ]
        if points:
            x, y = zip(*points, strict=True)
            marker = "osD^v<>pX*"[number % 10]
            axes.plot(x, y, marker, label=source, markersize=5, alpha=0.8)
    axes.axvline(0.5, color="0.7", linestyle=":")
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel("AUROC (bar: 95 % of all sources; 0.5: chance)")
    axes.legend(fontsize=7, loc="lower right")
    figure.savefig(path, dpi=110)


def _overall(name: str, row: dict[str, Any]) -> list[str]:
    numbers, training = row["overall"], row["training"]
    interval = numbers["auroc_ci"]
    auroc = shown(numbers["auroc"])
    if interval:
        auroc += f" ({shown(interval[0])} to {shown(interval[1])})"
        if interval[0] <= 0.5 <= interval[1]:
            auroc += ", not apart from chance"
    size = "-" if row["bytes"] is None else f"{row['bytes'] / 1e6:.2f}"
    return [
        name,
        auroc,
        shown(row["cross_auc"]),
        shown(numbers["ece"]) if row["calibrated"] else "not fitted",
        shown(numbers["eer"]),
        _alarms(numbers),
        f"{training['parameters_trained']:,}" if training else "-",
        str(training["pictures_used"]) if training else "-",
        size,
        f"{row['ms_a_face']:.0f}",
        str(row["memory_mb"]),
        row["reported"] or "-",
    ]


def _auroc(numbers: dict[str, Any] | None) -> str:
    return "-" if numbers is None else shown(numbers["auroc"])


def _alarms(numbers: dict[str, Any] | None) -> str:
    if numbers is None or numbers["real_called_manipulated"] is None:
        return "-"
    return f"{100 * numbers['real_called_manipulated']:.0f} % of {numbers['n_real']}"
