"""Looking first: the model describes the face before it is told the score."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from assistant.types import VlmRequest
from tests.e2e.conftest import serving
from tests.e2e.puppet import Puppet, puppet_assistant
from tests.e2e.steps import drop, explained


class Seeing(Puppet):
    """Sees pictures, and is wrong about this one."""

    supports_images = True

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        if any("[S1]" in message.content for message in request.messages):
            yield from super().stream(request, cancel)
            return
        yield "The crop is evenly lit. There is no face in it."


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    assistant, _ = puppet_assistant()
    assistant.narrator.vlm = Seeing()
    with serving(assistant) as url:
        context = chromium.new_context(reduced_motion="reduce")
        context.set_default_timeout(30_000)
        tab = context.new_page()
        tab.goto(url)
        tab.get_by_role("button", name="A portrait").wait_for()
        yield tab
        context.close()


def test_the_page_shows_what_was_seen_without_the_score_and_what_does_not_fit(page: Any) -> None:
    drop(page)
    words = explained(page)
    assert words.get_by_text("Before it knew the score").count() == 0

    page.get_by_label("Look first, without the score").check()
    page.get_by_role("button", name="Retry").click()
    page.get_by_text("Before it knew the score").wait_for()
    words = explained(page)
    assert words.get_by_text("The crop is evenly lit.").count() == 1
    assert "A face was found" in words.locator(".wf-disagrees").inner_text()
