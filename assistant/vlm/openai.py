"""Text from any OpenAI-compatible server: vLLM, SGLang, Ray Serve, Ollama, llama.cpp's server."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assistant.errors import Cancelled, ConfigError
from assistant.streaming import StreamLimits, guarded
from assistant.types import VlmRequest
from assistant.vlm.chat import chat_messages
from assistant.vlm.completions import Endpoint, chat_pieces

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["OpenAIBackend"]


class OpenAIBackend:
    """Streams chat completions over HTTP; pictures go as data URIs.

    Args:
        base_url: the API's root, usually ending in ``/v1``.
        model: the model's name as the server knows it.
        api_key_env: the environment variable that holds the key; read at each request, never kept.
        images: False for a server whose model takes no pictures.
        json_schema: asks the server to hold its answer to this schema where it can.
        retries: how often a refused or overloaded connection is tried again before the first word.
    """

    name = "openai"

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key_env: str = "OPENAI_API_KEY",
        images: bool = True,
        json_schema: Mapping[str, Any] | None = None,
        first_token_timeout: float = 30.0,
        total_timeout: float = 120.0,
        retries: int = 2,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ConfigError(
                f"{base_url!r} is not a server address.",
                hint="Give an address such as http://127.0.0.1:8000/v1.",
            )
        self.supports_images = images
        self._url = base_url.rstrip("/")
        self._model = model
        self._key_env = api_key_env
        self._schema = json_schema
        self._retries = retries
        self._limits = StreamLimits.of(first_token_timeout, total_timeout)

    @classmethod
    def from_settings(cls, settings: Settings) -> OpenAIBackend:
        """The server of the settings.

        Raises:
            ConfigError: no address or no model is named.
        """
        vlm = settings.vlm
        if not vlm.base_url or not vlm.model:
            raise ConfigError(
                "The openai backend needs an address and a model name.",
                hint="Set vlm.base_url and vlm.model, for example with "
                "`--set vlm.base_url=http://127.0.0.1:8000/v1 --set vlm.model=NAME`.",
            )
        return cls(
            vlm.base_url,
            vlm.model,
            api_key_env=vlm.api_key_env,
            first_token_timeout=vlm.first_token_timeout,
            total_timeout=vlm.total_timeout,
        )

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        """Yield new text; see :class:`assistant.interfaces.VlmBackend`."""
        body = self._body(request)
        endpoint = Endpoint(
            base_url=self._url,
            key=os.environ.get(self._key_env, "") if self._key_env else "",
            read_seconds=self._limits.total_seconds,
            retries=self._retries,
        )
        with contextlib.suppress(Cancelled):
            yield from guarded(
                lambda stop: chat_pieces(endpoint, body, stop), limits=self._limits, cancel=cancel
            )

    def provenance(self) -> Mapping[str, str]:
        """Model and address; the key is never part of it."""
        return {"backend": self.name, "model": self._model, "runs": self._url}

    def close(self) -> None:
        """Nothing to stop: each request has its own connection."""

    def _body(self, request: VlmRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": chat_messages(request, images=self.supports_images, format="JPEG"),
            "max_tokens": request.max_new_tokens,
            "temperature": 0.0,
            "seed": 0,
        }
        if self._schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": dict(self._schema)},
            }
        return body
