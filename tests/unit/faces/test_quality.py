import cv2
import numpy as np
import pytest

from assistant.faces import MIN_FACE_SIDE, is_too_small
from assistant.faces.alignment import TEMPLATE
from assistant.faces.quality import (
    LIMITS,
    blockiness,
    cut_off_percent,
    measure,
    quality_notes,
    turned_degrees,
)
from assistant.types import Detection, QualityIssue, Severity
from tests.unit.faces.scenes import BOX, POINTS, astronaut, detection


def issues(frame, found=None) -> set[QualityIssue]:
    return {note.issue for note in quality_notes(np.ascontiguousarray(frame), found or detection())}


def scaled(factor: float) -> tuple[np.ndarray, Detection]:
    frame = cv2.resize(astronaut(), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    box = tuple(v * factor for v in BOX)
    return frame, Detection(box_xyxy=box, landmarks=POINTS * np.float32(factor), confidence=0.9)


def jpeg(frame: np.ndarray, quality: int) -> np.ndarray:
    done, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def test_a_clear_portrait_has_no_issue():
    assert issues(astronaut()) == set()
    assert set(measure(astronaut(), detection())) == set(QualityIssue) == set(LIMITS)


def test_each_note_tells_its_measurement_and_limit():
    (note,) = quality_notes((astronaut() * 0.2).astype(np.uint8), detection())
    assert note.issue is QualityIssue.DARK
    assert note.value < note.limit == LIMITS[QualityIssue.DARK][0]
    assert note.unit


def test_darkness_is_told():
    assert issues((astronaut() * 0.25).astype(np.uint8)) == {QualityIssue.DARK}


def test_a_dim_face_with_lights_on_it_is_not_dark():
    frame = (astronaut() * 0.25).astype(np.uint8)
    frame[90:150, 205:215] = 220  # skin may be dark; what counts is whether light reaches it
    assert QualityIssue.DARK not in issues(frame)


def test_overexposure_is_told():
    burnt = np.clip(astronaut().astype(int) * 2, 0, 255).astype(np.uint8)
    assert QualityIssue.BRIGHT in issues(burnt)


def test_blur_is_told():
    assert issues(cv2.GaussianBlur(astronaut(), (0, 0), 3)) == {QualityIssue.BLURRED}


def test_sharpness_is_free_of_contrast_and_brightness():
    values = [
        measure((astronaut() * gain + lift).astype(np.uint8), detection())[QualityIssue.BLURRED]
        for gain, lift in ((1, 0), (0.5, 60), (0.6, 0))
    ]
    assert max(values) / min(values) < 1.25


def over_the_eyes(what: str) -> np.ndarray:
    frame = astronaut().copy()
    if what == "glasses":
        for x, y in POINTS[:2]:
            cv2.ellipse(frame, (int(x), int(y)), (19, 14), 0, 0, 360, (12, 12, 14), -1)
        cv2.line(
            frame, POINTS[0].astype(int).tolist(), POINTS[1].astype(int).tolist(), (9, 9, 9), 3
        )
    else:
        skin = np.median(frame[120:130, 195:210].reshape(-1, 3), 0)
        frame[88:120, 175:275] = skin
        for line in range(92, 120, 7):
            cv2.line(frame, (175, line), (275, line + 2), (0.8 * skin).tolist(), 1)
    return frame


@pytest.mark.parametrize("what", ["glasses", "hand"])
def test_eyes_that_are_covered_are_told_and_blind(what):
    (note,) = quality_notes(over_the_eyes(what), detection())
    assert note.issue is QualityIssue.COVERED
    assert note.severity is Severity.BLINDS


def test_glasses_that_are_clear_cover_nothing():
    frame = astronaut().copy()
    for x, y in POINTS[:2]:
        cv2.ellipse(frame, (int(x), int(y)), (19, 14), 0, 0, 360, (20, 20, 20), 2)
    assert QualityIssue.COVERED not in issues(frame)


def test_dark_skin_and_dim_light_cover_no_eyes():
    for gain in (0.25, 0.45, 0.7):
        assert QualityIssue.COVERED not in issues((astronaut() * gain).astype(np.uint8))


def test_a_note_blinds_only_beyond_its_second_limit():
    severity = {
        factor: [
            n.severity for n in quality_notes(*scaled(factor)) if n.issue is QualityIssue.SMALL
        ]
        for factor in (0.3, 0.6)
    }
    assert severity == {0.3: [Severity.BLINDS], 0.6: [Severity.WEAKENS]}


def test_greyscale_is_told():
    grey = cv2.cvtColor(cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert issues(grey) == {QualityIssue.GREYSCALE}


def test_strong_compression_is_told_and_light_is_not():
    assert QualityIssue.COMPRESSED in issues(jpeg(astronaut(), 15))
    for quality in (95, 75, 60):
        assert QualityIssue.COMPRESSED not in issues(jpeg(astronaut(), quality))


@pytest.mark.parametrize("shift", [(0, 0), (3, 5), (7, 2)])
def test_blocks_are_seen_wherever_the_grid_lies(shift):
    frame = np.ascontiguousarray(jpeg(astronaut(), 15)[shift[0] :, shift[1] :])
    x, y = shift[1], shift[0]
    box = (BOX[0] - x, BOX[1] - y, BOX[2] - x, BOX[3] - y)
    moved = Detection(box_xyxy=box, landmarks=POINTS - np.float32([x, y]), confidence=0.9)
    assert blockiness(frame, moved) > LIMITS[QualityIssue.COMPRESSED][0]


def test_a_small_face_is_told_once():
    assert issues(*scaled(0.45)) == {QualityIssue.SMALL}
    assert issues(*scaled(0.85)) == set()


def test_faces_under_the_hard_limit_are_not_scored():
    assert MIN_FACE_SIDE == 24
    assert is_too_small(scaled(0.2)[1])
    assert not is_too_small(scaled(0.3)[1])


def test_low_confidence_is_told():
    assert issues(astronaut(), detection(0.45)) == {QualityIssue.UNSURE}


def test_a_face_over_the_border_is_cut_off():
    frame = np.ascontiguousarray(astronaut()[:, 225:])
    moved = Detection(
        box_xyxy=(0, BOX[1], BOX[2] - 225, BOX[3]),
        landmarks=POINTS - np.float32([225, 0]),
        confidence=0.9,
    )
    assert QualityIssue.CUT_OFF in issues(frame, moved)
    assert 35 < cut_off_percent(frame, moved) < 65
    assert cut_off_percent(astronaut(), detection()) == 0


def turned(yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    """The template as a head with a nose, turned and seen from far away."""
    head = np.hstack([TEMPLATE - [0.5, 0.64], [[0], [0], [0.55 * 0.32], [0], [0]]])
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
    about_x = [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    about_z = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    return 200 * (head @ np.transpose(np.array(about_z) @ about_x @ about_y))[:, :2] + 300


@pytest.mark.parametrize("yaw", [-60, -45, -20, 0, 20, 45, 60])
@pytest.mark.parametrize("roll", [-90, 0, 30, 180])
def test_yaw_is_read_from_five_points(yaw, roll):
    assert turned_degrees(turned(yaw=yaw, roll=roll)) == pytest.approx(abs(yaw), abs=4)


@pytest.mark.parametrize("pitch", [-50, -30, 0, 30, 50])
def test_pitch_is_read_from_five_points(pitch):
    assert turned_degrees(turned(pitch=pitch)) == pytest.approx(abs(pitch), abs=6)


def test_points_in_one_line_are_a_turned_face():
    profile = np.array([[10, 10], [10, 10], [40, 30], [10, 50], [10, 50]], np.float32)
    assert turned_degrees(profile) > 80
