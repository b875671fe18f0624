"""Our backends as LangChain chat models, and LangChain's chat models as our backends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from assistant.errors import Cancelled, InferenceError
from assistant.streaming import StreamLimits, guarded
from assistant.types import Evidence, Message, VlmRequest
from assistant.vlm.chat import chat_messages

__all__ = ["BackendChatModel", "LangChainBackend"]


class BackendChatModel(BaseChatModel):
    """A text backend as a LangChain chat model, about one case.

    ``evidence`` and ``images`` belong to the model, not to the messages: a chain can ask about the
    case but cannot bring another.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    backend: Any
    evidence: Evidence
    images: tuple[Any, ...] = ()
    max_new_tokens: int = 220

    @property
    def _llm_type(self) -> str:
        return f"whyfake-{self.backend.name}"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        cancel = threading.Event()
        try:
            for piece in self.backend.stream(self._request(messages), cancel):
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
                if run_manager is not None:
                    run_manager.on_llm_new_token(piece, chunk=chunk)
                yield chunk
        finally:
            cancel.set()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        pieces = self.backend.stream(self._request(messages), threading.Event())
        message = AIMessage(content="".join(pieces))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _request(self, messages: Sequence[BaseMessage]) -> VlmRequest:
        ours = tuple(_to_message(message) for message in messages)
        asked = [message.content for message in ours if message.role == "user"]
        return VlmRequest(
            messages=ours,
            evidence=self.evidence,
            question=asked[-1] if asked else "",
            images=self.images if self.backend.supports_images else (),
            max_new_tokens=self.max_new_tokens,
        )


class LangChainBackend:
    """Any LangChain chat model as a text backend; pictures go as data URIs where ``images``."""

    name = "langchain"

    def __init__(
        self,
        model: BaseChatModel,
        *,
        images: bool = False,
        first_token_timeout: float = 30.0,
        total_timeout: float = 120.0,
    ) -> None:
        self._model = model
        self.supports_images = images
        self._limits = StreamLimits.of(first_token_timeout, total_timeout)

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        """Yield new text; see :class:`assistant.interfaces.VlmBackend`."""
        makers: Mapping[str, Callable[..., BaseMessage]] = {
            "system": SystemMessage,
            "user": HumanMessage,
            "assistant": AIMessage,
        }
        messages = [
            makers[message["role"]](content=message["content"])
            for message in chat_messages(request, images=self.supports_images, format="JPEG")
        ]

        def pieces(stop: threading.Event) -> Iterator[str]:
            for chunk in self._model.stream(messages):
                if stop.is_set():
                    return
                text = str(chunk.text)
                if text:
                    yield text

        with contextlib.suppress(Cancelled):
            yield from guarded(pieces, limits=self._limits, cancel=cancel)

    def provenance(self) -> Mapping[str, str]:
        """The chat model's own kind."""
        return {"backend": self.name, "model": type(self._model).__name__, "runs": "LangChain"}

    def close(self) -> None:
        """Nothing to stop: the chat model belongs to whoever made it."""


def _to_message(message: BaseMessage) -> Message:
    if isinstance(message, SystemMessage):
        return Message(role="system", content=str(message.text))
    if isinstance(message, HumanMessage):
        return Message(role="user", content=str(message.text))
    if isinstance(message, AIMessage):
        return Message(role="assistant", content=str(message.text))
    raise InferenceError(
        f"A message of the kind {message.type!r} cannot be sent to a text backend.",
        hint="Use system, human and AI messages.",
    )
