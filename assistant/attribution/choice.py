"""Which map a detector gets: decided by what it offers, never by its name."""

from __future__ import annotations

from assistant.interfaces import Detector, TraceableDetector

__all__ = ["best_map"]


def best_map(detector: Detector) -> str:
    """The attributor that shows most of a detector.

    Its own patch scores (``patch-evidence``), unless ``scores_patches`` is False; Grad-CAM where
    its trace is of a convolutional network's maps (``has_maps``); the patch lens where it is of a
    transformer's tokens; else, of one whose inside cannot be seen, parts of the face covered.
    """
    if not isinstance(detector, TraceableDetector):
        return "occlusion"
    if getattr(detector, "has_maps", False):
        return "grad-cam"
    return "patch-evidence" if getattr(detector, "scores_patches", True) else "patch-lens"
