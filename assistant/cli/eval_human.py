"""``whyfake eval explanations --human``: are the words about the places that people point at?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from assistant.evaluation.human_regions import Pointed
    from assistant.settings import Settings

__all__ = ["against_people"]


def against_people(
    settings: Settings, manifest: Path | None, human: Path, limit: int
) -> dict[str, Any]:
    """The template's explanations of the manifest's manipulated pictures against people's words.

    Raises:
        TrainingError: there is no manifest, the file cannot be read, or no picture is in both.
    """
    from assistant.errors import TrainingError
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.human_regions import compared, pointed_at
    from assistant.training.splits import part_of

    named = pointed_at(human)
    rows = read_manifest(manifest) if manifest else []
    rows = [r for r in rows if r.label == 1 and r.path.stem in named]
    if not rows:
        raise TrainingError(
            f"No manipulated picture of the manifest is one that {human.name} tells of.",
            hint="Give --manifest with FaceForensics++ frames named METHOD_TARGET_SOURCE.jpg.",
            code="human",
        )
    # Frames of videos that the detector never saw come first; what it keeps for its test is said
    # in configs/detector-vits14.yaml.
    unseen = {
        r.video: part_of(r.video, test_percent=15, calibration_percent=0) == "test" for r in rows
    }
    rows = sorted(rows, key=lambda r: not unseen[r.video])[:limit]
    cases = _explained(
        settings, [(r.path, r.video, named[r.path.stem], unseen[r.video]) for r in rows]
    )
    sets = {"all": cases, "videos never trained on": [c for c in cases if c.unseen]}
    return {
        "schema": "whyfake.eval-explanations-human/1",
        "human": human.name,
        "narrator": "template",
        "sets": {name: compared(chosen) for name, chosen in sets.items() if chosen},
    }


def _explained(
    settings: Settings, pictures: list[tuple[Path, str, frozenset[str], bool]]
) -> list[Pointed]:
    """The explanation of the first face of each; pictures without a face are left out."""
    from assistant.compose import build
    from assistant.evaluation.human_regions import Pointed, first_regions
    from assistant.events import Explained

    assistant = build(settings.model_copy(update={"vlm_backend": "template"}))
    cases = []
    try:
        for done, (path, video, named, unseen) in enumerate(pictures, 1):
            for event in assistant.analyze(path.read_bytes(), fragility=False):
                if isinstance(event, Explained):
                    told = first_regions(event.explanation.text)
                    cases.append(Pointed(video=video, told=told, named=named, unseen=unseen))
                    break
            if done % 10 == 0 or done == len(pictures):
                click.echo(f"{done} of {len(pictures)}", err=True)
    finally:
        assistant.close()
    return cases
