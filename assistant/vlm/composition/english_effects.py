"""How the narrator tells in English what changed when something was changed: causal facts."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EFFECTS"]

#: As :data:`assistant.vlm.composition.english.PATTERNS`.
EFFECTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "effect-lowers": {
        "train": (
            "With {region} covered, the score falls from {before} to {after}.",
            "When {region} is covered, the score falls from {before} to {after}.",
        ),
        "heldout": ("With {region} covered, the score drops from {before} to {after}.",),
    },
    "effect-raises": {
        "train": (
            "With {region} covered, the score rises from {before} to {after}.",
            "When {region} is covered, the score rises from {before} to {after}.",
        ),
        "heldout": ("Without {region}, the score rises from {before} to {after}.",),
    },
    "effect-hardly": {
        "train": (
            "With {region} covered, the score hardly moves ({before} to {after}).",
            "When {region} is covered, the score hardly moves ({before} to {after}).",
        ),
        "heldout": ("Without {region}, the score hardly moves ({before} to {after}).",),
    },
    "effect-hardly-map": {
        "train": (
            "The map points to {region}, but with it covered the score hardly moves "
            "({before} to {after}).",
            "{Region} stands out in the map, yet with it covered the score hardly moves "
            "({before} to {after}).",
        ),
        "heldout": (
            "Though the map points to {region}, with it covered the score hardly moves "
            "({before} to {after}).",
        ),
    },
    "effect-hardly-same": {
        "train": (
            "With {region} covered, the score stays at {before}.",
            "When {region} is covered, the score stays at {before}.",
        ),
        "heldout": ("Without {region}, the score stays at {before}.",),
    },
    "effect-hardly-map-same": {
        "train": (
            "The map points to {region}, but with it covered the score stays at {before}.",
            "{Region} stands out in the map, yet with it covered the score stays at {before}.",
        ),
        "heldout": (
            "Though the map points to {region}, with it covered the score stays at {before}.",
        ),
    },
    # Of a region that was told before: what that means for it.
    "effect-hardly-told": {
        "train": (
            "With {region} covered, the score hardly moves ({before} to {after}), so it does not "
            "rest on that region alone.",
            "When {region} is covered, the score hardly moves ({before} to {after}), so it does not "
            "rest on that region alone.",
        ),
        "heldout": (
            "Without {region}, the score hardly moves ({before} to {after}), so it does not rest on "
            "that region alone.",
        ),
    },
    "effect-hardly-told-same": {
        "train": (
            "With {region} covered, the score stays at {before}, so it does not rest on that region "
            "alone.",
            "When {region} is covered, the score stays at {before}, so it does not rest on that "
            "region alone.",
        ),
        "heldout": (
            "Without {region}, the score stays at {before}, so it does not rest on that region "
            "alone.",
        ),
    },
    "effect-like-random": {
        "train": (
            "With {region} covered, the score goes from {before} to {after}, but random patches of "
            "that size can do the same.",
            "When {region} is covered, the score goes from {before} to {after}, but random patches "
            "of that size can do the same.",
        ),
        "heldout": (
            "Without {region}, the score goes from {before} to {after}, but random patches of that "
            "size can do the same.",
        ),
    },
    "set-found": {
        "train": (
            "With {regions} covered, the verdict would be {verdict_after} ({after}).",
            "When {regions} are covered, the verdict would be {verdict_after} ({after}).",
        ),
        "heldout": ("The verdict would be {verdict_after} ({after}) with {regions} covered.",),
    },
    "set-none": {
        "train": (
            "With {tried} covered together, the verdict stays the same.",
            "The verdict stays the same when {tried} are covered together.",
        ),
        "heldout": ("When {tried} are covered together, the verdict does not change.",),
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
    "fragility-steady": {
        "train": (
            "After {count} everyday changes of the file the score stays at {low}, and the verdict "
            "stays the same.",
            "The verdict stays the same after {count} everyday changes of the file; the score stays "
            "at {low}.",
        ),
        "heldout": ("After {count} everyday changes of the file the verdict stays the same.",),
    },
    "fragility-flips": {
        "train": (
            "After {count} everyday changes of the file the score lies between {low} and {high}; the "
            "verdict changes after {flips}.",
            "After {count} everyday changes of the file the score lies between {low} and {high}, and "
            "the verdict changes after {flips}.",
        ),
        "heldout": ("After {flips} the verdict changes.",),
    },
    "change-same": {
        "train": (
            "After {change} the score goes from {before} to {after}; the verdict stays the same.",
            "With {change}, the score would be {after}, and the verdict would stay the same.",
        ),
        "heldout": ("After {change} the score is {after}, and the verdict stays the same.",),
    },
    "change-steady": {
        "train": (
            "After {change} the score stays at {before}, and the verdict stays the same.",
            "With {change}, the score would stay at {before}, and the verdict would stay the same.",
        ),
        "heldout": ("The score stays at {before} after {change}, and the verdict stays the same.",),
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
