"""Text from any ``AutoModelForImageTextToText``: LLaVA, OneVision, Qwen3-VL, SmolVLM2, ours."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.compute import torch_device
from assistant.errors import AssistantError, Cancelled, ConfigError, OutOfMemory, WeightsError
from assistant.streaming import StreamLimits, guarded
from assistant.types import VlmRequest
from assistant.vlm.chat import defused
from assistant.vlm.pinned import Pinned
from assistant.vlm.quantization import (
    Quantization,
    available_bytes,
    check_memory,
    estimate_bytes,
    quantization_config,
)
from assistant.vlm.turns import TurnQueue

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["TransformersBackend"]

_LOG = logging.getLogger(__name__)
# Characters of the text so far in which a number or an id may stand unfinished.
_TAIL = 40


class TransformersBackend:
    """One model in this process; one generation at a time, each with a streamer of its own.

    Args:
        model: a folder in transformers' layout, or a hub id.
        revision: 40 hex digits for a hub id, so that the weights are pinned.
        quantization: ``nf4`` or ``int8`` through bitsandbytes, on CPU too; the vision tower, the
            projector and the word embeddings stay as they are.
        device: ``cpu`` or ``cuda``.
        dtype: ``float32``, ``bfloat16`` or ``auto`` (float32 on CPU, else bfloat16).
        local_only: never reach for the hub.
        pinned: let the model write any words, but only the numbers and ids of the facts that it is
            shown.

    The model is loaded at the first request or by :meth:`start`.
    """

    name = "transformers"
    supports_images = True

    def __init__(
        self,
        model: str | Path,
        *,
        revision: str | None = None,
        quantization: Quantization | None = None,
        device: str = "cpu",
        dtype: str = "auto",
        local_only: bool = False,
        pinned: bool = False,
        first_token_timeout: float = 60,
        total_timeout: float = 300,
        queue_timeout: float = 300,
    ) -> None:
        self._source = str(model)
        self._revision = revision
        self._quantization: Quantization | None = quantization
        self._device = device
        self._dtype = dtype
        self._pinned = pinned
        self._local_only = local_only or Path(self._source).is_dir()
        self._queue = TurnQueue()
        self._queue_seconds = queue_timeout
        self._limits = StreamLimits.of(first_token_timeout, total_timeout)
        self._model: Any = None
        self._processor: Any = None

    @classmethod
    def from_settings(cls, settings: Settings) -> TransformersBackend:
        """The model of the settings, or LLaVA 1.5."""
        vlm = settings.vlm
        return cls(
            vlm.model or "llava-hf/llava-1.5-7b-hf",
            revision=vlm.revision,
            quantization=None if vlm.quantization == "none" else vlm.quantization,
            device=torch_device(settings.device),
            pinned=vlm.pinned,
            first_token_timeout=vlm.first_token_timeout,
            total_timeout=vlm.total_timeout,
        )

    def start(self) -> None:
        """Load the model ahead of the first question.

        Raises:
            ConfigError: CUDA asked for and absent, or bitsandbytes missing.
            WeightsError: the model is not there, or is not what it should be.
            OutOfMemory: it does not fit.
        """
        with self._queue.turn(threading.Event(), timeout=self._queue_seconds):
            self._load()

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        """Yield new text; see :class:`assistant.interfaces.VlmBackend`."""
        with (
            contextlib.suppress(Cancelled),
            self._queue.turn(cancel, timeout=self._queue_seconds),
        ):
            self._load()
            yield from guarded(
                lambda stop: self._generate(request, stop), limits=self._limits, cancel=cancel
            )

    def provenance(self) -> Mapping[str, str]:
        """Model, revision, quantisation and device."""
        return {
            "backend": self.name,
            "model": Path(self._source).name if self._local_only else self._source,
            "revision": self._revision or "not pinned",
            "quantization": self._quantization or "none",
            "runs": self._device,
            "decoding": "pinned" if self._pinned else "free",
        }

    def close(self) -> None:
        """Let go of the model's memory; safe to call twice."""
        self._model = self._processor = None

    def _generate(self, request: VlmRequest, stop: threading.Event) -> Iterator[str]:
        import torch
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        inputs = self._inputs(request)
        rules = []
        if self._pinned and request.facts:
            start = inputs["input_ids"].shape[1]
            rules = [_pinning(self._processor.tokenizer, Pinned.of(request.facts), start)]
        streamer = TextIteratorStreamer(
            self._processor.tokenizer,
            skip_prompt=True,
            skip_special_tokens=True,
            timeout=self._limits.total_seconds,
        )
        failed: list[BaseException] = []

        def run() -> None:
            try:
                with torch.inference_mode():
                    self._model.generate(
                        **inputs,
                        do_sample=False,
                        temperature=None,
                        top_p=None,
                        top_k=None,
                        max_new_tokens=request.max_new_tokens,
                        streamer=streamer,
                        logits_processor=rules,
                        stopping_criteria=StoppingCriteriaList([_stops(stop)]),
                    )
            except BaseException as error:  # noqa: BLE001 - raised below, in the consumer's thread
                failed.append(error)
            finally:
                streamer.end()

        worker = threading.Thread(target=run, name="transformers-generate", daemon=True)
        worker.start()
        for piece in streamer:
            if piece:
                yield piece
            if stop.is_set():
                break
        worker.join(self._limits.total_seconds)
        if failed:
            raise _typed(failed[0]) from failed[0]

    def _inputs(self, request: VlmRequest) -> dict[str, Any]:
        import PIL.Image

        pictures = [PIL.Image.fromarray(image) for image in request.images]
        messages: list[dict[str, Any]] = []
        waiting = list(pictures)
        for message in request.messages:
            parts: list[dict[str, Any]] = []
            if message.role == "user" and waiting:
                parts = [{"type": "image"} for _ in waiting]
                waiting = []
            parts.append({"type": "text", "text": defused(message.content)})
            messages.append({"role": message.role, "content": parts})
        text = self._processor.apply_chat_template(messages, add_generation_prompt=True)
        given = self._processor(text=text, images=pictures or None, return_tensors="pt")
        return dict(given.to(self._model.device))

    def _load(self) -> None:
        if self._model is not None:
            return
        from transformers import AutoModelForImageTextToText, AutoProcessor
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        if self._device.startswith("cuda"):
            _need_cuda(self._device)
        dtype = self._torch_dtype()
        quantized = quantization_config(self._quantization, dtype)
        if self._quantization == "int8":
            # It logs one line a layer and word about casting float32, which is meant.
            logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
        config = self._config()
        check_memory(
            estimate_bytes(config, self._quantization, dtype),
            available_bytes(self._device),
            model=self._source,
        )
        with _loading(self._source):
            processor = AutoProcessor.from_pretrained(
                self._source, revision=self._revision, local_files_only=self._local_only
            )
            loaded: Any = AutoModelForImageTextToText.from_pretrained(
                self._source,
                revision=self._revision,
                local_files_only=self._local_only,
                dtype=dtype,
                device_map={"": self._device},
                quantization_config=quantized,
                output_loading_info=True,
                use_safetensors=True,
            )
        model, report = loaded
        missing = sorted(report.get("missing_keys", ()))
        if missing:
            raise WeightsError(
                f"{self._source} lacks {len(missing)} weights, the first is {missing[0]!r}.",
                hint="Fetch it again; random weights are never used.",
            )
        self._processor, self._model = processor, model.eval()
        _LOG.info("loaded %s (%s)", self._source, self._quantization or dtype)

    def _config(self) -> Any:
        from transformers import AutoConfig

        with _loading(self._source):
            return AutoConfig.from_pretrained(
                self._source, revision=self._revision, local_files_only=self._local_only
            )

    def _torch_dtype(self) -> Any:
        import torch

        if self._dtype == "auto":
            return torch.float32 if self._device == "cpu" else torch.bfloat16
        if self._dtype not in ("float32", "bfloat16", "float16"):
            raise ConfigError(
                f"Unknown dtype {self._dtype!r}; allowed: auto, float32, bfloat16, float16.",
                hint="Set one of these.",
            )
        return getattr(torch, self._dtype)


def _stops(stop: threading.Event) -> Any:
    import torch
    from transformers import StoppingCriteria

    class Stops(StoppingCriteria):  # type: ignore[misc, unused-ignore]
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((input_ids.shape[0],), stop.is_set(), device=input_ids.device)

    return Stops()


def _pinning(tokenizer: Any, pinned: Pinned, start: int) -> Any:
    """Forbids, from token ``start`` on, what would make a number or id that no fact has."""
    import torch
    from transformers import LogitsProcessor

    words = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    marked = [
        (place, tokenizer.convert_tokens_to_string([word]))
        for place, word in enumerate(words)
        if word and any(mark.isdigit() or mark in "[]%" for mark in word)
    ]
    places = torch.tensor([place for place, _ in marked])

    class Pinning(LogitsProcessor):  # type: ignore[misc, unused-ignore]
        def __call__(self, input_ids: Any, scores: Any) -> Any:
            written = tokenizer.decode(input_ids[0, start:], skip_special_tokens=True)
            if len(written) > _TAIL:  # from a space on, so that no number is cut in two
                written = written[-_TAIL:].partition(" ")[2]
            if not pinned.allows(f"{written} "):  # a number or an id must be finished first
                open_end = torch.full_like(scores, -torch.inf)
                open_end[:, places] = scores[:, places]
                scores = open_end
            wrong = [at for at, text in marked if not pinned.allows(written + text)]
            scores[:, wrong] = -torch.inf
            return scores

    return Pinning()


def _need_cuda(device: str) -> None:
    import torch

    if not torch.cuda.is_available():
        raise ConfigError(
            f"The device {device} was asked for, but no CUDA device is there.",
            hint="Set device=cpu, or install a driver and a CUDA build of torch.",
        )


@contextlib.contextmanager
def _loading(source: str) -> Iterator[None]:
    """Turns what transformers raises while loading into typed errors."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        made = _typed(error)
        if isinstance(made, OutOfMemory):
            raise made from error
        said = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"The model {source} cannot be loaded ({type(error).__name__}: {said})",
            hint="Check the name, the connection and `whyfake doctor`.",
        ) from error


def _typed(error: BaseException) -> BaseException:
    import torch

    if isinstance(error, AssistantError):
        return error
    memory = isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError))
    if memory or "not enough memory" in str(error) or "out of memory" in str(error).lower():
        return OutOfMemory(
            "The text model ran out of memory.",
            hint="Set vlm.quantization=nf4, choose a smaller model, or use the llama-cpp backend.",
        )
    from assistant.errors import InferenceError

    return InferenceError(
        f"The text model failed ({type(error).__name__}).",
        hint="The measured evidence is unaffected; try again or use another backend.",
    )
