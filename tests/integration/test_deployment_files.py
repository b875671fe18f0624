"""Compose files, the Ray Serve config and the Dockerfile, as far as parsers can check them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.settings import load_settings

ROOT = Path(__file__).parents[2]
SERVING = ROOT / "spaces/serving"
COMPOSE = ["vllm", "sglang", "ollama", "llama-cpp"]
DOCKERFILE = (ROOT / "spaces/Dockerfile").read_text("utf-8")


def read(name: str) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((SERVING / f"{name}.yaml").read_text("utf-8"))
    return told


def test_the_folder_holds_the_files_that_are_checked_here() -> None:
    assert {path.stem for path in SERVING.glob("*.yaml")} == {*COMPOSE, "ray-serve"}


@pytest.mark.parametrize("name", COMPOSE)
def test_a_compose_file_follows_the_specification(name: str) -> None:
    compose_spec = pytest.importorskip("compose_spec")
    parsed = compose_spec.PyCompose.from_yaml((SERVING / f"{name}.yaml").read_text("utf-8"))
    assert len(parsed.service_names()) == 1


@pytest.mark.parametrize("name", COMPOSE)
def test_an_engine_is_reached_from_this_machine_alone_and_tells_its_health(name: str) -> None:
    (service,) = read(name)["services"].values()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["healthcheck"]["test"]
    assert re.search(r":[\w.]+$", service["image"])
    assert not service["image"].endswith(":latest")
    assert "privileged" not in service


@pytest.mark.parametrize("name", [*COMPOSE, "ray-serve"])
def test_the_settings_named_in_a_file_reach_that_engine(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (SERVING / f"{name}.yaml").read_text("utf-8")
    for variable, value in re.findall(r"(ASSISTANT_\w+)=(\S+)", text):
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.vlm_backend == "openai"
    address = str(settings.vlm.base_url)
    assert address.endswith("/v1")
    port = address.removesuffix("/v1").rpartition(":")[2]
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert port in body
    assert str(settings.vlm.model) in body or name == "ollama", "ollama is told by `ollama pull`"


def test_ray_serve_finds_its_application() -> None:
    (application,) = read("ray-serve")["applications"]
    assert re.fullmatch(r"[\w.]+:\w+", application["import_path"])
    schema = pytest.importorskip("ray.serve.schema", reason="ray is not installed")
    parsed = schema.ServeDeploySchema.model_validate(read("ray-serve"))
    assert parsed.applications[0].route_prefix == "/"


def test_the_dockerfile_has_no_fault_that_a_linter_knows() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("hadolint is not installed")
    found = subprocess.run(
        [linter, str(ROOT / "spaces/Dockerfile")], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


def test_the_container_runs_as_nobody_special_and_tells_its_health() -> None:
    steps = re.findall(r"^([A-Z]+) (.+)$", DOCKERFILE, re.MULTILINE)
    names = [name for name, _ in steps]
    assert dict(steps)["USER"].isdigit(), "a number, so that a read-only system needs no names"
    assert names.index("USER") < names.index("CMD")
    assert "HEALTHCHECK" in names
    assert "--read-only" in DOCKERFILE
    copied = [source for name, rest in steps if name == "COPY" for source in rest.split()[:-1]]
    assert copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
