"""A face in a whole picture and in its own tight crop gets nearly the same probability."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from assistant.compose import build_detector, build_finder
from assistant.evaluation.face_manifest import read_manifest
from assistant.evaluation.framing import MARGINS, framing_table
from assistant.media import MediaLimits
from assistant.settings import load_settings

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "clips"
AIM = 0.05


@pytest.fixture(scope="module")
def parts():
    settings = load_settings()
    detector, calibrator = build_detector(settings)
    return build_finder(settings), detector, calibrator


def table(folder, files, parts, frames=1):
    lines = [f"{path},0" for path in files]
    (folder / "m.csv").write_text("\n".join(["path,label", *lines]))
    rows = read_manifest(folder / "m.csv")
    return framing_table(rows, *parts, limits=MediaLimits(frames=frames))


def test_a_photo_however_large_and_wherever_the_face(tmp_path, parts):
    photo = data.astronaut()[..., ::-1]
    files = []
    for number, side in enumerate((512, 448, 384, 320)):
        small = cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)
        room = np.full((side + 60, side + 90, 3), 120, np.uint8)
        room[20 : 20 + side, 15 * number : 15 * number + side] = small
        cv2.imwrite(str(tmp_path / f"{side}.png"), room)
        files.append(f"{side}.png")
    found = table(tmp_path, files, parts)
    assert found["n"] == 4
    for margin in MARGINS:
        assert found["margins"][str(margin)]["median"] <= AIM, margin


@pytest.mark.skipif(not CLIPS.is_dir(), reason="clips of real people are not part of the project")
def test_frames_of_clips(tmp_path, parts):
    files = sorted(CLIPS.glob("*/*.mp4"))
    found = table(tmp_path, files, parts, frames=3)
    assert found["n"] >= 0.9 * 3 * len(files)
    for margin in MARGINS:
        assert found["margins"][str(margin)]["median"] <= AIM, margin
