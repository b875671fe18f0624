"""The case page in a real browser: three cases by the keyboard alone, blur, an appeal."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from assistant.api import people
from assistant.api.app import create_api
from assistant.cases.database import open_database
from assistant.cases.keeping import keep
from assistant.cases.store import CaseFilter, CaseStore
from assistant.cases.vault import Vault, new_key
from assistant.fakes import demo_assistant
from assistant.settings import Settings
from tests.drawn import drawn_faces, png

PASSWORD = "four words of no kin"


@pytest.fixture
def desk(tmp_path: Path, quick_passwords: None) -> Iterator[SimpleNamespace]:
    """Three open cases with their pictures, a moderator and two reviewers."""
    store = CaseStore(open_database(f"sqlite:///{tmp_path / 'c.db'}"), Vault(new_key()))
    assistant, settings = demo_assistant(), Settings()
    for i in range(3):
        data = png(drawn_faces(size=(320 + 20 * i, 240)))
        about = {"source": "forum", "subject": f"post {i}", "keep_picture": True}
        keep(store, assistant, settings, data, actor="root", **about)
    for name, role in (("mo", "moderator"), ("ann", "reviewer"), ("bob", "reviewer")):
        people.add_person(store.engine, name, role, PASSWORD, actor="root")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(create_api(store, assistant, settings), port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield SimpleNamespace(url=f"http://127.0.0.1:{port}/desk", store=store)
    server.should_exit = True
    thread.join()
    assistant.close()
    store.close()


def states(desk: SimpleNamespace) -> dict[str, str]:
    return {row.subject: row.state for row in desk.store.list(CaseFilter())}


def log_in(page: Any, url: str, name: str) -> None:
    """By the keyboard: the name has the focus."""
    page.goto(f"{url}/login")
    page.locator("[name=name]:focus").wait_for()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(url)


def tab_to(page: Any, label: str, most: int = 40) -> None:
    """Press Tab until what has the focus carries ``label``."""
    script = (
        "() => {const e = document.activeElement; return [e.innerText, e.id, e.name, "
        "e.labels?.[0]?.innerText].filter(Boolean).join(' ')}"
    )
    for _ in range(most):
        page.keyboard.press("Tab")
        if label in page.evaluate(script):
            return
    raise AssertionError(f"{label!r} cannot be reached by Tab")


def test_a_moderator_works_three_cases_with_the_keyboard_only(
    desk: SimpleNamespace, chromium: Any
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(30_000)
    log_in(page, desk.url, "mo")
    page.keyboard.press("c")  # shortcuts are off until they are wanted
    assert page.url == desk.url
    tab_to(page, "keys")
    page.keyboard.press("Space")
    page.keyboard.press("n")
    page.wait_for_url("**/cases/*")
    picture = page.locator("figure img").first
    assert "blur" in picture.evaluate("e => getComputedStyle(e).filter")
    assert picture.evaluate("e => e.complete && e.naturalWidth > 0")
    page.keyboard.press("s")
    assert picture.evaluate("e => getComputedStyle(e).filter") == "none"
    page.keyboard.press("q")
    page.keyboard.type("How sure is that?")
    page.keyboard.press("Enter")
    page.locator(".answer").wait_for()
    assert "blur" in picture.evaluate("e => getComputedStyle(e).filter")  # asked for anew
    for key, reason in (("c", "The mouth was exchanged."), ("r", "A filter."), ("e", "Unsure.")):
        before = page.url
        page.keyboard.press(key)
        page.keyboard.type(reason)
        page.keyboard.press("Control+Enter")
        page.wait_for_url(lambda url, before=before: url != before)
    assert page.url == desk.url  # no open case is left
    assert sorted(states(desk).values()) == ["confirmed", "escalated", "rejected"]
    (first,) = desk.store.list(CaseFilter(state="confirmed"))
    assert len([n for n in desk.store.get(first.id).notes if n["kind"] == "turn"]) == 1
    assert {d["actor"] for d in desk.store.get(first.id).decisions} == {"mo"}
    context.close()


def test_an_appeal_is_refused_to_the_first_decider_and_decided_by_another(
    desk: SimpleNamespace, chromium: Any
) -> None:
    case = desk.store.list(CaseFilter())[0].id
    place = f"{desk.url}/cases/{case}"
    contexts = {name: chromium.new_context() for name in ("ann", "bob")}
    pages = {name: context.new_page() for name, context in contexts.items()}
    for name, page in pages.items():
        page.set_default_timeout(30_000)
        log_in(page, desk.url, name)
        page.goto(place)
    ann, bob = pages["ann"], pages["bob"]
    ann.get_by_label("manipulated (confirm)").check()
    ann.get_by_label("Reason").fill("The mouth was exchanged.")
    ann.get_by_role("button", name="Decide").click()
    ann.goto(place)
    ann.get_by_label("What the author says").fill("It is a filter.")
    ann.get_by_role("button", name="Open an appeal").click()
    ann.get_by_text("The appeal is decided by somebody else.").wait_for()
    assert ann.get_by_role("button", name="Decide").count() == 0
    bob.goto(place)
    bob.get_by_role("heading", name="Decide the appeal").wait_for()
    bob.get_by_label("not (reject)").check()
    bob.get_by_label("Reason").fill("The camera file was shown.")
    bob.get_by_role("button", name="Decide").click()
    bob.wait_for_load_state()
    assert desk.store.get(case).row.state == "rejected"
    assert [d["actor"] for d in desk.store.get(case).decisions] == ["ann", "bob"]
    assert desk.store.verify().whole
    for context in contexts.values():
        context.close()
