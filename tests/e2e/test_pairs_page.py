"""The page for readers in a real browser: answered, kept, saved, and read by `eval ratings`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from assistant.cli.main import main
from assistant.evaluation.explanation_pairs import pairs_page
from assistant.evaluation.explanations import Told, Trial
from assistant.types import Explanation, PromptRef
from tests.unit.evaluation.analyses import analysis
from tests.unit.grounding import cases

BOTH = ("plain", "ornate")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    evidence = [cases.manipulated(), cases.real(), cases.uncertain()]
    results = [
        (f"case {i}", analysis(replace(e, media_id=f"{i:064x}"))) for i, e in enumerate(evidence)
    ]
    prompt = PromptRef(name="explain", version=1, sha256="0" * 64)

    def told(who: str, case: str) -> Told:
        text = f"{who.upper()} <script>document.title='hit'</script> <img src=x> says {case}."
        explanation = Explanation(
            text=text, sentences=(), raw_text=text, backend=who, prompt=prompt
        )
        return Told(case=case, question="", explanation=explanation, raw=(), shown=())

    trials = {who: Trial(told=tuple(told(who, name) for name, _ in results)) for who in BOTH}
    path = tmp_path_factory.mktemp("pairs") / "reading.html"
    path.write_text(pairs_page(results, trials, seed=4), encoding="utf-8")
    return path


def prefer(page, who: str) -> None:
    """Choose a narrator's text on every case, by what it says: the page names nobody."""
    for article in page.locator("article").all():
        first = article.get_by_role("region", name="First text").inner_text()
        choice = "First" if who.upper() in first else "Second"
        article.get_by_role("radio", name=choice, exact=True).check()


def test_answers_become_a_preference(chromium, page_file, tmp_path) -> None:
    context = chromium.new_context(accept_downloads=True)
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(page_file.as_uri())
    prefer(page, "ornate")
    assert page.get_by_role("status").inner_text() == "3 of 3 cases answered"

    # What was answered outlives the tab.
    page.close()
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.get_by_role("status").inner_text() == "3 of 3 cases answered"
    page.get_by_label("Your initials").fill("t, est")
    page.get_by_text("Rate it on its own").first.click()
    page.get_by_role("group", name="I understand it at once").first.get_by_label("4").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save ratings as CSV").click()

    assert download.value.suggested_filename == "ratings-test.csv"
    saved = tmp_path / "ratings.csv"
    download.value.save_as(saved)
    got = CliRunner().invoke(main, ["eval", "ratings", str(saved)])
    assert got.exit_code == 0, got.output
    found = json.loads(got.stdout)
    assert found["preference"] | {"p": 0} == {
        **{"first": "ornate", "second": "plain", "cases": 3, "share": 1.0, "wins": 3, "ties": 0},
        **{"losses": 0, "low": 0.4385, "high": 1.0, "better": "open", "p": 0},
        "first_place_preferred": found["preference"]["first_place_preferred"],
    }
    assert 0 < found["preference"]["first_place_preferred"] < 1
    assert [v for row in found["narrators"].values() for v in row.items()] == [("clear", 4)]
    assert page.title() == "Two explanations of each face"
    assert {url.partition(":")[0] for url in asked} <= {"file", "blob", "data"}
    context.close()


def test_no_answer_is_no_rating(chromium, page_file, tmp_path) -> None:
    context = chromium.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    with page.expect_download() as download:
        page.get_by_role("button", name="Save ratings as CSV").click()
    assert download.value.suggested_filename == "ratings-anonymous.csv"
    download.value.save_as(tmp_path / "r.csv")
    got = CliRunner().invoke(main, ["eval", "ratings", str(tmp_path / "r.csv")])

    assert json.loads(got.stdout)["preference"] is None
    assert "No preference was given" in got.stderr
    context.close()
