"""One visitor, one photo: from the drop to the follow-up."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.steps import FACE, TWO_FACES, answers, ask, drop, explained


def test_a_photo_gives_verdict_map_words_and_evidence_in_that_order(visit: Any) -> None:
    page = visit()
    drop(page)
    words = explained(page)
    verdict = page.locator("#wf-verdict [data-verdict]")
    expect(verdict).to_contain_text("probability of manipulation")
    expect(verdict).to_contain_text("interval")
    expect(words).to_contain_text("Generated text")
    places = [
        page.locator(f"#wf-{part}").bounding_box()["y"]
        for part in ("drop", "verdict", "words", "here", "look", "talk-card", "evidence")
    ]
    assert places == sorted(places)
    maps = page.locator("#wf-look img.wf-heat")
    assert maps.evaluate("i => i.complete && i.naturalWidth") > 0
    expect(page.locator("#wf-evidence #fact-S1")).to_contain_text("face was manipulated is")
    expect(page.get_by_text("What this cannot do")).to_be_visible()


def test_the_verdict_stands_before_a_word_is_written_and_drafts_say_so(
    visit: Any, site: Any
) -> None:
    site.puppet.gate.clear()
    page = visit()
    drop(page)
    draft = page.locator("#wf-words [data-state=writing]")
    expect(draft).to_contain_text("The detector gives")
    expect(draft).to_contain_text("No sentence has been checked yet")
    expect(page.locator("#wf-verdict [data-verdict]")).to_be_visible()
    expect(page.locator("#wf-look img.wf-heat")).to_be_visible()
    site.puppet.gate.set()
    explained(page)


def test_an_unsupported_sentence_is_struck_with_its_reason(visit: Any) -> None:
    page = visit()
    drop(page)
    words = explained(page)
    expect(words.locator("del.wf-del")).to_contain_text("painted by a robot")
    words.get_by_text("did not stand up to the check").click()
    robot = words.locator(".wf-struck li").filter(has_text="painted by a robot")
    expect(robot).to_contain_text("unsupported")


def test_stop_stops_and_retry_writes_again(visit: Any, site: Any) -> None:
    site.puppet.gate.clear()
    page = visit()
    drop(page)
    page.locator("#wf-words [data-state=writing]").wait_for()
    page.get_by_role("button", name="Stop").click()
    stopped = page.locator("#wf-words [data-state=stopped]")
    expect(stopped).to_contain_text("stopped")
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    site.puppet.gate.set()
    page.get_by_role("button", name="Retry").click()
    explained(page)


def test_follow_up_questions_by_button_and_by_hand_then_retry_and_clear(
    visit: Any, site: Any
) -> None:
    page = visit()
    drop(page)
    explained(page)
    before = page.locator("#wf-verdict").inner_text()
    page.get_by_role("button", name="Why?").click()
    answers(page, 1)
    ask(page, "Is the mouth odd?")
    expect(answers(page, 2).last).to_contain_text("Is the mouth odd?")
    assert site.puppet.asked[-2:] == ["Why?", "Is the mouth odd?"]
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#wf-talk [data-state=writing]")).to_have_count(0)
    answers(page, 2)
    assert site.puppet.asked[-1] == "Is the mouth odd?"
    assert page.locator("#wf-verdict").inner_text() == before
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#wf-panel")).to_be_hidden()
    expect(page.locator("#wf-verdict [data-verdict]")).to_have_count(0)


def test_stopping_an_answer_leaves_the_page_usable(visit: Any, site: Any) -> None:
    page = visit()
    drop(page)
    explained(page)
    site.puppet.gate.clear()
    page.get_by_role("button", name="Where?").click()
    expect(page.locator("#wf-talk [data-state=writing]")).to_contain_text("You asked. The")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#wf-talk [data-state=stopped]")).to_contain_text("stopped")
    site.puppet.gate.set()
    page.get_by_role("button", name="How sure is this?").click()
    answers(page, 1)


def test_a_citation_leads_to_its_fact(visit: Any) -> None:
    page = visit()
    drop(page)
    words = explained(page)
    words.get_by_role("link", name="Evidence S1").first.click()
    fact = page.locator("#fact-S1")
    expect(fact).to_be_focused()
    expect(fact).to_be_in_viewport()


@pytest.mark.parametrize("width", [1100, 390])
def test_a_cited_cue_leads_to_its_pair_whose_difference_can_be_magnified(
    visit: Any, width: int
) -> None:
    page = visit(viewport={"width": width, "height": 800})
    drop(page)
    explained(page)
    page.locator("#wf-verdict").get_by_role("link", name="Evidence V1").first.click()
    pair = page.get_by_role("group", name="The mouth beside the skin")
    expect(pair).to_be_focused()
    expect(pair).to_be_in_viewport()
    expect(pair).to_contain_text("2 in 100")
    whole = pair.get_by_role("img", name="The whole picture; outlined: The mouth")
    expect(whole).to_be_visible()
    plain = pair.get_by_role("img", name="Enlarged: The mouth")
    strong = pair.get_by_role("img", name="Detail amplified: The mouth")
    label = pair.get_by_text("detail amplified").first
    expect(plain).to_be_visible()
    expect(strong).to_be_hidden()
    expect(label).to_be_hidden()
    page.get_by_role("switch", name="Magnify the difference").check()
    expect(strong).to_be_visible()
    expect(plain).to_be_hidden()
    expect(label).to_be_visible()
    # The place in the whole picture is outlined where the mouth of the drawn face is.
    place = pair.locator("polygon.wf-place-first")
    assert place.evaluate("p => getComputedStyle(p).stroke") == "rgb(255, 212, 0)"
    outline, shown = place.bounding_box(), whole.bounding_box()
    middle = (outline["y"] + outline["height"] / 2 - shown["y"]) / shown["height"]
    assert 0.4 < middle < 0.8
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#wf-panel img:not([alt])").count() == 0


def test_opacity_and_regions_answer_at_once(visit: Any) -> None:
    page = visit()
    drop(page)
    explained(page)
    slider = page.get_by_label("Opacity of the map")
    slider.focus()
    slider.press("Home")
    heat = page.locator("#wf-look img.wf-heat")
    expect(heat).to_have_css("opacity", "0")
    slider.press("End")
    expect(heat).to_have_css("opacity", "1")
    rim = page.locator('#wf-look .wf-rim[data-region="mouth"]').first
    expect(rim).to_have_css("opacity", "0")
    chip = page.locator('.wf-chip[data-region="mouth"]')
    chip.hover()
    expect(rim).to_have_css("opacity", "1")
    page.mouse.move(0, 0)
    expect(rim).to_have_css("opacity", "0")
    chip.focus()
    expect(rim).to_have_css("opacity", "1")
    chip.press("Enter")
    slider.focus()
    expect(rim).to_have_css("opacity", "1")
    expect(chip).to_have_attribute("aria-pressed", "true")


def test_two_faces_are_two_tabs_with_their_own_words(visit: Any, site: Any) -> None:
    page = visit()
    drop(page, TWO_FACES)
    explained(page)
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_count(2)
    expect(page.get_by_role("tab", selected=True)).to_contain_text("Face 1")
    page.get_by_role("button", name="Why?").click()
    answers(page, 1)
    tabs.first.focus()
    tabs.first.press("ArrowRight")
    expect(page.get_by_role("tab", selected=True)).to_contain_text("Face 2")
    expect(page.locator("#wf-verdict")).to_contain_text("Face 2 of 2")
    expect(page.locator("#wf-talk .wf-turn")).to_have_count(0)
    explained(page)
    tabs.first.click()
    expect(page.locator("#wf-verdict")).to_contain_text("Face 1 of 2")
    answers(page, 1)


def test_a_new_file_replaces_the_old_case(visit: Any, site: Any) -> None:
    page = visit()
    drop(page)
    explained(page)
    page.get_by_role("button", name="Why?").click()
    answers(page, 1)
    drop(page, TWO_FACES)
    expect(page.get_by_role("tab")).to_have_count(2)
    expect(page.locator("#wf-talk .wf-turn")).to_have_count(0)
    explained(page)


def test_card_map_and_numbers_can_be_saved(visit: Any) -> None:
    page = visit()
    drop(page)
    explained(page)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Picture card (PNG)").click()
    assert saved.value.suggested_filename == "whyfake-card.png"
    card = Image.open(saved.value.path())
    assert "probability of manipulation" in card.info["Description"]
    link = page.get_by_role("link", name="All numbers (JSON)").get_attribute("href")
    told = json.loads(base64.b64decode(link.partition(",")[2]))
    assert told["schema"] == "whyfake.analysis/1"
    assert told["explanation"]["sentences"]
    seen = page.get_by_role("link", name="Map (PNG)").get_attribute("href")
    assert Image.open(io.BytesIO(base64.b64decode(seen.partition(",")[2]))).size[0] >= 200


def test_paste_and_drop_take_a_file_too(visit: Any) -> None:
    page = visit()
    picture = base64.b64encode(FACE).decode()
    carried = (
        "const bytes = Uint8Array.from(atob(picture), c => c.charCodeAt(0));"
        "const data = new DataTransfer(); data.items.add(new File([bytes], 'p.png'));"
    )
    page.evaluate(
        f"picture => {{ {carried} document.dispatchEvent(new ClipboardEvent('paste', "
        "{clipboardData: data, bubbles: true})); }",
        picture,
    )
    explained(page)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#wf-verdict [data-verdict]")).to_have_count(0)
    page.evaluate(
        f"picture => {{ {carried} document.querySelector('#wf-drop button').dispatchEvent("
        "new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})); }",
        picture,
    )
    explained(page)


def test_the_examples_run(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="A picture without a face").click()
    expect(page.locator("#wf-verdict [data-problem]")).to_contain_text("No face")
