"""What stands before every endpoint: size of the body, key, scope, rate."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from assistant.api.keys import Key, find_key
from assistant.api.problems import ApiError, problem

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit", "Gate"]


class BodyLimit:
    """Refuses bodies over a number of bytes, while they come in, whatever length they claim."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        seen, started = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise _TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        answer = problem(
            413,
            "body-too-large",
            f"The request has more than {self._most:,} bytes.",
            "Send a smaller file.",
        )
        if told.isdigit() and int(told) > self._most:
            await answer(scope, receive, send)
            return
        try:
            await self._app(scope, counted, noted)
        except _TooLarge:
            if not started:
                await answer(scope, receive, send)


class _TooLarge(Exception):
    pass


class Gate:
    """Knows callers by their keys and counts their calls."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def scope(self, name: str) -> Callable[[Request], Key]:
        """A dependency that lets in keys of that scope."""

        def check(request: Request) -> Key:
            key = self._key(request)
            if not self._limiter.hit(RateLimitItemPerMinute(key.per_minute), key.id):
                raise ApiError(
                    f"This key may call {key.per_minute} times a minute.",
                    hint="Wait a minute.",
                    code="too-many-requests",
                )
            if name not in key.scopes:
                raise ApiError(
                    f"This key lacks the scope {name}.",
                    hint=f"It has {', '.join(sorted(key.scopes))}.",
                    code="wrong-scope",
                )
            return key

        return check

    def _key(self, request: Request) -> Key:
        found = find_key(self._engine, text) if (text := _presented(request)) else None
        if found is None:
            raise ApiError(
                "A valid key is needed.",
                hint="Send `Authorization: Bearer KEY`; `whyfake api keys make` makes one.",
                code="no-key",
            )
        return found


def _presented(request: Request) -> str:
    """The key of ``Authorization: Bearer``, ``Token``, or the password of ``Basic``."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() in ("bearer", "token"):
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return request.headers.get("x-api-key", "")
