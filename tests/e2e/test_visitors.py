"""Who visits: two at once, on a phone, with a keyboard, offline, and leaving without a trace."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import expect

from assistant.ui.launching import upload_dir
from tests.drawn import drawn_faces, png
from tests.e2e.steps import FACE, answers, ask, drop, explained

DARK_FACE = png(drawn_faces(skin=(190, 110, 80)))


def test_two_visitors_never_see_each_others_case(visit: Any, site: Any) -> None:
    one, two = visit(), visit()
    site.puppet.gate.clear()
    drop(one)
    one.locator("#wf-words [data-state=writing]").wait_for()
    drop(two, png(drawn_faces(2)))
    expect(two.get_by_role("tab")).to_have_count(2)
    site.puppet.gate.set()
    explained(one)
    explained(two)
    ask(one, "Why, asks the first visitor?")
    ask(two, "Why, asks the second visitor?")
    expect(answers(one, 1)).to_contain_text("asks the first visitor")
    expect(answers(two, 1)).to_contain_text("asks the second visitor")
    expect(one.get_by_role("tab")).to_have_count(0)
    assert "second visitor" not in one.content()
    assert "first visitor" not in two.content()
    one.get_by_role("button", name="Clear").click()
    expect(one.locator("#wf-panel")).to_be_hidden()
    expect(answers(two, 1)).to_be_visible()


def test_the_second_text_waits_until_the_first_is_written(visit: Any, site: Any) -> None:
    one, two = visit(), visit()
    for page in (one, two):
        drop(page)
        explained(page)
    site.puppet.gate.clear()
    ask(one, "How sure is this, asks one?")
    expect(one.locator("#wf-talk [data-state=writing]")).to_contain_text("You asked. The")
    ask(two, "How sure is this, asks two?")
    expect(two.locator("#wf-talk [data-state=writing]")).to_contain_text("Reading the evidence")
    assert not any("two" in question for question in site.puppet.asked)
    site.puppet.gate.set()
    answers(one, 1)
    answers(two, 1)


def test_a_phone_needs_no_sideways_scrolling(visit: Any) -> None:
    page = visit(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    drop(page)
    explained(page)
    ask(page, "averyveryverylongwordwithoutanyspace" * 12)
    answers(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("Ask", "Stop", "Retry", "Clear", "Why?"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["height"] >= 32
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_the_keyboard_alone_is_enough(visit: Any) -> None:
    page = visit()

    def tab_to(wanted: Any, *, most: int = 60) -> None:
        for _ in range(most):
            if wanted.evaluate("e => e === document.activeElement"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {wanted}")

    tab_to(page.get_by_role("button", name="Click to upload or drop files"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(files=[{"name": "p.png", "mimeType": "image/png", "buffer": FACE}])
    explained(page)
    slider = page.get_by_label("Opacity of the map")
    tab_to(slider)
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_value("65")
    tab_to(page.locator(".wf-chip").first)
    page.keyboard.press("Space")
    expect(page.locator(".wf-chip").first).to_have_attribute("aria-pressed", "true")
    cited = page.locator("#wf-words a.wf-cite").first
    tab_to(cited)
    page.keyboard.press("Enter")
    expect(page.locator(str(cited.get_attribute("href")))).to_be_focused()
    question = page.get_by_label("Your question about this result")
    question.focus()
    page.keyboard.type("how sure?")
    page.keyboard.press("Enter")
    answers(page, 1)


def test_a_screen_reader_is_told_what_changes(visit: Any) -> None:
    page = visit()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    drop(page)
    explained(page)
    live = page.locator("#wf-live")
    expect(live).to_have_attribute("aria-live", "polite")
    expect(live).to_contain_text(
        "Explanation: The verdict is likely manipulated. The detector gives"
    )
    bar = page.get_by_role("img", name="Probability of manipulation")
    expect(bar).to_have_count(1)
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, textarea')].filter(e => e.offsetParent && "
        "!(e.innerText || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert unnamed == []
    assert page.evaluate("[...document.images].filter(i => !i.hasAttribute('alt')).length") == 0
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3')].filter(e => e.offsetParent)"
        ".map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_light_and_dark_keep_text_readable(visit: Any) -> None:
    for scheme in ("light", "dark"):
        page = visit(color_scheme=scheme)
        drop(page)
        explained(page)
        for selector in (
            "#wf-verdict-title",
            ".wf-source",
            ".wf-prose",
            ".wf-chip span",
            ".wf-cite",
        ):
            assert _contrast(page, selector) >= 4.5, (scheme, selector)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert "dark" not in (page.locator("body").get_attribute("class") or "")


def _contrast(page: Any, selector: str) -> float:
    """WCAG contrast of an element's colour against the first painted background behind it."""
    return page.locator(selector).first.evaluate(
        """e => {
          const parse = c => {
            const n = c.match(/[\\d.]+/g).map(Number);
            return c.startsWith('color(srgb') ? [n[0] * 255, n[1] * 255, n[2] * 255, n[3] ?? 1] : n;
          };
          const lum = c => {
            const [r, g, b] = c.slice(0, 3).map(v => v / 255)
              .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b;
          };
          let back = e, behind;
          do { behind = parse(getComputedStyle(back).backgroundColor); back = back.parentElement; }
          while (back && (behind[3] ?? 1) < 1);
          const [a, b] = [lum(parse(getComputedStyle(e).color)), lum(behind)].sort((x, y) => y - x);
          return (a + .05) / (b + .05);
        }"""
    )


def test_the_page_asks_nothing_of_any_other_site(visit: Any, site: Any) -> None:
    page = visit()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    response = page.goto(site.url)
    assert "default-src 'self'" in response.headers["content-security-policy"]
    page.get_by_role("button", name="A portrait").wait_for()
    drop(page)
    explained(page)
    here = urlsplit(site.url).netloc
    outside = [
        u for u in asked if urlsplit(u).scheme in {"http", "https"} and urlsplit(u).netloc != here
    ]
    assert outside == []
    assert any("/theme.css" in url for url in asked)


def test_nothing_of_the_picture_stays_on_disk_or_in_memory(visit: Any, site: Any) -> None:
    page = visit()
    drop(page, DARK_FACE, "very-private-name.png")
    page.locator("#wf-verdict section").wait_for()
    drop(page, FACE, "very-private-name.png")
    explained(page)
    left = [path for path in Path(upload_dir()).rglob("*") if path.is_file()]
    assert left == []
    assert "very-private-name" not in page.content()
    kept = len(site.sessions)
    assert kept >= 1
    page.close()
    deadline = time.monotonic() + 15
    while len(site.sessions) >= kept:
        assert time.monotonic() < deadline, "the session outlives its page"
        time.sleep(0.05)
