"""What must hold of the files of the project as a whole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import assistant
from assistant.resources import resource_dir
from assistant.weights import inspect_entry, manifest

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    """The files under version control; in an unpacked source archive, all of them."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def found(pattern: str, *, apart_from: tuple[str, ...] = ()) -> list[str]:
    """``file: match`` of every match in a text file."""
    expression = re.compile(pattern, re.IGNORECASE)
    return [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if path.name not in apart_from
        for match in [expression.search(text_of(path))]
        if match
    ]


def test_no_file_names_a_package_registry() -> None:
    hosts = r"(https?|file)://[^\s\"']*(py" + r"pi|python" + r"hosted|npm" + r"js)"
    assert found(hosts) == []
    assert found(r"--?(extra-)?index" + r"-url\b", apart_from=("downloads.py",)) == []
    assert not (ROOT / "uv.lock").exists()


def test_no_file_holds_a_path_of_one_machine() -> None:
    places = r"(?<![\w.])/(ro" + r"ot|work|home/\w+)/(?!\.\.)[\w.]+"
    assert found(places) == []


def test_no_large_file_lies_outside_weights() -> None:
    large = [p for p in tracked() if p.stat().st_size > 2_000_000]
    assert [str(p.relative_to(ROOT)) for p in large if p.parent != ROOT / "weights"] == []


def test_weights_holds_only_what_the_manifest_names() -> None:
    named = {e.source.path for e in manifest().entries if e.source.kind == "repo"}
    folder = resource_dir("weights")
    there = {p.name for p in folder.iterdir() if p.suffix not in {".json", ".md"}}
    assert there == {name for name in named if not name.endswith(".json")}
    assert all((folder / name).is_file() for name in named)
    assert sum((folder / name).stat().st_size for name in named) < 40e6


def test_the_files_shipped_here_are_the_pinned_ones(tmp_path: Path) -> None:
    shipped = [e for e in manifest().entries if e.source.kind == "repo"]
    assert {e.name: inspect_entry(e, tmp_path).status for e in shipped} == {
        e.name: "ok" for e in shipped
    }


def test_released_prompts_are_locked_and_unchanged() -> None:
    from assistant.prompting import PromptLibrary

    library = PromptLibrary(resource_dir("prompts"))
    assert library.check() == []
    assert (library.root / "LOCK").read_text("utf-8").split() == library.lock_text().split()


def test_the_changelog_tells_of_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert "Unreleased" in heads or assistant.__version__ in heads
    released = [head for head in heads if head != "Unreleased"]
    assert released[:1] in ([], [assistant.__version__])


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [need for group in groups for need in group]
    names = {re.split(r"[\[<>=!~;]", need)[0].strip().lower().replace("_", "-") for need in wanted}
    assert names - set(pins()) == set()


def test_pins_are_exact_and_name_no_place() -> None:
    for name, version in pins().items():
        assert re.fullmatch(r"[a-z0-9.-]+", name), name
        assert re.fullmatch(r"[0-9][\w.+!]*", version), f"{name} {version}"


@pytest.mark.parametrize("target", ["setup", "demo", "test", "check", "fix", "serve"])
def test_make_knows_the_targets_that_the_documents_name(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", target, "SERVE=0"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr


def test_ci_checks_format_rules_types_imports_prompts_and_tests(tmp_path: Path) -> None:
    """What ``.ci/run`` would run, told by make itself without running it."""
    real = shutil.which("make")
    assert real
    stand_in = tmp_path / "make"
    stand_in.write_text(f'#!/bin/sh\nexec {real} --dry-run --always-make "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [ROOT / ".ci/run"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": path},
    )
    for step in (
        "ruff format --check",
        "ruff check",
        "mypy --strict",
        "lint-imports",
        "prompts check",
        "-m pytest",
    ):
        assert step in done.stdout, step


def test_the_page_of_settings_is_the_commands_output() -> None:
    from click.testing import CliRunner

    from assistant.cli.config import config

    written = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert written == CliRunner().invoke(config, ["describe"]).output, (
        "run: whyfake config describe > docs/settings.md"
    )
