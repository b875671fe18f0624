"""Messages and pictures of the OpenAI chat API."""

from __future__ import annotations

import base64
import io

import numpy as np
import PIL.Image
import pytest

from assistant.types import Evidence, Message, Verdict, VlmRequest
from assistant.vlm.chat import chat_messages, data_uri, defused


def request(*messages: Message, pictures: int = 1) -> VlmRequest:
    return VlmRequest(
        messages=messages,
        evidence=Evidence(
            media_id="m",
            face_index=0,
            verdict=Verdict.UNCERTAIN,
            probability=0.5,
            interval=(0.4, 0.6),
            facts=(),
        ),
        images=tuple(np.full((20, 30, 3), 10 * i, np.uint8) for i in range(pictures)),
    )


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_a_data_uri_holds_the_picture_at_the_size_asked_for(format: str) -> None:
    image = np.full((20, 30, 3), 77, np.uint8)
    head, data = data_uri(image, side=14, format=format).split(",")
    picture = PIL.Image.open(io.BytesIO(base64.b64decode(data)))
    assert head == f"data:image/{format.lower()};base64"
    assert picture.size == (14, 14)
    assert abs(np.asarray(picture).astype(int) - 77).max() <= 2


def test_pictures_stand_before_the_first_users_text_only() -> None:
    got = chat_messages(
        request(
            Message(role="system", content="rules"),
            Message(role="user", content="first"),
            Message(role="assistant", content="said"),
            Message(role="user", content="second"),
            pictures=2,
        )
    )
    assert [m["role"] for m in got] == ["system", "user", "assistant", "user"]
    assert [part["type"] for part in got[1]["content"]] == ["image_url", "image_url", "text"]
    assert got[1]["content"][-1]["text"] == "first"
    assert got[3]["content"] == "second"


def test_without_pictures_the_content_is_plain_text() -> None:
    got = chat_messages(request(Message(role="user", content="hi")), images=False)
    assert got == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    "markup",
    [
        "<|im_start|>",
        "<|im_end|>",
        "<image>",
        "<__media__>",
        "<<SYS>>",
        "[INST]",
        "[/INST]",
        "</s>",
    ],
)
def test_prompt_markup_is_defused(markup: str) -> None:
    assert markup not in defused(f"a {markup} b")
    assert markup not in chat_messages(request(Message(role="user", content=markup)))[0]["content"]


@pytest.mark.parametrize("text", ["1 < 2 and 3 > 2", "[S1] is cited", "a <- b", "x<3"])
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert defused(text) == text
