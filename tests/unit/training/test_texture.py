import numpy as np
import pytest
import timm
import torch
import yaml

from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import read_delta
from assistant.detectors.texture import write_stages
from assistant.errors import TrainingError
from assistant.training.adaptation import adapt_detector, folder_rows
from assistant.training.detector import train_detector
from assistant.training.detector_config import load_config
from assistant.training.texture_run import train_texture
from tests.drawn import MiddleFinder


@pytest.fixture
def started(project):
    """A detector of the tower alone, and the stages of a texture network with random weights."""
    (project / "work").mkdir()
    train_detector(
        load_config(project / "c.yaml"),
        project / "base.safetensors",
        MiddleFinder(),
        work=project / "work",
        output=project / "tower.safetensors",
        progress=lambda *a: None,
    )
    torch.manual_seed(0)
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    torch.save(net.state_dict(), project / "net.pth")
    write_stages(project / "net.pth", project / "stages.safetensors")
    values = yaml.safe_load((project / "c.yaml").read_text())
    values |= {"recipe": "texture", "start": "tower.safetensors", "texture_share": 0.4}
    values["read_out"] |= {"blocks": [], "hidden": 4, "members": 1, "epochs": 6}
    (project / "t.yaml").write_text(yaml.safe_dump(values))
    return project


def run(folder, out="d.safetensors"):
    return train_texture(
        load_config(folder / "t.yaml"),
        folder / "base.safetensors",
        MiddleFinder(),
        texture=folder / "stages.safetensors",
        work=folder / "work",
        output=folder / out,
        progress=lambda *a: None,
    )


def adapted(started):
    """``d.safetensors`` adapted to 400 of the pictures, as ``own.safetensors``; the report."""
    for number in range(400):
        folder = started / "own" / ("fake" if number % 2 else "real") / f"p{number // 6}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes((started / f"{number}.png").read_bytes())
    return adapt_detector(
        folder_rows(started / "own"),
        started / "base.safetensors",
        started / "d.safetensors",
        MiddleFinder(),
        work=started / "adapt",
        output=started / "own.safetensors",
        texture=started / "stages.safetensors",
        progress=lambda *a: None,
    )


def test_the_texture_is_learnt_beside_a_tower_that_stays(started):
    report = run(started)
    before, after = (read_delta(started / f"{n}.safetensors") for n in ("tower", "d"))
    assert report["started_from"] == before.sha256
    assert report["test"]["drawn"]["auroc"] > 0.9  # stripes are a texture
    assert after.header.texture["share"] == 0.4
    assert all(torch.equal(before.read_out[n], after.read_out[n]) for n in before.read_out)
    assert before.header.calibration != after.header.calibration
    files = [started / f"{name}.safetensors" for name in ("base", "d", "stages")]
    first = ClipLnDetector.load(*files)
    crop = np.random.default_rng(0).integers(0, 255, (42, 42, 3)).astype(np.uint8)
    run(started, "again.safetensors")  # from what is kept: the same
    second = ClipLnDetector.load(files[0], started / "again.safetensors", files[2])
    assert first.logits([crop])[0] == second.logits([crop])[0]


def test_a_texture_is_renewed_not_laid_over_another(started):
    run(started)
    values = yaml.safe_load((started / "t.yaml").read_text())
    values["start"] = "d.safetensors"
    (started / "t.yaml").write_text(yaml.safe_dump(values))
    report = run(started, "e.safetensors")
    once, twice = (read_delta(started / f"{n}.safetensors") for n in ("d", "e"))
    assert all(torch.equal(once.texture[n], twice.texture[n]) for n in once.texture)
    assert "tower" not in report["tower"]  # the card of the tower, not of what was laid beside it


def test_what_does_not_fit_is_refused_at_once(started):
    values = yaml.safe_load((started / "t.yaml").read_text())
    for change, message in (
        ({"start": "missing.safetensors"}, "is not there"),
        ({"start": None}, "is not there"),
        ({"mirror": True}, "in another way"),
        ({"crop": {"size": 42, "scale": 1.3}}, "in another way"),
    ):
        (started / "t.yaml").write_text(yaml.safe_dump({**values, **change}))
        with pytest.raises(TrainingError, match=message):
            run(started)


def test_adapting_leaves_the_texture_as_it_is(started):
    run(started)
    report = adapted(started)
    assert report["after"]["auroc"] is not None
    before, after = (read_delta(started / f"{n}.safetensors") for n in ("d", "own"))
    assert all(torch.equal(before.texture[n], after.texture[n]) for n in before.texture)
    assert after.header.texture == before.header.texture
