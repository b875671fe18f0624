"""Laying a LoRA adapter into a GGUF model; what llama.cpp makes of it is a parity test."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader
from gguf.quants import dequantize

from assistant.errors import WeightsError
from assistant.training.narrator_export import write_lora_gguf
from assistant.vlm.merging import write_merged
from tests.tiny_models import WIDTH, write_tiny_gguf

RANK, ALPHA = 4, 8.0


def matrices(block: int = 0, *, width: int = WIDTH) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    name = f"{block}.mlp.up_proj"
    return {
        f"{name}.lora_A": rng.normal(0, 0.3, (RANK, width)).astype(np.float32),
        f"{name}.lora_B": rng.normal(0, 0.3, (128, RANK)).astype(np.float32),
    }


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "base.gguf")


def adapter(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    write_lora_gguf(arrays, path, alpha=ALPHA, heads=(2, 1))
    return path


def tensors(path: Path) -> dict[str, np.ndarray]:
    return {t.name: dequantize(t.data, t.tensor_type) for t in GGUFReader(path).tensors}


@pytest.mark.parametrize(("kind", "rounding"), [("Q8_0", 0.01), ("Q4_0", 0.12)])
def test_the_adapter_is_laid_in_and_nothing_else_changes(
    base: Path, tmp_path: Path, kind: str, rounding: float
) -> None:
    lora = matrices()
    target = tmp_path / "merged.gguf"
    write_merged(base, adapter(tmp_path / "lora.gguf", lora), target, kind=kind)
    before, after = tensors(base), tensors(tmp_path / "merged.gguf")
    changed = "blk.0.ffn_up.weight"
    added = ALPHA / RANK * lora["0.mlp.up_proj.lora_B"] @ lora["0.mlp.up_proj.lora_A"]
    assert list(after) == list(before)
    for name, weights in before.items():
        wanted = weights + added if name == changed else weights
        assert np.linalg.norm(after[name] - wanted) < rounding * np.linalg.norm(wanted), name
    assert np.linalg.norm(added) > 0.1 * np.linalg.norm(before[changed])
    settings = [GGUFReader(p).fields for p in (base, tmp_path / "merged.gguf")]
    for name in ("llama.context_length", "tokenizer.chat_template", "tokenizer.ggml.tokens"):
        assert settings[0][name].contents() == settings[1][name].contents()


def test_an_adapter_of_another_model_is_refused(base: Path, tmp_path: Path) -> None:
    for number, arrays in enumerate((matrices(7), matrices(width=32))):
        lora = adapter(tmp_path / f"{number}.gguf", arrays)
        with pytest.raises(WeightsError, match="another model"):
            write_merged(base, lora, tmp_path / "merged.gguf")
    assert not (tmp_path / "merged.gguf").exists()


def test_half_an_adapter_and_no_adapter_are_refused(base: Path, tmp_path: Path) -> None:
    half = {k: v for k, v in matrices().items() if k.endswith("A")}
    with pytest.raises(WeightsError, match="half"):
        write_merged(base, adapter(tmp_path / "half.gguf", half), tmp_path / "merged.gguf")
    with pytest.raises(WeightsError, match="not a LoRA"):
        write_merged(base, base, tmp_path / "merged.gguf")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF, but no more")
    with pytest.raises(WeightsError, match="cannot be read"):
        write_merged(base, tmp_path / "broken.gguf", tmp_path / "merged.gguf")
