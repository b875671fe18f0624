"""The Space: its folder is made, started and talked to."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from tests.drawn import drawn_faces, png

ROOT = Path(__file__).parents[2]
SPACE = ROOT / "spaces"


def _pins(path: Path) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==(\S+)$", path.read_text("utf-8"), re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in found}


def _front_matter() -> dict[str, object]:
    front: dict[str, object] = yaml.safe_load(
        (SPACE / "README.md").read_text("utf-8").split("---")[1]
    )
    return front


def test_front_matter_and_requirements_match_the_pins() -> None:
    pins, wanted, front = (
        _pins(ROOT / "constraints.txt"),
        _pins(SPACE / "requirements.txt"),
        _front_matter(),
    )
    assert {name: pins.get(name) for name in wanted} == wanted
    assert front["sdk"] == "gradio"
    assert front["sdk_version"] == pins["gradio"] == wanted["gradio"]
    assert (SPACE / str(front["app_file"])).is_file()
    assert len(str(front["short_description"])) <= 60


def test_the_app_holds_no_logic() -> None:
    lines = [line for line in (SPACE / "app.py").read_text("utf-8").splitlines() if line.strip()]
    assert len(lines) <= 15
    assert not any(word in line for line in lines for word in ("def ", "class ", "for ", "try"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "space"
    subprocess.run([str(ROOT / "tools/space.sh"), str(out)], check=True, capture_output=True)
    return out


def test_the_folder_holds_what_a_space_needs_and_refuses_a_full_one(folder: Path) -> None:
    there = {path.name for path in folder.iterdir()}
    assert {"app.py", "README.md", "requirements.txt", "assistant", "prompts", "weights"} <= there
    assert (folder / "assistant/ui/style.css").is_file()
    assert not list(folder.rglob("__pycache__"))
    again = subprocess.run(
        [str(ROOT / "tools/space.sh"), str(folder)], capture_output=True, check=False
    )
    assert again.returncode == 2


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """This interpreter; with WHYFAKE_SPACE_VENV=1 one made from the Space's own requirements."""
    if os.environ.get("WHYFAKE_SPACE_VENV") != "1":
        return sys.executable
    venv = tmp_path_factory.mktemp("venv")
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
    own = str(venv / "bin/python")
    wanted = ["-r", str(SPACE / "requirements.txt")]
    subprocess.run([uv, "pip", "install", "--quiet", "--python", own, *wanted], check=True)
    return own


@pytest.fixture(scope="module")
def running(folder: Path, python: str, model_files: Path) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {
        "GRADIO_SERVER_PORT": str(port),
        "ASSISTANT_DATA_DIR": str(model_files),
        "ASSISTANT_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    log = folder.parent / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([python, "app.py"], cwd=folder, env=env, stdout=out, stderr=out)
    address = f"http://127.0.0.1:{port}/"
    try:
        _wait(server, port, log)
        yield address, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(20)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 150
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"the Space does not start:\n{log.read_text('utf-8')[-2000:]}")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_started_space_answers_a_client_in_under_2_gb(
    running: tuple[str, psutil.Process], tmp_path: Path
) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    address, process = running
    client = gradio_client.Client(address, verbose=False)
    photo = tmp_path / "photo.png"
    photo.write_bytes(png(drawn_faces()))
    told = client.predict(gradio_client.handle_file(str(photo)), True, api_name="/analyze")
    assert told["schema"] == "whyfake.analysis/1"
    assert told["status"] in {"analysed", "no_face"}
    if told["status"] == "analysed":
        assert client.predict("Why?", 1, api_name="/ask")["text"]
    used = sum(p.memory_info().rss for p in (process, *process.children(recursive=True)))
    assert used < 2e9
