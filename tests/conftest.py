"""What holds for every test: no network but loopback, no model hub, own data folder, no plugins."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

# Set before any test module is imported: some libraries read these once, at import.
for _name in [name for name in os.environ if name.startswith("ASSISTANT_")]:
    if _name != "ASSISTANT_DATA_DIR":
        del os.environ[_name]
os.environ.update(
    {
        "ASSISTANT_PLUGINS": "",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "MPLBACKEND": "Agg",
    }
)


@pytest.fixture(scope="session", autouse=True)
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """This run's data folder: links to the fetched model files, so no test can harm the user's."""
    from assistant.weights import data_dir_or_default

    fetched = data_dir_or_default() / "weights"
    own = tmp_path_factory.mktemp("data")
    (own / "weights").mkdir()
    for source in fetched.glob("*/*") if fetched.is_dir() else ():
        if source.is_file() and not source.name.startswith("."):
            link = own / "weights" / source.parent.name / source.name
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(source)
    if (fetched / "verified.json").is_file():
        shutil.copy(fetched / "verified.json", own / "weights" / "verified.json")
    before = os.environ.get("ASSISTANT_DATA_DIR")
    os.environ["ASSISTANT_DATA_DIR"] = str(own)
    yield own
    if before is None:
        os.environ.pop("ASSISTANT_DATA_DIR", None)
    else:
        os.environ["ASSISTANT_DATA_DIR"] = before


@pytest.fixture(scope="session")
def model_files(data_dir: Path) -> Path:
    """The data folder with every model file of the embedded profile, verified."""
    from assistant.weights import inspect_entry, manifest

    states = [inspect_entry(entry, data_dir) for entry in manifest().of_profile("embedded")]
    missing = [f"{state.entry.name} ({state.status})" for state in states if not state.ready]
    if missing:
        pytest.fail(f"model files: {', '.join(missing)}. Run: whyfake weights fetch")
    return data_dir


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with little memory and one pass: its real cost is meant to be felt."""
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    from assistant.api import people

    quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64),))
    monkeypatch.setattr(people, "_hasher", lambda: quick)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests come last; ``gpu`` tests are skipped on machines without one.

    Playwright leaves an event loop running in the thread from its start to the session's end, and
    other tests may want one of their own. Torch is asked for a device only if a test needs it.
    """
    items.sort(
        key=lambda item: (
            "e2e" in item.path.parts,
            "chromium" in getattr(item, "fixturenames", ()),
        )
    )
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
