"""Text from a GGUF model through llama.cpp, the picture as image tokens: the embedded default.

The model lives in a child process (``llama_server.py``), so that a crash, an abort in llama.cpp, a
hang or a kill costs one answer and never the application; the next request starts it again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.compute import thread_count
from assistant.errors import Cancelled, GenerationTimeout, InferenceError, WeightsError
from assistant.streaming import StreamLimits, guarded
from assistant.types import VlmRequest
from assistant.vlm.chat import chat_messages
from assistant.vlm.completions import Endpoint, chat_pieces
from assistant.vlm.composition import must_be_told
from assistant.vlm.llama_process import LlamaProcess
from assistant.vlm.mmproj import IMAGE_SIZE
from assistant.vlm.pinned import pinned_grammar
from assistant.vlm.turns import TurnQueue

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["LlamaCppBackend"]

#: Host memory for the prompts of earlier conversations; one of 700 tokens takes 16 MiB and, once it
#: is forgotten, some seconds to read again. Six of them, so that a busy page stays near 2 GB.
_CACHE_MIB = 96


class LlamaCppBackend:
    """One GGUF model in a child process; one generation at a time, first come, first served.

    Args:
        model: the language model.
        mmproj: the picture side (``write_mmproj``); None for text alone.
        adapter: a LoRA adapter in GGUF; ``adapter_scale`` 0 turns it off.
        threads: for reading the prompt; one only where the machine is busy when the model is
            loaded. Writing uses half of them: a small model writes as fast on one thread, and on a
            busy machine two that wait for each other are many times slower.
        first_token_timeout: seconds from the start of an answer to its first word.
        total_timeout: seconds for a whole answer.
        queue_timeout: seconds to wait for the answers asked for before.
        load_timeout: seconds to load the model.
        context: tokens of prompt and answer together.
        full_precision: keys and values in float32, attention unfused: slower, to compare with
            torch (``tools/verify_narrator.py``).
        pinned: let the model write any words, but only the numbers and ids of the facts that it is
            shown (a grammar of the case).
    """

    name = "llama-cpp"
    most_images = 1
    #: A small model writes no better sentence at the second try, and each takes seconds.
    mends = False
    #: Measured (``whyfake eval described``): it says the same of these in every picture.
    unseen = ("side", "eyes", "glasses", "chin", "beard", "mouth")

    def __init__(
        self,
        model: Path,
        mmproj: Path | None,
        *,
        adapter: Path | None = None,
        adapter_scale: float = 1.0,
        threads: int = 2,
        first_token_timeout: float = 20,
        total_timeout: float = 60,
        queue_timeout: float = 120,
        load_timeout: float = 60,
        context: int = 4096,
        full_precision: bool = False,
        pinned: bool = False,
    ) -> None:
        for path in (model, mmproj, adapter):
            if path is not None and not path.is_file():
                raise WeightsError(
                    f"The model file {path.name} is not there.", hint="Run `whyfake weights fetch`."
                )
        self.supports_images = mmproj is not None
        self._files = {"model": model, "mmproj": mmproj, "adapter": adapter}
        options: dict[str, Any] = {k: str(v) if v else "" for k, v in self._files.items()}
        options |= {
            "adapter_scale": adapter_scale,
            "context": context,
            "cache_mib": _CACHE_MIB,
            "threads": max(1, threads // 2),
            "batch_threads": threads,
            "full_precision": full_precision,
        }
        self._process = LlamaProcess(options, load_seconds=load_timeout)
        self._queue = TurnQueue()
        self._queue_seconds = queue_timeout
        self._pinned = pinned
        self._limits = StreamLimits.of(first_token_timeout, total_timeout)

    @classmethod
    def from_settings(cls, settings: Settings) -> LlamaCppBackend:
        """The model of the settings, or the shipped narrator with its picture side."""
        from assistant.weights import locate

        def located(name: str) -> Path:
            return locate(
                name, data_dir=settings.data_dir, accept_unpinned=settings.accept_unpinned
            )

        vlm = settings.vlm
        mmproj: Path | None = None
        if vlm.model:
            model = Path(vlm.model)
        else:
            # Our own adapter is laid into the model; another goes beside the model as it came.
            model = located("smollm2-135m-q4" if vlm.adapter else "narrator-smollm2-135m")
            mmproj = located("mmproj-vits14")
        return cls(
            model,
            mmproj,
            adapter=vlm.adapter,
            threads=thread_count(settings.threads),
            first_token_timeout=vlm.first_token_timeout,
            total_timeout=vlm.total_timeout,
            pinned=vlm.pinned,
        )

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid

    def start(self) -> None:
        """Load the model ahead of the first question; may be left out.

        Raises:
            InferenceError: it cannot be loaded.
        """
        if self._process.running:
            return
        with self._queue.turn(threading.Event(), timeout=self._queue_seconds):
            self._process.start()

    def read_ahead(self, request: VlmRequest) -> None:
        """Read a request without writing: one that begins alike is then answered sooner.

        That may take as long as a whole answer; what was read of it by then stays read.

        Raises:
            InferenceError: it cannot be read.
        """
        stop = threading.Event()
        with self._queue.turn(stop, timeout=self._queue_seconds):
            self._process.start()
            enough = threading.Timer(self._limits.total_seconds, stop.set)
            enough.daemon = True
            enough.start()
            try:
                for _ in chat_pieces(
                    self._endpoint(), {**self._body(request), "max_tokens": 1}, stop
                ):
                    pass
            finally:
                enough.cancel()

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        """Yield new text; see :class:`assistant.interfaces.VlmBackend`."""
        with (
            contextlib.suppress(Cancelled),
            self._queue.turn(cancel, timeout=self._queue_seconds),
        ):
            self._process.start()
            endpoint = self._endpoint()
            body = self._body(request)
            if self._pinned and request.facts:
                needed = () if request.question else must_be_told(request.facts)
                body["grammar"] = pinned_grammar(
                    request.facts, needed=needed, one_sentence=request.one_sentence
                )

            def pieces(stop: threading.Event) -> Iterator[str]:
                return chat_pieces(endpoint, body, stop)

            try:
                yield from guarded(pieces, limits=self._limits, cancel=cancel)
            except Cancelled:
                # Stopped by a user, or by a caller whose own patience ended: then it may hang.
                if not self._process.responds():
                    self._process.kill()
                return
            except GenerationTimeout:
                # It may hang for good, and would block all who wait.
                self._process.kill()
                raise
            except InferenceError:
                if self._process.died():
                    raise InferenceError(
                        "The text model's process died while it wrote.",
                        hint="Ask again: it is started anew.",
                    ) from None
                raise

    def provenance(self) -> Mapping[str, str]:
        """Model, picture side and adapter by file name, and how they run."""
        found = {key: path.name for key, path in self._files.items() if path is not None}
        decoding = "pinned" if self._pinned else "free"
        runs = "llama.cpp in a child process, CPU"
        return {"backend": self.name, **found, "runs": runs, "decoding": decoding}

    def close(self) -> None:
        """End the child process; safe to call twice."""
        self._process.kill()

    def _endpoint(self) -> Endpoint:
        return Endpoint(
            base_url=self._process.url + "/v1",
            key=self._process.key,
            read_seconds=self._limits.total_seconds + 1,
            retries=0,
            proxies=False,
        )

    def _body(self, request: VlmRequest) -> dict[str, Any]:
        return {
            "messages": chat_messages(request, images=self.supports_images, side=IMAGE_SIZE),
            "max_tokens": request.max_new_tokens,
            "temperature": 0.0,
            "seed": 0,
            "cache_prompt": True,
        }
