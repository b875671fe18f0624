"""A small CLIP on the embedded tower: a text tower trained against locked picture features.

Zhai et al. 2022, "LiT: Zero-Shot Transfer with Locked-image text Tuning" (arXiv 2111.07991). The
text side is open_clip's own ``TextTransformer``; the picture side is the frozen ViT-S/14, read as
class token, patch mean and patch deviation of some blocks and projected linearly. Prompts such as
"a fake face" can so be compared with a face without a network.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.transformer import TextTransformer
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from assistant.errors import InferenceError, WeightsError

__all__ = ["TextTowerLayout", "VisionLanguageModel", "Vocabulary", "contrastive_loss"]

FORMAT = "whyfake.text-tower/1"
_PAD, _START, _END, _UNKNOWN = "<pad>", "<start>", "<end>", "<unknown>"
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[+.-]?\d+|[?!]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTowerLayout:
    """Shape of the text tower, and what it reads of the picture tower.

    ``blocks`` are those of the picture tower whose statistics are projected, ``picture_width`` its
    width.
    """

    context: int = 32
    width: int = 128
    heads: int = 4
    layers: int = 3
    joint: int = 128
    blocks: tuple[int, ...] = (3, 5, 6, 8)
    picture_width: int = 384

    @property
    def statistics(self) -> int:
        """Values of a picture."""
        return len(self.blocks) * 3 * self.picture_width


class Vocabulary:
    """Words to numbers: a plain word list made from the captions; other words are ``<unknown>``.

    Args:
        words: in order; the first four are the special ones.
    """

    def __init__(self, words: Sequence[str]) -> None:
        if tuple(words[:4]) != (_PAD, _START, _END, _UNKNOWN):
            raise ValueError("a vocabulary begins with its four special words")
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(words)}

    @classmethod
    def of(cls, captions: Iterable[str], *, most: int = 1200, least: int = 2) -> Vocabulary:
        """The words that occur at least ``least`` times, commonest first."""
        counts = Counter(word for caption in captions for word in _split(caption))
        known = sorted((w for w, n in counts.items() if n >= least), key=lambda w: (-counts[w], w))
        return cls([_PAD, _START, _END, _UNKNOWN, *known[: most - 4]])

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, texts: Sequence[str], context: int) -> Tensor:
        """B x ``context`` numbers: start, words, end, padding; what is too long is cut."""
        out = torch.zeros(len(texts), context, dtype=torch.long)
        for row, text in enumerate(texts):
            found = [self._numbers.get(word, 3) for word in _split(text)][: context - 2]
            numbers = [1, *found, 2]
            out[row, : len(numbers)] = torch.tensor(numbers)
        return out

    def unknown(self, text: str) -> list[str]:
        """The words of a text that the vocabulary does not hold."""
        return [word for word in _split(text) if word not in self._numbers]


class VisionLanguageModel(nn.Module):
    """Pictures' statistics and texts into one space.

    Args:
        layout: of both sides.
        vocabulary: of the text side.
    """

    def __init__(self, layout: TextTowerLayout, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.layout = layout
        self.vocabulary = vocabulary
        self.text = TextTransformer(
            context_length=layout.context,
            vocab_size=len(vocabulary),
            width=layout.width,
            heads=layout.heads,
            layers=layout.layers,
            output_dim=layout.joint,
            pool_type="eos",
            eos_id=2,
        )
        self.register_buffer("mean", torch.zeros(layout.statistics))
        self.register_buffer("spread", torch.ones(layout.statistics))
        self.projection = nn.Linear(layout.statistics, layout.joint, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(float(np.log(10.0))))
        self.dropout = nn.Dropout(0.5)

    def encode_statistics(self, values: Tensor) -> Tensor:
        """B x blocks x 3 x width statistics to B x joint, of length 1."""
        standard = (values.flatten(1).float() - self.mean) / self.spread  # type: ignore[operator]
        return functional.normalize(self.projection(self.dropout(standard)), dim=-1)

    def encode_tokens(self, numbers: Tensor) -> Tensor:
        """B x context word numbers to B x joint, of length 1."""
        return functional.normalize(self.text(numbers), dim=-1)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts to N x joint, of length 1.

        Raises:
            InferenceError: a text holds no word that is known.
        """
        for text in texts:
            if len(self.vocabulary.unknown(text)) == len(_split(text)):
                raise InferenceError(
                    f"The prompt {text!r} holds no word that the text tower knows.",
                    hint="Use plain words such as: a real face, a fake face.",
                    code="unknown-words",
                )
        with torch.inference_mode():
            numbers = self.vocabulary.encode(texts, self.layout.context)
            found: NDArray[np.float32] = self.encode_tokens(numbers).numpy()
        return found

    def prompt_logits(
        self, statistics: NDArray[np.floating], *, real: Sequence[str], fake: Sequence[str]
    ) -> NDArray[np.float64]:
        """How much nearer faces are to the ``fake`` prompts than to the ``real`` ones, N values.

        Args:
            statistics: N x blocks x 3 x width.
            real: prompts of real faces; several are averaged.
            fake: prompts of manipulated faces.
        """
        with torch.inference_mode():
            pictures = self.encode_statistics(torch.from_numpy(np.asarray(statistics, np.float32)))
            scale = float(self.logit_scale.exp())
        ends = [self.encode_texts(list(texts)).mean(0) for texts in (real, fake)]
        ends = [end / (np.linalg.norm(end) + 1e-9) for end in ends]
        out: NDArray[np.float64] = scale * (pictures.numpy() @ (ends[1] - ends[0])).astype(float)
        return out

    def save(self, path: Path, *, base_sha256: str, card: Mapping[str, Any]) -> None:
        """Write everything to one safetensors file (matrices as float16)."""
        tensors = {
            name: tensor.detach().to(torch.float16 if tensor.ndim > 1 else torch.float32)
            for name, tensor in self.state_dict().items()
        }
        text = json.dumps(
            {
                "format": FORMAT,
                "layout": asdict(self.layout),
                "words": self.vocabulary.words,
                "base_sha256": base_sha256,
                "card": dict(card),
            },
            sort_keys=True,
        )
        draft = path.with_name(f".{path.name}.draft")
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({n: t.contiguous() for n, t in tensors.items()}, draft, {"whyfake": text})
        draft.replace(path)

    @classmethod
    def load(cls, path: Path, *, base_sha256: str) -> VisionLanguageModel:
        """Read a file of :meth:`save`.

        Raises:
            WeightsError: it is missing or damaged, or was trained on another base.
        """
        try:
            with safe_open(path, framework="pt") as file:
                values = json.loads((file.metadata() or {})["whyfake"])
                tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
            layout = TextTowerLayout(
                **{**values["layout"], "blocks": tuple(values["layout"]["blocks"])}
            )
            model = cls(layout, Vocabulary(values["words"]))
            model.load_state_dict(tensors, strict=True)
            found = str(values["base_sha256"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise WeightsError(
                f"{path} is not a text tower of whyfake: {type(error).__name__}: {error}",
                hint="Train one with `whyfake train text-tower`.",
                code="weights-damaged",
            ) from error
        if found != base_sha256:
            raise WeightsError(
                f"This text tower was trained on the base {found[:12]}, but the base here is "
                f"{base_sha256[:12]}.",
                hint="Run `whyfake weights fetch`, or train one with `whyfake train text-tower`.",
                code="weights-other-base",
            )
        return model.eval().requires_grad_(False)


def contrastive_loss(pictures: Tensor, texts: Tensor, matches: Tensor, scale: Tensor) -> Tensor:
    """Contrastive loss with several right answers (UniCL, arXiv 2204.03610).

    Args:
        pictures: B x D, of length 1.
        texts: C x D, of length 1.
        matches: B x C, 1 where the text is true of the picture; every row and column has one.
        scale: inverse temperature.
    """
    logits = scale * pictures @ texts.T
    rows = matches / matches.sum(1, keepdim=True)
    columns = matches / matches.sum(0, keepdim=True)
    forward = -(rows * functional.log_softmax(logits, dim=1)).sum(1).mean()
    backward = -(columns * functional.log_softmax(logits, dim=0)).sum(0).mean()
    return (forward + backward) / 2


def _split(text: str) -> list[str]:
    return _WORD.findall(text.lower())
