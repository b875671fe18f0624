"""CenterFace as a face finder: which sizes are searched, and which of the finds are kept.

Three kinds of picture need three searches. A face crop is shrunk (and given a border where it
fills its picture), exactly as the training crops were made, so that use equals training. A photo is
searched at up to 640 pixels, and where no face or only small ones are found, at up to 1280 pixels;
faces of photos are then looked at once more in a window of their own. Last, the points of every
face are found again in upright windows (``settling``), so that they do not depend on its picture.
Pictures that lie on their side or upside down are turned (``upright``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.errors import InferenceError, WeightsError
from assistant.faces.centerface_net import CenterFaceNet, overlap
from assistant.faces.settling import WINDOW_SIDE, settle_points
from assistant.faces.upright import Find, find_upright
from assistant.types import Detection, Image

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["CenterFaceFinder", "CenterFaceNet"]

_CROP_SIDE = 400  # up to this longest side a picture may be a face crop of the training kind
_CLOSE_UP_SIDE, _BORDER_SIDE, _BORDER_THRESHOLD, _BORDER = 224, 320, 0.3, 0.25
_CROP_SHARE = 0.4  # a face crop's face takes more than this share of the longest side
_PHOTO_SIDE, _FINE_SIDE, _FINE_THRESHOLD, _CONFIRMED = 640, 1280, 0.45, 0.65
_SMALL_SHARE = (
    1 / 16
)  # of the longest side: where all faces are smaller, smaller ones may be missed
_FILLS_SHARE = (
    0.25  # a face found only with a border must fill this share of a photo's longest side
)
_WINDOW, _WINDOW_SIDE = 1.5, 224
_MOST = 64

_Found = tuple[NDArray[np.float32], NDArray[np.float32], float]


class CenterFaceFinder:
    """Finds faces with CenterFace through OpenCV (arXiv 1911.03599). Safe to share between threads.

    Args:
        path: the ONNX file.
        threshold: confidence in [0, 1] under which a find of the main search is dropped.

    Raises:
        WeightsError: the file is missing or not a network that can be read.
    """

    name = "centerface"

    def __init__(self, path: Path, *, threshold: float = 0.5) -> None:
        self._threshold = threshold
        try:
            self._sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            self._net = CenterFaceNet(path)
        except (OSError, cv2.error) as error:
            raise WeightsError(
                f"The face finder's file {path.name!r} is missing or cannot be read.",
                hint="Run: whyfake weights fetch centerface",
            ) from error

    @classmethod
    def from_settings(cls, settings: Settings) -> CenterFaceFinder:
        """With the fetched network."""
        from assistant.weights import locate

        return cls(
            locate(
                "centerface",
                data_dir=settings.data_dir,
                accept_unpinned=settings.accept_unpinned,
            )
        )

    def find(self, image: Image) -> tuple[Detection, ...]:
        """All faces of ``image`` (RGB uint8 HWC), most confident first; empty where there is none.

        Raises:
            InferenceError: the network failed.
        """
        try:
            return tuple(find_upright(image, self._finds))
        except cv2.error as error:
            raise InferenceError(
                f"The face finder failed on {image.shape[1]} x {image.shape[0]} pixels.",
                hint="Run: whyfake weights verify; then try another picture.",
            ) from error

    def find_as_shown(self, image: Image) -> tuple[Detection, ...]:
        """As :meth:`find`, of a picture that is known to be upright: it is never turned."""
        return tuple(find.detection for find in self._finds(image))

    def provenance(self) -> Mapping[str, str]:
        """Model file and its SHA-256."""
        return {"model": "CenterFace (ONNX, OpenCV)", "sha256": self._sha256}

    def _finds(self, image: Image) -> list[Find]:
        """The faces of a picture as it is given, most confident first."""
        longest = max(image.shape[:2])
        found = self._close_up(image) if longest <= _CROP_SIDE else []
        if not any(_side(box) >= _CROP_SHARE * longest for box, _, _ in found):
            found = self._photo(image, longest)
        found.sort(key=lambda f: -f[2])
        height, width = image.shape[:2]
        finds = []
        for box, points, score in found[:_MOST]:
            settled, certainty = settle_points(image, points, self._points)
            detection = _detection(box, settled, score, width, height)
            finds.append(Find(detection=detection, certainty=certainty))
        return finds

    def _points(self, window: Image) -> tuple[NDArray[np.float32], float] | None:
        found = self._search(window, WINDOW_SIDE, self._threshold)
        return (found[0][1], found[0][2]) if found else None

    def _search(self, image: Image, side: int, threshold: float) -> list[_Found]:
        boxes, points, scores = self._net.detect(image, longest_side=side, threshold=threshold)
        return [
            (b, p, float(s))
            for b, p, s in zip(boxes, points, scores, strict=True)
            if np.isfinite(p).all() and b[2] > b[0] and b[3] > b[1]
        ]

    def _close_up(self, image: Image) -> list[_Found]:
        """The search the training crops were made with; with a border only the best face counts."""
        found = self._search(image, _CLOSE_UP_SIDE, self._threshold)
        if found:
            return found
        border = int(_BORDER * max(image.shape[:2]))
        wide = cv2.copyMakeBorder(
            image, border, border, border, border, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        found = self._search(np.asarray(wide), _BORDER_SIDE, _BORDER_THRESHOLD)
        return [
            (box - border, points - border, score)
            for box, points, score in found[:1]
            if _side(box) >= _FILLS_SHARE * max(image.shape[:2])
        ]

    def _photo(self, image: Image, longest: int) -> list[_Found]:
        # a small photo is enlarged: its faces are smaller still
        side = min(_PHOTO_SIDE, longest if longest > _CROP_SIDE else 2 * longest)
        found = self._search(image, side, self._threshold)
        if not found:
            found = self._close_up(image)
        found = [self._refined(image, f) or f for f in found]
        if longest > _PHOTO_SIDE and all(_side(f[0]) < _SMALL_SHARE * longest for f in found):
            for fine in self._search(image, min(_FINE_SIDE, longest), _FINE_THRESHOLD):
                if any(_same(fine[0], f[0]) for f in found):
                    continue
                confirmed = self._refined(image, fine)
                if confirmed is not None and confirmed[2] >= _CONFIRMED:
                    found.append(confirmed)
        return found

    def _refined(self, image: Image, found: _Found) -> _Found | None:
        """The same face found again in a window of its own; None where it is not."""
        box = found[0]
        centre, reach = (box[:2] + box[2:]) / 2, _WINDOW * max(box[2:] - box[:2]) / 2
        x0, y0 = (max(0, int(v)) for v in centre - reach)
        x1, y1 = (int(v) for v in centre + reach)
        window = np.ascontiguousarray(image[y0:y1, x0:x1])
        if min(window.shape[:2]) < 8:
            return None
        for inner, points, again in self._search(window, _WINDOW_SIDE, self._threshold):
            moved = inner + np.array([x0, y0, x0, y0], np.float32)
            if overlap(moved, box) > 0.3:
                return moved, points + np.array([x0, y0], np.float32), again
        return None


def _side(box: NDArray[np.float32]) -> float:
    return float(max(box[2] - box[0], box[3] - box[1]))


def _same(small: NDArray[np.float32], large: NDArray[np.float32]) -> bool:
    """Whether the centre of ``small`` lies in ``large``, or they overlap."""
    x, y = (small[:2] + small[2:]) / 2
    inside = large[0] <= x <= large[2] and large[1] <= y <= large[3]
    return bool(inside) or overlap(small, large) > 0.3


def _detection(
    box: NDArray[np.float32], points: NDArray[np.float32], score: float, width: int, height: int
) -> Detection:
    x0, x1 = np.clip(box[0::2], 0, width)
    y0, y1 = np.clip(box[1::2], 0, height)
    return Detection(
        box_xyxy=(float(x0), float(y0), float(x1), float(y1)),
        landmarks=points.astype(np.float32),
        confidence=min(1.0, score),
    )
