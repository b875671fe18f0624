from __future__ import annotations

from pathlib import Path

import numpy as np

from assistant.training.remembered import RememberedFinder
from assistant.types import Detection


class Counting:
    """Finds one face, and counts how often it is asked."""

    name = "counting"

    def __init__(self) -> None:
        self.asked = 0

    def find(self, image: np.ndarray) -> tuple[Detection, ...]:
        self.asked += 1
        points = np.arange(10, dtype=np.float32).reshape(5, 2) + image[0, 0, 0]
        return (Detection(box_xyxy=(1.0, 2.0, 30.5, 40.0), landmarks=points, confidence=0.75),)

    def provenance(self) -> dict[str, str]:
        return {"sha256": "ab"}


def test_a_picture_is_looked_at_once_even_by_a_later_run(tmp_path: Path) -> None:
    inner = Counting()
    one, other = np.zeros((8, 8, 3), np.uint8), np.ones((8, 8, 3), np.uint8)
    finder = RememberedFinder(inner, tmp_path)
    first = [finder.find(one), finder.find(other), finder.find(one)]
    assert inner.asked == 2
    with next(tmp_path.glob("found-*.jsonl")).open("a") as file:
        file.write('["cut of')  # as a kill leaves it
    again = RememberedFinder(inner, tmp_path).find(other)[0]
    assert inner.asked == 2
    assert again.box_xyxy == first[1][0].box_xyxy
    assert (again.landmarks == first[1][0].landmarks).all()
    assert not (again.landmarks == first[0][0].landmarks).all()
