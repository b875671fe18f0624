import dataclasses

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import DeltaHeader, read_delta, write_delta
from assistant.detectors.read_out import ClassTokenReadOut
from assistant.detectors.tower import TowerLayout, build_tower, tower_sha256
from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.errors import TrainingError
from assistant.training.adaptation import adapt_detector, folder_rows
from assistant.types import CropSpec

TINY = TowerLayout(image_size=42, patch_size=14, width=24, layers=3, heads=3)


class Nobody:
    name = "nobody"

    def find(self, image):
        return ()

    def provenance(self):
        return {}


def build(folder, read_out):
    torch.manual_seed(0)
    state = {k: torch.randn_like(v) * 0.3 for k, v in build_tower(TINY).state_dict().items()}
    save_file(state, folder / "base.safetensors")
    header = DeltaHeader(
        tower=TINY,
        base_sha256=tower_sha256(state),
        read_out=read_out.options(),
        crop=CropSpec(size=42),
    )
    write_delta(folder / "d.safetensors", header, norms={}, read_out=read_out.state_dict())


def two_heads():
    return TwoHeadReadOut(
        blocks=[0, 1], width=24, hidden=8, evidence_hidden=[4, 4], grid=3, shares=[0.4, 0.4]
    )


@pytest.fixture
def own(tmp_path):
    """Manipulated pictures have stripes; the shipped read-out knows nothing of them."""
    torch.manual_seed(1)
    build(tmp_path, two_heads())
    rng = np.random.default_rng(0)
    for i in range(400):
        fake = i % 2
        image = rng.integers(60, 190, (6, 6, 3)).astype(np.uint8).repeat(10, 0).repeat(10, 1)
        if fake:
            image[::2] = np.clip(image[::2].astype(int) + 60, 0, 255)
        path = tmp_path / "own" / ("fake" if fake else "real") / f"p{i % 80 // 2}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    return tmp_path


def run(folder):
    return adapt_detector(
        folder_rows(folder / "own"),
        folder / "base.safetensors",
        folder / "d.safetensors",
        Nobody(),
        work=folder,
        output=folder / "e.safetensors",
    )


def test_adapting_learns_what_is_there_and_says_how_it_was_judged(own):
    report = run(own)
    assert report["after"]["auroc"] > report["before"]["auroc"] + 0.01
    assert report["recommended"]
    assert report["groups"] == 40
    assert 0 < report["judged"] < 400
    assert "luck" in report["warnings"][0]
    detector = ClipLnDetector.load(own / "base.safetensors", own / "e.safetensors")
    assert np.isfinite(detector.logits([np.zeros((42, 42, 3), np.uint8)])).all()


def test_a_tuned_tower_is_adapted(own):
    plain = read_delta(own / "d.safetensors")
    layer = "transformer.resblocks.0.mlp.c_fc"
    write_delta(
        own / "d.safetensors",
        dataclasses.replace(plain.header, mirror=True),
        norms={"transformer.resblocks.1.ln_1.weight": torch.full((24,), 1.5)},
        read_out=plain.read_out,
        low_rank={f"{layer}.up": torch.randn(96, 2) * 0.1, f"{layer}.down": torch.randn(2, 24)},
    )
    report = run(own)
    assert report["after"]["auroc"] > report["before"]["auroc"] + 0.01
    adapted = read_delta(own / "e.safetensors")
    assert set(adapted.low_rank) == {f"{layer}.up", f"{layer}.down"}
    assert adapted.norms["transformer.resblocks.1.ln_1.weight"].tolist() == [1.5] * 24
    detector = ClipLnDetector.load(own / "base.safetensors", own / "e.safetensors")
    assert detector.scores_patches  # so the map stays
    assert adapted.header.mirror
    before = ClipLnDetector.load(own / "base.safetensors", own / "d.safetensors")
    crop = cv2.imread(str(next((own / "own" / "fake").rglob("*.png"))))
    crop = cv2.resize(crop, (42, 42))
    assert detector.logits([crop])[0] == pytest.approx(
        detector.logits([crop[:, ::-1].copy()])[0], abs=1e-4
    )
    assert detector.logits([crop])[0] != pytest.approx(before.logits([crop])[0], abs=1e-3)


def test_what_ships_is_judged_as_it_scores(own):
    """Without the dropout of training: two runs tell the same, whatever the random state."""
    told = []
    for state in (1, 2):
        torch.manual_seed(state)
        told.append(run(own)["before"])
    assert told[0] == told[1]


def test_groups_are_sub_folders(own):
    rows = folder_rows(own / "own")
    assert len(rows) == 400
    assert {r.video for r in rows} == {f"p{i}" for i in range(40)}
    assert sum(r.label for r in rows) == 200


def test_missing_folders_are_named_together(tmp_path):
    with pytest.raises(TrainingError, match=r"real holds 0 .* and .*fake holds 0"):
        folder_rows(tmp_path)


def test_a_class_token_detector_is_refused(own):
    build(own, ClassTokenReadOut(width=24, last_block=2))
    with pytest.raises(TrainingError, match="block statistics"):
        run(own)
