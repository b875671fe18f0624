"""Training a detector plugin: it learns, twice the same, and says in words why it cannot."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from assistant import registry
from assistant.detectors.plugin import Recipe
from assistant.errors import PluginError, TrainingError
from assistant.evaluation.detection_metrics import auroc
from assistant.evaluation.face_manifest import ManifestRow
from assistant.training.face_set import FaceSet, split
from assistant.training.field import Budget, train_plugin, trainable
from assistant.training.phone import export_phone
from tests.field import crops, tiny_files

POINTS = np.array([[76, 94], [148, 94], [112, 125], [84, 165], [140, 165]], np.float64)


def faces(count: int = 24, *, labels: tuple[int, ...] = (0, 1), seed: int = 0) -> FaceSet:
    """Pictures of which the manipulated ones are darker."""
    rows, pictures = [], []
    for index, crop in enumerate(crops(count, seed=seed)):
        label = labels[index % len(labels)]
        pictures.append((crop * (0.5 if label else 1.0)).astype(np.uint8))
        name = f"{seed}-{index}"
        rows.append(
            ManifestRow(
                line=index + 2,
                name=name,
                path=Path(name),
                label=label,
                source="drawn",
                video=name,
                family="",
                split="",
                crop=True,
            )
        )
    return FaceSet(
        crops=pictures,
        landmarks=np.repeat(POINTS[None], count, 0),
        known=np.ones(count, bool),
        rows=rows,
    )


@pytest.mark.parametrize("name", ["clip-probe", "clip-adapter", "clip-coop"])
def test_it_learns_and_keeps_what_it_learned(name: str, tmp_path: Path) -> None:
    files, kind = tiny_files(tmp_path), trainable(name)
    out = tmp_path / "out.safetensors"
    report = train_plugin(
        kind,
        faces(64),
        faces(64, seed=1),
        files,
        output=out,
        budget=Budget(epochs=40),
        options={"ratio": 0.9} if name == "clip-adapter" else {},
    )
    assert report["ended_by"] == "epochs"
    assert report["loss"][-1] < report["loss"][0]
    assert json.loads(out.with_suffix(".json").read_text())["parameters_trained"] > 0
    detector = kind.load(out, files)
    unseen = faces(40, seed=2)
    reached = auroc(unseen.labels, detector.logits(unseen.crops))
    assert reached is not None
    assert reached > 0.75
    assert detector.calibration is not None


def test_the_same_seed_gives_the_same_weights_and_another_another(tmp_path: Path) -> None:
    files, kind = tiny_files(tmp_path), trainable("clip-coop")
    given, made = faces(), []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        out = tmp_path / f"{name}.safetensors"
        train_plugin(kind, given, None, files, output=out, budget=Budget(epochs=2), seed=seed)
        made.append(kind.load(out, files).network.context.detach())
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


@pytest.mark.parametrize("labels", [(0,), (1,)])
def test_one_class_is_refused(labels: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        train_plugin(
            trainable("clip-probe"),
            faces(labels=labels),
            None,
            tiny_files(tmp_path),
            output=tmp_path / "out.safetensors",
            budget=Budget(epochs=1),
        )
    assert caught.value.code == "one-class"
    assert not (tmp_path / "out.safetensors").exists()


def test_self_blending_trains_on_genuine_faces_alone_and_needs_them(tmp_path: Path) -> None:
    kind = trainable("sbi")
    files, out = tiny_files(tmp_path), tmp_path / "out.safetensors"
    report = train_plugin(
        kind, faces(8, labels=(0,)), None, files, output=out, budget=Budget(epochs=1)
    )
    assert report["pictures_used"] > 0
    with pytest.raises(TrainingError) as caught:
        train_plugin(kind, faces(8, labels=(1,)), None, files, output=out, budget=Budget(epochs=1))
    assert caught.value.code == "one-class"


def test_a_loss_that_is_no_number_ends_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = trainable("clip-probe")

    class Steep(kind):  # type: ignore[misc, valid-type]
        recipe = Recipe(learning_rate=1e30, epochs=60, batch=8)

    with pytest.raises(TrainingError) as caught:
        train_plugin(
            Steep,
            faces(),
            None,
            tiny_files(tmp_path),
            output=tmp_path / "out.safetensors",
            budget=Budget(),
        )
    assert caught.value.code == "nan-loss"


def test_no_time_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        train_plugin(
            trainable("clip-probe"),
            faces(),
            None,
            tiny_files(tmp_path),
            output=tmp_path / "out.safetensors",
            budget=Budget(seconds=1e-6),
        )
    assert caught.value.code == "budget-too-small"


def test_a_detector_without_a_training_says_so() -> None:
    with pytest.raises(PluginError, match="not trained by this command"):
        trainable("gend")


def test_a_video_is_never_on_two_sides() -> None:
    given = faces(60)
    rows = [dataclasses.replace(r, video=f"v{i // 3}") for i, r in enumerate(given.rows)]
    parts = split(dataclasses.replace(given, rows=rows), {"test": 30, "calibration": 20})
    videos = {name: {r.video for r in part.rows} for name, part in parts.items()}
    assert sum(len(part) for part in parts.values()) == 60
    assert not videos["test"] & videos["train"]
    assert not videos["test"] & videos["calibration"]
    assert videos["test"]


def test_every_trained_plugin_is_in_the_registry() -> None:
    assert {"clip-probe", "clip-coop", "sbi"} <= set(registry.names("detectors"))


@pytest.mark.parametrize("name", ["squeezenet", "efficientnet-lite0"])
def test_a_phones_files_score_as_the_detector_does_and_int8_is_smaller(
    name: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    detector = trainable(name).create({}, tiny_files(tmp_path))
    given = faces(8)
    report = export_phone(detector, given.crops, given.labels, tmp_path)
    assert report["onnx"]["largest_difference"] < 1e-3
    assert report["int8"]["bytes"] < 0.4 * report["onnx"]["bytes"]
    assert 0 <= report["int8"]["eer"] <= 1
    probe = trainable("clip-probe").create({}, tiny_files(tmp_path))
    with pytest.raises(PluginError, match="not for phones"):
        export_phone(probe, given.crops, given.labels, tmp_path)


def test_a_stack_is_fitted_and_a_mean_needs_no_fitting(tmp_path: Path) -> None:
    kind, files = trainable("ensemble"), tiny_files(tmp_path)
    for mode, numbers in (("stacked", 3), ("mean", 0)):
        report = train_plugin(
            kind,
            faces(32),
            None,
            files,
            output=tmp_path / f"{mode}.safetensors",
            budget=Budget(epochs=3),
            options={"members": ["clip-probe", "clip-adapter"], "mode": mode},
        )
        assert report["parameters_trained"] == numbers


@pytest.mark.parametrize(
    "name", ["clip-finetune", "effort", "repdfd", "forensics-adapter", "clad", "squeezenet"]
)
def test_those_that_train_inside_lower_their_loss_and_load_again(name: str, tmp_path: Path) -> None:
    kind, files = trainable(name), tiny_files(tmp_path)
    out = tmp_path / "out.safetensors"
    report = train_plugin(kind, faces(16), None, files, output=out, budget=Budget(epochs=4))
    assert report["loss"][-1] < report["loss"][0]
    loaded = kind.load(out, files)
    moved = kind.create({}, files).logits(crops(2)) - loaded.logits(crops(2))
    assert np.abs(moved).max() > 1e-4
