"""The baseline kept with the weights is of the default map and of the weights that ship."""

from __future__ import annotations

import hashlib
import json
import shutil
from types import SimpleNamespace

import pytest

from assistant import resources
from assistant.attribution.regions import load_baseline
from assistant.compose import region_baseline
from assistant.resources import resource_dir
from assistant.settings import Settings
from assistant.types import REGIONS

SHIPPED = resource_dir("weights") / "region-baseline.json"


def test_the_shipped_baseline_is_of_the_default_map_and_weights():
    default = Settings.model_fields["attributor"].default
    weights = resource_dir("weights") / "clip-ln-vits14.safetensors"
    made_for = hashlib.sha256(weights.read_bytes()).hexdigest()
    baseline = load_baseline(SHIPPED, attributor=default, weights_sha256=made_for).limits
    assert set(baseline) == set(REGIONS)
    assert all(0.0 < limit <= 1.0 for limit in baseline.values())


@pytest.fixture
def made_of(tmp_path, monkeypatch):
    shutil.copy(SHIPPED, tmp_path)
    monkeypatch.setattr(resources, "resource_dir", lambda name: tmp_path)
    return json.loads(SHIPPED.read_text())


def test_a_baseline_is_used_with_its_own_maps_alone(made_of, caplog):
    settings = Settings(attributor=made_of["attributor"])
    right = SimpleNamespace(weights_sha256=made_of["weights_sha256"])
    wrong = SimpleNamespace(weights_sha256="0" * 64)
    assert region_baseline(settings, right) is not None
    assert not caplog.records
    assert region_baseline(settings, wrong) is None
    assert "weights_sha256" in caplog.text
    assert region_baseline(Settings(attributor="random"), right) is None


def test_without_a_baseline_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "resource_dir", lambda name: tmp_path)
    assert region_baseline(Settings(), SimpleNamespace(weights_sha256="0" * 64)) is None
