"""A process killed at any moment while it writes cases leaves a whole chain and whole cases.

``bench/kills.py`` does the same as often as one likes.
"""

from __future__ import annotations

from tests import killing


def test_kills_at_random_moments_leave_the_store_whole(url: str) -> None:
    assert killing.cases(url, kills=4, seed=11) == []


def test_killed_workers_lose_no_job_and_do_none_twice(url: str) -> None:
    assert killing.jobs(url, kills=4, seed=3) == []
