import dataclasses
import weakref

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import read_delta, write_delta
from assistant.detectors.lifted import LiftedDetector, beside, face_logits, lifts_of
from assistant.detectors.read_out import StatisticsReadOut, SumReadOut
from assistant.detectors.surroundings import SurroundingsScore
from assistant.detectors.texture import TextureEye
from assistant.errors import InferenceError, WeightsError
from assistant.fakes import BrightnessDetector
from assistant.interfaces import Detector, TraceableDetector
from assistant.types import CropSpec, Face
from tests.unit.detectors.test_clip_ln import TINY, crops, saved
from tests.unit.detectors.test_texture import stages  # noqa: F401 - a fixture


@pytest.fixture
def files(tmp_path, stages):  # noqa: F811
    """Base, delta that reads the surroundings, and the network that sees them."""
    base, delta = saved(tmp_path, TINY, "sum")
    eye = TextureEye.load(stages)
    torch.manual_seed(3)
    networks = [StatisticsReadOut(blocks=(), width=eye.count, hidden=h) for h in (4, 3)]
    score = SurroundingsScore(eye, networks, start=-0.5, sharpness=2.0)
    plain = read_delta(delta)
    header = dataclasses.replace(plain.header, surroundings=score.options())
    write_delta(
        delta,
        header,
        norms={},
        read_out=plain.read_out,
        surroundings=score.networks.state_dict(),
    )
    return base, delta, stages


def around(number=0, height=90, width=120):
    rng = np.random.default_rng(number)
    return rng.integers(0, 255, (height, width, 3)).astype(np.uint8)


def face(crop, picture):
    return Face(
        media_id="m",
        index=0,
        frame_index=0,
        box_xyxy=(0.0, 0.0, 1.0, 1.0),
        landmarks=np.zeros((5, 2), np.float32),
        crop=crop,
        crop_spec=CropSpec(),
        matrix=np.eye(2, 3),
        confidence=1.0,
        around=picture,
    )


def test_the_lift_is_what_both_sides_say_above_the_start_and_never_below_zero(files):
    detector = ClipLnDetector.load(*files)
    score = detector.surroundings
    picture = around()
    with torch.no_grad():
        views = [score.eye([p]) for p in (picture, picture[:, ::-1].copy())]
        each = [np.mean([float(n.from_statistics(v)) for v in views]) for n in score.networks]
    evidence = max(each)  # the generator that it looks most like
    lift = np.log1p(np.exp(2.0 * (evidence + 0.5))) / 2.0
    assert score.lift(picture) == pytest.approx(lift, abs=1e-4)
    assert score.lift(picture) == pytest.approx(score.lift(picture[:, ::-1].copy()), abs=1e-4)
    assert score.lift(None) == 0.0
    extremes = score.lifts(np.array([[-1000.0, -5.0], [5.0, 1000.0]]))
    assert (extremes >= 0).all()
    assert np.isfinite(extremes).all()


def test_the_same_picture_is_looked_at_once_and_not_kept(files):
    score = ClipLnDetector.load(*files).surroundings
    looks = []
    score.eye.register_forward_pre_hook(lambda *_: looks.append(1))
    one, other = around(1), around(2)
    assert score.lift(one) == score.lift(one)
    assert len(looks) == 1
    assert score.lift(other) != score.lift(one)
    assert score.lift(one.copy()) == score.lift(one)
    known = weakref.ref(one)
    del one
    assert known() is None


def test_what_is_no_number_is_an_error(files):
    score = ClipLnDetector.load(*files).surroundings
    score.start = float("nan")
    with pytest.raises(InferenceError, match="no number"):
        score.lift(around())


def test_scores_of_crops_are_without_surroundings_and_those_of_faces_with(files):
    detector = ClipLnDetector.load(*files)
    given = crops(3)
    faces = [face(given[0], around(1)), face(given[1], None), face(given[2], around(2, 70, 64))]
    lifts = [detector.surroundings.lift(one.around) for one in faces]
    assert lifts[0] > 0
    assert lifts[1] == 0
    assert np.allclose(face_logits(detector, faces), detector.logits(given) + lifts, atol=1e-6)
    assert np.allclose(lifts_of(BrightnessDetector(), [around()]), 0.0)


def test_every_score_beside_a_face_has_its_lift(files):
    detector = ClipLnDetector.load(*files)
    given = crops(2)
    one = face(given[0], around(4))
    lifted = beside(detector, one)
    assert isinstance(lifted, LiftedDetector)
    assert isinstance(lifted, TraceableDetector)
    assert np.allclose(lifted.logits(given), detector.logits(given) + lifted.lift, atol=1e-6)
    for layers in (None, [1]):
        plain, traced = (d.trace(given[0], layers=layers) for d in (detector, lifted))
        assert traced.logit == pytest.approx(plain.logit + lifted.lift, abs=1e-5)
    assert lifted.scores_patches == detector.scores_patches
    assert lifted.provenance() == detector.provenance()
    assert (lifted.name, lifted.weights_sha256) == (detector.name, detector.weights_sha256)
    assert lifted.change_of_lift(lambda picture: picture) == pytest.approx(0.0, abs=1e-6)
    blurred = lifted.change_of_lift(lambda picture: np.full_like(picture, 128))
    assert abs(blurred) > 1e-4
    assert beside(detector, face(given[0], None)) is detector


def test_a_detector_that_does_not_look_stays_what_it_is():
    plain: Detector = BrightnessDetector()
    one = face(np.full((8, 8, 3), 144, np.uint8), around())
    assert beside(plain, one) is plain
    assert face_logits(plain, [one])[0] == pytest.approx(1.0)


def test_a_detector_that_reads_the_surroundings_needs_the_right_network(files, tmp_path):
    base, delta, network = files
    with pytest.raises(WeightsError, match="was not given"):
        ClipLnDetector.load(base, delta)
    changed = load_file(network)
    changed["conv_stem.weight"] = changed["conv_stem.weight"] + 0.01
    save_file(changed, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="read the surroundings with the network"):
        ClipLnDetector.load(base, delta, tmp_path / "other.safetensors")
    read = read_delta(delta)
    short = {name: tensor for name, tensor in list(read.surroundings.items())[1:]}
    write_delta(delta, read.header, norms={}, read_out=read.read_out, surroundings=short)
    with pytest.raises(WeightsError, match="surroundings does not fit"):
        ClipLnDetector.load(base, delta, network)


def test_a_read_out_works_where_its_statistics_are():
    read_out = SumReadOut([StatisticsReadOut(blocks=(), width=6, hidden=2)], [1.0]).to("meta")
    found = read_out.from_statistics(torch.zeros(3, 6, device="meta"))
    assert found.device.type == "meta"
