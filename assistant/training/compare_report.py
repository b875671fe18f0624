"""The table and the plot of a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assistant.evaluation.tables import shown, table

__all__ = ["comparison_markdown", "write_comparison_plot"]

#: Faces of a class below which a source or family is not shown by itself.
_LEAST = 5


def comparison_markdown(result: dict[str, Any]) -> str:
    """Overall, by source, false alarms by source and by family, as Markdown tables."""
    done = {n: r for n, r in result["detectors"].items() if "error" not in r}
    counts = ", ".join(f"{n} {name}" for name, n in result["pictures"].items())
    lines = [
        f"Pictures: {counts}. Training: at most {result['budget_seconds']:.0f} s of processor time "
        f"for each detector, seed {result['seed']}.",
        "",
    ]
    head = ["detector", "AUROC (95 %)", "Cross-AUC", "ECE", "EER", "genuine called manipulated"]
    head += ["faces", "the paper"]
    lines.append(table(head, [_overall(name, row) for name, row in done.items()]))
    head = ["detector", "numbers trained", "of", "how", "file MB", "ms a face", "memory MB"]
    lines += ["", "Training and cost (processor time of one face, and the whole process's memory):"]
    lines += ["", table(head, [_cost(name, row) for name, row in done.items()])]
    sources = _enough(done, "sources")
    families = _enough(done, "families")
    for title, kind, names, value in (
        ("AUROC by source (95 %)", "sources", sources, _with_interval),
        ("Genuine faces called manipulated, by source", "sources", sources, _alarms),
        ("AUROC by family", "families", families, _auroc),
    ):
        kept = [n for n in names if any(value(r[kind].get(n)) != "-" for r in done.values())]
        if kept:
            lines += ["", f"{title}:", ""]
            rows = [[d, *(value(r[kind].get(n)) for n in kept)] for d, r in done.items()]
            lines.append(table(["detector", *kept], rows))
    chance = [(d, s, r) for d, r in done.items() for s in sources if _chance(r["sources"].get(s))]
    if chance:
        lines += ["", "Not apart from chance (the interval holds 0.5, or lies below it):", ""]
        lines += [
            f"- {source}: " + ", ".join(f"{d} ({_how(r)})" for d, s, r in chance if s == source)
            for source in sources
            if any(s == source for _, s, _ in chance)
        ]
    failed = {n: r for n, r in result["detectors"].items() if "error" in r}
    if failed:
        lines += ["", "Not run:", ""]
        lines += [f"- {name}: {row['error']}" for name, row in failed.items()]
    quiet = {n: r["no_answers"] for n, r in done.items() if r["no_answers"]}
    lines += [f"- {name} gave no answer for {count} faces." for name, count in quiet.items()]
    return "\n".join(lines) + "\n"


def write_comparison_plot(result: dict[str, Any], path: Path) -> None:
    """AUROC of each detector with its interval and a point a source, and its false alarms."""
    from matplotlib.figure import Figure

    done = {
        name: row
        for name, row in result["detectors"].items()
        if "error" not in row and row["overall"]["auroc"] is not None
    }
    figure = Figure(figsize=(10, 1.4 + 0.32 * len(done)), layout="constrained")
    axes, alarms = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    order = sorted(done, key=lambda name: done[name]["overall"]["auroc"])
    sources = _enough(done, "sources")
    for place, name in enumerate(order):
        overall = done[name]["overall"]
        if overall["auroc_ci"]:
            axes.plot(overall["auroc_ci"], [place, place], color="0.4", linewidth=2)
        axes.plot([overall["auroc"]], [place], "k|", markersize=12)
    for number, source in enumerate(sources):
        points = [
            (done[name]["sources"][source]["auroc"], place)
            for place, name in enumerate(order)
            if _auroc(done[name]["sources"].get(source)) != "-"
        ]
        if points:
            x, y = zip(*points, strict=True)
            marker = "osD^v<>pX*"[number % 10]
            axes.plot(x, y, marker, label=source, markersize=5, alpha=0.8)
    axes.axvline(0.5, color="0.7", linestyle=":")
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel("AUROC (bar: 95 % of all sources; 0.5: chance)")
    figure.legend(fontsize=7, loc="outside lower center", ncols=8)
    rates = [done[name]["overall"]["real_called_manipulated"] for name in order]
    alarms.barh(range(len(order)), [rate or 0.0 for rate in rates], color="0.6")
    alarms.set_xlabel("genuine called manipulated")
    figure.savefig(path, dpi=110)


def _overall(name: str, row: dict[str, Any]) -> list[str]:
    numbers = row["overall"]
    auroc = _with_interval(numbers)
    if _chance(numbers):
        auroc += ", not apart from chance"
    return [
        name,
        auroc,
        shown(row["cross_auc"]),
        shown(numbers["ece"]) if row["calibrated"] else "not fitted",
        shown(numbers["eer"]),
        _alarms(numbers),
        str(row["faces"]),
        row["reported"] or "-",
    ]


def _cost(name: str, row: dict[str, Any]) -> list[str]:
    training = row["training"]
    return [
        name,
        f"{training['parameters_trained']:,}" if training else "-",
        "-" if row["parameters"] is None else f"{row['parameters']:,}",
        _how(row),
        "-" if row["bytes"] is None else f"{row['bytes'] / 1e6:.2f}",
        f"{row['ms_a_face']:.0f}",
        "-" if row["memory_mb"] is None else str(row["memory_mb"]),
    ]


def _how(row: dict[str, Any]) -> str:
    training = row["training"]
    if not training:
        return "not trained here"
    told = "from nothing, " if training.get("from_nothing") else ""
    told += f"{training['pictures_used']} faces, {training['steps']} steps"
    return told + (", out of time" if training["ended_by"] == "seconds" else "")


def _with_interval(numbers: dict[str, Any] | None) -> str:
    if numbers is None or _auroc(numbers) == "-" or numbers["auroc_ci"] is None:
        return _auroc(numbers)
    low, high = numbers["auroc_ci"]
    return f"{shown(numbers['auroc'])} ({shown(low)} to {shown(high)})"


def _chance(numbers: dict[str, Any] | None) -> bool:
    return (
        _auroc(numbers) != "-"
        and numbers is not None
        and numbers["auroc_ci"] is not None
        and numbers["auroc_ci"][0] <= 0.5
    )


def _enough(done: dict[str, Any], kind: str) -> list[str]:
    """Sources or families that have enough faces of a class to be shown."""
    return sorted(
        {
            name
            for row in done.values()
            for name, numbers in row[kind].items()
            if max(numbers["n_real"], numbers["n_fake"]) >= _LEAST
        }
    )


def _auroc(numbers: dict[str, Any] | None) -> str:
    if numbers is None or min(numbers["n_real"], numbers["n_fake"]) < _LEAST:
        return "-"
    return shown(numbers["auroc"])


def _alarms(numbers: dict[str, Any] | None) -> str:
    if numbers is None or numbers["n_real"] < _LEAST or numbers["real_called_manipulated"] is None:
        return "-"
    return f"{100 * numbers['real_called_manipulated']:.0f} % of {numbers['n_real']}"
