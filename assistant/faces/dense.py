"""468 facial points inside an aligned face, from MediaPipe's face mesh run by OpenCV.

Source: Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs",
arXiv 1907.06724. The network (1.2 MB) is taken from the ``mediapipe`` wheel, which is not imported.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.errors import InferenceError, WeightsError
from assistant.faces.alignment import align
from assistant.types import CropSpec, Image

__all__ = ["FACE_OVAL", "GROUPS", "DenseLandmarks", "DensePoints"]

_POINTS_LAYER, _PRESENCE_LAYER = "conv2d_21", "conv2d_31"
_SPEC = CropSpec(size=192, scale=1.3)
#: Where the five points of a finder lie among the 468: eyes are the middle of their two corners.
_FIVE = ((33, 133), (362, 263), (4,), (61,), (291,))

#: The outline of the face, in order around it.
FACE_OVAL: tuple[int, ...] = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

#: Outlines of parts of the face, in order around each. Sides are the viewer's.
GROUPS: dict[str, tuple[int, ...]] = {
    "left eye": (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    "right eye": (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
    "left brow": (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    "right brow": (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
    "nose": (168, 193, 245, 188, 174, 217, 126, 209, 129, 64, 98, 97, 2, 326, 327, 294, 358, 429,
             355, 437, 399, 412, 465, 417),
    "mouth": (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40,
              185),
    "face": FACE_OVAL,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DensePoints:
    """The points of one face.

    Attributes:
        points: 468 x 2 (x, y) in pixels of the picture that was given.
        depth: 468 values in the same pixels, negative towards the viewer.
        confidence: in [0, 1], that a face lies where the points are.
    """

    points: NDArray[np.float64]
    depth: NDArray[np.float64]
    confidence: float

    @property
    def five(self) -> NDArray[np.float64]:
        """Eyes, nose tip and mouth corners, 5 x 2, in a finder's order."""
        return np.array([self.points[list(group)].mean(0) for group in _FIVE])


class DenseLandmarks:
    """Finds the 468 points of a face whose five points are known. Safe to share between threads.

    Args:
        path: ``face_landmark.tflite``.

    Raises:
        WeightsError: the file is missing, or not this network.
    """

    name = "face-mesh"

    def __init__(self, path: Path) -> None:
        try:
            self._sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            self._net = cv2.dnn.readNetFromTFLite(str(path))
            known = {_POINTS_LAYER, _PRESENCE_LAYER} <= set(self._net.getLayerNames())
        except (OSError, cv2.error) as error:
            raise self._no_weights(path) from error
        if not known:
            raise self._no_weights(path)
        self._lock = threading.Lock()  # an OpenCV network holds its input: one caller at a time

    def find(self, image: Image, landmarks: NDArray[np.floating]) -> DensePoints:
        """The points of one face.

        Args:
            image: RGB uint8 HWC; a whole frame or a face crop.
            landmarks: the five points, 5 x 2, in pixels of ``image``.

        Raises:
            InferenceError: the five points lie on one spot, or the network failed.
        """
        try:
            crop, matrix = align(image, landmarks, _SPEC)
            blob = cv2.dnn.blobFromImage(crop, 1.0 / 255.0, (_SPEC.size, _SPEC.size))
            with self._lock:
                self._net.setInput(blob)
                raw = np.array(self._net.forward(_POINTS_LAYER), np.float64).reshape(-1, 3)
                presence = float(np.array(self._net.forward(_PRESENCE_LAYER)).ravel()[0])
        except (ValueError, cv2.error) as error:
            raise InferenceError(
                "The dense points of the face could not be found.",
                hint="The five points may be wrong; use a photo in which the face is clear.",
            ) from error
        factor = float(np.hypot(matrix[0, 0], matrix[1, 0]))
        back = np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2]
        return DensePoints(
            points=raw[:, :2] @ back[:, :2].T + back[:, 2],
            depth=raw[:, 2] / factor,
            confidence=float(1.0 / (1.0 + np.exp(-np.clip(presence, -60.0, 60.0)))),
        )

    def provenance(self) -> Mapping[str, str]:
        """Model file and its SHA-256."""
        return {"model": "MediaPipe face mesh (TFLite, OpenCV)", "sha256": self._sha256}

    @staticmethod
    def _no_weights(path: Path) -> WeightsError:
        return WeightsError(
            f"The dense landmarks' file {path.name!r} is missing or is another network.",
            hint="Run: whyfake weights fetch face-landmarks",
        )
