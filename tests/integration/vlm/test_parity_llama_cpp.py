"""llama.cpp against torch on the same tiny weights: picture path, language model, LoRA adapter.

These hold what is not written down anywhere else: which block's features llama.cpp hands to the
projector, in which order the picture tokens come, and how a LoRA has to be laid out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from assistant.types import Message
from assistant.vlm.chat import chat_messages
from assistant.vlm.llama_cpp import LlamaCppBackend
from assistant.vlm.llava import llama_from_gguf, picture_tokens, vision_tower
from assistant.vlm.merging import write_merged
from assistant.vlm.mmproj import IMAGE_MEAN, IMAGE_STD, load_projector, write_mmproj
from tests.llava_folder import write_llava
from tests.tiny_models import WIDTH, write_tiny_gguf, write_tiny_projector, write_tiny_tower
from tests.unit.vlm.test_chat import request

torch = pytest.importorskip("torch")

TEXT = "What do you see in this picture?"
HEAD, TAIL = "<|im_start|>user\n", f"{TEXT}<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parity")
    write_tiny_gguf(folder / "model.gguf", seed=3)
    write_tiny_tower(folder / "tower.safetensors", seed=4)
    write_tiny_projector(folder / "projector.safetensors", seed=5, scale=0.4)
    write_mmproj(
        folder / "tower.safetensors", folder / "projector.safetensors", folder / "mmproj.gguf"
    )
    return folder


@pytest.fixture(scope="module")
def backend(files: Path) -> Iterator[LlamaCppBackend]:
    made = LlamaCppBackend(files / "model.gguf", files / "mmproj.gguf", threads=1)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    rows, columns = np.mgrid[0:224, 0:224]
    return np.stack([rows, columns, (rows * columns) % 256], axis=2).astype(np.uint8)


def their_logprobs(backend: LlamaCppBackend, picture: np.ndarray | None) -> dict[int, float]:
    asked = request(Message(role="user", content=TEXT), pictures=0)
    if picture is not None:
        asked = type(asked)(
            messages=asked.messages, evidence=asked.evidence, images=(picture,), max_new_tokens=1
        )
    body = {"messages": chat_messages(asked), "max_tokens": 1, "temperature": 0}
    body |= {"logprobs": True, "top_logprobs": 40}
    process = backend._process
    headers = {"Authorization": f"Bearer {process.key}"}
    reply = httpx.post(
        process.url + "/v1/chat/completions",
        json=body,
        headers=headers,
        timeout=30,
    )
    found = reply.json()["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return {entry["id"]: entry["logprob"] for entry in found}


def our_logprobs(files: Path, features: Any | None) -> Any:
    """With torch; ``features`` are what the projector reads, or None for text alone."""
    model = llama_from_gguf(files / "model.gguf")
    embed = model.get_input_embeddings()
    parts = [embed(ids(HEAD)), embed(ids(TAIL))]
    if features is not None:
        mlp = {k: torch.from_numpy(v) for k, v in projector(files).items()}
        hidden = features @ mlp["linear_1.weight"].T + mlp["linear_1.bias"]
        hidden = torch.nn.functional.gelu(hidden, approximate="tanh")
        parts.insert(1, hidden @ mlp["linear_2.weight"].T + mlp["linear_2.bias"])
    with torch.no_grad():
        return model(inputs_embeds=torch.cat(parts)[None]).logits[0, -1].log_softmax(-1)


def projector(files: Path) -> dict[str, np.ndarray]:
    return load_projector(files / "projector.safetensors", WIDTH)


def ids(text: str) -> Any:
    """The tiny tokenizer by hand: special words, the pair "th", else bytes."""
    special = {"<|im_start|>": 1, "<|im_end|>": 2}
    out: list[int] = []
    while text:
        word = next((w for w in special if text.startswith(w)), None)
        if word:
            out.append(special[word])
            text = text[len(word) :]
        elif text.startswith("th"):
            out.append(260)
            text = text[2:]
        else:
            out.append(4 + text.encode()[0])
            text = text[1:]
    return torch.tensor(out)


def distance(theirs: dict[int, float], ours: Any) -> float:
    return float(np.mean([abs(ours[token].item() - value) for token, value in theirs.items()]))


def test_the_language_model_is_the_same(files: Path, backend: LlamaCppBackend) -> None:
    assert distance(their_logprobs(backend, None), our_logprobs(files, None)) < 0.02


def test_the_picture_tokens_are_the_same(
    files: Path, backend: LlamaCppBackend, picture: np.ndarray
) -> None:
    tower = vision_tower(files / "tower.safetensors")
    mean, std = (torch.tensor(v)[:, None, None] for v in (IMAGE_MEAN, IMAGE_STD))
    pixels = (torch.from_numpy(picture).permute(2, 0, 1).float() / 255 - mean) / std
    with torch.no_grad():
        right = picture_tokens(tower, pixels[None])[0]
        states = tower(pixel_values=pixels[None], output_hidden_states=True).hidden_states
    theirs = their_logprobs(backend, picture)
    close = distance(theirs, our_logprobs(files, right))
    assert close < 0.05
    # Each of these is a plausible other reading of the format; the test must tell them apart.
    for wrong in (states[-1][0, 1:], states[-2][0, 1:], right.flip(0), states[-3][0, 1:]):
        assert distance(theirs, our_logprobs(files, wrong)) > 3 * close


def test_the_transformers_layout_holds_the_same_weights(files: Path) -> None:
    from transformers import LlavaForConditionalGeneration

    target = files / "llava"
    write_llava(
        files / "tower.safetensors", files / "projector.safetensors", files / "model.gguf", target
    )
    loaded = LlavaForConditionalGeneration.from_pretrained(target)
    mlp = loaded.model.multi_modal_projector
    assert np.allclose(mlp.linear_1.weight.detach(), projector(files)["linear_1.weight"])
    language = llama_from_gguf(files / "model.gguf")
    for name, weight in language.model.state_dict().items():
        assert torch.equal(weight, loaded.model.language_model.state_dict()[name]), name
    config = json.loads((target / "config.json").read_text())
    assert config["vision_feature_layer"] == -2


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_a_lora_adapter_changes_llama_cpp_as_it_changes_torch(files: Path) -> None:
    from peft import LoraConfig, get_peft_model

    from assistant.training.narrator_export import write_lora_gguf
    from assistant.training.narrator_model import TARGETS

    torch.manual_seed(0)
    model = get_peft_model(
        llama_from_gguf(files / "model.gguf"),
        LoraConfig(r=4, lora_alpha=8, target_modules=list(TARGETS)),
    )
    matrices = {}
    for name, weight in model.named_parameters():
        if ".lora_" in name:
            weight.data.normal_(0, 0.2)
            short = name.split("layers.")[1].replace(".default.weight", "")
            matrices[short] = weight.detach().numpy()
    write_lora_gguf(matrices, files / "lora.gguf", alpha=8, heads=(2, 1))
    embed = model.get_input_embeddings()
    with torch.no_grad():
        inputs = embed(ids(HEAD + TAIL))[None]
        ours = model(inputs_embeds=inputs).logits[0, -1].log_softmax(-1)
    tuned = LlamaCppBackend(files / "model.gguf", None, adapter=files / "lora.gguf", threads=1)
    tuned.start()
    theirs = their_logprobs(tuned, None)
    tuned.close()
    assert distance(theirs, ours) < 0.05
    assert distance(theirs, our_logprobs(files, None)) > 0.2
    write_merged(files / "model.gguf", files / "lora.gguf", files / "merged.gguf")
    merged = LlamaCppBackend(files / "merged.gguf", None, threads=1)
    merged.start()
    theirs = their_logprobs(merged, None)
    merged.close()
    # llama.cpp rounds what flows through an 8-bit model to 8 bits too: much at this size.
    assert distance(theirs, ours) < 0.2 * distance(theirs, our_logprobs(files, None))


def test_streamed_text_is_what_the_server_says_at_once(
    backend: LlamaCppBackend, picture: np.ndarray
) -> None:
    asked = request(Message(role="user", content=TEXT), pictures=1)
    streamed = "".join(backend.stream(asked, threading.Event()))
    body = backend._body(asked) | {"stream": False}
    process = backend._process
    headers = {"Authorization": f"Bearer {process.key}"}
    reply = httpx.post(
        process.url + "/v1/chat/completions",
        json=body,
        headers=headers,
        timeout=60,
    )
    assert reply.json()["choices"][0]["message"]["content"] == streamed
