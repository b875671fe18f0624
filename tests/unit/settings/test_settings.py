from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assistant.errors import ConfigError
from assistant.settings import (
    PROFILE_DEFAULTS,
    Settings,
    flat_fields,
    load_settings,
    load_with_origins,
)


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file in sight."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_every_setting_says_what_it_means() -> None:
    silent = [name for name, description in flat_fields() if not description.endswith(".")]
    assert silent == []


def test_a_flag_beats_the_environment_that_beats_the_file_that_beats_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().server_port == 7860
    (tmp_path / "whyfake.toml").write_text("server_port = 1111\n[vlm]\ntotal_timeout = 90.0\n")
    assert load_settings().server_port == 1111
    monkeypatch.setenv("ASSISTANT_SERVER_PORT", "2222")
    assert load_settings().server_port == 2222
    assert load_settings(server_port=3333).server_port == 3333
    assert load_settings(server_port=None).server_port == 2222, "None is a flag not given"
    assert load_settings().vlm.total_timeout == 90.0


def test_every_value_tells_where_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[limits]\nmax_faces = 3\n")
    monkeypatch.setenv("ASSISTANT_CONFIG", str(file))
    monkeypatch.setenv("ASSISTANT_VLM__MODEL", "a/b")
    loaded = load_with_origins(None, **{"profile": "full", "vlm.quantization": "nf4"})
    rows = {name: (value, origin) for name, value, origin, _ in loaded.rows()}
    assert rows["limits.max_faces"] == (3, f"file {file}")
    assert rows["vlm.model"] == ("a/b", "environment ASSISTANT_VLM__MODEL")
    assert rows["vlm.quantization"] == ("nf4", "flag")
    assert rows["vlm_backend"] == ("transformers", "profile full")
    assert rows["server_host"] == ("127.0.0.1", "default")
    assert set(rows) == {name for name, _ in flat_fields()}


@pytest.mark.parametrize("profile", ["embedded", "full"])
def test_a_profile_chooses_only_what_nothing_else_chose(profile: Any) -> None:
    assert Settings(profile=profile).vlm_backend == PROFILE_DEFAULTS[profile]["vlm_backend"]
    assert Settings(profile=profile, vlm_backend="template").vlm_backend == "template"


def test_all_problems_are_told_at_once_with_their_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_LIMITS__MAX_FACES", "none")
    monkeypatch.setenv("ASSISTANT_VLM__MODELL", "x")
    with pytest.raises(ConfigError) as caught:
        load_settings(profile="tiny", **{"server_prot": 1})
    told = caught.value.user_message
    assert told.startswith("4 settings are wrong")
    assert "limits.max_faces = 'none' (environment ASSISTANT_LIMITS__MAX_FACES)" in told
    assert "profile = 'tiny' (flag)" in told
    assert "did you mean server_port?" in told
    assert "did you mean ASSISTANT_VLM__MODEL?" in told
    assert "whyfake config show" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server_port", 0),
        ("threads", -1),
        ("device", "gpu"),
        ("limits.max_pixels", 0),
        ("vlm.revision", "main"),
        ("vlm.quantization", "int4"),
        ("vlm.total_timeout", 0),
        ("vlm.first_token_timeout", 0),
    ],
)
def test_a_value_out_of_range_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name.replace(".", r"\.")):
        load_settings(**{name: value})


def test_an_empty_variable_turns_plugins_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_PLUGINS", "")
    assert load_settings().plugins is False
    monkeypatch.delenv("ASSISTANT_PLUGINS")
    assert load_settings().plugins is True


@pytest.mark.parametrize("content", ["profile = ", "\udcff"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=r"bad\.toml cannot be read"):
        load_settings(file)


def test_a_file_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_settings(tmp_path / "none.toml")


def test_the_users_own_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "config/whyfake/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('detector = "other"\n')
    loaded = load_with_origins()
    assert (loaded.settings.detector, loaded.config_file) == ("other", file)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().profile = "full"


def test_a_whole_part_may_come_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_VLM", '{"model": "a/b"}')
    assert load_settings().vlm.model == "a/b"
    monkeypatch.setenv("ASSISTANT_VLM", "{broken")
    with pytest.raises(ConfigError, match="vlm"):
        load_settings()


@pytest.mark.parametrize("name", ["DATA_DIR", "PROMPTS_DIR", "CALIBRATION"])
def test_an_empty_path_means_not_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ASSISTANT_{name}", "")
    assert getattr(load_settings(), name.lower()) is None


@pytest.mark.parametrize(
    ("flags", "writes"),
    [
        ({}, "template"),
        ({"profile": "full"}, "model"),
        ({"vlm_backend": "llama-cpp"}, "model"),
        ({"vlm_backend": "llama-cpp", "written_by": "template"}, "template"),
    ],
)
def test_the_model_writes_where_a_text_backend_is_chosen_and_else_as_the_profile_says(
    flags: dict[str, str], writes: str
) -> None:
    assert load_settings(**flags).written_by == writes
