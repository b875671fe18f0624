"""Can the classes be told apart without looking at the face? By sharpness, compression, light.

A detector trained where they can learns the way a source was stored, not manipulation.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.errors import MediaError
from assistant.evaluation.detection_metrics import auroc
from assistant.evaluation.face_manifest import ManifestRow
from assistant.media import MediaLimits, read_path
from assistant.types import Image

__all__ = [
    "FILE",
    "LOW_LEVEL",
    "file_and_picture",
    "file_statistics",
    "low_level_statistics",
    "shortcut_auroc",
]

_LOG = logging.getLogger(__name__)

#: What :func:`low_level_statistics` measures, in order.
LOW_LEVEL = ("light", "contrast", "sharpness", "fine noise", "8 x 8 edges", "colour", "red", "blue")


#: What :func:`file_statistics` measures, in order.
FILE = ("bytes a pixel", "width", "height", "JPEG table", "chroma table", "has EXIF")


def file_and_picture(row: ManifestRow) -> tuple[NDArray[np.float64], Image] | None:
    """Statistics of a row's file and its RGB uint8 picture; None, with a warning, of no picture."""
    try:
        data = read_path(row.path, MediaLimits())
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        file = file_statistics(data)
    except (MediaError, OSError) as error:
        _LOG.warning("line %d: %s: %s", row.line, row.name, error)
        return None
    if decoded is None:
        _LOG.warning("line %d: %s cannot be decoded", row.line, row.name)
        return None
    return file, np.ascontiguousarray(np.asarray(decoded, np.uint8)[..., ::-1])


def file_statistics(data: bytes) -> NDArray[np.float64]:
    """Six numbers of a file that say nothing of its pixels (:data:`FILE`).

    Raises:
        OSError: the bytes are no picture.
    """
    from PIL import Image as Pictures

    with Pictures.open(io.BytesIO(data)) as picture:
        width, height = picture.size
        tables = getattr(picture, "quantization", None) or {}
        means = [float(np.mean(table)) for table in tables.values()]
        exif = float(bool(picture.getexif()))
    means = [*means, 0.0, 0.0][:2]
    return np.array([len(data) / (width * height), width, height, *means, exif])


def low_level_statistics(crop: Image) -> NDArray[np.float64]:
    """Eight numbers of an RGB uint8 crop that say nothing of a face (:data:`LOW_LEVEL`)."""
    rgb = crop.astype(np.float64)
    grey = rgb.mean(2)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
    across = np.abs(np.diff(grey, axis=1))
    edges = across[:, 7::8].mean() / (across.mean() + 1e-6)
    sharp = cv2.Laplacian(grey, cv2.CV_64F).var()
    red, green, blue = (rgb[..., c].mean() for c in range(3))
    return np.array(
        [
            grey.mean(),
            grey.std(),
            np.log(sharp + 1e-3),
            np.log(fine.std() + 1e-3),
            edges,
            rgb.std(2).mean(),
            red - green,
            blue - green,
        ]
    )


def shortcut_auroc(
    statistics: NDArray[np.float64],
    labels: NDArray[np.int64],
    videos: Sequence[str],
) -> float:
    """AUROC of a logistic regression on low-level statistics, by cross-validation over videos.

    ``statistics``: N x K; ``labels``: N, both classes; ``videos``: N source videos.

    Raises:
        ValueError: one class only.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scores = np.empty(len(labels))
    parts = StratifiedGroupKFold(5)  # each part with both classes, or there is nothing to learn
    for train, test in parts.split(statistics, labels, list(videos)):
        model = make_pipeline(StandardScaler(), LogisticRegression())
        model.fit(statistics[train], labels[train])
        scores[test] = model.decision_function(statistics[test])
    value = auroc(labels, scores)
    if value is None:
        raise ValueError("both classes are needed")
    return value
