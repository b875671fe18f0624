"""Routes in the shapes of other services, so that their clients work unchanged."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from assistant.api.gate import Gate
from assistant.api.intake import read_request, request_body
from assistant.api.keys import Key
from assistant.api.problems import ApiError
from assistant.api.service import Service
from assistant.errors import AssistantError
from assistant.integrations.coop import CaseCallbacks
from assistant.integrations.hive import hive_answer
from assistant.integrations.label_studio import controls_of, picture_of, prediction

__all__ = ["add_compat"]

_STUDIO = "/v1/compat/label-studio"


class Setup(BaseModel):
    """What Label Studio sends when a project connects; other fields are not read."""

    model_config = ConfigDict(extra="allow")
    label_schema: str = Field("", alias="schema", max_length=100_000)


class Predict(BaseModel):
    """Tasks to predict; other fields are not read."""

    model_config = ConfigDict(extra="allow")
    tasks: list[dict[str, Any]] = Field(max_length=32)
    label_config: str = Field(max_length=100_000)


def add_compat(
    app: FastAPI, service: Service, gate: Gate, coop: CaseCallbacks | None = None
) -> None:
    """Add the routes."""
    may = Depends(gate.scope("analyze"))

    @app.post("/v1/compat/hive", tags=["compat"], openapi_extra=request_body())
    async def hive(request: Request, key: Annotated[Key, may]) -> dict[str, Any]:
        """A photo in, an answer in the shape of Hive's classifiers out; the id is the case."""
        sent = await read_request(request)
        if sent.clip:
            raise ApiError(
                "This door takes photos.",
                hint="Send clips to /v1/analyze.",
                code="unsupported-format",
            )
        answer = await run_in_threadpool(service.analyse, sent, key, None)
        return hive_answer(answer, answer["case"])

    if coop is not None:

        @app.post("/v1/compat/coop/callback", tags=["compat"], status_code=204)
        async def callback(
            request: Request, signature: Annotated[str, Header(alias="Coop-Signature")] = ""
        ) -> None:
            """An action or appeal callback of Coop, kept as a note where its signature fits."""
            body = await request.body()
            await run_in_threadpool(coop.receive, body, signature)

    @app.get(f"{_STUDIO}/health", tags=["compat"])
    def health() -> dict[str, str]:
        """Label Studio's first question."""
        return {"status": "UP", "model_class": "Whyfake"}

    @app.post(f"{_STUDIO}/setup", tags=["compat"], dependencies=[may])
    def setup(body: Setup) -> dict[str, str]:
        """The model's version: the beginning of the weights' SHA-256."""
        if body.label_schema:
            controls_of(body.label_schema)
        return {"model_version": service.assistant.versions.get("weights_sha256", "")[:12]}

    @app.post(f"{_STUDIO}/predict", tags=["compat"], dependencies=[may])
    def predict(body: Predict) -> dict[str, Any]:
        """One prediction a task; a task that cannot be read has an empty result and its error."""
        controls = controls_of(body.label_config)
        results = []
        for task in body.tasks:
            try:
                data = picture_of(task, controls)
                made = service.measured(data, explain=False)
                results.append(prediction(made.record, controls))
            except AssistantError as error:
                results.append({"result": [], "error": {"code": error.code}})
        version = service.assistant.versions.get("weights_sha256", "")[:12]
        return {"results": results, "model_version": version}
