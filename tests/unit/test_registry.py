from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from assistant import registry
from assistant.errors import PluginError


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed distribution with one good plugin, two broken ones and one that takes a name."""
    (tmp_path / "acme_detectors.py").write_text("class Acme:\n    name = 'acme'\n")
    (tmp_path / "acme_raises.py").write_text("raise RuntimeError('no licence file')\n")
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[assistant.detectors]\n"
        "acme = acme_detectors:Acme\n"
        "acme-gone = acme_gone:Acme\n"
        "acme-raises = acme_raises:Acme\n"
        "clip-ln = acme_detectors:Acme\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ASSISTANT_PLUGINS", "on")
    yield tmp_path
    for name in ("acme_detectors", "acme_raises"):
        sys.modules.pop(name, None)


def test_a_third_partys_plugin_loads_by_name(third_party: Path) -> None:
    assert registry.load("detectors", "acme").name == "acme"
    assert "acme" in registry.names("detectors")


def test_a_broken_plugin_is_listed_with_its_error_and_the_rest_still_work(
    third_party: Path,
) -> None:
    found = {each.name: each for each in registry.listing("detectors")}
    assert "acme_gone" in found["acme-gone"].error
    assert "no licence file" in found["acme-raises"].error
    assert (found["acme"].error, found["acme"].origin) == ("", "acme")
    with pytest.raises(PluginError, match="no licence file") as caught:
        registry.load("detectors", "acme-raises")
    assert "ASSISTANT_PLUGINS=" in caught.value.hint


def test_a_third_party_cannot_take_a_built_in_name(third_party: Path) -> None:
    found = [each for each in registry.listing("detectors") if each.name == "clip-ln"]
    assert [each.origin for each in found] == ["built-in"]


@pytest.mark.parametrize("value", ["", "0", "off", "false", " No "])
def test_an_empty_variable_turns_third_parties_off(
    third_party: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("ASSISTANT_PLUGINS", value)
    assert "acme" not in registry.names("detectors")
    with pytest.raises(PluginError, match="Unknown detector 'acme'"):
        registry.load("detectors", "acme")


def test_settings_turn_third_parties_off_too(third_party: Path) -> None:
    assert "acme" not in registry.names("detectors", plugins=False)


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list() -> None:
    with pytest.raises(PluginError) as caught:
        registry.load("detectors", "clip-lnn")
    assert "did you mean 'clip-ln'?" in caught.value.user_message
    assert "Installed: " in caught.value.user_message
    assert caught.value.hint == "Run `whyfake plugins list`."


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(PluginError, match="'detector'; there are face_finders, detectors"):
        registry.names("detector")


def test_names_are_sorted_and_kebab_case() -> None:
    for kind in registry.KINDS:
        names = registry.names(kind)
        assert list(names) == sorted(names)
        assert [name for name in names if name != name.lower() or "_" in name] == []


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in registry.KINDS for name in registry.BUILT_IN[kind]]
)
def test_every_built_in_name_leads_to_a_class_or_function(kind: str, name: str) -> None:
    assert callable(registry.load(kind, name, plugins=False))


def test_listing_built_ins_imports_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EntryPoint, "load", lambda self: pytest.fail("a plugin was loaded"))
    monkeypatch.setattr(registry, "_import", lambda target: pytest.fail(f"{target} was imported"))
    assert len(registry.listing(plugins=False)) == sum(map(len, registry.BUILT_IN.values()))
