"""The comparison: one row a detector, kept as it goes, with a reason where there is no number."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from assistant.errors import PluginError, TrainingError
from assistant.evaluation.face_manifest import read_manifest
from assistant.settings import Settings
from assistant.training.compare import Comparison, compare_detectors
from assistant.training.compare_report import comparison_markdown, write_comparison_plot
from tests.field import crops, tiny_files


class NoFinder:
    """Finds no face: the pictures are crops, and are taken whole."""

    name = "none"

    def find(self, image: np.ndarray) -> tuple[()]:
        return ()

    def provenance(self) -> dict[str, str]:
        return {}


def manifest(folder: Path, count: int = 160) -> Path:
    with (folder / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "source", "video", "family", "crop"])
        for index, crop in enumerate(crops(count, side=64)):
            label = index % 2
            cv2.imwrite(
                str(folder / f"{index}.png"), (crop * (0.5 if label else 1)).astype(np.uint8)
            )
            family = "face-swap" if label else "real"
            source = "one" if index % 4 < 2 else "two"
            writer.writerow([f"{index}.png", label, source, f"v{index}", family, 1])
    return folder / "data.csv"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("compare")
    return Comparison(
        rows=read_manifest(manifest(folder)),
        settings=Settings(data_dir=folder, threads=1),
        finder=NoFinder(),
        work=folder / "work",
        seconds=60,
        resamples=20,
        files=tiny_files(folder),
    )


@pytest.mark.slow
def test_detectors_are_trained_scored_and_kept(run: Comparison, tmp_path: Path) -> None:
    said: list[str] = []
    run.tell = said.append
    names = ["clip-probe", "gend"]
    result = run.run(names)
    rows = result["detectors"]
    probe = rows["clip-probe"]
    assert probe["overall"]["auroc"] > 0.75
    assert set(probe["sources"]) == {"one", "two"}
    assert probe["families"]["face-swap"]["auroc"] > 0.7
    assert 0.5 < probe["cross_auc"] <= 1
    assert probe["training"]["parameters_trained"] > 0
    assert probe["ms_a_face"] > 0
    assert "overall" not in rows["gend"]
    assert "needs the path of its weights" in rows["gend"]["error"]
    assert any("min left" in line for line in said)
    table = comparison_markdown(result)
    assert "| clip-probe | " in table
    assert "- gend: The detector gend needs the path of its weights." in table
    write_comparison_plot(result, tmp_path / "compare.png")
    assert cv2.imread(str(tmp_path / "compare.png")) is not None

    kept = next(run.work.glob("clip-probe-*.row.json"))
    changed = {**json.loads(kept.read_text()), "cross_auc": 0.123}
    kept.write_text(json.dumps(changed))
    assert run.run(["clip-probe"])["detectors"]["clip-probe"]["cross_auc"] == 0.123


def test_another_budget_is_another_run(run: Comparison, tmp_path: Path) -> None:
    again = Comparison(
        rows=run.rows, settings=run.settings, finder=run.finder, work=tmp_path, seconds=61
    )
    assert again.key != run.key


def test_one_class_is_refused(run: Comparison, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        Comparison(
            rows=[r for r in run.rows if r.label],
            settings=run.settings,
            finder=run.finder,
            work=tmp_path,
            seconds=1,
        )
    assert caught.value.code == "one-class"


def test_a_name_that_is_not_registered_is_refused_with_the_nearest() -> None:
    assert "effort" in compare_detectors("all")
    assert compare_detectors("effort, sbi") == ["effort", "sbi"]
    with pytest.raises(PluginError, match="did you mean 'effort'"):
        compare_detectors("effort2")
