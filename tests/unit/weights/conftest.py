from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONTENT = b"weights of a small model\n" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()

METADATA = {
    "METADATA": (
        "Metadata-Version: 2.1",
        "Name: tiny-model",
        "Version: 1.2.0",
        "Requires-Dist: never-to-be-had",
    ),
    "WHEEL": ("Wheel-Version: 1.0", "Root-Is-Purelib: true", "Tag: py3-none-any"),
}


def wheel_entry(**changes: Any) -> dict[str, Any]:
    entry = {
        "name": "tiny",
        "profile": "embedded",
        "file": "tiny.bin",
        "source": {
            "kind": "wheel",
            "package": "tiny-model",
            "version": "1.2.0",
            "member": "tiny_model/tiny.bin",
        },
        "sha256": SHA,
        "size": len(CONTENT),
        "licence": "MIT",
        "used_by": ["tests"],
    }
    return entry | changes


def derived_entry(**changes: Any) -> dict[str, Any]:
    entry = wheel_entry(
        name="tiny-doubled",
        file="doubled.bin",
        source={"kind": "derived", "from": ["tiny"], "by": "tests.unit.weights.making:double"},
        sha256=None,
        size=2 * len(CONTENT),
    )
    return entry | changes


@pytest.fixture
def write_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a manifest into a weights folder of its own and makes it the one used."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setenv("ASSISTANT_WEIGHTS_DIR", str(folder))
    count = iter(range(1, 1000))

    def write(*entries: dict[str, Any]) -> Path:
        path = folder / "manifest.json"
        path.write_text(json.dumps({"version": 1, "entries": entries}))
        mark = 1_700_000_000_000_000_000 + next(count)
        os.utime(path, ns=(mark, mark))
        return folder

    return write


@pytest.fixture
def registry_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A package registry that holds one wheel, and no other."""

    def offer(content: bytes = CONTENT, member: str = "tiny_model/tiny.bin") -> Path:
        shelf = tmp_path / "shelf"
        shelf.mkdir(exist_ok=True)
        path = shelf / "tiny_model-1.2.0-py3-none-any.whl"
        info = "tiny_model-1.2.0.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(member, content)
            for name, lines in METADATA.items():
                wheel.writestr(f"{info}/{name}", "\n".join(lines) + "\n")
            wheel.writestr(f"{info}/RECORD", "")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
        return path

    return offer
