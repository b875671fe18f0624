"""Real architectures at tiny random size: a GGUF language model, a vision tower, a projector."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WIDTH = 64
WORDS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<file_sep>")
CHAT = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content']"
    " + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def write_tiny_gguf(path: Path, *, seed: int = 0, layers: int = 2) -> Path:
    """A two-layer llama with a vocabulary of bytes; its end token is never likely."""
    from gguf import GGUFWriter, TokenType

    rng = np.random.default_rng(seed)
    tokens = [*WORDS, *_byte_words(), "th"]
    kinds = [TokenType.CONTROL] * len(WORDS) + [TokenType.NORMAL] * 257
    writer = GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(128)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(32)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT)

    def add(name: str, *shape: int, scale: float = 0.3) -> None:
        writer.add_tensor(name, rng.normal(0, scale, shape).astype(np.float32))

    embedding = rng.normal(0, 0.5, (len(tokens), WIDTH)).astype(np.float32)
    # Only printable bytes are likely: the text is whole characters, and special words never come.
    output = rng.normal(0, 0.5, (len(tokens), WIDTH)).astype(np.float32)
    printable = [len(WORDS) + byte for byte in (0x20, *range(0x61, 0x7B))]
    output[[i for i in range(len(tokens)) if i not in printable]] *= 0.001
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for i in range(layers):
        writer.add_tensor(f"blk.{i}.attn_norm.weight", np.ones(WIDTH, np.float32))
        writer.add_tensor(f"blk.{i}.ffn_norm.weight", np.ones(WIDTH, np.float32))
        add(f"blk.{i}.attn_q.weight", WIDTH, WIDTH)
        add(f"blk.{i}.attn_k.weight", 32, WIDTH)
        add(f"blk.{i}.attn_v.weight", 32, WIDTH)
        add(f"blk.{i}.attn_output.weight", WIDTH, WIDTH)
        add(f"blk.{i}.ffn_gate.weight", 128, WIDTH)
        add(f"blk.{i}.ffn_up.weight", 128, WIDTH)
        add(f"blk.{i}.ffn_down.weight", WIDTH, 128)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_tiny_tower(path: Path, *, seed: int = 0, blocks: int = 3) -> Path:
    """A vision tower of width 64 in open_clip's names, LayerScale and all."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(seed)

    def array(*shape: int, scale: float = 0.1) -> np.ndarray:
        return rng.normal(0, scale, shape).astype(np.float32)

    state = {
        "conv1.weight": array(WIDTH, 3, 14, 14),
        "class_embedding": array(WIDTH),
        "positional_embedding": array(257, WIDTH),
        "ln_post.weight": 1 + array(WIDTH),
        "ln_post.bias": array(WIDTH),
    }
    for i in range(blocks):
        name = f"transformer.resblocks.{i}"
        shapes = {
            "attn.in_proj": (3 * WIDTH, WIDTH),
            "attn.out_proj": (WIDTH, WIDTH),
            "mlp.c_fc": (4 * WIDTH, WIDTH),
            "mlp.c_proj": (WIDTH, 4 * WIDTH),
        }
        for part, shape in shapes.items():
            join = "_" if part.endswith("in_proj") else "."
            state[f"{name}.{part}{join}weight"] = array(*shape)
            state[f"{name}.{part}{join}bias"] = array(shape[0])
        for part in ("ln_1", "ln_2"):
            state[f"{name}.{part}.weight"] = 1 + array(WIDTH)
            state[f"{name}.{part}.bias"] = array(WIDTH)
        for part in ("ls_1", "ls_2"):
            state[f"{name}.{part}.gamma"] = 0.5 + array(WIDTH)
    save_file(state, path)
    return path


def write_tiny_projector(path: Path, *, seed: int = 0, scale: float = 0.3) -> Path:
    """A projector 64 -> 64 -> 64 loud enough that the picture changes the text."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(seed)
    save_file(
        {
            "linear_1.weight": rng.normal(0, scale, (WIDTH, WIDTH)).astype(np.float32),
            "linear_1.bias": np.zeros(WIDTH, np.float32),
            "linear_2.weight": rng.normal(0, scale, (WIDTH, WIDTH)).astype(np.float32),
            "linear_2.bias": np.zeros(WIDTH, np.float32),
        },
        path,
    )
    return path


def _byte_words() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in byte order."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    extra = iter(range(256))
    return [chr(b) if b in printable else chr(256 + next(extra)) for b in range(256)]
