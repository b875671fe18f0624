"""Messages and pictures as the OpenAI chat API wants them."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

from assistant.types import Image, VlmRequest

__all__ = ["chat_messages", "data_uri", "defused"]

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
