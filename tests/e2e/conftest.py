"""A served page and a real browser."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("gradio")
playwright = pytest.importorskip("playwright.sync_api")

from assistant.ui import create_app, launch_options  # noqa: E402
from assistant.ui.sessions import Sessions  # noqa: E402
from tests.e2e.puppet import puppet_assistant  # noqa: E402

WAIT_MS = 30_000  # patience for busy machines; a page that works answers within one second
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            # Gradio's and the browser driver's own warnings are not ours to fail on.
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session", autouse=True)
def _leftovers() -> Iterator[None]:
    """What Gradio and the browser driver leave open is collected here, while it may be forgiven.

    Collected at the very end, their event loops and sockets would fail the run as unclosed.
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextmanager
def serving(assistant: Any, sessions: Sessions | None = None) -> Iterator[str]:
    """The page around ``assistant`` on a free port of this machine; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(assistant, sessions=sessions)
    app.launch(
        server_name="127.0.0.1",
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        **launch_options(assistant),
    )
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        app.close()
        assistant.close()


@pytest.fixture(scope="module")
def site() -> Iterator[SimpleNamespace]:
    """One server a module: ``site.url``, ``site.puppet``, ``site.assistant``."""
    assistant, puppet = puppet_assistant()
    sessions = Sessions()
    with serving(assistant, sessions) as url:
        yield SimpleNamespace(url=url, puppet=puppet, assistant=assistant, sessions=sessions)


@pytest.fixture(autouse=True)
def _fresh_puppet(request: pytest.FixtureRequest) -> Iterator[None]:
    if "site" in request.fixturenames:
        request.getfixturevalue("site").puppet.reset()
    yield
    if "site" in request.fixturenames:
        request.getfixturevalue("site").puppet.gate.set()


_NAMES = (
    os.environ.get("WHYFAKE_CHROMIUM", ""),
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Chromium: the one named by WHYFAKE_CHROMIUM, the system's, or Playwright's own."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        except playwright.Error as error:
            pytest.fail(f"no Chromium could be started ({error}); `make test` sets one up")
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def visit(
    chromium: Any, site: SimpleNamespace, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Any]]:
    """Opens the page as a new visitor. A failed test leaves a screenshot and a trace of each."""
    contexts: list[Any] = []

    def open_page(**options: Any) -> Any:
        options.setdefault("viewport", {"width": 1100, "height": 900})
        options.setdefault("reduced_motion", "reduce")
        context = chromium.new_context(**options)
        context.set_default_timeout(WAIT_MS)
        playwright.expect.set_options(timeout=WAIT_MS)
        context.tracing.start(screenshots=True, snapshots=True)
        contexts.append(context)
        page = context.new_page()
        page.goto(site.url)
        page.get_by_role("button", name="A portrait").wait_for()
        return page

    yield open_page
    out = Path(os.environ.get("WHYFAKE_E2E_OUT", tmp_path))
    for i, context in enumerate(contexts):
        if request.node.stash.get(FAILED, False):
            stem = f"{request.node.name}-{i}"
            for page in context.pages:
                page.screenshot(path=out / f"{stem}.png", full_page=True)
            context.tracing.stop(path=out / f"{stem}.zip")
        context.close()
