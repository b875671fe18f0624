"""The scripted fake, and the checks made before a model is loaded."""

from __future__ import annotations

import importlib.util
import threading
import time

import pytest

from assistant.errors import ConfigError, OutOfMemory, WeightsError
from assistant.types import Message
from assistant.vlm.quantization import check_memory, quantization_config
from assistant.vlm.scripted import ScriptedBackend
from assistant.vlm.transformers import TransformersBackend
from tests.unit.vlm.test_chat import request

ASKED = request(Message(role="user", content="hi"))


def test_replies_come_in_order_and_the_last_repeats() -> None:
    backend = ScriptedBackend(["one", "two"])
    said = ["".join(backend.stream(ASKED, threading.Event())) for _ in range(3)]
    assert said == ["one", "two", "two"]


def test_without_replies_it_says_it_is_a_demo() -> None:
    assert "demo" in "".join(ScriptedBackend().stream(ASKED, threading.Event()))


def test_text_comes_back_as_it_was_given() -> None:
    text = "  Two  spaces,\nlines and a tail \n"
    assert "".join(ScriptedBackend([text]).stream(ASKED, threading.Event())) == text


def test_it_hangs_until_it_is_stopped() -> None:
    stop = threading.Event()
    pieces = ScriptedBackend(["a b c"], hang_after=1).stream(ASKED, stop)
    assert next(pieces) == "a"
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    assert list(pieces) == []
    assert 0.05 < time.monotonic() - began < 5


def test_an_unknown_quantization_is_refused() -> None:
    with pytest.raises(ConfigError, match="int8, nf4"):
        quantization_config("int3", None)  # type: ignore[arg-type]


def test_a_missing_bitsandbytes_is_an_error_and_never_another_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="bitsandbytes") as caught:
        quantization_config("nf4", None)
    assert "pip install" in caught.value.hint


def test_a_model_that_cannot_fit_is_refused_before_it_is_loaded() -> None:
    check_memory(10, 20, model="small")
    with pytest.raises(OutOfMemory, match="needs about"):
        check_memory(30 * 2**30, 8 * 2**30, model="large")


@pytest.mark.parametrize("source", ["no-such-folder-or-hub-model", "someone/no-such-model"])
def test_a_model_that_is_not_there_is_a_typed_error(source: str) -> None:
    backend = TransformersBackend(source, local_only=True)
    with pytest.raises(WeightsError) as caught:
        backend.start()
    assert caught.value.hint


def test_cuda_asked_for_and_absent_is_an_error() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("CUDA is there")
    with pytest.raises(ConfigError, match="CUDA"):
        TransformersBackend("x", device="cuda").start()


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(ConfigError, match="float32"):
        TransformersBackend("x", dtype="float12").start()
