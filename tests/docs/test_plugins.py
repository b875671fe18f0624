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

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


@pytest.fixture
def edge_energy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Installs the page's code as a third-party package would."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "my_package.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("edge-energy", "my_package:EdgeEnergy", "assistant.detectors")
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [entry] if group == entry.group else []
    )
    monkeypatch.setenv("ASSISTANT_PLUGINS", "on")


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


def test_a_plugin_is_off_where_plugins_are_off() -> None:
    assert "edge-energy" not in registry.names("detectors")
