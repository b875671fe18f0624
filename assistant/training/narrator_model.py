"""The narrator as it learns: dequantised language model with LoRA, projector, cached features."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from assistant.training.narrator_dialogue import PICTURE, Packed
from assistant.types import Image
from assistant.vlm.llava import llama_from_gguf, picture_tokens
from assistant.vlm.mmproj import (
    IMAGE_MEAN,
    IMAGE_SIZE,
    IMAGE_STD,
    load_projector,
    untrained_projector,
)

__all__ = ["TARGETS", "NarratorModel", "picture_features"]

#: The linear layers that LoRA adapts: all of each block.
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class NarratorModel(nn.Module):
    """Loss and greedy text of the language model over words and picture tokens.

    Args:
        gguf: the language model.
        projector: where the projector starts from; None for the untrained one.
        rank: of LoRA on all linear layers; ``alpha`` its scale.
        dtype: of the frozen weights; LoRA and projector stay in float32.
    """

    def __init__(
        self,
        gguf: Path,
        projector: Path | None,
        *,
        rank: int = 8,
        alpha: int = 16,
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        super().__init__()
        from peft import LoraConfig, get_peft_model

        base = llama_from_gguf(gguf).to(dtype)
        wide = LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(TARGETS))
        with warnings.catch_warnings():
            # peft asks transformers for a name that is going away; nothing of ours.
            warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
            self.language = get_peft_model(base, wide)
        arrays = untrained_projector() if projector is None else load_projector(projector)
        first, second = arrays["linear_1.weight"], arrays["linear_2.weight"]
        self.linear_1 = nn.Linear(first.shape[1], first.shape[0])
        self.linear_2 = nn.Linear(second.shape[1], second.shape[0])
        self.load_projector(arrays)

    @classmethod
    def trained(
        cls, gguf: Path, projector: Path, lora: Path, *, dtype: torch.dtype = torch.float32
    ) -> NarratorModel:
        """The model with an adapter as ``export_narrator`` writes it; its header tells the rank."""
        from safetensors import safe_open

        with safe_open(lora, "np") as file:
            about = file.metadata() or {}
            matrices = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        rank, alpha = int(about["rank"]), int(float(about["alpha"]))
        model = cls(gguf, projector, rank=rank, alpha=alpha, dtype=dtype)
        model.load_lora(matrices)
        return model

    def load_projector(self, arrays: dict[str, NDArray[np.float32]]) -> None:
        """Set the projector's weights."""
        for name, array in arrays.items():
            layer, part = name.split(".")
            getattr(getattr(self, layer), part).data.copy_(torch.from_numpy(array))

    def projected(self, features: torch.Tensor) -> torch.Tensor:
        """Picture features (tokens, 384) as word embeddings (tokens, 576)."""
        hidden: torch.Tensor = self.linear_2(nn.functional.gelu(self.linear_1(features.float())))
        return hidden

    def word_embeddings(self) -> torch.Tensor:
        """The language model's embedding of each word (words, 576)."""
        weight: torch.Tensor = self._inside().model.embed_tokens.weight
        return weight

    def loss(self, sample: Packed, features: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy over the tokens to be learned."""
        hidden = self._hidden(sample, features)
        # A token is predicted from the one before it in its own branch, which lies right before it,
        # or from the prefix's last where it begins the branch; answers never begin one.
        rows = torch.from_numpy(np.flatnonzero(sample.target))
        logits = self._head()(hidden[rows - 1]).float()
        return nn.functional.cross_entropy(logits, torch.from_numpy(sample.tokens)[rows])

    @torch.inference_mode()
    def last_logits(self, sample: Packed, features: torch.Tensor, count: int) -> torch.Tensor:
        """Logits for what follows each of the last ``count`` tokens: float32 (count, words)."""
        logits: torch.Tensor = self._head()(self._hidden(sample, features)[-count:]).float()
        return logits

    def load_lora(self, matrices: Mapping[str, NDArray[np.float32]]) -> None:
        """Set the LoRA matrices, named as ``export_narrator`` writes them.

        Raises:
            KeyError: a matrix is missing.
        """
        for name, parameter in self.language.named_parameters():
            if ".lora_" in name:
                short = name.removeprefix("base_model.model.model.").replace(".default.weight", "")
                parameter.data.copy_(torch.from_numpy(np.asarray(matrices[short], np.float32)))

    def _hidden(self, sample: Packed, features: torch.Tensor) -> torch.Tensor:
        core: Any = self._inside().model
        tokens = torch.from_numpy(sample.tokens)
        is_picture = tokens == PICTURE
        words = core.embed_tokens(tokens.clamp(min=0))
        if is_picture.any():
            picture = self.projected(features).to(words.dtype)
            words = words.masked_scatter(is_picture[:, None], picture)
        out = core(
            inputs_embeds=words[None],
            position_ids=torch.from_numpy(sample.positions)[None],
            attention_mask=torch.from_numpy(sample.mask())[None, None],
            use_cache=False,
        )
        hidden: torch.Tensor = out.last_hidden_state[0]
        return hidden

    def _head(self) -> nn.Module:
        head: nn.Module = self._inside().lm_head
        return head

    def _inside(self) -> Any:
        """The language model under peft's wrapping, which has no types."""
        wrapped: Any = self.language.base_model
        return wrapped.model


@torch.no_grad()
def picture_features(tower: Any, image: Image) -> torch.Tensor:
    """What the projector reads of a picture: float32 (256, 384). ``tower``: ``vision_tower``."""
    mean = torch.tensor(IMAGE_MEAN)[:, None, None]
    std = torch.tensor(IMAGE_STD)[:, None, None]
    pixels = torch.from_numpy(_sized(image)).permute(2, 0, 1).float() / 255
    found: torch.Tensor = picture_tokens(tower, ((pixels - mean) / std)[None])[0]
    return found


def _sized(image: Image) -> Image:
    import PIL.Image

    if image.shape[:2] == (IMAGE_SIZE, IMAGE_SIZE):
        return np.ascontiguousarray(image)
    picture = PIL.Image.fromarray(image)
    return np.array(picture.resize((IMAGE_SIZE, IMAGE_SIZE), PIL.Image.Resampling.BICUBIC))
