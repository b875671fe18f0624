"""RepDFD: CLIP stays frozen; only the border around a shrunk face is learned (reprogramming).

Face2Text: a face-identity embedding becomes a word of the manipulated class's text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.clip_pair import ClipOptions, ClipPair, ClipPlugin, load_pair
from assistant.detectors.plugin import Files, Recipe
from assistant.errors import WeightsError

__all__ = ["RepDfdDetector", "border_size"]

_REAL, _FAKE = "a real photo of a person", "a fake photo of a x person"
_PLACE = 6  # of the placeholder: start, a, fake, photo, of, a, x
_IDENTITY_SIDE = 112


def border_size(outer: int, inner: int) -> int:
    """Numbers of the border: 77,520 for 224 and 156."""
    return 3 * (outer**2 - inner**2)


class RepDfdOptions(ClipOptions):
    """``inner``: side of the shrunk face; ``prompts``: the paper's ablation.

    ``fixed`` writes no pseudo-word, ``random`` a random one, ``dynamic`` that of the face's
    identity by the encoder in ``identity``: an ONNX file, 112 px RGB to one vector (ArcFace,
    BlendFace, TransFace).
    """

    inner: int = Field(default=156, ge=16, le=220)
    prompts: Literal["fixed", "random", "dynamic"] = "fixed"
    identity: Path | None = None
    identity_width: int = 128


class _Identity:
    """Crops to identity vectors of length 1."""

    def __init__(self, path: Path | None) -> None:
        if path is None or not path.is_file():
            raise WeightsError(
                f"RepDFD's dynamic prompts need a face-identity encoder: {path or 'none named'}.",
                hint="""Name an ONNX file: --set detector_options='{"identity": "PATH"}', or """
                """use "prompts": "fixed".""",
                code="no-identity-encoder",
            )
        try:
            self._net = cv2.dnn.readNetFromONNX(str(path))
        except cv2.error as error:
            raise WeightsError(
                f"{path.name} is no ONNX network that can be read.",
                hint="Export the identity encoder to ONNX (112 px in, one vector out).",
                code="no-identity-encoder",
            ) from error

    def __call__(self, pixels: Tensor) -> Tensor:
        side = (_IDENTITY_SIDE, _IDENTITY_SIDE)
        small = functional.interpolate(pixels.detach(), side, mode="bilinear", antialias=True)
        found = []
        for picture in (small * 2 - 1).cpu().numpy():
            self._net.setInput(picture[None].astype(np.float32))
            found.append(np.asarray(self._net.forward(), np.float32).ravel())
        return functional.normalize(torch.from_numpy(np.stack(found)).to(pixels.device), dim=-1)


class _Reprogrammed(nn.Module):
    places: Tensor
    to_word: Tensor
    words: Tensor
    real: Tensor
    ends: Tensor

    def __init__(self, pair: ClipPair, options: RepDfdOptions) -> None:
        super().__init__()
        self.pair, self.options = pair, options
        self.base_sha256 = pair.key
        outer, inner = pair.layout.image_size, options.inner
        self.outer, self.before = outer, (outer - inner) // 2
        around = torch.ones(3, outer, outer, dtype=torch.bool)
        middle = slice(self.before, self.before + inner)
        around[:, middle, middle] = False
        self.register_buffer("places", around.flatten().nonzero()[:, 0], persistent=False)
        self.border = nn.Parameter(torch.full((border_size(outer, inner),), 0.5))
        fake = _REAL.replace("real", "fake") if options.prompts == "fixed" else _FAKE
        with torch.no_grad():
            words, ends = pair.words([fake])
            real = pair.encode_texts([_REAL])[0]
        self.register_buffer("words", words, persistent=False)
        self.register_buffer("ends", ends, persistent=False)
        self.register_buffer("real", real, persistent=False)
        # the random map is not trained, but it is the detector's own: kept in its file
        entries = {"fixed": 0, "random": 1, "dynamic": options.identity_width}[options.prompts]
        spread = float(words.std()) if not words.is_meta else 1.0
        self.register_buffer("to_word", torch.randn(entries, pair.word_width) * spread)
        self.identity = _Identity(options.identity) if options.prompts == "dynamic" else None

    def canvas(self, pixels: Tensor) -> Tensor:
        """The shrunk face inside the learned border, B x 3 x outer x outer."""
        side, after = self.options.inner, self.outer - self.options.inner - self.before
        face = functional.interpolate(pixels, (side, side), mode="bilinear", antialias=True)
        padded = functional.pad(face, (self.before, after, self.before, after))
        border = torch.zeros(3 * self.outer**2, device=pixels.device)
        border = border.index_copy(0, self.places, self.border)
        return padded + border.view(1, 3, self.outer, self.outer)

    def _fake_texts(self, pixels: Tensor) -> Tensor:
        """1 x J or B x J."""
        if self.options.prompts == "fixed":
            return self.pair.encode_words(self.words, self.ends)
        entries = self.identity(pixels) if self.identity else pixels.new_ones(1, 1)
        word = (entries @ self.to_word)[:, None]
        words = self.words.expand(len(word), -1, -1)
        words = torch.cat([words[:, :_PLACE], word, words[:, _PLACE + 1 :]], dim=1)
        return self.pair.encode_words(words, self.ends.expand(len(word)))

    def forward(self, pixels: Tensor) -> Tensor:
        joint = self.pair.joint(self.pair.feature(self.canvas(pixels)))
        away = self._fake_texts(pixels) - self.real
        return self.pair.scale * (joint * away).sum(-1)


class RepDfdDetector(ClipPlugin):
    """A learned border around the face, and texts."""

    name = "repdfd"
    citation = (
        "Lin et al.: Standing on the Shoulders of Giants: Reprogramming Visual-Language Model for "
        "General Deepfake Detection (RepDFD), AAAI 2025 (arXiv 2409.02664)"
    )
    reported = "CDFv2 0.899, DFDC 0.810"
    Options = RepDfdOptions
    recipe = Recipe(epochs=3, learning_rate=1e-2, decay=0.0, batch=8)

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The pair behind a border that starts grey."""
        return _Reprogrammed(load_pair(options, files), options)
