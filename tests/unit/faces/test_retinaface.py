import numpy as np
import pytest
import torch

from assistant.errors import InferenceError, OutOfMemory, WeightsError
from assistant.faces.retinaface import RetinaFaceFinder
from tests.unit.faces.scenes import POINTS, RETINA, astronaut, copy_of, face_only, group


@pytest.fixture(scope="module")
def random_file(tmp_path_factory):
    """RetinaFace with random weights and the prefix that data-parallel training leaves."""
    from facexlib.detection.retinaface import RetinaFace

    torch.manual_seed(0)
    net = RetinaFace(network_name="mobile0.25", device=torch.device("cpu"))
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save({f"module.{k}": v for k, v in net.state_dict().items()}, path)
    return path


@pytest.fixture(scope="module")
def finder():
    if not RETINA.is_file():
        pytest.skip("needs the RetinaFace weights")
    torch.set_num_threads(1)  # threads that wait for each other make a busy machine crawl
    return RetinaFaceFinder(RETINA)


def test_the_astronaut_is_found(finder):
    (found,) = finder.find(astronaut())
    assert np.linalg.norm(found.landmarks - POINTS, axis=1).max() < 0.15 * 46
    assert found.confidence > 0.95


def test_colours_are_handed_over_in_the_order_the_network_wants(finder):
    blue = astronaut()[..., ::-1]
    assert finder.find(astronaut())[0].confidence > 0.99
    swapped = finder.find(np.ascontiguousarray(blue))
    assert not swapped or swapped[0].confidence < finder.find(astronaut())[0].confidence


@pytest.mark.parametrize("side", [64, 224, 1000])
def test_a_face_that_fills_its_picture_is_found(finder, side):
    (found,) = finder.find(face_only(side))
    x0, y0, x1, y1 = found.box_xyxy
    assert 0 <= x0 < x1 <= side
    assert 0 <= y0 < y1 <= side


def test_every_face_of_a_group_is_found_once(finder):
    assert len(finder.find(group(6, 80, (700, 500))[0])) == 6


def test_a_large_picture_is_searched_at_a_bounded_size(finder):
    scene, centres = group(1, 400, (3000, 2000))
    (found,) = finder.find(scene)
    assert np.linalg.norm(found.landmarks.mean(0) - centres[0]) < 120


@pytest.mark.parametrize("name", ["coffee", "text"])
def test_pictures_without_a_face_have_none(finder, name):
    from skimage import data

    picture = np.asarray(getattr(data, name)())
    picture = np.stack([picture] * 3, 2) if picture.ndim == 2 else picture
    assert finder.find(np.ascontiguousarray(picture)) == ()


def test_random_weights_load_but_find_no_face(random_file):
    assert RetinaFaceFinder(random_file).find(np.full((64, 64, 3), 99, np.uint8)) == ()


def test_an_unknown_network_is_told_with_the_known_ones(random_file):
    with pytest.raises(WeightsError, match="'resnet18'") as caught:
        RetinaFaceFinder(random_file, network="resnet18")
    assert "mobilenet0.25, resnet50" in caught.value.hint


def test_weights_of_another_network_are_refused(random_file):
    with pytest.raises(WeightsError, match="does not fit RetinaFace resnet50"):
        RetinaFaceFinder(random_file, network="resnet50")


@pytest.mark.parametrize("drop", ["module.body.stage1.0.0.weight", "module.fpn.output1.0.weight"])
def test_a_missing_key_is_refused(random_file, tmp_path, drop):
    state = torch.load(random_file, weights_only=True)
    del state[drop]
    torch.save(state, tmp_path / "less.pth")
    with pytest.raises(WeightsError, match="does not fit"):
        RetinaFaceFinder(tmp_path / "less.pth")


def test_files_that_are_no_state_dict_are_refused(random_file, tmp_path):
    text = tmp_path / "text.pth"
    text.write_bytes(b"not weights at all")
    listed = tmp_path / "list.pth"
    torch.save([1, 2, 3], listed)
    cut = copy_of(random_file, tmp_path, length=5000)
    for bad in (tmp_path / "none.pth", text, listed, cut):
        with pytest.raises(WeightsError) as caught:
            RetinaFaceFinder(bad)
        assert "weights fetch retinaface-mobilenet0.25" in caught.value.hint


class _Payload:
    """What a hostile pickle would run."""

    def __reduce__(self):
        return (print, ("code ran",))


def test_code_in_a_weights_file_is_never_run(tmp_path, capsys):
    path = tmp_path / "evil.pth"
    torch.save({"module.x": _Payload()}, path)
    with pytest.raises(WeightsError):
        RetinaFaceFinder(path)
    assert "code ran" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(torch.OutOfMemoryError("no"), OutOfMemory), (RuntimeError("no"), InferenceError)],
)
def test_failures_of_the_network_are_typed(random_file, monkeypatch, raised, expected):
    finder = RetinaFaceFinder(random_file)

    def fail(*_args, **_kwargs):
        raise raised

    monkeypatch.setattr(finder._net, "detect_faces", fail)
    with pytest.raises(expected, match="512 x 512"):
        finder.find(astronaut())


def test_points_that_are_not_finite_are_dropped(random_file, monkeypatch):
    finder = RetinaFaceFinder(random_file)
    rows = np.array([[1, 1, 9, 9, 0.9, *[np.nan] * 10], [5, 5, 5, 5, 0.9, *[4.0] * 10]])
    monkeypatch.setattr(finder._net, "detect_faces", lambda *_: rows)
    assert finder.find(astronaut()) == ()


def test_the_downloader_is_never_reached(random_file, monkeypatch):
    import facexlib.detection as detection
    import facexlib.utils as utils

    def refuse(*_args, **_kwargs):
        raise AssertionError("tried to download")

    monkeypatch.setattr(utils, "load_file_from_url", refuse)
    monkeypatch.setattr(detection, "load_file_from_url", refuse)
    RetinaFaceFinder(random_file)
