"""Takes jobs and turns them into cases, one at a time, in a thread or a process of its own."""

from __future__ import annotations

import logging
import threading
import uuid

from assistant.api.intake import Options
from assistant.api.jobs import Job, Jobs
from assistant.api.service import Service
from assistant.errors import AssistantError, InferenceError

__all__ = ["Worker"]

_log = logging.getLogger(__name__)


class Worker:
    """Works through the jobs of a store.

    A worker that is gone for ``lease_seconds`` loses its job to the next; a job is given up after
    so many ``attempts``.
    """

    def __init__(self, service: Service, *, lease_seconds: float = 60.0, attempts: int = 3) -> None:
        self.jobs = Jobs(service.store, lease_seconds=lease_seconds, attempts=attempts)
        self.name = uuid.uuid4().hex
        self._service = service
        self._every = lease_seconds / 3
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Work in a thread until :meth:`stop`."""
        self._thread = threading.Thread(target=self._run, name="whyfake-jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the job in hand."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def step(self) -> bool:
        """Do one job; False where none waits."""
        job = self.jobs.take(self.name)
        if job is None:
            return False
        over = threading.Event()
        keeper = threading.Thread(target=self._hold, args=(job, over), daemon=True)
        keeper.start()
        try:
            self._do(job)
        except AssistantError as error:
            self.jobs.fail(job, self.name, error)
        except Exception:  # noqa: BLE001
            _log.exception("a job failed")
            self.jobs.fail(
                job, self.name, InferenceError("The analysis failed.", code="internal-error")
            )
        finally:
            over.set()
            keeper.join()
        return True

    def _do(self, job: Job) -> None:
        wanted = dict(job.request)
        owner = wanted.pop("owner")
        options = Options(**wanted)
        made = self._service.measured(job.data, explain=options.explain)
        self.jobs.finish(
            job,
            self.name,
            lambda within: self._service.create(job.data, options, owner, made, within),
        )

    def _hold(self, job: Job, over: threading.Event) -> None:
        while not over.wait(self._every):
            if not self.jobs.renew(job, self.name):
                return

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self.step()
            except Exception:  # noqa: BLE001
                _log.exception("the worker could not take a job")
                worked = False
            if not worked:
                self._stop.wait(0.2)
