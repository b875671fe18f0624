import logging
import threading
from collections.abc import Iterator

import pytest

from assistant.errors import InferenceError
from assistant.events import Event, Failed, Progress, Token
from assistant.ui.pacing import paced, safely


def _words(events: list[Event]) -> str:
    return "".join(e.text for e in events if isinstance(e, Token))


def test_fast_words_are_joined_and_none_is_lost() -> None:
    given = [Token(text=f"{i} ") for i in range(200)]
    end = Progress(stage="x", done=1, total=1)
    told = list(paced(iter([*given, end])))
    assert _words(told) == _words(list(given))
    assert told[-1] is end
    assert len(told) < 50


def test_words_already_written_are_shown_while_the_next_one_takes_its_time() -> None:
    go_on = threading.Event()

    def slow() -> Iterator[Event]:
        yield Token(text="one ")
        yield Token(text="two ")
        assert go_on.wait(10)
        yield Token(text="three")

    stream = paced(slow(), every_seconds=0.01)
    seen = ""
    while "two" not in seen:
        event = next(stream)
        assert isinstance(event, Token)
        seen += event.text
    go_on.set()
    assert seen + _words(list(stream)) == "one two three"


def test_an_unforeseen_error_is_told_by_a_number_alone(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Iterator[Event]:
        yield Token(text="a")
        raise RuntimeError("secret")

    with caplog.at_level(logging.ERROR):
        *_, last = paced(broken())
    assert isinstance(last, Failed)
    assert last.error.code == "unforeseen"
    assert "secret" not in str(last.error)
    number = last.error.user_message.split("incident ")[1][:8]
    assert number in caplog.text


def test_a_typed_error_passes() -> None:
    def broken() -> Iterator[Event]:
        yield from ()
        raise InferenceError("no", code="x")

    (only,) = safely(broken())
    assert isinstance(only, Failed)
    assert only.error.code == "x"
