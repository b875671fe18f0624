"""The built wheel carries its data, and works where no checkout is."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import assistant

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    program = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(out)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.whl")
    return path


def test_it_carries_prompts_manifest_and_trained_files(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("prompts", "weights"):
        for source in (ROOT / folder).rglob("*"):
            if source.is_file():
                shipped = f"assistant/_data/{folder}/{source.relative_to(ROOT / folder).as_posix()}"
                assert shipped in names
    assert f"whyfake-{assistant.__version__}.dist-info/entry_points.txt" in names


def test_it_carries_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    strange = [n for n in names if not n.startswith(("assistant/", "whyfake-"))]
    assert strange == []
    assert [n for n in names if n.endswith((".pyc", ".png", ".jpg", ".mp4"))] == []


@pytest.mark.parametrize(
    "args",
    [
        ("prompts", "check"),
        ("weights", "list"),
        ("config", "show"),
        ("plugins", "list"),
        ("--version",),
    ],
)
def test_its_commands_work_outside_a_checkout(
    wheel: Path, tmp_path: Path, args: tuple[str, ...]
) -> None:
    unpacked = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(unpacked)
    done = subprocess.run(
        [sys.executable, "-c", "from assistant.cli.main import main; main()", *args],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout.replace(str(tmp_path), "")
