"""One streamed chat completion over HTTP that can be stopped at any moment.

The request runs on an event loop of its own in the calling thread, so that waiting for a slow
server still notices the stop event; closing the connection tells the server to stop generating.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.errors import InferenceError, OutOfMemory
from assistant.vlm.chat import delta_of, error_text

__all__ = ["Endpoint", "chat_pieces"]

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.05
_MAX_ERROR_BYTES = 65_536
_RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where and how to ask: ``url`` is the full address of ``chat/completions``.

    ``proxies``: honour the environment's proxy settings (never for a server on this machine).
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_seconds: float = 5.0
    read_seconds: float = 120.0
    retries: int = 2
    backoff_seconds: float = 0.5
    proxies: bool = True


def chat_pieces(
    endpoint: Endpoint, body: Mapping[str, Any], stop: threading.Event
) -> Iterator[str]:
    """Yield the new text of a streamed completion until it ends or ``stop`` is set.

    Must run in a thread without an event loop.

    Raises:
        InferenceError: no connection, an error status, a web page, garbage, or a stream that broke
            off. What may pass by itself is tried again, but never after the first word.
    """
    loop = asyncio.new_event_loop()
    pieces = _attempts(endpoint, body, stop)
    try:
        while True:
            step = loop.create_task(anext(pieces, None))
            while not step.done():
                loop.run_until_complete(asyncio.wait({step}, timeout=_POLL_SECONDS))
                if stop.is_set() and not step.done():
                    step.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        loop.run_until_complete(step)
                    return
            piece = step.result()
            if piece is None or stop.is_set():
                return
            yield piece
    finally:
        try:
            loop.run_until_complete(pieces.aclose())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


async def _attempts(
    endpoint: Endpoint, body: Mapping[str, Any], stop: threading.Event
) -> AsyncGenerator[str, None]:
    import httpx

    timeout = httpx.Timeout(endpoint.read_seconds, connect=endpoint.connect_seconds)
    async with httpx.AsyncClient(
        timeout=timeout, headers=dict(endpoint.headers), trust_env=endpoint.proxies
    ) as client:
        for attempt in range(endpoint.retries + 1):
            last = attempt == endpoint.retries
            try:
                async with contextlib.aclosing(_once(client, endpoint.url, body, last)) as pieces:
                    async for piece in pieces:
                        yield piece
            except _TryAgain as again:
                if stop.is_set():
                    return
                _LOG.info("text server: %s; attempt %d", again, attempt + 2)
                await asyncio.sleep(endpoint.backoff_seconds * 2**attempt)
            else:
                return


class _TryAgain(Exception):
    """The attempt failed before its first word in a way that may pass."""


async def _once(
    client: Any, url: str, body: Mapping[str, Any], last: bool
) -> AsyncGenerator[str, None]:
    import httpx

    began = False
    try:
        async with client.stream("POST", url, json=dict(body)) as response:
            if response.status_code != 200:
                if response.status_code in _RETRIED_STATUS and not last:
                    raise _TryAgain(f"status {response.status_code}")
                raise await _status_error(response)
            kind = response.headers.get("content-type", "")
            if "html" in kind:
                raise InferenceError(
                    "The text server answered with a web page, not a chat stream.",
                    hint="Check the address: it usually ends in /v1.",
                )
            async with contextlib.aclosing(_deltas(response)) as deltas:
                async for piece in deltas:
                    began = True
                    yield piece
    except httpx.TimeoutException as error:
        raise InferenceError(
            f"The text server did not answer in time ({type(error).__name__}).",
            hint="Check that it runs and is not overloaded.",
        ) from error
    except httpx.HTTPError as error:
        if not last and not began and isinstance(error, httpx.ConnectError):
            raise _TryAgain(type(error).__name__) from error
        raise InferenceError(
            f"The connection to the text server failed ({type(error).__name__}).",
            hint="Check that the server runs and that its address is right.",
        ) from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InferenceError(
            "The text server's address is not a valid URL.",
            hint="Set an address such as http://127.0.0.1:8000/v1.",
        ) from error


async def _deltas(response: Any) -> AsyncGenerator[str, None]:
    """The text of each event; a plain JSON answer (a server that cannot stream) counts as one."""
    finished = False
    events = 0
    rest: list[str] = []
    async for line in response.aiter_lines():
        if line.startswith("data:"):
            events += 1
            data = line[5:].strip()
            if data == "[DONE]":
                return
            piece, reason = delta_of(data)
            finished = finished or reason is not None
            if piece:
                yield piece
        elif line.startswith(("error:", "{")) or (line.strip() and not events and len(rest) < 200):
            rest.append(line.removeprefix("error:"))
    if events and finished:
        return
    if events:
        raise InferenceError(
            "The text server broke off in the middle of its answer.",
            hint="Ask again; if it happens often, look at the server's log.",
        )
    whole = _whole_answer("\n".join(rest))
    if whole:
        yield whole


def _whole_answer(text: str) -> str:
    try:
        content = json.loads(text)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise InferenceError(
            f"The text server sent something that is not a chat stream ({len(text)} characters).",
            hint="Check that the address ends in /v1 and speaks the OpenAI chat API.",
        ) from error
    return str(content or "")


async def _status_error(response: Any) -> InferenceError:
    raw = b""
    async for chunk in response.aiter_bytes():
        raw += chunk
        if len(raw) > _MAX_ERROR_BYTES:
            break
    code = response.status_code
    try:
        said = error_text(json.loads(raw))
    except ValueError:
        said = "no readable reason"
    if code in (401, 403):
        return InferenceError(
            f"The text server refused the key (status {code}).",
            hint="Put the key into the environment variable named in the settings.",
        )
    if code == 404:
        return InferenceError(
            f"The text server knows no such model or address (status 404): {said}",
            hint="Check the model's name and that the address ends in /v1.",
        )
    if "out of memory" in said.lower():
        return OutOfMemory(
            "The text server ran out of memory.", hint="Use a smaller model or a shorter context."
        )
    hint = "Shorten the question." if code in (400, 413) else "Look at the server's own log."
    return InferenceError(f"The text server failed (status {code}): {said}", hint=hint)
