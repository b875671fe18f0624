"""Errors as ``application/problem+json`` (RFC 9457), with the typed error's code and hint."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from assistant.errors import AssistantError

__all__ = ["RESPONSES", "ApiError", "install", "problem", "status_of"]

_log = logging.getLogger(__name__)

#: Status by error code; a media error that is not named here is 422, all else 500 or 503.
_STATUS = {
    "no-such-case": 404,
    "no-such-job": 404,
    "no-such-page": 404,
    "no-such-person": 404,
    "case-conflict": 409,
    "no-picture": 409,
    "replay-differs": 409,
    "in-progress": 409,
    "no-face": 409,
    "same-person": 403,
    "wrong-scope": 403,
    "no-key": 401,
    "file-too-large": 413,
    "too-many-pixels": 413,
    "video-too-long": 413,
    "body-too-large": 413,
    "not-an-image": 415,
    "unsupported-format": 415,
    "wrong-content-type": 415,
    "too-many-requests": 429,
    "bad-signature": 401,
    "weights": 503,
    "case-store": 503,
    "case-key": 503,
    "missing-package": 503,
    "out-of-memory": 503,
    "generation-timeout": 503,
}
_SERVER = ("config", "plugin", "prompt", "inference", "internal-error")


_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "hint"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "description": "The HTTP status."},
        "code": {"type": "string", "description": "Stable, for programs."},
        "detail": {"type": "string", "description": "What failed and what is allowed."},
        "hint": {"type": "string", "description": "What to do next; may be empty."},
    },
}
#: What OpenAPI says of every answer that is no success.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "The request cannot be answered.",
        "content": {"application/problem+json": {"schema": _SCHEMA}},
    }
}


class ApiError(AssistantError):
    """The request is wrong; its ``code`` decides the status."""

    default_code = "bad-request"


def status_of(error: AssistantError) -> int:
    """The HTTP status of a typed error: 4xx is the caller's to mend, 5xx the server's."""
    return _STATUS.get(error.code, 500 if error.code in _SERVER else 422)


def problem(
    status: int, code: str, detail: str, hint: str = "", headers: dict[str, str] | None = None
) -> JSONResponse:
    """The answer."""
    body = {"type": f"urn:whyfake:{code}", "title": code.replace("-", " "), "status": status}
    return JSONResponse(
        {**body, "code": code, "detail": detail, "hint": hint},
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def install(app: FastAPI) -> None:
    """Have every error of the app answered so."""

    @app.exception_handler(AssistantError)
    def typed(_request: Request, error: AssistantError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if status_of(error) == 401 else None
        if error.code == "too-many-requests":
            headers = {"Retry-After": "60"}
        return problem(status_of(error), error.code, error.user_message, error.hint, headers)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        told = "; ".join(_told(item) for item in error.errors()[:8])
        return problem(422, "bad-request", told, "See /docs for what is expected.")

    @app.exception_handler(HTTPException)
    def http(_request: Request, error: HTTPException) -> JSONResponse:
        codes = {404: "no-such-page", 405: "wrong-method", 400: "bad-request"}
        code = codes.get(error.status_code, "http-error")
        return problem(error.status_code, code, str(error.detail), "See /docs.")

    @app.exception_handler(Exception)
    def unknown(_request: Request, error: Exception) -> JSONResponse:
        incident = secrets.token_hex(4)
        _log.error("incident %s", incident, exc_info=error)
        return problem(500, "internal-error", f"Something failed (incident {incident}).")


def _told(item: Any) -> str:
    """Where and what, without the value that was sent."""
    return f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
