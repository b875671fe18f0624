from __future__ import annotations

from pathlib import Path

import pytest

from assistant import resources
from assistant.errors import ConfigError
from assistant.resources import resource_dir


def test_a_setting_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_PROMPTS_DIR", str(tmp_path))
    assert resource_dir("prompts") == tmp_path


def test_a_setting_that_is_no_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_WEIGHTS_DIR", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="which is no folder") as caught:
        resource_dir("weights")
    assert "ASSISTANT_WEIGHTS_DIR" in caught.value.hint


def test_the_packages_own_data_comes_before_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "assistant")
    (tmp_path / "prompts").mkdir()
    assert resource_dir("prompts") == tmp_path / "prompts"
    (tmp_path / "assistant/_data/prompts").mkdir(parents=True)
    assert resource_dir("prompts") == tmp_path / "assistant/_data/prompts"


def test_an_installation_without_prompts_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "assistant")
    with pytest.raises(ConfigError, match="carries no prompts"):
        resource_dir("prompts")
