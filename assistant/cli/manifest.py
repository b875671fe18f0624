"""``whyfake manifest build``, ``check`` and ``held-out``."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from assistant.cli.declare import EXISTING, argument, command, option
from assistant.cli.options import json_option, settings_of, write_result

__all__ = ["LAYOUT_NAMES", "manifest"]

#: Those of :data:`assistant.training.layouts.LAYOUTS`, which is not imported to name them.
LAYOUT_NAMES = (
    "ffpp", "celeb-df-v1", "celeb-df-v2", "dfdc", "dfd", "ffiw", "deepspeak", "folders", "df40",
    "wilddeepfake", "json",
)  # fmt: skip


@click.group()
def manifest() -> None:
    """Lists of labelled pictures for training and evaluation."""


@command("build", of=manifest)
def build(
    layout: str = argument(type=click.Choice(LAYOUT_NAMES)),
    root: Path = argument(type=EXISTING),
    out: Path = option("The manifest to write (CSV).", required=True),
    compression: str = option(default="c23", type=click.Choice(["raw", "c23", "c40"])),
    frames: int = option("Of each video.", 32, least=1),
    split: str | None = option("Only this part: train, val or test."),
) -> None:
    """List a public deepfake set: LAYOUT is its name, ROOT its folder."""
    from assistant.errors import TrainingError
    from assistant.evaluation.face_manifest import write_manifest
    from assistant.training.layouts import read_layout

    samples = read_layout(layout, root, compression=compression)
    if split is not None:
        samples = [s for s in samples if s.split == split]
    if not samples:
        raise TrainingError(
            f"{layout} has no video in the part {split!r}.", hint="Leave --split out."
        )
    base = out.resolve().parent
    base.mkdir(parents=True, exist_ok=True)

    def rows() -> Iterator[tuple[str | int, ...]]:
        for sample in samples:
            places = np.linspace(0, len(sample.files) - 1, min(frames, len(sample.files)))
            for place in np.unique(places.round().astype(int)):
                path = _relative(sample.files[place], base)
                told = (sample.label, sample.source, sample.video, sample.family, sample.split)
                yield path, *told, 0

    count = write_manifest(out, rows())
    real = sum(s.label == 0 for s in samples)
    click.echo(
        f"Wrote {out}: {count} files of {real} real and {len(samples) - real} manipulated videos."
    )


@command("check", of=manifest)
def check(
    context: click.Context,
    path: Path = argument(),
    near: int = option(
        "Bits of 64 in which two pictures may differ to count as the same.", 4, least=0, most=12
    ),
    test_percent: int = option(default=15, least=1, most=50),
    calibration_percent: int = option(default=7, least=1, most=50),
    identity: Path | None = option("ONNX face encoder: look for people on both sides."),
    write: Path | None = option("Write the manifest without what leaks into training."),
    as_json: bool = json_option("Print the result as JSON."),
) -> None:
    """Look for videos, near-duplicates (and people) on both sides of a split.

    Exit code 1 where a video or a picture leaks.
    """
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.leaks import check_leaks, persons_on_both_sides, side_of

    rows = read_manifest(path)
    shares = {"test": test_percent, "calibration": calibration_percent}
    result = check_leaks(rows, shares, within=near)
    if identity is not None:
        from assistant.compose import build_finder

        finder = build_finder(settings_of(context))
        result["people"] = persons_on_both_sides(rows, finder, identity, shares)
    leaking = result.pop("near_rows")
    if write is not None:
        bad = {rows[i].line for i in leaking if side_of(rows[i], shares) == "train"}
        split_videos = set(result["videos_on_both_sides"])
        bad |= {r.line for r in rows if r.video in split_videos and r.split == "train"}
        _copy_without(path, write, bad)
        result["left_out"] = len(bad)
    write_result(result, None, as_json=as_json, told=_told)
    if not result["ok"]:
        context.exit(1)


@command("held-out", of=manifest)
def held_out(
    config: Path = argument(),
    most: int = option("Of a source.", 220, least=1),
    out: Path = option("The manifest.", required=True),
) -> None:
    """List the test part of CONFIG's home sources, which a training run never sees.

    Where a source has more, those of the lowest hash are taken: the same ones on every machine.
    """
    from assistant.evaluation.face_manifest import write_manifest
    from assistant.training.recipe import Recipe
    from assistant.training.splits import hashed_sample, part_of

    recipe = Recipe.read(config)
    shares = {"test": recipe.test_percent}
    test = [
        row
        for row in recipe.rows()
        if row.source in recipe.home and part_of(row.video, shares) == "test"
    ]
    kept = hashed_sample(test, most)
    base = out.resolve().parent
    base.mkdir(parents=True, exist_ok=True)
    rows = [
        (_relative(r.path, base), r.label, r.source, r.video, r.family, "test", int(r.crop))
        for r in kept
    ]
    count = write_manifest(out, rows)
    click.echo(f"Wrote {out}: {count} of {len(test)} held-out pictures.")


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path.resolve(), base)).as_posix()


def _copy_without(path: Path, target: Path, lines: set[int]) -> None:
    """Copy a manifest without some lines; paths stay relative to the new place."""
    base = target.resolve().parent
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        names = list(reader.fieldnames or [])
        kept = []
        for row in reader:
            if reader.line_num not in lines:
                row["path"] = os.path.relpath((path.parent / row["path"]).resolve(), base)
                kept.append(row)
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(kept)


def _told(result: dict[str, Any]) -> str:
    told = [
        f"{name.replace('_', ' ')}: {result[name]}"
        for name in ("pictures", "parts", "near_count", "same_picture_both_labels", "people")
        if name in result
    ]
    for name in ("videos_on_both_sides", "near", "unreadable"):
        if result[name]:
            told += [f"{name.replace('_', ' ')}:", *(f"  {item}" for item in result[name][:20])]
    return "\n".join(
        [*told, "Nothing stands on both sides." if result["ok"] else "The split leaks."]
    )
