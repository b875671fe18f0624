"""How threads wait and how many there are is settled once, before a library is loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import cv2
import pytest

from assistant import compute
from assistant.compute import thread_count


def in_a_new_process(code: str, **extra: str) -> str:
    names = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
    env = {k: v for k, v in os.environ.items() if k not in names} | extra
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_idle_threads_sleep_from_the_first_import_on_unless_told_otherwise() -> None:
    code = "import assistant, os, sys; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    assert in_a_new_process(code) == "PASSIVE False"
    assert in_a_new_process(code, OMP_WAIT_POLICY="ACTIVE") == "ACTIVE False"


def test_torch_and_opencv_use_the_threads_that_are_asked_for() -> None:
    code = (
        "from assistant.compute import use_threads; use_threads(3); import cv2, torch;"
        "print(torch.get_num_threads(), cv2.getNumThreads())"
    )
    assert in_a_new_process(code) == "3 3"


@pytest.mark.parametrize(("told", "count"), [("1", 1), ("many", None), ("0", None)])
def test_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch, told: str, count: int | None
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    free = thread_count()
    assert 1 <= free <= 8
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert thread_count() == (count or free)
    assert thread_count(5) == 5


def test_work_ahead_keeps_the_order_and_raises_in_its_place() -> None:
    def halved(number: int) -> int:
        if number == 7:
            raise ValueError("seven")
        return number // 2

    assert [*compute.done_ahead(halved, range(6), ahead=3)] == [0, 0, 1, 1, 2, 2]
    found = compute.done_ahead(halved, range(9), ahead=20)
    assert [next(found) for _ in range(7)] == [0, 0, 1, 1, 2, 2, 3]
    with pytest.raises(ValueError, match="seven"):
        next(found)


def test_work_ahead_begins_nothing_while_results_take_too_much_room() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return number

    found = compute.done_ahead(work, range(50), ahead=8, threads=2, size=lambda _: 10, most=25)
    got = []
    for result in found:
        got.append(result)
        assert len(begun) - len(got) <= 3 + 2  # three take more than there is; two are being done
    assert got == [*range(50)]


def test_work_ahead_stops_a_few_items_on_and_gives_opencv_its_threads_back() -> None:
    before, begun = cv2.getNumThreads(), []
    found = compute.done_ahead(begun.append, range(1000), ahead=4)
    next(found)
    found.close()
    assert len(begun) <= 4 + before + 1
    assert cv2.getNumThreads() == before
