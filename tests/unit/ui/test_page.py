"""The page's steps without a browser, over the demo assistant."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from assistant.errors import InferenceError
from assistant.types import FaceAnalysis, Turn
from assistant.ui.page import EMPTY, Page, Update
from assistant.ui.sessions import Session
from tests.drawn import drawn_faces, png
from tests.e2e.puppet import Puppet, puppet_assistant

FACE, TWO = png(drawn_faces()), png(drawn_faces(2))


@pytest.fixture
def puppet_and_page() -> Iterator[tuple[Puppet, Page]]:
    assistant, puppet = puppet_assistant()
    yield puppet, Page(assistant)
    assistant.close()


@pytest.fixture
def page(puppet_and_page: tuple[Puppet, Page]) -> Page:
    return puppet_and_page[1]


def _state(*steps: Any) -> Update:
    """What the page shows after some updates."""
    shown: Update = dict(EMPTY)
    for step in steps:
        for update in [step] if isinstance(step, dict) else step:
            shown.update(update)
    return shown


def _measured(page: Page, data: bytes = FACE) -> tuple[Session, Update]:
    session = Session()
    return session, _state(
        page.receive(session, data), page.measure(session), page.explain(session)
    )


def test_a_file_is_let_go_before_it_is_measured(page: Page) -> None:
    session = Session()
    assert page.receive(session, FACE)["busy"]
    steps = page.measure(session)
    next(steps)
    assert session.data is None


def test_measure_then_explain_fills_every_part(page: Page) -> None:
    session, shown = _measured(page)
    assert all(shown[part] for part in ("verdict", "look", "words", "evidence", "files"))
    assert not shown["busy"]
    assert session.analysis is not None
    assert session.analysis.media.frames[0].shape == (1, 1, 3)
    assert list(session.wholes) == [0]
    assert list(page.explain(session)) == []
    page.clear(session)
    assert not session.wholes


def test_without_a_face_nothing_but_the_problem_is_shown(page: Page) -> None:
    grey = png(np.full((200, 200, 3), 90, np.uint8))
    for data in (grey, b"no picture"):
        session, shown = _measured(page, data)
        assert "data-problem" in shown["verdict"]
        assert not any(shown[part] for part in ("look", "words", "evidence", "files", "busy"))
        assert session.face is None
        assert page.question(session, "why?") == {}
        assert page.retry(session) == {}
        assert list(page.answer(session)) == []


def test_a_newer_file_silences_the_older_run(page: Page) -> None:
    session = Session()
    page.receive(session, TWO)
    old = page.measure(session)
    next(old)
    page.receive(session, FACE)
    assert list(old) == []
    _state(page.measure(session))
    assert len(session.faces) == 1


def test_a_click_does_not_end_a_measurement(page: Page) -> None:
    session = Session()
    page.receive(session, TWO)
    steps = page.measure(session)
    while len(session.faces) < 2:
        next(steps)
    assert session.measuring
    assert "measured still" in page.question(session, "why?")["talk"]
    assert page.retry(session) == {}
    assert "Face 2 of 2" in page.choose(session, 1)["verdict"]
    shown = _state(steps, page.explain(session))
    assert not session.measuring
    assert 'data-state="checked"' in shown["words"]
    assert session.talks[1].explanation is not None
    assert page.choose(session, 7) == {}


def test_faces_keep_their_own_words(page: Page) -> None:
    session, _ = _measured(page, TWO)
    _state(page.question(session, "Why?"), page.answer(session))
    shown = _state(page.choose(session, 1), page.explain(session))
    assert shown["talk"] == ""
    assert "Why?" in page.choose(session, 0)["talk"]
    assert page.choose(session, 0)["busy"] is False


def test_retry_takes_back_the_last_answer_and_the_explanation(
    puppet_and_page: tuple[Puppet, Page],
) -> None:
    puppet, page = puppet_and_page
    session, _ = _measured(page)
    assert page.retry(session)["busy"]
    assert session.talk.explanation is None
    _state(page.explain(session), page.question(session, "Why?"), page.answer(session))
    _state(page.retry(session), page.answer(session))
    assert [turn.question for turn in session.talk.turns] == ["Why?"]
    assert puppet.asked == ["", "", "Why?", "Why?"]


def test_the_template_writes_until_the_model_is_asked_to(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page.assistant.narrator, "model_writes", False)
    session, _ = _measured(page)
    list(page.explain(session))
    assert session.talk.explanation is not None
    assert session.talk.explanation.backend == "template"
    assert page.assistant.narrator.offers_model

    _state(page.rewrite(session, True), page.explain(session))
    assert session.talk.explanation.backend == page.assistant.vlm.name


def test_a_question_may_add_facts_but_never_another_score(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.events import Analyzed, Event, TurnDone

    session, _ = _measured(page)
    face = session.faces[0]
    inner = page.assistant.ask

    def ask(result: FaceAnalysis, question: str, **options: Any) -> Iterator[Event]:
        yield Analyzed(result=result)
        yield from inner(result, question, **options)

    monkeypatch.setattr(page.assistant, "ask", ask)
    shown = _state(page.question(session, "Why?"), page.answer(session))
    assert isinstance(session.talk.turns[0], Turn)
    assert session.faces[0].score == face.score
    assert shown["evidence"]
    assert TurnDone is not None


def test_stop_ends_what_is_written_and_clear_forgets_all(
    puppet_and_page: tuple[Puppet, Page],
) -> None:
    puppet, page = puppet_and_page
    session, _ = _measured(page)
    puppet.gate.clear()
    page.question(session, "Why?")
    timer = threading.Timer(0.2, page.stop, [session])
    timer.start()
    shown = _state(page.answer(session))
    timer.join()
    assert "stopped" in shown["talk"]
    assert session.talk.turns == []
    assert page.clear(session) == EMPTY
    assert session.face is None


def test_a_failing_explanation_leaves_the_measurements(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Iterator[Any]:
        yield from ()
        raise InferenceError("The text model is gone.", hint="Start it.")

    monkeypatch.setattr(page.assistant, "explain", broken)
    _, shown = _measured(page)
    assert "The text model is gone. Start it." in shown["words"]
    assert shown["verdict"]
    assert not shown["busy"]


def test_an_overlong_question_is_shown_cut(page: Page) -> None:
    session, _ = _measured(page)
    shown = _state(page.question(session, "why " * 12_500), page.answer(session))
    assert "50,000 characters" in shown["talk"]
    assert len(shown["talk"]) < 3000


def test_fragility_is_measured_after_the_words() -> None:
    from tests.unit.test_pipeline import FRAGILE

    assistant, _ = puppet_assistant(fragility=lambda *_: FRAGILE)
    page = Page(assistant)
    session, shown = _measured(page)
    assert "to come" in shown["fragile"]
    assert not session.analysis.faces[0].evidence.of_kind(FRAGILE[0].kind)
    after = _state(shown, page.steady(session))
    assert "to come" not in after["fragile"]
    assert "Half size" in after["fragile"]
    assert 'id="fact-F2"' in after["evidence"]
    assert after["files"] != shown["files"]
    assert list(page.steady(session)) == []
    assistant.close()


def test_a_newer_file_is_not_overwritten_by_the_older_ones_fragility() -> None:
    from tests.unit.test_pipeline import FRAGILE

    session = Session()

    def slow(*_: object) -> tuple[object, ...]:
        session.empty()
        return FRAGILE

    assistant, _ = puppet_assistant(fragility=slow)
    page = Page(assistant)
    _state(page.receive(session, FACE), page.measure(session))
    assert list(page.steady(session)) == []
    assert session.faces == []
    assistant.close()
