"""Pictures with a known face: the astronaut of scikit-image, laid out in many ways."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from assistant.types import Detection

RETINA = Path(__file__).parents[4] / "shared/data/weights/retinaface_mobilenet0.25.pth"
SHARED = Path(__file__).parents[4] / "shared/data"
#: The astronaut's five points as two finders agree on them, within some pixels.
POINTS = np.array([[203, 102], [249, 104], [225, 128], [203, 141], [246, 142]], np.float32)
BOX = (180.0, 60.0, 271.0, 178.0)


@functools.cache
def astronaut() -> np.ndarray:
    from skimage import data

    picture = data.astronaut()
    picture.flags.writeable = False
    return picture


def detection(confidence: float = 0.9) -> Detection:
    return Detection(box_xyxy=BOX, landmarks=POINTS.copy(), confidence=confidence)


def face_only(side: int = 224) -> np.ndarray:
    """The astronaut's face filling the picture, as face data sets crop it."""
    return cv2.resize(
        np.ascontiguousarray(astronaut()[55:182, 164:286]),
        (side, side),
        interpolation=cv2.INTER_CUBIC,
    )


def group(count: int, face: int, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """``count`` astronauts whose faces are about ``face`` pixels high, and their centres."""
    head = np.ascontiguousarray(astronaut()[0:250, 110:340])
    scale = face / 118
    head = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rows, cols = head.shape[:2]
    width, height = size
    scene = np.full((height, width, 3), 120, np.uint8)
    per_row = width // (cols + 8)
    centres = []
    for i in range(count):
        y, x = (i // per_row) * (rows + 8) + 4, (i % per_row) * (cols + 8) + 4
        scene[y : y + rows, x : x + cols] = head
        centres.append((x + 115 * scale, y + 119 * scale))
    return scene, np.array(centres)


def model_file(name: str, data_dir: Path) -> Path:
    """A fetched model file, or skip."""
    from assistant.errors import WeightsError
    from assistant.weights import locate

    try:
        return locate(name, data_dir=data_dir)
    except WeightsError as error:
        pytest.skip(f"{name}: {error.user_message}")


def copy_of(path: Path, folder: Path, *, length: int) -> Path:
    """The first bytes of a file."""
    target = folder / path.name
    shutil.copyfile(path, target)
    with target.open("r+b") as file:
        file.truncate(length)
    return target
