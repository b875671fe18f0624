"""One visitor, one clip of two people: player, lanes, questions about a time, and what is saved."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from playwright.sync_api import expect

from assistant.evaluation.made_clips import encoded
from assistant.fakes import SkinFaceFinder
from assistant.ui.sessions import Sessions
from tests.drawn import drawn_faces
from tests.e2e.conftest import serving
from tests.e2e.puppet import puppet_assistant
from tests.e2e.steps import answers, ask, drop, explained


def two_people() -> bytes:
    """Two seconds; the second of two drawn faces is gone after half of them."""
    both = drawn_faces(2)
    one = both.copy()
    one[:, 240:] = one[0, 0]
    return encoded([both] * 10 + [one] * 10, 20, rate=10)


@pytest.fixture(scope="module")
def site() -> Iterator[SimpleNamespace]:
    """A server whose finder takes encoded colours too."""
    assistant, puppet = puppet_assistant(finder=SkinFaceFinder())
    sessions = Sessions()
    with serving(assistant, sessions) as url:
        yield SimpleNamespace(url=url, puppet=puppet, assistant=assistant, sessions=sessions)


@pytest.fixture(scope="module")
def clip() -> bytes:
    return two_people()


def shown(visit: Any, clip: bytes, **options: Any) -> Any:
    page = visit(**options)
    drop(page, clip, "clip.mp4")
    explained(page)
    return page


def second(page: Any) -> float:
    return page.locator("#wf-player video").evaluate("v => v.currentTime")


def test_the_clip_plays_and_a_click_or_an_arrow_key_jumps(visit: Any, clip: bytes) -> None:
    page = shown(visit, clip)
    expect(page.locator("#wf-player .wf-clip")).to_have_class("wf-card wf-clip wf-plays")
    lanes = page.locator("#wf-time .wf-lane")
    expect(lanes).to_have_count(2)
    seek, now = page.get_by_role("slider", name="Moment of the clip"), page.locator(".wf-at-now")
    bar = lanes.nth(0).locator(".wf-lane-bar")
    box = bar.bounding_box()
    bar.click(position={"x": 0.75 * box["width"], "y": 20})
    expect(now).to_contain_text("Person 2: not seen")
    assert second(page) == pytest.approx(0.75 * 1.9, abs=0.1)

    expect(seek).to_be_focused()
    page.keyboard.press("Home")
    expect(now).to_contain_text("0:00. Person 1: ")
    expect(now).not_to_contain_text("not seen")
    page.keyboard.press("ArrowRight")
    first = second(page)
    page.keyboard.press("ArrowRight")
    assert 0 < first < second(page) < 0.6
    assert "Person 1" in seek.get_attribute("aria-valuetext")

    page.locator("#wf-time details summary").first.click()
    row = page.locator("#wf-time table").first.locator("[data-at]").last
    row.click()
    assert second(page) == pytest.approx(float(row.get_attribute("data-at")), abs=0.1)


def test_what_a_browser_cannot_play_is_shown_as_frames(visit: Any) -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="avi") as film:
        stream = film.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt = 360, 480, "yuv420p"
        for _ in range(12):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn_faces()), "rgb24")
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    page = shown(visit, out.getvalue())
    expect(page.get_by_text("This browser cannot play the file")).to_be_visible()
    still = page.locator("#wf-player .wf-still:visible")
    expect(still).to_have_count(1)
    before = still.get_attribute("data-second")
    page.get_by_role("slider", name="Moment of the clip").press("End")
    assert page.locator("#wf-player .wf-still:visible").get_attribute("data-second") != before


def test_questions_about_a_time_and_another_person_are_answered(visit: Any, clip: bytes) -> None:
    page = shown(visit, clip)
    before = page.locator("#wf-verdict").inner_text()
    for number, (question, told) in enumerate(
        (
            ("What happens at 0:01?", "At 0:01 the probability is"),
            ("Only the part from 0:00 to 0:01?", "over 11 frames"),
            ("Is the second person manipulated too?", "person 2, was judged apart"),
            ("What happens at 0:30?", "nothing was measured at 0:30"),
        ),
        1,
    ):
        ask(page, question)
        expect(answers(page, number).last).to_contain_text(told)
    assert page.locator("#wf-verdict").inner_text() == before


def test_the_marked_clip_and_the_numbers_are_saved(visit: Any, clip: bytes) -> None:
    page = shown(visit, clip)
    table = page.get_by_role("link", name="Numbers over time (CSV)").get_attribute("href")
    assert b"person,seconds" in base64.b64decode(table.partition(",")[2])
    page.get_by_role("button", name="Make a marked-up clip").click()
    link = page.get_by_role("link", name="Marked-up clip (MP4)").get_attribute("href")
    with av.open(io.BytesIO(base64.b64decode(link.partition(",")[2]))) as film:
        assert sum(1 for _ in film.decode(video=0)) == 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_needs_sideways_scrolling(visit: Any, clip: bytes, scheme: str) -> None:
    page = shown(visit, clip, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    expect(page.locator("#wf-player .wf-plays")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
