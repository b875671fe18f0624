"""Imports run one way, heavy libraries stay where they belong, and nothing heavy loads early."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "assistant"
HEAVY = (
    "torch",
    "transformers",
    "gradio",
    "langchain_core",
    "cv2",
    "sklearn",
    "open_clip",
    "facexlib",
    "bitsandbytes",
    "xllamacpp",
    "pandas",
    "matplotlib",
)


def loaded_after(*codes: str) -> list[set[str]]:
    """Top-level modules loaded in a new Python after each ``code``, one run after the other."""
    tell = "print('\\nLOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    program = "\n".join(["import sys", *(f"{code}\n{tell}" for code in codes)])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return [set(line[1:]) for line in lines if line[:1] == ["LOADED"]]


def command(*args: str) -> str:
    run = f"main({list(args)!r})"
    return f"from assistant.cli.main import main\ntry:\n    {run}\nexcept SystemExit: pass"


def test_nothing_heavy_is_loaded_early() -> None:
    codes = [
        "import assistant",
        "import assistant.types, assistant.events, assistant.errors, assistant.interfaces",
        "import assistant.settings, assistant.registry, assistant.weights, assistant.resources",
        "import assistant.compose",
        command("--help"),
        command("serve", "--help"),
        command("config", "show"),
        command("plugins", "list"),
        command("weights", "list"),
        command("analyze", "absent.jpg"),
        command("analyze", "https://example.org/photo.jpg"),
        command("ask", "absent.jpg", "why?"),
        command("doctor"),
    ]
    loaded = loaded_after(*codes)
    assert len(loaded) == len(codes)
    heavy = {code: names & set(HEAVY) for code, names in zip(codes, loaded, strict=True)}
    assert {code: names for code, names in heavy.items() if names} == {}


def test_analysing_a_photo_loads_only_the_libraries_that_it_uses(
    model_files: Path, tmp_path: Path
) -> None:
    from assistant.examples import example_bytes

    (photo := tmp_path / "photo.png").write_bytes(example_bytes("astronaut"))
    (loaded,) = loaded_after(command("analyze", str(photo), "--vlm", "template"))
    unused = {"open_clip", "timm", "torchvision", "scipy", "sympy", "openvino", "onnx", "openai"}
    assert {"torch", "langchain_core"} <= loaded  # it was scored and explained
    assert loaded & ((set(HEAVY) - {"torch", "cv2", "langchain_core"}) | unused) == set()


def test_the_package_itself_loads_only_the_standard_library() -> None:
    bare, after = loaded_after("pass", "import assistant")
    extra = after - bare - {"assistant"}
    assert {name for name in extra if name not in sys.stdlib_module_names} == set()


MODULES = sorted(PACKAGE.rglob("*.py"))


def test_modules_are_small() -> None:
    """At most 400 lines: split a module where its subject changes."""
    lines = {str(p.relative_to(ROOT)): p.read_text("utf-8").count("\n") for p in MODULES}
    assert {path: count for path, count in lines.items() if count > 400} == {}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_public_modules_say_what_they_offer() -> None:
    silent = []
    for path in MODULES:
        if path.name in {"__init__.py", "__main__.py"} or path.name.startswith("_"):
            continue
        names = {
            target.id
            for node in tree_of(path).body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        if "__all__" not in names:
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []


def test_modules_are_named_for_their_subject() -> None:
    vague = {"utils.py", "helpers.py", "common.py", "misc.py", "manager.py"}
    assert [str(p) for p in MODULES if p.name in vague] == []


def imported_distributions() -> dict[str, str]:
    """Third-party modules that the package imports anywhere, each with a file that does."""
    found: dict[str, str] = {}
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in (name.partition(".")[0] for name in names):
                if name not in sys.stdlib_module_names and name != "assistant":
                    found[name] = str(path.relative_to(ROOT))
    return found


def test_what_is_imported_is_a_dependency_or_an_extra_that_the_command_line_names() -> None:
    import tomllib
    from importlib.metadata import packages_distributions

    from assistant.cli.main import EXTRAS

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = {
        name: {re.split(r"[\[<>=!~;]", need)[0].lower() for need in needs}
        for name, needs in {"": project["dependencies"], **project["optional-dependencies"]}.items()
    }
    distributions = packages_distributions()
    by_hand = {"facexlib", "starlette"}  # installed alone; comes with gradio
    for module, file in imported_distributions().items():
        if module not in by_hand:
            owners = distributions.get(module, [module])  # an extra may not be installed
            names = {name.lower().replace("_", "-") for name in owners}
            assert names & listed[EXTRAS.get(module, "")], f"{module} ({file})"
