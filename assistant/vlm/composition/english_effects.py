"""How the narrator tells in English what changed when something was changed: causal facts."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EFFECTS"]

#: As :data:`assistant.vlm.composition.english.PATTERNS`.
EFFECTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "effect-lowers": {
        "train": (
            "Neutralising {region} lowers the score from {before} to {after}.",
            "When {region} is neutralised, the score falls from {before} to {after}.",
            "Without {region}, the score falls from {before} to {after}.",
        ),
        "heldout": ("With {region} neutralised, the score drops from {before} to {after}.",),
    },
    "effect-raises": {
        "train": (
            "Neutralising {region} raises the score from {before} to {after}.",
            "When {region} is neutralised, the score rises from {before} to {after}.",
        ),
        "heldout": ("With {region} neutralised, the score rises from {before} to {after}.",),
    },
    "effect-hardly": {
        "train": (
            "Neutralising {region} hardly moves the score ({before} to {after}).",
            "When {region} is neutralised, the score hardly moves ({before} to {after}).",
        ),
        "heldout": ("With {region} neutralised, the score hardly moves ({before} to {after}).",),
    },
    "effect-hardly-map": {
        "train": (
            "The map points to {region}, but neutralising it hardly moves the score "
            "({before} to {after}).",
            "{Region} stands out in the map, yet neutralising it hardly moves the score "
            "({before} to {after}).",
        ),
        "heldout": (
            "Though the map points to {region}, neutralising it hardly moves the score "
            "({before} to {after}).",
        ),
    },
    "effect-hardly-same": {
        "train": (
            "Neutralising {region} does not move the score (it stays at {before}).",
            "When {region} is neutralised, the score stays at {before}.",
        ),
        "heldout": ("With {region} neutralised, the score stays at {before}.",),
    },
    "effect-hardly-map-same": {
        "train": (
            "The map points to {region}, but neutralising it does not move the score.",
            "{Region} stands out in the map, yet neutralising it does not move the score.",
        ),
        "heldout": ("Though the map points to {region}, neutralising it does not move the score.",),
    },
    "effect-hardly-told": {
        "train": (
            "Yet neutralising {region} hardly moves the score ({before} to {after}).",
            "But neutralising {region} hardly moves the score ({before} to {after}).",
        ),
        "heldout": (
            "But with {region} neutralised, the score hardly moves ({before} to {after}).",
        ),
    },
    "effect-hardly-told-same": {
        "train": (
            "Yet neutralising {region} does not move the score (it stays at {before}).",
            "But when {region} is neutralised, the score stays at {before}.",
        ),
        "heldout": ("But with {region} neutralised, the score stays at {before}.",),
    },
    "effect-like-random": {
        "train": (
            "Neutralising {region} moves the score from {before} to {after}, but random patches of "
            "that size can do the same.",
            "When {region} is neutralised, the score goes from {before} to {after}, but random "
            "patches of that size can do the same.",
        ),
        "heldout": (
            "With {region} neutralised, the score goes from {before} to {after}, but random patches "
            "of that size can do the same.",
        ),
    },
    "effect-verdict": {
        "train": (
            "Without {region}, the verdict would be {verdict_after}.",
            "Without {region}, the verdict changes to {verdict_after}.",
        ),
        "heldout": ("With {region} neutralised, the verdict would be {verdict_after}.",),
    },
    "set-found": {
        "train": (
            "Neutralising {regions} would change the verdict to {verdict_after} ({after}).",
            "With {regions} neutralised, the verdict would be {verdict_after} ({after}).",
        ),
        "heldout": ("The verdict would be {verdict_after} ({after}) with {regions} neutralised.",),
    },
    "set-none": {
        "train": (
            "Neutralising {tried} together does not change the verdict.",
            "The verdict stays the same when {tried} are neutralised together.",
        ),
        "heldout": ("With {tried} neutralised together, the verdict stays the same.",),
    },
    "fragility-same": {
        "train": (
            "After {count} everyday changes of the file the score lies between {low} and {high}, and "
            "the verdict stays the same.",
            "The verdict stays the same after {count} everyday changes of the file; the score lies "
            "between {low} and {high}.",
        ),
        "heldout": ("The verdict stays the same after {count} everyday changes of the file.",),
    },
    "fragility-flips": {
        "train": (
            "After {count} everyday changes of the file the score lies between {low} and {high}; the "
            "verdict changes after {flips}.",
            "The verdict changes after {flips}.",
        ),
        "heldout": ("After {flips} the verdict changes.",),
    },
    "change-same": {
        "train": (
            "After {change} the score goes from {before} to {after}; the verdict stays the same.",
            "With {change}, the score would be {after}, and the verdict stays the same.",
        ),
        "heldout": ("After {change} the score is {after}, and the verdict stays the same.",),
    },
    "change-flips": {
        "train": (
            "After {change} the score goes from {before} to {after}; the verdict would be "
            "{verdict_after}.",
            "With {change}, the score would be {after}, and the verdict would be {verdict_after}.",
        ),
        "heldout": (
            "After {change} the score is {after}, and the verdict would be {verdict_after}.",
        ),
    },
}
