import threading

import numpy as np
import pytest

from assistant.types import Media
from assistant.ui import sessions as module
from assistant.ui.sessions import Sessions, without_frames


def test_each_visitor_has_a_session_of_their_own_and_keeps_it() -> None:
    kept = Sessions()
    one, two = kept.of("a"), kept.of("b")
    assert one is kept.of("a")
    assert one is not two
    one.question = "why?"
    assert two.question is None


def test_leaving_stops_what_runs_and_forgets_the_case() -> None:
    kept = Sessions()
    session = kept.of("a")
    session.data = b"photo"
    running = session.cancel
    kept.drop("a")
    kept.drop("a")
    assert running.is_set()
    assert session.data is None
    assert len(kept) == 0


def test_a_new_run_stops_the_old_one() -> None:
    session = Sessions().of("a")
    first, number = session.cancel, session.run
    assert session.begin() == number + 1
    assert first.is_set()
    assert not session.cancel.is_set()


def test_the_least_recently_used_goes_first() -> None:
    kept = Sessions(most=2)
    first = kept.of("a")
    kept.of("b")
    kept.of("a")
    second = kept.of("b")
    kept.of("a")
    kept.of("c")
    assert len(kept) == 2
    assert kept.of("a") is first
    assert kept.of("b") is not second


def test_an_idle_session_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    kept = Sessions(idle_seconds=10)
    old = kept.of("a")
    old.used = 0.0
    now[0] = 11.0
    kept.of("b")
    assert len(kept) == 1
    assert kept.of("a") is not old


def test_many_threads_get_one_session() -> None:
    kept = Sessions()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(kept.of("a"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(s) for s in found}) == 1


def test_kept_media_hold_no_pixels_but_their_count() -> None:
    frame = np.full((40, 50, 3), 200, np.uint8)
    media = Media(
        id="0" * 64, kind="video", frames=(frame,) * 4, seconds=(0, 1, 2, 3), width=50, height=40
    )
    slim = without_frames(media)
    assert len(slim.frames) == 4
    assert slim.width == 50
    assert sum(f.sum() for f in slim.frames) == 0
