"""Settings become parts, or a typed error: nothing is put in place of what was asked for."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from assistant.compose import build_detector, build_finder, build_vlm
from assistant.detectors.delta_file import read_delta, write_delta
from assistant.errors import ConfigError, WeightsError
from assistant.settings import Settings
from assistant.weights import locate


def without_cuda() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("CUDA is there")


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (build_detector, {}),
        (build_vlm, {"vlm_backend": "transformers"}),
    ],
)
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_cuda_asked_for_and_absent_never_becomes_the_cpu(
    make: Any, options: dict[str, str], device: str, model_files: Path
) -> None:
    without_cuda()
    settings = Settings(device=device, data_dir=model_files, **options)
    with pytest.raises(ConfigError, match=f"{device} was asked for") as caught:
        make(settings)
    assert "device=cpu" in caught.value.hint


@pytest.mark.parametrize("given", [{}, {"base_url": "http://127.0.0.1:1/v1"}, {"model": "m"}])
def test_a_server_without_address_or_model_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="address and a model name") as caught:
        build_vlm(Settings(vlm_backend="openai", vlm=given))
    assert "vlm.base_url" in caught.value.hint


@pytest.mark.parametrize("backend", ["openai", "transformers"])
def test_the_time_limits_of_the_settings_reach_the_backend(backend: str) -> None:
    """A slow model is waited for as long as was set, not for the backend's own default."""
    vlm = {"base_url": "http://127.0.0.1:1/v1", "model": "m", "first_token_timeout": 90.0}
    made: Any = build_vlm(Settings(vlm_backend=backend, vlm={**vlm, "total_timeout": 400.0}))
    assert (made._limits.first_seconds, made._limits.total_seconds) == (90.0, 400.0)


def test_the_full_profile_without_its_files_names_the_command(tmp_path: Path) -> None:
    from assistant.errors import WeightsError

    settings = Settings(profile="full", data_dir=tmp_path)
    for make in (build_finder, build_detector):
        with pytest.raises(WeightsError) as caught:
            make(settings)
        assert caught.value.code == "weights-missing"
        assert "whyfake weights fetch" in caught.value.hint


def test_an_adapted_detector_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    shipped = locate("clip-ln-vits14")
    read = read_delta(shipped)
    own = tmp_path / "own.safetensors"
    write_delta(
        own,
        dataclasses.replace(read.header, card={"adapted_from": read.sha256}),
        norms=read.norms,
        read_out=read.read_out,
        low_rank=read.low_rank,
        small=True,
    )
    detector, calibrator = build_detector(Settings(detector_weights=own))
    assert detector.weights_sha256 == read_delta(own).sha256 != read.sha256
    assert calibrator.thresholds == build_detector(Settings())[1].thresholds


def test_an_adapted_detector_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="gone"):
        build_detector(Settings(detector_weights=tmp_path / "gone.safetensors"))


def test_operating_points_of_other_weights_are_refused(model_files: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=model_files)
    detector, calibrator = build_detector(settings)
    for weights, fits in ((detector.weights_sha256, True), ("ab" * 32, False)):
        values = calibrator.to_json()  # type: ignore[attr-defined]
        values["fitted_on"] = {"weights_sha256": weights}
        own = tmp_path / "points.json"
        own.write_text(json.dumps(values))
        asked = Settings(data_dir=model_files, calibration=own)
        if fits:
            assert build_detector(asked)[1].thresholds == calibrator.thresholds
        else:
            with pytest.raises(WeightsError, match="made for other detector weights"):
                build_detector(asked)
