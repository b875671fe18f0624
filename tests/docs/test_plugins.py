"""The plugin that docs/plugins.md shows works as it says."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from assistant import registry
from assistant.attribution.occlusion import Occlusion
from assistant.cli.main import main
from assistant.compose import build_detector
from assistant.interfaces import Detector
from assistant.settings import Settings
from assistant.training.field import Budget, train_plugin, trainable
from tests.field import tiny_files
from tests.unit.training.test_field import faces

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def edge_energy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "plugins.md", "edge-energy", "EdgeEnergy")


def install(patch: pytest.MonkeyPatch, folder: Path, page: str, name: str, attribute: str) -> None:
    """Installs a page's code as a third-party package would."""
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    module = f"package_of_{attribute}"
    (folder / f"{module}.py").write_text(code)
    patch.syspath_prepend(folder)
    entry = EntryPoint(name, f"{module}:{attribute}", "assistant.detectors")
    patch.setattr(registry, "entry_points", lambda group: [entry] if group == entry.group else [])
    patch.setenv("ASSISTANT_PLUGINS", "on")


@pytest.mark.usefixtures("edge_energy")
def test_the_detector_of_the_page_is_listed_made_and_keeps_its_promises() -> None:
    listed = CliRunner().invoke(main, ["plugins", "list"])
    assert "edge-energy" in listed.stdout
    detector, calibrator = build_detector(Settings(detector="edge-energy"))
    assert isinstance(detector, Detector)
    rng = np.random.default_rng(0)
    crops = [
        rng.integers(0, 256, (128, 128, 3), dtype=np.uint8),
        np.full((128, 128, 3), 9, np.uint8),
    ]
    together = detector.logits(crops)
    assert np.array_equal(together, [detector.logits([c])[0] for c in crops])
    busy, flat = (calibrator.calibrate(float(x)).probability for x in together)
    assert busy > flat


@pytest.mark.usefixtures("edge_energy")
def test_occlusion_maps_a_detector_without_attention() -> None:
    detector, _ = build_detector(Settings(detector="edge-energy"))
    crop = np.full((128, 128, 3), 128, np.uint8)
    crop[32:64, 32:64] = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    heat = Occlusion().attribute(detector, crop).map
    assert heat[32:64, 32:64].mean() > 2 * heat[80:, 80:].mean()


def test_the_trained_detector_of_the_page_is_trained_by_name_and_scores_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "detectors/adding.md", "colour", "ColourDetector")
    settings = Settings(detector="colour", data_dir=tmp_path)
    kind = trainable("colour")
    train, held = faces(64), faces(64, seed=1)
    train_plugin(
        kind,
        train,
        held,
        tiny_files(tmp_path),
        output=kind.home(settings),
        budget=Budget(),
    )
    detector, calibrator = build_detector(settings)
    chances = [calibrator.calibrate(float(x)).probability for x in detector.logits(train.crops)]
    assert np.mean(np.array(chances)[train.labels == 1]) > 0.8
    assert np.mean(np.array(chances)[train.labels == 0]) < 0.2


def test_a_plugin_is_off_where_plugins_are_off() -> None:
    assert "edge-energy" not in registry.names("detectors")
