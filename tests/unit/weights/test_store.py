from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import WeightsError
from assistant.weights import data_dir_or_default, inspect_entry, locate, manifest, store
from tests.unit.weights.conftest import CONTENT, derived_entry, wheel_entry


@pytest.fixture
def placed(write_manifest: Callable[..., Path], tmp_path: Path) -> Path:
    """A data folder that holds the listed bytes."""
    write_manifest(wheel_entry())
    path = tmp_path / "data/weights/tiny/tiny.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return path


def test_a_right_file_is_located(placed: Path, tmp_path: Path) -> None:
    assert locate("tiny", data_dir=tmp_path / "data") == placed


def test_a_missing_file_names_the_command_to_run(
    write_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    write_manifest(wheel_entry(profile="full"))
    with pytest.raises(WeightsError) as caught:
        locate("tiny", data_dir=tmp_path)
    assert caught.value.code == "weights-missing"
    assert "whyfake weights fetch tiny" in caught.value.hint


@pytest.mark.parametrize("content", [b"short", CONTENT[:-1] + b"X"])
def test_changed_bytes_are_never_loaded(placed: Path, tmp_path: Path, content: bytes) -> None:
    placed.write_bytes(content)
    with pytest.raises(WeightsError, match="not loaded") as caught:
        locate("tiny", data_dir=tmp_path / "data")
    assert caught.value.code == "weights-changed"


def test_bytes_changed_after_the_first_check_are_seen(placed: Path, tmp_path: Path) -> None:
    locate("tiny", data_dir=tmp_path / "data")
    placed.write_bytes(CONTENT[:-1] + b"X")
    with pytest.raises(WeightsError, match="not loaded"):
        locate("tiny", data_dir=tmp_path / "data")


def test_a_known_file_is_not_hashed_twice(
    placed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []
    real = store.file_sha256

    def counting(path: Path) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(store, "file_sha256", counting)
    for _ in range(3):
        locate("tiny", data_dir=tmp_path / "data")
    assert hashed == [placed]
    inspect_entry(manifest()["tiny"], tmp_path / "data", fresh=True)
    assert len(hashed) == 2


def test_notes_that_are_no_json_are_written_anew(placed: Path, tmp_path: Path) -> None:
    notes = tmp_path / "data/weights/verified.json"
    notes.write_text("[1, 2")
    assert locate("tiny", data_dir=tmp_path / "data") == placed
    assert "tiny.bin" in notes.read_text()


def test_a_derived_file_is_stale_once_its_source_is_another(
    placed: Path, tmp_path: Path, write_manifest: Callable[..., Path]
) -> None:
    write_manifest(wheel_entry(), derived_entry())
    root = tmp_path / "data"
    path = root / "weights/tiny-doubled/doubled.bin"
    path.parent.mkdir()
    path.write_bytes(CONTENT * 2)
    entry = manifest()["tiny-doubled"]
    assert inspect_entry(entry, root).status == "changed", "nothing tells what it was made from"
    by = "tests.unit.weights.making:double"
    note = {"sha256": store.file_sha256(path), "from": {"tiny": wheel_entry()["sha256"]}, "by": by}
    store.write_build_note(path, note)
    assert inspect_entry(entry, root).status == "ok"
    write_manifest(wheel_entry(sha256="a" * 64), derived_entry())
    with pytest.raises(WeightsError, match="other files than are listed") as caught:
        locate("tiny-doubled", data_dir=root)
    assert caught.value.code == "weights-stale"


def test_unpinned_files_need_a_word(write_manifest: Callable[..., Path], tmp_path: Path) -> None:
    hub = {"kind": "hub", "repo_id": "a/b", "revision": "0" * 40, "file": "model.safetensors"}
    write_manifest(wheel_entry(source=hub, sha256="unverified", size=None))
    path = tmp_path / "weights/tiny/tiny.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    store.write_build_note(path, {"sha256": store.file_sha256(path)})
    with pytest.raises(WeightsError) as caught:
        locate("tiny", data_dir=tmp_path)
    assert caught.value.code == "weights-unpinned"
    assert "--accept-unpinned" in caught.value.hint
    assert locate("tiny", data_dir=tmp_path, accept_unpinned=True) == path
    path.write_bytes(b"other bytes than at the first fetch")
    with pytest.raises(WeightsError, match="not loaded"):
        locate("tiny", data_dir=tmp_path, accept_unpinned=True)


def test_what_is_made_from_unpinned_files_is_unpinned_too(
    write_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    hub = {"kind": "hub", "repo_id": "a/b", "revision": "0" * 40, "file": "model.safetensors"}
    write_manifest(wheel_entry(source=hub, sha256="unverified", size=None), derived_entry())
    for name, content in (("tiny/tiny.bin", CONTENT), ("tiny-doubled/doubled.bin", CONTENT * 2)):
        path = tmp_path / "weights" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        note = {
            "sha256": store.file_sha256(path),
            "from": {"tiny": wheel_entry()["sha256"]},
            "by": "tests.unit.weights.making:double",
        }
        store.write_build_note(path, note)
    assert inspect_entry(manifest()["tiny-doubled"], tmp_path).status == "unpinned"


def test_the_data_folder_is_the_argument_then_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSISTANT_DATA_DIR", str(tmp_path / "set"))
    assert data_dir_or_default(tmp_path) == tmp_path
    assert data_dir_or_default() == tmp_path / "set"
    monkeypatch.delenv("ASSISTANT_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert data_dir_or_default() == tmp_path / "xdg" / "whyfake"


def test_writing_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "notes.json"
    target.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space"):
        store.write_atomically(target, b"after")
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
