"""Messages and pictures as the OpenAI chat API wants them; its event stream read as text."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from assistant.errors import InferenceError
from assistant.types import Image, VlmRequest

__all__ = ["chat_messages", "data_uri", "defused", "delta_of"]

#: What opens prompt markup: <|im_start|>, <image>, <__media__>, <<SYS>>, [INST].
_MARKUP = re.compile(r"<(?=[|_/<A-Za-z\uff5c])|\[(?=/?INST\])")


def defused(text: str) -> str:
    """``text`` with nothing that a tokenizer could take for prompt markup."""
    return _MARKUP.sub(lambda found: "\u2039" if found[0] == "<" else "(", text)


def data_uri(image: Image, *, side: int | None = None, format: str = "PNG") -> str:
    """``image`` (RGB uint8 HWC) as a data URI, resized to ``side`` x ``side`` pixels if given."""
    import PIL.Image

    picture = PIL.Image.fromarray(image)
    if side is not None and picture.size != (side, side):
        picture = picture.resize((side, side), PIL.Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, format, **({"quality": 92} if format == "JPEG" else {}))
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{format.lower()};base64,{encoded}"


def chat_messages(
    request: VlmRequest, *, images: bool = True, side: int | None = None, format: str = "PNG"
) -> list[dict[str, Any]]:
    """The request's messages; the pictures stand before the first user message's text."""
    out: list[dict[str, Any]] = []
    pictures = list(request.images) if images else []
    for message in request.messages:
        text = defused(message.content)
        content: Any = text
        if message.role == "user" and pictures:
            content = [
                {"type": "image_url", "image_url": {"url": data_uri(p, side=side, format=format)}}
                for p in pictures
            ]
            content.append({"type": "text", "text": text})
            pictures = []
        out.append({"role": message.role, "content": content})
    return out


def delta_of(data: str) -> tuple[str, str | None]:
    """The new text and the finish reason (None: goes on) of one event's ``data``.

    Raises:
        InferenceError: it is not a chat chunk, or the server reports an error in it.
    """
    try:
        chunk = json.loads(data)
    except json.JSONDecodeError as error:
        raise _garbage(data) from error
    if not isinstance(chunk, Mapping):
        raise _garbage(data)
    if chunk.get("error"):
        raise InferenceError(
            f"The text server failed: {error_text(chunk)}",
            hint="Look at the server's own log, then ask again.",
        )
    choices = chunk.get("choices")
    if choices == []:  # the closing chunk that only counts tokens
        return "", None
    try:
        choice = choices[0]  # type: ignore[index]
        text = choice.get("delta", {}).get("content") or ""
        reason = choice.get("finish_reason")
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise _garbage(data) from error
    if not isinstance(text, str):
        raise _garbage(data)
    return text, reason


def error_text(body: object) -> str:
    """What a server's error body says, short and on one line; never more than 200 characters."""
    found: object = body
    for key in ("error", "message"):
        if isinstance(found, Mapping) and key in found:
            found = found[key]
    return " ".join(str(found).split())[:200]


def _garbage(data: str) -> InferenceError:
    return InferenceError(
        f"The text server sent something that is not a chat stream ({len(data)} characters).",
        hint="Check that the address ends in /v1 and speaks the OpenAI chat API.",
    )
