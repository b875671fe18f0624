"""Drawn pictures for tests: faces nobody has."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from assistant.types import Detection

SKIN = (230, 160, 120)


def drawn_faces(
    count: int = 1, *, size: tuple[int, int] = (480, 360), skin: tuple[int, int, int] = SKIN
) -> np.ndarray:
    """``count`` drawn faces side by side on grey, RGB uint8 HWC (`SkinFaceFinder` finds them)."""
    picture = Image.new("RGB", size, (90, 100, 110))
    draw = ImageDraw.Draw(picture)
    width = size[0] / count
    for i in range(count):
        w, h = min(width * 0.7, size[1] * 0.6), min(width * 0.9, size[1] * 0.8)
        x, y = width * (i + 0.5) - w / 2, (size[1] - h) / 2
        draw.ellipse([x, y, x + w, y + h], fill=skin)
        for ex in (0.32, 0.68):
            cx, cy, r = x + w * ex, y + h * 0.4, w * 0.05
            draw.ellipse([cx - r, cy - r, cx + r, cy + r], fill=(40, 30, 30))
        draw.line(
            [x + w * 0.5, y + h * 0.45, x + w * 0.5, y + h * 0.6], fill=(190, 120, 90), width=3
        )
        draw.rectangle([x + w * 0.36, y + h * 0.76, x + w * 0.64, y + h * 0.79], fill=(170, 60, 60))
    return np.asarray(picture)


def png(image: np.ndarray) -> bytes:
    """RGB uint8 as PNG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


class MiddleFinder:
    """Finds one face in the middle of every picture, and counts how often it was asked."""

    name = "middle"
    calls = 0

    def find(self, image):
        self.calls += 1
        height, width = image.shape[:2]
        points = np.array([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]])
        return (
            Detection(
                box_xyxy=(0.3 * width, 0.3 * height, 0.7 * width, 0.7 * height),
                landmarks=(points * [width, height]).astype(np.float32),
                confidence=0.9,
            ),
        )

    def provenance(self):
        return {}
