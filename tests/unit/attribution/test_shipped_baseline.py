"""The baseline kept with the weights is of the default map and covers every region."""

from __future__ import annotations

from assistant.attribution.regions import load_baseline
from assistant.resources import resource_dir
from assistant.settings import Settings
from assistant.types import REGIONS


def test_the_shipped_baseline_is_of_the_default_map():
    default = Settings.model_fields["attributor"].default
    baseline = load_baseline(resource_dir("weights") / "region-baseline.json", attributor=default)
    assert set(baseline) == set(REGIONS)
    for levels in baseline.values():
        assert list(levels) == sorted(levels)
        assert levels[-1] < 1.0
