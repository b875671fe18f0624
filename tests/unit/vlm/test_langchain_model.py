"""Our backends in others' chains, and theirs in ours."""

from __future__ import annotations

import threading

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from assistant.errors import GenerationTimeout, InferenceError
from assistant.types import Message
from assistant.vlm.langchain_model import BackendChatModel, LangChainBackend
from assistant.vlm.scripted import ScriptedBackend
from tests.unit.vlm.test_chat import request


def model(backend: ScriptedBackend) -> BackendChatModel:
    asked = request(Message(role="user", content="x"))
    return BackendChatModel(backend=backend, evidence=asked.evidence, images=asked.images)


def test_a_backend_works_at_the_end_of_a_chain() -> None:
    backend = ScriptedBackend(["One two three."])
    prompt = ChatPromptTemplate.from_messages([("system", "rules"), ("human", "{q}")])
    chain = prompt | model(backend) | StrOutputParser()
    assert chain.invoke({"q": "why?"}) == "One two three."
    got = backend.requests[0]
    assert [(m.role, m.content) for m in got.messages] == [("system", "rules"), ("user", "why?")]
    assert got.question == "why?"
    assert len(got.images) == 1


def test_it_streams_word_by_word() -> None:
    pieces = [c.text for c in model(ScriptedBackend(["One two three."])).stream("hi")]
    assert [p for p in pieces if p] == ["One", " two", " three."]


def test_a_backends_error_reaches_the_chain() -> None:
    backend = ScriptedBackend(["a b"], error=InferenceError("broken"), error_after=1)
    with pytest.raises(InferenceError, match="broken"):
        model(backend).invoke("hi")


def test_a_message_of_another_kind_is_refused() -> None:
    with pytest.raises(InferenceError, match="tool"):
        model(ScriptedBackend()).invoke([ToolMessage(content="x", tool_call_id="1")])


def test_a_chat_model_works_as_a_backend() -> None:
    backend = LangChainBackend(FakeListChatModel(responses=["said by theirs"]))
    asked = request(
        Message(role="system", content="s"),
        Message(role="user", content="u"),
        Message(role="assistant", content="a"),
        Message(role="user", content="v"),
    )
    assert "".join(backend.stream(asked, threading.Event())) == "said by theirs"
    assert backend.provenance()["model"] == "FakeListChatModel"


def test_a_slow_chat_model_is_a_timeout() -> None:
    slow = FakeListChatModel(responses=["abc"], sleep=2.0)
    backend = LangChainBackend(slow, first_token_timeout=0.2)
    with pytest.raises(GenerationTimeout):
        list(backend.stream(request(Message(role="user", content="u")), threading.Event()))


def test_messages_keep_their_roles() -> None:
    backend = ScriptedBackend(["x"])
    model(backend).invoke(
        [SystemMessage("s"), HumanMessage("h"), AIMessage("a"), HumanMessage("i")]
    )
    roles = [m.role for m in backend.requests[0].messages]
    assert roles == ["system", "user", "assistant", "user"]
