"""The app: routes over the service. ``create_api`` builds it and serves nothing."""

import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from assistant import __version__
from assistant.api import idempotency, metrics, problems
from assistant.api.compat import add_compat
from assistant.api.desk.routes import add_desk
from assistant.api.gate import BodyLimit, Gate
from assistant.api.intake import Incoming, read_request, request_body
from assistant.api.keys import Key
from assistant.api.service import Service
from assistant.api.worker import Worker
from assistant.cases.pages import case_json, exported
from assistant.cases.store import CaseFilter

if TYPE_CHECKING:
    from assistant.cases.store import CaseStore
    from assistant.integrations.coop import CaseCallbacks
    from assistant.integrations.webhooks import Webhooks
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

__all__ = ["create_api"]

_ID = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_NAME = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=128)]
_BASE64 = 4 / 3
_KINDS = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "json": "application/json"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Question(_Body):
    """A question about a face of a case."""

    question: str = Field(min_length=1, max_length=2000)
    face: int = Field(1, ge=1, description="Which face, counted from 1.")


class Decision(_Body):
    """A decision; the person is the key's owner."""

    outcome: Literal["confirm", "reject", "escalate"]
    reason: str = Field(min_length=1, max_length=20_000)
    kind: Literal["decision", "opinion"] = "decision"


class Text(_Body):
    """A note, or the reason of an appeal."""

    text: str = Field(min_length=1, max_length=20_000)


def create_api(
    store: "CaseStore",
    assistant: "Assistant",
    settings: "Settings",
    *,
    webhooks: "Webhooks | None" = None,
    coop: "CaseCallbacks | None" = None,
) -> FastAPI:
    """Build the app over a store, which is closed by whoever opened it.

    ``settings`` are those that the assistant was built from.
    """
    service = Service(store, assistant, settings, webhooks)
    worker = Worker(service)
    gate = Gate(store.engine)
    registry = CollectorRegistry()

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        working: list[Any] = [worker, webhooks] if webhooks is not None else [worker]
        for one in working:
            one.start()
        yield
        for one in working:
            await run_in_threadpool(one.stop)

    app = FastAPI(
        title="Whyfake",
        version=__version__,
        lifespan=life,
        description="Is a face manipulated, why does it look so, and how sure is that? "
        "Probabilities and intervals are in [0, 1]; boxes are pixels; times are UTC.",
        openapi_url="/v1/openapi.json",
        responses=problems.RESPONSES,
    )
    largest = max(settings.limits.max_image_bytes, settings.limits.max_video_bytes)
    app.add_middleware(BodyLimit, most=int(largest * _BASE64) + 65_536)
    app.add_middleware(metrics.Metrics, registry=registry)
    app.state.service = service
    problems.install(app)
    _analysis(app, service, worker, gate)
    _cases(app, service, gate)
    _service_pages(app, service, gate, registry)
    add_compat(app, service, gate, coop)
    add_desk(app, service)
    return app


def _analysis(app: FastAPI, service: Service, worker: Worker, gate: Gate) -> None:
    @app.post("/v1/analyze", tags=["analysis"], openapi_extra=request_body())
    async def analyze(
        request: Request,
        key: Annotated[Key, Depends(gate.scope("analyze"))],
        name: _NAME = None,
    ) -> JSONResponse:
        """Analyse a file: a photo at once (200), a clip as a job (202).

        The body is a multipart form with the file ``media``, or JSON with ``media`` as base64;
        beside it ``source``, ``subject``, ``keep_picture`` and ``explain``. A file without a face
        is a case too, with the status ``no_face`` and no score.
        """
        sent = await read_request(request)
        return await run_in_threadpool(_analysed, service, worker, sent, key, name)

    @app.get("/v1/jobs/{job_id}", tags=["analysis"])
    def job(job_id: _ID, key: Annotated[Key, Depends(gate.scope("analyze"))]) -> dict[str, Any]:
        """A job's state: waiting, running, done (with its case) or failed (with its error)."""
        return worker.jobs.show(job_id, key.id)


def _analysed(
    service: Service, worker: Worker, sent: Incoming, key: Key, name: str | None
) -> JSONResponse:
    if name is not None:
        before = idempotency.begin(service.store.engine, key.id, name, sent.sha256)
        if before is not None:
            return JSONResponse(
                before[1], status_code=before[0], headers={"Idempotent-Replayed": "true"}
            )
    if not sent.clip:
        return JSONResponse(service.analyse(sent, key, name))
    request = {**sent.options.model_dump(), "owner": key.owner}
    job_id = worker.jobs.add(sent.data, key_id=key.id, request=request, name=name)
    told = {"job": job_id, "status": f"/v1/jobs/{job_id}"}
    return JSONResponse(told, status_code=202, headers={"Location": told["status"]})


def _cases(app: FastAPI, service: Service, gate: Gate) -> None:
    store = service.store
    may_read, may_ask = Depends(gate.scope("read")), Depends(gate.scope("ask"))
    may_decide = Depends(gate.scope("decide"))

    @app.get("/v1/cases", tags=["cases"], dependencies=[may_read])
    def cases(
        state: Literal["open", "escalated", "confirmed", "rejected", "appealed"] | None = None,
        source: Annotated[str | None, Query(max_length=100)] = None,
        verdict: Annotated[str | None, Query(max_length=40)] = None,
        least: Annotated[float | None, Query(ge=0, le=1)] = None,
        since: Annotated[str | None, Query(max_length=27, pattern=r"^[0-9TZ:.-]+$")] = None,
        until: Annotated[str | None, Query(max_length=27, pattern=r"^[0-9TZ:.-]+$")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        after: _ID | None = None,
    ) -> dict[str, Any]:
        """The newest cases first; ``next`` is the ``after`` of the next page."""
        wanted = CaseFilter(
            state=state, source=source, verdict=verdict, least=least, since=since, until=until
        )
        rows = store.list(wanted, limit=limit, after=after)
        return {
            "cases": [dataclasses.asdict(row) for row in rows],
            "next": rows[-1].id if len(rows) == limit else None,
        }

    @app.get("/v1/cases/{case_id}", tags=["cases"], dependencies=[may_read])
    def case(case_id: _ID) -> dict[str, Any]:
        """One case with its decisions, notes and log entries, after ``case-1.json``."""
        return case_json(store.get(case_id), store.anchor())

    @app.get("/v1/cases/{case_id}/report", tags=["cases"], dependencies=[may_read])
    def report(case_id: _ID, format: Literal["html", "pdf", "json"] = "html") -> Response:
        """The case as a file."""
        return Response(exported(store, case_id, format), media_type=_KINDS[format])

    @app.get("/v1/cases/{case_id}/near", tags=["cases"], dependencies=[may_read])
    def near(case_id: _ID) -> dict[str, Any]:
        """Cases of the same or nearly the same picture, with the bits in which they differ."""
        found = store.near(case_id)
        return {"cases": [{**dataclasses.asdict(row), "bits": bits} for row, bits in found]}

    @app.post("/v1/cases/{case_id}/ask", tags=["cases"])
    def ask(case_id: _ID, body: Question, key: Annotated[Key, may_ask]) -> StreamingResponse:
        """Ask about a case. Server-sent events: ``token`` (not checked yet), then ``answer``."""
        events: Iterator[str] = service.ask(case_id, body.face, body.question, key.owner)
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @app.post("/v1/cases/{case_id}/decisions", tags=["cases"])
    def decide(case_id: _ID, body: Decision, key: Annotated[Key, may_decide]) -> dict[str, str]:
        """Confirm, reject or escalate. An appeal is refused to whoever decided before (403)."""
        return {"state": service.decide(case_id, key.owner, body.outcome, body.reason, body.kind)}

    @app.post("/v1/cases/{case_id}/appeals", tags=["cases"])
    def appeal(case_id: _ID, body: Text, key: Annotated[Key, may_decide]) -> dict[str, str]:
        """Open a decided case again."""
        service.appeal(case_id, key.owner, body.text)
        return {"state": "appealed"}

    @app.post("/v1/cases/{case_id}/notes", tags=["cases"], status_code=201)
    def note(case_id: _ID, body: Text, key: Annotated[Key, may_decide]) -> dict[str, str]:
        """Add a note."""
        store.note(case_id, actor=key.owner, text=body.text)
        return {"case": case_id}


def _service_pages(app: FastAPI, service: Service, gate: Gate, registry: CollectorRegistry) -> None:
    @app.get("/v1/health", tags=["service"])
    def health() -> dict[str, Any]:
        """Whether the store answers; needs no key."""
        service.store.anchor()
        return {"status": "up", "version": __version__, "demo": service.assistant.demo}

    @app.get("/metrics", tags=["service"], dependencies=[Depends(gate.scope("metrics"))])
    def metrics_page() -> Response:
        """Counters for Prometheus."""
        return Response(metrics.page(registry), media_type="text/plain; version=0.0.4")
