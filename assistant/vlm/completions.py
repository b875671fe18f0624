"""One streamed chat completion through the ``openai`` client, stopped at any moment.

The request runs on an event loop of its own in the calling thread, so that waiting for a slow
server still notices the stop event; closing the connection tells the server to stop generating.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError, InferenceError, OutOfMemory

if TYPE_CHECKING:
    import openai

__all__ = ["Endpoint", "chat_pieces"]

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where and how to ask: ``base_url`` is the API's root, usually ending in ``/v1``.

    ``retries``: how often what may pass by itself is tried again before the first word.
    ``proxies``: honour the environment's proxy settings (never for a server on this machine).
    """

    base_url: str
    key: str = field(default="", repr=False)
    read_seconds: float = 120.0
    retries: int = 2
    proxies: bool = True


def chat_pieces(
    endpoint: Endpoint, body: Mapping[str, Any], stop: threading.Event
) -> Iterator[str]:
    """Yield the new text of a streamed completion until it ends or ``stop`` is set.

    Must run in a thread without an event loop. ``body`` may hold fields that only the server at
    hand knows, such as llama.cpp's ``grammar``.

    Raises:
        InferenceError: no connection, an error status, a web page, garbage, or a stream that broke
            off.
    """
    loop = asyncio.new_event_loop()
    pieces = _pieces(endpoint, body)
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


async def _pieces(endpoint: Endpoint, body: Mapping[str, Any]) -> AsyncGenerator[str, None]:
    import openai

    try:
        async with (
            openai.DefaultAsyncHttpxClient(trust_env=endpoint.proxies) as http,
            openai.AsyncOpenAI(
                base_url=endpoint.base_url,
                api_key=endpoint.key or "none",
                timeout=openai.Timeout(endpoint.read_seconds, connect=5.0),
                max_retries=endpoint.retries,
                http_client=http,
            ) as client,
        ):
            headers = {} if endpoint.key else {"Authorization": openai.Omit()}
            async for piece in _answer(client, body, headers):
                yield piece
    except AssistantError:
        raise
    except openai.APIStatusError as error:
        raise _status_error(error) from error
    except openai.APITimeoutError as error:
        raise InferenceError(
            "The text server did not answer in time.",
            hint="Check that it runs and is not overloaded.",
        ) from error
    except openai.APIConnectionError as error:
        raise InferenceError(
            f"The connection to the text server failed ({type(error.__cause__).__name__}).",
            hint="Check that the server runs and that its address is right.",
        ) from error
    except openai.APIError as error:
        raise InferenceError(
            f"The text server failed: {_one_line(error.message)}",
            hint="Look at the server's own log, then ask again.",
        ) from error
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise InferenceError(
            "The text server sent something that is not a chat stream.",
            hint="Check that the address ends in /v1 and speaks the OpenAI chat API.",
        ) from error


async def _answer(
    client: openai.AsyncOpenAI, body: Mapping[str, Any], headers: Any
) -> AsyncGenerator[str, None]:
    reply = await client.chat.completions.with_raw_response.create(
        model=body.get("model", "local"),
        messages=body["messages"],
        stream=True,
        extra_headers=headers,
        extra_body={k: v for k, v in body.items() if k not in {"model", "messages", "stream"}},
    )
    kind = reply.headers.get("content-type", "")
    if "html" in kind:
        raise InferenceError(
            "The text server answered with a web page, not a chat stream.",
            hint="Check the address: it usually ends in /v1.",
        )
    if "json" in kind:  # a server that cannot stream
        whole = json.loads(await reply.http_response.aread())
        yield str(whole["choices"][0]["message"]["content"] or "")
        return
    events, finished = 0, False
    async with reply.parse() as stream:
        async for chunk in stream:
            events += 1
            for choice in chunk.choices[:1]:
                finished = finished or choice.finish_reason is not None
                if isinstance(text := choice.delta.content, str):
                    if text:
                        yield text
                elif text is not None:
                    raise TypeError("the new text is not a text")
    if not events:
        raise ValueError("no event in the answer")
    if not finished:
        raise InferenceError(
            "The text server broke off in the middle of its answer.",
            hint="Ask again; if it happens often, look at the server's log.",
        )


def _status_error(error: openai.APIStatusError) -> InferenceError:
    code, body = error.status_code, error.body
    said = body.get("message", "") if isinstance(body, Mapping) else body
    if not said or "html" in error.response.headers.get("content-type", ""):
        said = "no readable reason"
    said = _one_line(said)
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


def _one_line(text: object) -> str:
    """At most 200 characters of what a server says."""
    return " ".join(str(text).split())[:200]
