"""A request to analyse: a multipart form or JSON with base64. Addresses are never fetched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from assistant.api.problems import ApiError
from assistant.cases.database import canonical, digest
from assistant.media.files import from_base64
from assistant.media.sniff import is_video, sniff

__all__ = ["Incoming", "Options", "read_request", "request_body"]


class Options(BaseModel):
    """What can be asked beside the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field("", max_length=100, description="Where the item came from, for statistics.")
    subject: str = Field("", max_length=300, description="Your own name of the item.")
    keep_picture: bool = Field(False, description="Keep the file, encrypted, for cases.keep_days.")
    explain: bool = Field(True, description="Also write the checked explanation.")


class _Body(Options):
    media: str = Field(description="The file as base64 or as a data URI.", min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A file with its options; ``sha256`` covers both."""

    data: bytes
    options: Options
    clip: bool
    sha256: str


def request_body() -> dict[str, Any]:
    """What OpenAPI says of the body that :func:`read_request` reads."""
    form = Options.model_json_schema()
    form["properties"] = {
        "media": {"type": "string", "format": "binary", "description": "The file."},
        **form["properties"],
    }
    form["required"] = ["media"]
    content = {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": _Body.model_json_schema()},
    }
    return {"requestBody": {"required": True, "content": content}}


async def read_request(request: Request) -> Incoming:
    """Read the body.

    Raises:
        ApiError: it is neither form nor JSON, or does not fit.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        data, options = _from_json(await request.body())
    elif kind == "multipart/form-data":
        data, options = await _from_form(request)
    else:
        raise ApiError(
            f"The content type {kind[:60]!r} is not read.",
            hint="Send multipart/form-data with the field media, or application/json.",
            code="wrong-content-type",
        )
    seal = digest(digest(data) + canonical(options.model_dump()))
    return Incoming(data=data, options=options, clip=is_video(sniff(data)), sha256=seal)


def _from_json(body: bytes) -> tuple[bytes, Options]:
    try:
        found = _Body.model_validate(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise _wrong(error) from error
    return from_base64(found.media), Options(**found.model_dump(exclude={"media"}))


async def _from_form(request: Request) -> tuple[bytes, Options]:
    try:
        async with request.form(max_files=1, max_fields=8) as form:
            file = form.get("media")
            if not isinstance(file, UploadFile):
                raise ApiError(
                    "The form has no file in the field media.",
                    hint="For example: curl -F media=@photo.jpg",
                )
            data = await file.read()
            options = Options.model_validate({k: v for k, v in form.items() if k != "media"})
    except (MultiPartException, HTTPException) as error:
        raise ApiError("The form cannot be read.", hint="Check its boundary.") from error
    except ValidationError as error:
        raise _wrong(error) from error
    return data, options


def _wrong(error: Exception) -> ApiError:
    if isinstance(error, ValidationError):
        told = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()[:8]
        )
        return ApiError(f"The request does not fit: {told}.", hint="See /docs.")
    return ApiError("The body is not JSON.", hint="Send an object with the field media.")
