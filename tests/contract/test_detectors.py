"""What holds for every registered detector: ours, and any that is added to the registry."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from assistant import registry
from assistant.attribution.choice import best_map
from assistant.detectors.plugin import TrainedDetector
from assistant.errors import ConfigError, InferenceError, WeightsError
from assistant.interfaces import Detector
from assistant.settings import Settings
from tests.field import SMALL, crops, makers, tiny_files, trained

NAMES = registry.names("detectors", plugins=False)
PLUGINS = [name for name in NAMES if issubclass(registry.load("detectors", name), TrainedDetector)]
DOCS = Path(__file__).parents[2] / "docs/detectors"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    @cache
    def of(name: str) -> Any:
        return makers()[name](tmp_path_factory.mktemp(name))

    return of


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_finite_repeatable_and_leave_the_crops_alone(name: str, made: Any) -> None:
    detector = made(name)
    assert isinstance(detector, Detector)
    given = crops(3)
    before = [c.copy() for c in given]
    first = detector.logits(given)
    assert (first.shape, first.dtype) == ((3,), np.float64)
    assert np.isfinite(first).all()
    assert np.abs(first - detector.logits(given)).max() <= 1e-6
    assert all((a == b).all() for a, b in zip(given, before, strict=True))
    assert detector.logits([]).shape == (0,)


@pytest.mark.parametrize("name", NAMES)
def test_a_score_does_not_depend_on_the_batch(name: str, made: Any) -> None:
    given = crops(3, seed=1)
    alone = np.concatenate([made(name).logits([crop]) for crop in given])
    assert np.abs(made(name).logits(given) - alone).max() < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_it_names_its_paper_its_weights_and_its_page(name: str, made: Any) -> None:
    detector = made(name)
    assert detector.name == name
    assert ":" in detector.citation
    assert any(year in detector.citation for year in map(str, range(1990, 2027)))
    assert detector.provenance()["weights_sha256"] == detector.weights_sha256
    page = (DOCS / f"{name}.md").read_text("utf-8")
    assert detector.citation in " ".join(page.split())
    assert "differs" in page.lower()


@pytest.mark.parametrize("name", NAMES)
def test_without_weights_it_is_a_typed_error(name: str, tmp_path: Path) -> None:
    kind = registry.load("detectors", name)
    gone = Settings(data_dir=tmp_path, detector_weights=tmp_path / "gone.safetensors")
    with pytest.raises((WeightsError, ConfigError)) as caught:
        kind.from_settings(gone)
    assert caught.value.hint


@pytest.mark.parametrize("name", PLUGINS)
def test_weights_of_another_detector_shape_or_base_are_refused(name: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    detector = trained(name, tmp_path)
    path = tmp_path / f"{name}.safetensors"
    kind, files = type(detector), tiny_files(tmp_path)
    other = next(n for n in PLUGINS if n != name)
    with pytest.raises(WeightsError) as caught:
        registry.load("detectors", other).load(path, files)
    assert caught.value.code == "weights-other-plugin"
    tensors = load_file(path)
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        header = file.metadata()
    some = max(tensors, key=lambda n: tensors[n].numel())
    bent = tmp_path / "bent.safetensors"
    save_file({**tensors, some: torch.zeros(2, 3)}, bent, header)
    with pytest.raises(WeightsError) as caught:
        kind.load(bent, files)
    assert caught.value.code == "weights-shape"
    bent.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WeightsError) as caught:
        kind.load(bent, files)
    assert caught.value.code == "weights-damaged"
    if kind.base_prefixes:
        (tmp_path / "other").mkdir()
        with pytest.raises(WeightsError) as caught:
            kind.load(path, tiny_files(tmp_path / "other", seed=5))
        assert caught.value.code == "weights-other-base"


@pytest.mark.parametrize("name", PLUGINS)
def test_an_unknown_option_is_named_beside_those_there_are(name: str, tmp_path: Path) -> None:
    kind = registry.load("detectors", name)
    with pytest.raises(ConfigError) as caught:
        kind.create({**SMALL.get(name, {}), "no_such": 1}, tiny_files(tmp_path))
    assert "no_such" in caught.value.user_message


TRACED = [name for name in PLUGINS if hasattr(registry.load("detectors", name), "trace")]


@pytest.mark.parametrize("name", TRACED)
def test_its_map_is_of_its_own_score_and_of_the_crop(name: str, tmp_path: Path) -> None:
    detector: Any = shaken(trained(name, tmp_path))
    attributor = registry.load("attributors", best_map(detector))()
    one, other = crops(2)
    trace = detector.trace(one)
    assert abs(trace.logit - detector.logits([one])[0]) < 1e-3
    made = [attributor.attribute(detector, crop).map for crop in (one, other)]
    assert made[0].shape == one.shape[:2]
    assert made[0].max() > 0.5
    assert np.abs(made[0] - made[1]).max() > 0.1
    with pytest.raises(InferenceError) as caught:
        detector.trace(one, layers=[0])
    assert caught.value.code == "no-gradients"


def shaken(detector: TrainedDetector) -> TrainedDetector:
    """Heads that start at zero are moved: a zero has no reason."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in detector.network.named_parameters():
            if "linear" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return detector
