import cv2
import numpy as np
import pytest

from assistant.evaluation.shortcuts import LOW_LEVEL, low_level_statistics, shortcut_auroc


def crop(seed, quality=None):
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 255, (20, 20, 3)).astype(np.uint8), (96, 96))
    if quality is not None:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize(("fake_quality", "low", "high"), [(90, 0.3, 0.7), (10, 0.9, 1.01)])
def test_a_planted_shortcut_is_found_and_equal_processing_is_not(fake_quality, low, high):
    labels = np.arange(200) % 2
    statistics = np.stack(
        [low_level_statistics(crop(i, fake_quality if labels[i] else 90)) for i in range(200)]
    )
    assert statistics.shape == (200, len(LOW_LEVEL))
    found = shortcut_auroc(statistics, labels, [f"v{i // 2}" for i in range(200)])
    assert low <= found <= high
