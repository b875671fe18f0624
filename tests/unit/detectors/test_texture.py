import dataclasses

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import read_delta, write_delta
from assistant.detectors.read_out import ExpertsReadOut, StatisticsReadOut, SumReadOut
from assistant.detectors.texture import TextureEye, TextureScore, correlations, write_stages
from assistant.errors import WeightsError
from tests.unit.detectors.test_clip_ln import TINY, crops, saved


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """The stages of an EfficientNet-Lite0 with random weights, by way of a checkpoint."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("texture")
    state = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    renamed = {f"layer{number}": tensor for number, tensor in enumerate(state.values())}
    torch.save(renamed, folder / "net.pth")  # the wheel's names are not timm's
    write_stages(folder / "net.pth", folder / "stages.safetensors")
    return folder / "stages.safetensors"


@pytest.fixture
def files(tmp_path, stages):
    """Base, delta that reads the texture, and the texture network."""
    base, delta = saved(tmp_path, TINY, "sum")
    eye = TextureEye.load(stages)
    torch.manual_seed(2)
    read_out = SumReadOut(
        [
            StatisticsReadOut(blocks=(), width=eye.count, hidden=4),
            ExpertsReadOut(blocks=(), width=eye.count, hidden=[4, 2]),
        ],
        [0.3, 0.7],
    )
    score = TextureScore(eye, read_out, 0.25)
    plain = read_delta(delta)
    header = dataclasses.replace(plain.header, texture=score.options(), mirror=True)
    write_delta(
        delta,
        header,
        norms={},
        read_out=plain.read_out,
        texture=read_out.state_dict(),
    )
    return base, delta, stages


def test_correlations_are_those_of_numpy():
    maps = torch.randn(2, 5, 4, 6)
    found = correlations(maps)
    assert found.shape == (2, 15)
    rows, columns = np.triu_indices(5, 1)
    for picture, values in zip(maps.numpy(), found.numpy(), strict=True):
        expected = np.corrcoef(picture.reshape(5, -1))[rows, columns]
        assert np.allclose(values[:10], expected, atol=1e-5)
        assert np.allclose(values[10:], np.log(picture.reshape(5, -1).std(1)), atol=1e-5)


def test_a_channel_that_is_the_same_everywhere_gives_finite_numbers():
    maps = torch.randn(1, 3, 4, 4)
    maps[:, 1] = 7.0
    assert bool(torch.isfinite(correlations(maps)).all())


def test_the_eye_sees_texture_and_never_trains(stages):
    eye = TextureEye.load(stages)
    given = crops(3, side=56)
    first = eye(given)
    assert first.shape == (3, eye.count) == (3, 10_688)
    eye.train()
    assert not eye.training
    assert torch.equal(eye(given), first)  # batch norms keep their statistics
    assert float((first[0] - first[1]).abs().max()) > 1e-3


def test_what_is_kept_is_what_the_whole_network_does_first(stages, tmp_path):
    state = torch.load(stages.parent / "net.pth", weights_only=True)
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    net.load_state_dict(dict(zip(net.state_dict(), state.values(), strict=True)))
    net.eval()
    eye = TextureEye(load_file(stages))
    picture = torch.randn(1, 3, 56, 56)
    with torch.no_grad():
        theirs = net.bn1(net.conv_stem(picture))
        ours = eye.bn1(eye.conv_stem(picture))
        for number in range(5):
            theirs, ours = net.blocks[number](theirs), eye.blocks[number](ours)
    assert torch.allclose(theirs, ours, atol=1e-3, rtol=1e-4)


def test_another_network_is_refused(tmp_path, stages):
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="does not hold EfficientNet-Lite0"):
        write_stages(tmp_path / "other.pth", tmp_path / "s.safetensors")
    save_file({"a": torch.zeros(3)}, tmp_path / "s.safetensors")
    with pytest.raises(WeightsError, match="not the stages"):
        TextureEye.load(tmp_path / "s.safetensors")
    with pytest.raises(WeightsError, match="could not be read"):
        TextureEye.load(tmp_path / "missing.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(stages.read_bytes()[:100])
    with pytest.raises(WeightsError, match="could not be read"):
        TextureEye.load(tmp_path / "damaged.safetensors")


def test_the_texture_counts_its_share_of_the_score(files, tmp_path):
    detector = ClipLnDetector.load(*files)
    given = crops(2)
    read = read_delta(files[1])
    assert read.header.texture["share"] == 0.25
    (tmp_path / "plain").mkdir()
    write_delta(
        tmp_path / "plain" / "d.safetensors",
        dataclasses.replace(read.header, texture=None),
        norms={},
        read_out=read.read_out,
    )
    tower = ClipLnDetector.load(files[0], tmp_path / "plain" / "d.safetensors")
    score = TextureScore.build(read.header.texture, read.texture, TextureEye.load(files[2]))
    with torch.no_grad():
        seen = 0.5 * (score(given) + score([crop[:, ::-1].copy() for crop in given]))
    expected = 0.75 * tower.logits(given) + 0.25 * seen.double().numpy()
    assert np.allclose(detector.logits(given), expected, atol=1e-5)
    assert detector.provenance()["texture_sha256"] == score.eye.sha256


def test_every_way_to_the_score_gives_the_same(files):
    detector = ClipLnDetector.load(*files)
    given = crops(9)
    together = detector.logits(given)
    assert np.abs(together - detector.logits(given)).max() <= 1e-6
    alone = np.concatenate([detector.logits([crop]) for crop in given])
    assert np.abs(together - alone).max() < 1e-4
    assert detector.trace(given[0]).logit == pytest.approx(together[0], abs=1e-4)
    assert detector.trace(given[0], layers=[1]).logit == pytest.approx(together[0], abs=1e-4)
    turned = detector.logits([given[0][:, ::-1].copy()])
    assert turned[0] == pytest.approx(together[0], abs=1e-4)
    assert np.isfinite(detector.logits(crops(1, side=60))).all()


def test_a_detector_that_reads_the_texture_needs_the_right_network(files, tmp_path):
    base, delta, stages = files
    with pytest.raises(WeightsError, match="read the texture too") as missing:
        ClipLnDetector.load(base, delta)
    assert "whyfake weights fetch" in missing.value.hint
    changed = load_file(stages)
    changed["conv_stem.weight"] = changed["conv_stem.weight"] + 0.01
    save_file(changed, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="texture network"):
        ClipLnDetector.load(base, delta, tmp_path / "other.safetensors")
    read = read_delta(delta)
    short = {name: tensor for name, tensor in list(read.texture.items())[1:]}
    write_delta(delta, read.header, norms={}, read_out=read.read_out, texture=short)
    with pytest.raises(WeightsError, match="texture read-out does not fit"):
        ClipLnDetector.load(base, delta, stages)


def test_kinds_of_material_add_their_own(files):
    base, delta, stages = files
    plain = ClipLnDetector.load(base, delta, stages)
    read = read_delta(delta)
    options = {**read.header.texture, "kinds": [0.0, -1.5]}

    def written(options):
        header = dataclasses.replace(read.header, texture=options)
        write_delta(delta, header, norms={}, read_out=read.read_out, texture=read.texture)
        return ClipLnDetector.load(base, delta, stages)

    given = crops(3)
    score = TextureScore.build(options, read.texture, TextureEye.load(stages))
    with torch.no_grad():
        views = [score.material(score.eye(v)) for v in (given, [c[:, ::-1].copy() for c in given])]
    shares = (0.5 * (views[0] + views[1])).double().numpy()
    assert np.allclose(shares.sum(1), 1.0, atol=1e-5)
    expected = plain.logits(given) - 1.5 * shares[:, 1]
    detector = written(options)
    assert np.allclose(detector.logits(given), expected, atol=1e-4)
    assert detector.trace(given[0]).logit == pytest.approx(expected[0], abs=1e-4)
    assert score.options() == options
    with pytest.raises(WeightsError, match="kinds of material"):
        written({**options, "kinds": [0.0, 1.0, 2.0]})
