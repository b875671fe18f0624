import builtins
import csv

import numpy as np
import pytest
import yaml
from PIL import Image

from assistant.errors import ConfigError, TrainingError
from assistant.training.augmentation import Augmentation
from assistant.training.detector_config import load_config, manifest_rows
from assistant.training.face_cache import CropCache
from assistant.training.finishing import known_faces
from assistant.training.generated import MobileStyleGAN, write_generated
from assistant.training.joint_run import train_joint
from assistant.training.pair_mix import PairMix
from assistant.weights.manifest import manifest
from tests.drawn import MiddleFinder


class Drawn:
    """Stands for the generator: rows of numbers, drawn large."""

    width = 48

    def __init__(self):
        self.asked = []

    def __call__(self, noise, truncation):
        self.asked.append((float(noise[0]), truncation))
        cells = np.clip(128 + 60 * truncation * noise.reshape(4, 4, 3), 0, 255)
        return cells.astype(np.uint8).repeat(80, 0).repeat(80, 1)


def read(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_faces_and_their_manifest_go_on_where_they_ended(tmp_path):
    seen = []
    first = Drawn()
    made = write_generated(
        first, tmp_path, count=3, seed=4, side=64, progress=lambda *a: seen.append(a[:3])
    )
    assert seen == [("faces", 3, 3)]
    assert [row["path"] for row in read(made)] == [f"faces/4-0000{i}.jpg" for i in range(3)]
    before = (tmp_path / "faces" / "4-00000.jpg").read_bytes()
    with Image.open(tmp_path / "faces" / "4-00000.jpg") as picture:
        assert picture.size == (64, 64)
    second = Drawn()
    rows = read(write_generated(second, tmp_path, count=5, seed=4, side=64))
    assert len(second.asked) == 2
    assert (tmp_path / "faces" / "4-00000.jpg").read_bytes() == before
    assert {(r["label"], r["family"], r["source"]) for r in rows} == {
        ("1", "whole-face-gan", "mobilestylegan")
    }
    assert len({r["video"] for r in rows}) == 5
    assert all(0.7 <= truncation <= 1.0 for _, truncation in first.asked + second.asked)


def test_a_face_is_made_of_its_number_and_the_seed_alone(tmp_path):
    write_generated(Drawn(), tmp_path / "a", count=2, side=64)
    write_generated(Drawn(), tmp_path / "b", count=1, side=64)
    write_generated(Drawn(), tmp_path / "c", count=1, seed=1, side=64)
    first = (tmp_path / "a" / "faces" / "0-00000.jpg").read_bytes()
    assert (tmp_path / "b" / "faces" / "0-00000.jpg").read_bytes() == first
    assert (tmp_path / "c" / "faces" / "1-00000.jpg").read_bytes() != first


def test_without_openvino_it_says_what_to_install(tmp_path, monkeypatch):
    known = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "openvino":
            raise ImportError(name)
        return known(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match="OpenVINO") as caught:
        MobileStyleGAN((tmp_path, tmp_path), (tmp_path, tmp_path))
    assert "whyfake[train]" in caught.value.hint


def test_the_command_takes_files_that_the_manifest_of_weights_pins():
    from assistant.cli.train_generated import PARTS

    known = manifest()
    assert {known[name].source.package for name in PARTS} == {"random-face"}
    assert {known[name].profile for name in PARTS} == {"extra"}


@pytest.fixture
def with_generated(project):
    """The drawn project, and thirty generated faces that its configuration names too."""
    write_generated(Drawn(), project / "made", count=30, side=64)
    values = yaml.safe_load((project / "c.yaml").read_text())
    values |= {
        "recipe": "joint",
        "more_manifests": ["made/manifest.csv"],
        "borrowed_reals": {"mobilestylegan": ["drawn"]},
        "joint": {
            "steps": 2,
            "batch": 8,
            "lowest_block": 1,
            "rank": 2,
            "hidden": 4,
            "period": 2,
            "validation": 40,
            "warm_up": 1,
            "precision": "float32",
            "pair_shares": {"drawn": 0.4, "mobilestylegan": 0.3, "blended": 0.3},
            "blended_shares": {"drawn": 1.0},
            "generated_donors": 0.5,
        },
    }
    values["read_out"] |= {"members": 1, "epochs": 2}
    (project / "c.yaml").write_text(yaml.safe_dump(values))
    (project / "work").mkdir()
    return load_config(project / "c.yaml")


def mix(config, cache, **more):
    faces = known_faces(config, cache, len(cache.rows))
    return PairMix(
        cache,
        np.flatnonzero(faces.parts == "train"),
        pair_shares=more.pop("pair_shares", {"mobilestylegan": 1.0}),
        blended_shares={"drawn": 1.0},
        self_blended=0.0,
        augmentation=Augmentation(mirror=0, affine=0, blur=0, downscale=0, jitter=0, jpeg=0),
        batch=16,
        seed=0,
        **more,
    )


def test_generated_faces_stand_beside_borrowed_real_ones(project, with_generated):
    config = with_generated
    cache = CropCache(project / "work", manifest_rows(config), config.crop.spec)
    cache.fill(MiddleFinder(), limit=len(cache.rows), progress=lambda *a: None)
    batch = mix(config, cache, borrowed_reals=config.borrowed_reals).draw(0)
    sources = [cache.rows[i].source for i in batch.rows]
    assert sources[0::2] == ["drawn"] * 8
    assert sources[1::2] == ["mobilestylegan"] * 8
    assert [cache.rows[i].label for i in batch.rows] == [0, 1] * 8
    assert (batch.masks[1::2] == 1).all()  # all of such a face is manipulated
    with pytest.raises(TrainingError, match="mobilestylegan"):
        mix(config, cache)


def test_parts_of_generated_faces_are_laid_into_real_ones(project, with_generated):
    config = with_generated
    cache = CropCache(project / "work", manifest_rows(config), config.crop.spec)
    cache.fill(MiddleFinder(), limit=len(cache.rows), progress=lambda *a: None)
    blends = {"pair_shares": {"blended": 1.0}}
    own, generated = (mix(config, cache, generated_donors=share, **blends) for share in (0.0, 1.0))
    assert own.key != generated.key
    batch, other = own.draw(0), generated.draw(0)
    assert (batch.crops[0] == other.crops[0]).all()
    assert any((a != b).any() for a, b in zip(batch.crops, other.crops, strict=True))
    assert (other.masks[1::2].max((1, 2)) > 0.5).all()
    cache.points[:, 0] = 0
    with pytest.raises(TrainingError, match="generated") as caught:
        mix(config, cache, generated_donors=0.5)
    assert caught.value.code == "no-generated"


def test_a_source_without_real_faces_is_measured_against_the_borrowed_ones(project, with_generated):
    report = train_joint(
        with_generated,
        project / "base.safetensors",
        MiddleFinder(),
        work=project / "work",
        output=project / "out.safetensors",
        progress=lambda *a: None,
    )
    drawn, made = report["test"]["drawn"], report["test"]["mobilestylegan"]
    assert made["reals_of"] == ["drawn"]
    assert 0 < made["n_own"] < made["n"]
    assert made["auroc"] is not None
    assert "reals_of" not in drawn
    assert "more_manifests" not in report["config"]
