"""``whyfake eval video``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.declare import EXISTING, EXISTING_FOLDER, command, option
from assistant.cli.manifest import LAYOUT_NAMES
from assistant.cli.options import finder_and_scorer, json_option, settings_of

if TYPE_CHECKING:
    from assistant.evaluation.judged import JudgedPerson
    from assistant.scoring import Scorer
    from assistant.training.layouts import Sample

__all__ = ["video"]

_NAMED = ", ".join(LAYOUT_NAMES)
#: Sides of a portrait in pixels, and how many photos of a folder are used.
_SIDE, _SMALL_SIDE, _PORTRAITS = 300, 260, 16


def _judged_clips(
    context: click.Context,
    *,
    made: int,
    seed: int,
    small: bool,
    photos: Path | None,
    sets: Sequence[tuple[str, Path]],
    split: str | None,
    compression: str,
    limit: int | None,
    again: bool,
    judged: Path | None,
) -> tuple[list[JudgedPerson], list[JudgedPerson], Scorer]:
    """The people of made clips, those of sets, and what judged them.

    Raises:
        TrainingError: a set, the photos or the file cannot be used.
    """
    from assistant.evaluation.judged import JudgedFile
    from assistant.evaluation.made_clips import portraits
    from assistant.evaluation.video import judge_made, made_clips, small_clips
    from assistant.evaluation.video_sets import judge_samples
    from assistant.media import MediaLimits
    from assistant.training.layouts import read_layout

    finder, scorer = finder_and_scorer(context)
    limits = MediaLimits(frames=settings_of(context).limits.frames)
    file = JudgedFile(judged, scorer.detector.weights_sha256)
    people, of_sets = [], []
    if made:
        side, make = (_SMALL_SIDE, small_clips) if small else (_SIDE, made_clips)
        shown = portraits(finder, seed, side=side, folder=photos, most=_PORTRAITS)
        people = judge_made(
            make(shown, made, seed),
            finder,
            scorer,
            limits,
            file=file,
            source=photos.name if photos else "packages",
            series=f"{'small-' if small else ''}{seed}",
            again=again,
        )
    for layout, root in sets:
        samples = _chosen(read_layout(layout, root, compression=compression), split, limit)
        of_sets += judge_samples(samples, finder, scorer, limits, file=file, again=again)
    return people, of_sets, scorer


@command("video")
def video(
    context: click.Context,
    made: int = option("Clips to make and judge.", 16, least=0),
    seed: int = option("Of the made clips.", 1),
    small: bool = option(
        "Small made clips of one person, each quality in turn: quicker, to fit on."
    ),
    photos: Path | None = option(
        "Make clips of the portraits in this folder.", type=EXISTING_FOLDER
    ),
    sets: tuple[tuple[str, Path], ...] = option(
        f"A public set, or folders of your own named real and fake: {_NAMED}.",
        name="--set",
        type=(click.Choice(LAYOUT_NAMES), EXISTING),
        metavar="LAYOUT FOLDER",
    ),
    split: str | None = option("Of the sets: train, val or test."),
    compression: str = option("Of FaceForensics++ and DFD.", "c23"),
    limit: int | None = option("Videos at most of a set, evenly taken.", least=2),
    again: bool = option("Judge each clip a second time: H.264 CRF 28, 480p, another frame rate."),
    judged: Path | None = option(
        "Keep here what was judged: a second run goes on from it, `train temporal` reads it."
    ),
    fit: bool = option("Fit the constants of stretches on the made clips."),
    as_json: bool = json_option("Print the result as JSON."),
    resamples: int = option("Bootstrap draws.", 400, least=10),
) -> None:
    """Judge clips by person and by time: AUROC of the rules, and how well stretches are found.

    ``--fit`` prints the best constants on the made clips of this seed; judge with another.
    """
    from assistant.evaluation.reencoding import reencoding_table
    from assistant.evaluation.video import fit_rule, rule_table, stretch_table, video_markdown
    from assistant.evaluation.video_sets import set_tables

    people, of_sets, scorer = _judged_clips(
        context,
        made=made,
        seed=seed,
        small=small,
        photos=photos,
        sets=sets,
        split=split,
        compression=compression,
        limit=limit,
        again=again,
        judged=judged,
    )
    calibrator, head = scorer.calibrator, scorer.head
    result: dict[str, Any] = {}
    if people:
        result["made"] = rule_table(people, resamples, head)
        result["made"]["stretch"] = stretch_table(people, calibrator)
        if fit:
            rule, table = fit_rule(people, calibrator)
            result["made"]["fitted"] = {"rule": asdict(rule), **table}
    result |= set_tables(of_sets, resamples, head)
    if again:
        result["again"] = reencoding_table([*people, *of_sets], calibrator, head, resamples)
    click.echo(json.dumps(result, indent=2) if as_json else video_markdown(result))


def _chosen(samples: list[Sample], split: str | None, limit: int | None) -> list[Sample]:
    """Those of a part of the set; of each class every n-th, so that there are ``limit``."""
    kept = [s for s in samples if split is None or s.split == split]
    if limit is None or len(kept) <= limit:
        return kept
    classes = [[s for s in kept if s.label == label] for label in (0, 1)]
    half = limit // 2
    return [own[i * len(own) // half] for own in classes for i in range(min(half, len(own)))]
