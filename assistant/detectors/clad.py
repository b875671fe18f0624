"""CLAD: patches against texts. Normal ones gather around one text, anomalous ones are pushed off.

Trained on normal pictures alone, with anomalies made from them: faces blended with themselves, and
pieces pasted elsewhere in any other picture. It gives an anomaly map as well as a score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.clip_adapter import CLASS_TEXTS
from assistant.detectors.clip_pair import ClipOptions, ClipPair, ClipPlugin, load_pair
from assistant.detectors.plugin import Files, Recipe, refuse_layers
from assistant.types import Image, Trace

__all__ = ["ClAdDetector"]

_TOP = 0.05


class _Patches(nn.Module):
    texts: Tensor

    def __init__(self, pair: ClipPair) -> None:
        super().__init__()
        self.pair = pair
        self.base_sha256 = pair.key
        self.blocks = pair.blocks or (pair.depth // 2, pair.depth - 1)
        width = len(self.blocks) * pair.layout.width
        self.project = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, pair.joint_width))
        self.bias = nn.Parameter(torch.zeros(()))
        with torch.no_grad():
            texts = pair.encode_texts(CLASS_TEXTS)
        self.register_buffer("texts", texts, persistent=False)

    def patches(self, pixels: Tensor) -> Tensor:
        """B x 3 x S x S to B x patches x J, of length 1."""
        with torch.no_grad():
            outputs = self.pair.blocks_of(self.pair.embed(pixels))
            kept = torch.cat([outputs[b][:, 1:] for b in self.blocks], dim=-1)
        return functional.normalize(self.project(kept), dim=-1)

    def map(self, patches: Tensor) -> Tensor:
        """B x patches x J to B x patches logits of an anomaly."""
        found: Tensor = self.pair.scale * patches @ (self.texts[1] - self.texts[0]) + self.bias
        return found

    def score(self, logits: Tensor) -> Tensor:
        """B x patches to B: the mean of the most anomalous ones."""
        count = max(1, int(_TOP * logits.shape[1]))
        return logits.topk(count, dim=1).values.mean(1)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.score(self.map(self.patches(pixels)))


class ClAdDetector(ClipPlugin):
    """Patches against texts, with a map."""

    name = "clad"
    citation = (
        "CLAD: contrastive alignment of patches and texts for anomaly detection and localisation, "
        "2025 (known here by its description alone)"
    )
    recipe = Recipe(epochs=3, learning_rate=1e-3, decay=1e-2, batch=8, fakes="made", augment=False)

    @classmethod
    def build(cls, options: ClipOptions, files: Files) -> nn.Module:
        """A projection of the pair's patches."""
        return _Patches(load_pair(options, files))

    @classmethod
    def loss(
        cls, forward: Callable[[Tensor], Tensor], values: Tensor, labels: Tensor, masks: Tensor
    ) -> Tensor:
        """Of the picture, of its patches, and that normal patches lie together."""
        network: Any = forward
        found = network.patches(values)
        logits = network.map(found)
        side = round(logits.shape[1] ** 0.5)
        wrong = functional.adaptive_max_pool2d(masks[:, None], (side, side)).flatten(1) > 0.5
        anchor = 1.0 - found[~wrong] @ network.texts[0]
        whole = functional.binary_cross_entropy_with_logits(
            network.score(logits), labels.to(logits.dtype)
        )
        places = functional.binary_cross_entropy_with_logits(
            logits, wrong.float(), pos_weight=torch.tensor(4.0)
        )
        total: Tensor = whole + places + 0.1 * anchor.mean()
        return total

    def trace(self, crop: Image, *, layers: Sequence[int] | None = None) -> Trace:
        """The logit and that of every patch; needs no gradient.

        Raises:
            InferenceError: attention was asked for.
        """
        refuse_layers(self.name, layers)
        found = self.maps([crop])[0]
        logit = float(self.logits([crop])[0])
        return Trace(logit=logit, layers=(), grid=found.shape, patch_logits=found.ravel())

    def maps(self, crops: Sequence[Image]) -> NDArray[np.float32]:
        """Anomaly logits of pictures, N x rows x columns of patches."""
        self.network.eval()
        network: Any = self.network
        with torch.no_grad():
            found = network.map(network.patches(self.pixels(crops)))
        side = round(found.shape[1] ** 0.5)
        values: NDArray[np.float32] = found.view(-1, side, side).cpu().numpy()
        return values
