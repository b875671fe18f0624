"""The benchmark of a busy machine: both thread counts are timed, and the busy programs end."""

from __future__ import annotations

import psutil

from assistant.evaluation.bench import bench_busy
from assistant.fakes import demo_assistant


def test_both_are_timed_beside_programs_that_end_with_it() -> None:
    def programs() -> list[psutil.Process]:
        return psutil.Process().children()

    before = programs()
    with_others: list[int] = []

    class Watching:
        def analyze(self, data: bytes, **options: object) -> object:
            with_others.append(len(programs()) - len(before))
            return demo_assistant().analyze(data, **options)  # type: ignore[arg-type]

    found = bench_busy(Watching(), rounds=1, others=2)  # type: ignore[arg-type]
    assert set(with_others) == {2}
    assert programs() == before
    seconds = found["seconds"]
    assert seconds["busy_usual_threads"] > 0
    assert seconds["busy_one_thread"] > 0
    assert found["ratios"]["busy_usual_over_one_thread"] > 0
