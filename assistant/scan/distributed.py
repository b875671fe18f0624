"""The engine of many machines: the same two steps, in actors of Ray Data.

Contents are hashed on the machines first, so that the one that keeps the state can send each
content to one actor alone; then files are prepared and scored in batches where they are read.
Every machine must reach the files under the paths that are listed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from assistant.cases.extras import need
from assistant.errors import AssistantError
from assistant.media import MediaLimits
from assistant.scan.items import read_item
from assistant.scan.ledger import Ledger
from assistant.scan.local import Progress, Tally
from assistant.scan.stage import Examiner

__all__ = ["scan_with_ray"]

_FILES = 8  # a batch
_HASHED = 100  # files a task
_AT_ONCE = 10_000  # files that are hashed before they are analysed


def scan_with_ray(
    ledger: Ledger,
    make: Callable[[], Examiner],
    *,
    media: MediaLimits,
    actors: int | None = None,
    tell: Callable[[Progress], None] = lambda _progress: None,
) -> Progress:
    """Analyse what the ledger lists and does not know yet.

    Args:
        ledger: what there is and what is done; on the machine that calls.
        make: builds the examiner in each actor; is sent there, so it must be picklable.
        media: limits of a file.
        actors: how many examiners work at once; None: one a machine.
        tell: is handed the progress after every batch.
    """
    need("ray", "ray", "pandas", "pyarrow")
    import ray

    tally = Tally(ledger, tell)
    with _started(ray):
        ray.data.DataContext.get_current().enable_progress_bars = False
        count = actors or sum(node["Alive"] for node in ray.nodes())
        for paths in _groups(ledger.left(), _AT_ONCE):
            _group(ray.data, paths, ledger, make, media, count, tally)
    return tally.progress


@contextlib.contextmanager
def _started(ray: Any) -> Iterator[None]:
    """Ray as it runs already (RAY_ADDRESS names a cluster), or a Ray of this machine."""
    own = not ray.is_initialized()
    if own:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="warning")
    try:
        yield
    finally:
        if own:
            ray.shutdown()


def _group(
    data: Any,
    paths: list[str],
    ledger: Ledger,
    make: Callable[[], Examiner],
    media: MediaLimits,
    actors: int,
    tally: Tally,
) -> None:
    first: dict[str, tuple[str, int]] = {}
    same: list[tuple[str, str, int]] = []
    listed = data.from_items(
        [{"path": path} for path in paths], override_num_blocks=-(-len(paths) // _HASHED)
    )
    for row in listed.map(_hashed, fn_kwargs={"media": media}).iter_rows():
        path, sha256, size = row["path"], row["sha256"], int(row["size"])
        if row["error"]:
            tally.enter([(path, "", 0, _error(row["error"]))])
        elif sha256 in first or ledger.has_outcome(sha256):
            same.append((path, sha256, size))
        else:
            first[sha256] = (path, size)
    failed: dict[str, AssistantError] = {}
    if first:
        items = [{"path": path, "sha256": sha256} for sha256, (path, _) in sorted(first.items())]
        done = data.from_items(items, override_num_blocks=-(-len(items) // _FILES)).map_batches(
            _Examining,
            fn_constructor_args=(make,),
            batch_size=_FILES,
            compute=data.ActorPoolStrategy(size=min(actors, len(items))),
        )
        for batch in done.iter_batches(batch_size=_FILES, batch_format="pandas"):
            rows: list[tuple[str, str, int, Any]] = []
            for row in batch.to_dict("records"):
                path, size = first[row["sha256"]]
                outcome = _error(row["error"]) if row["error"] else json.loads(row["outcome"])
                if isinstance(outcome, AssistantError):
                    failed[row["sha256"]] = outcome
                rows.append((path, row["sha256"], size, outcome))
            tally.enter(rows)
    if same:
        tally.enter([(path, sha, size, failed.get(sha)) for path, sha, size in same])


def _hashed(row: dict[str, Any], media: MediaLimits) -> dict[str, Any]:
    try:
        data = read_item(row["path"], media)
    except AssistantError as error:
        return {**row, "sha256": "", "size": 0, "error": _text(error)}
    return {**row, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "error": ""}


class _Examining:
    """An actor: builds its examiner once, then prepares and scores batches."""

    def __init__(self, make: Callable[[], Examiner]) -> None:
        self._examiner = make()

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Outcomes or errors as JSON, beside the contents' SHA-256."""
        found: dict[str, dict[str, Any] | AssistantError] = {}
        ready = {}
        for path, sha256 in zip(batch["path"], batch["sha256"], strict=True):
            try:
                data = read_item(str(path), self._examiner.media)
                ready[str(sha256)] = self._examiner.prepare(data)
            except AssistantError as error:
                found[str(sha256)] = error
        found.update(zip(ready, self._examiner.outcomes(list(ready.values())), strict=True))
        told = [found[str(sha256)] for sha256 in batch["sha256"]]
        return {
            "sha256": [str(sha256) for sha256 in batch["sha256"]],
            "outcome": ["" if isinstance(f, AssistantError) else json.dumps(f) for f in told],
            "error": [_text(f) if isinstance(f, AssistantError) else "" for f in told],
        }


def _text(error: AssistantError) -> str:
    return json.dumps([error.user_message, error.hint, error.code])


def _error(text: str) -> AssistantError:
    message, hint, code = json.loads(text)
    return AssistantError(message, hint=hint, code=code)


def _groups(paths: Iterable[str], size: int) -> Iterator[list[str]]:
    every = iter(paths)
    while group := list(islice(every, size)):
        yield group
