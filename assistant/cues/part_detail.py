"""Fine detail of a part of the face over that of the skin, at the same scale."""

from __future__ import annotations

from assistant.cues.cue import Cue, Reading, compared, detail
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged

__all__ = ["part_over_skin"]

_LEAST_PIXELS = 40


def part_over_skin(
    cue: Cue, window: FaceWindow, name: str, groups: tuple[str, ...], *, grow: float
) -> Reading:
    """A reading of face parts (hulls grown by ``grow`` eye distances) over the skin's."""
    part, skin = window.part(*groups, grow=grow), window.skin
    if min(part.sum(), skin.sum()) < _LEAST_PIXELS:
        return NotJudged(cue=cue.name, reason=f"too little of the {name} can be seen")
    value = detail(window, part) / detail(window, skin)
    return compared(cue, window, value, (name, part), ("skin of the face", skin))
