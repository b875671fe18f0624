"""What computes: how many CPU threads, that those with nothing to do sleep, and which device.

Libraries let idle threads spin, which makes a busy machine crawl: threads that wait for each other
take the cores from those waited for. How they wait is read once, when a library is loaded, so it is
set as soon as ``assistant`` is imported; what a person has set in the environment stays.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from assistant.errors import ConfigError

__all__ = [
    "done_ahead",
    "one_thread_each",
    "thread_count",
    "thread_reason",
    "torch_device",
    "use_threads",
    "wait_quietly",
]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_MOST = 8
_QUIET = {
    "OMP_WAIT_POLICY": "PASSIVE",  # GNU and LLVM OpenMP: torch, scikit-learn
    "KMP_BLOCKTIME": "0",  # LLVM and Intel OpenMP, milliseconds
    "OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER": "0",
    "OPENCV_THREAD_POOL_ACTIVE_WAIT_MAIN": "0",
}


def wait_quietly() -> None:
    """Have idle threads of every library loaded from now on sleep, in child processes too."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


def thread_count(wanted: int = 0) -> int:
    """Threads to compute with: ``wanted``, or one a core of this process, at most 8.

    ``OMP_NUM_THREADS``, where it is set to a number, lowers the latter.
    """
    if wanted:
        return wanted
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    told = os.environ.get("OMP_NUM_THREADS", "")
    asked = int(told) if told.isdecimal() and int(told) else _MOST
    return min(_MOST, cores or 1, asked)


def thread_reason(wanted: int = 0) -> str:
    """Why :func:`thread_count` is what it is, for people."""
    if wanted:
        return "the setting threads"
    count = thread_count()
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told) == count:
        return "OMP_NUM_THREADS"
    return f"never more than {_MOST}" if count == _MOST else "one a core of this process"


def use_threads(wanted: int = 0) -> int:
    """Have torch and OpenCV compute with :func:`thread_count` threads; returns how many."""
    import cv2
    import torch

    count = thread_count(wanted)
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    return count


@contextlib.contextmanager
def one_thread_each() -> Iterator[int]:
    """OpenCV computes in the threads that call it, as many as it had of its own: those are told."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield before
    finally:
        cv2.setNumThreads(before)


def done_ahead(
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    ahead: int,
    threads: int | None = None,
    size: Callable[[_Result], int] = lambda _: 0,
    most: float = math.inf,
) -> Generator[_Result, None, None]:
    """``work`` of every item in order, done by threads up to ``ahead`` items before it is wanted.

    What ``work`` raises is raised here, at its item's place.

    Args:
        work: done in a thread.
        items: asked for as there is room.
        ahead: items.
        threads: as many as OpenCV has where None.
        size: of a result, in bytes.
        most: while results that are not wanted yet take so many bytes, no further item is begun.
    """
    held, wanted, over = 0, 0, False
    changed = threading.Condition()

    def in_room(number: int, item: _Item) -> _Result:
        nonlocal held
        with changed:
            changed.wait_for(lambda: held < most or number == wanted or over)
        result = work(item)
        with changed:
            held += size(result)
        return result

    with one_thread_each() as own, ThreadPoolExecutor(threads or own) as pool:
        waiting: deque[Future[_Result]] = deque()

        def next_result() -> _Result:
            nonlocal held, wanted
            result = waiting.popleft().result()
            with changed:
                held, wanted = held - size(result), wanted + 1
                changed.notify_all()
            return result

        try:
            for number, item in enumerate(items):
                waiting.append(pool.submit(in_room, number, item))
                if len(waiting) > ahead + (threads or own):
                    yield next_result()
            while waiting:
                yield next_result()
        finally:
            with changed:
                over = True
                changed.notify_all()
            pool.shutdown(cancel_futures=True)


def torch_device(wanted: str) -> str:
    """The torch device for a setting of ``cpu``, ``cuda`` or ``auto`` (what there is).

    Raises:
        ConfigError: CUDA was asked for, and there is none.
    """
    if wanted == "cpu":
        return "cpu"
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.cuda.is_available():
        raise ConfigError(
            f"The device {wanted} was asked for, but there is no CUDA device here.",
            hint="Use `--set device=cpu`, or `device=auto` to take what there is.",
        )
    return wanted
