"""Choosing another detector on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.drawn import drawn_faces, png
from tests.e2e.conftest import serving
from tests.e2e.puppet import DrawnFaceFinder
from tests.e2e.steps import answers, ask, drop, explained
from tests.speaking import speaking


def test_another_detector_measures_the_same_picture_stays_chosen_and_can_be_asked(
    chromium: Any, tmp_path: Path
) -> None:
    assistant = speaking(tmp_path, finder=DrawnFaceFinder())
    assert assistant.speakers is not None
    assistant.speakers.states()  # imports the detectors' libraries, which takes seconds
    with serving(assistant) as url:
        context = chromium.new_context(reduced_motion="reduce")
        context.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        page = context.new_page()
        page.goto(url)
        page.get_by_text("more detectors cannot run here yet").click()
        expect(page.locator(".wf-unready")).to_contain_text("whyfake train plugin effort")
        drop(page)
        explained(page)
        verdict = page.locator("#wf-verdict")
        expect(verdict).to_contain_text("Verdict of the detector brightness-demo")
        first = verdict.locator(".wf-number b").inner_text()
        ask(page, "What does another detector say?")
        expect(answers(page)).to_contain_text("Asked for a second opinion")
        assert verdict.locator(".wf-number b").inner_text() == first

        page.get_by_label("Detector that measures the picture").click()
        page.get_by_role("option", name="xception").click()
        expect(verdict).to_contain_text("Verdict of the detector xception")
        explained(page)
        assert verdict.locator(".wf-number b").inner_text() != first

        drop(page, png(drawn_faces(2)), "second.png")
        expect(page.get_by_role("tab")).to_have_count(2)
        expect(verdict).to_contain_text("xception")
        expect(page.get_by_label("Detector that measures the picture")).to_have_value("xception")
        context.close()
