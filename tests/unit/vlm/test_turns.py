"""One generation at a time, first come, first served."""

from __future__ import annotations

import threading
import time

import pytest

from assistant.errors import Cancelled, GenerationTimeout
from assistant.vlm.turns import TurnQueue


def test_turns_are_taken_one_at_a_time_and_in_order() -> None:
    queue = TurnQueue()
    told: list[int] = []
    inside = threading.Semaphore(1)
    threads = []

    def take(number: int) -> None:
        with queue.turn(threading.Event(), timeout=10):
            assert inside.acquire(blocking=False)
            told.append(number)
            time.sleep(0.01)
            inside.release()

    with queue.turn(threading.Event(), timeout=1):
        for number in range(5):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            while queue.length < number + 2:
                time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert told == [0, 1, 2, 3, 4]
    assert queue.length == 0


def test_waiting_too_long_is_a_timeout_and_leaves_the_line() -> None:
    queue = TurnQueue()
    with queue.turn(threading.Event(), timeout=1):
        with pytest.raises(GenerationTimeout), queue.turn(threading.Event(), timeout=0.05):
            pass
        assert queue.length == 1


def test_who_stops_while_waiting_is_let_go_at_once() -> None:
    queue = TurnQueue()
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    with (
        queue.turn(threading.Event(), timeout=1),
        pytest.raises(Cancelled),
        queue.turn(stop, timeout=30),
    ):
        pass
    assert time.monotonic() - began < 2


def test_a_failure_inside_a_turn_frees_it() -> None:
    queue = TurnQueue()
    with pytest.raises(ValueError, match="x"), queue.turn(threading.Event(), timeout=1):
        raise ValueError("x")
    assert queue.length == 0
