"""``whyfake eval explanations --human``: are the words about the places that people point at?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.evaluation.human_regions import Pointed
    from assistant.settings import Settings

__all__ = ["against_people"]


def against_people(
    settings: Settings, manifest: Path | None, human: Sequence[Path], limit: int
) -> dict[str, Any]:
    """The template's explanations of the manifest's manipulated pictures against people's words.

    Each picture is explained once, however many of the files tell of it.

    Raises:
        TrainingError: there is no manifest, a file cannot be read, or it tells of no picture.
    """
    from assistant.errors import TrainingError
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.human_regions import compared, pointed_at
    from assistant.training.splits import part_of

    named = {file.name: pointed_at(file) for file in human}
    rows = [r for r in read_manifest(manifest) if r.label == 1] if manifest else []
    for name, frames in named.items():
        if not any(r.path.stem in frames for r in rows):
            raise TrainingError(
                f"No manipulated picture of the manifest is one that {name} tells of.",
                hint="Give --manifest with FaceForensics++ frames named METHOD_TARGET_SOURCE.jpg.",
                code="human",
            )
    # Pictures that most files tell of come first, and of these the videos that the detector never
    # saw: what it keeps for its test is said in configs/detector-vits14.yaml.
    told_of = {r.path: sum(r.path.stem in frames for frames in named.values()) for r in rows}
    unseen = {r.path: part_of(r.video, {"test": 15}) == "test" for r in rows}
    rows = [r for r in rows if told_of[r.path]]
    rows = sorted(rows, key=lambda r: (-told_of[r.path], not unseen[r.path]))[:limit]
    explained = _explained(settings, [r.path for r in rows])
    sets: dict[str, Any] = {}
    for name, frames in named.items():
        cases = [
            replace(
                explained[r.path], video=r.video, unseen=unseen[r.path], named=frames[r.path.stem]
            )
            for r in rows
            if r.path in explained and r.path.stem in frames
        ]
        for which, chosen in (
            ("all", cases),
            ("videos never trained on", [c for c in cases if c.unseen]),
            ("those that name a region", [c for c in cases if c.told]),
        ):
            if chosen:
                sets[f"{name}: {which}"] = compared(chosen)
    return {
        "schema": "whyfake.eval-explanations-human/2",
        "human": list(named),
        "narrator": "template",
        "sets": sets,
    }


def _explained(settings: Settings, pictures: Sequence[Path]) -> dict[Path, Pointed]:
    """What is told of the first face of each; pictures without a face are left out."""
    from tqdm import tqdm

    from assistant.compose import build
    from assistant.evaluation.human_regions import Pointed, first_regions
    from assistant.events import Analyzed, Explained

    assistant = build(settings.model_copy(update={"vlm_backend": "template"}))
    found: dict[Path, Pointed] = {}
    try:
        for path in tqdm(pictures, "pictures"):
            strongest: tuple[str, ...] = ()
            for event in assistant.analyze(path.read_bytes(), fragility=False):
                if isinstance(event, Analyzed) and not strongest:
                    by_lift = sorted(event.result.regions, key=lambda r: -r.lift)
                    strongest = first_regions(", ".join(r.region for r in by_lift if r.area > 0))
                if isinstance(event, Explained):
                    told = first_regions(event.explanation.text)
                    found[path] = Pointed(
                        video="", told=told, named=frozenset(), unseen=False, strongest=strongest
                    )
                    break
    finally:
        assistant.close()
    return found
