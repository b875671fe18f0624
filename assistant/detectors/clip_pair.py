"""A picture tower and a text tower that share a space: what the CLIP plugins are built on.

Embedded: the frozen DINOv2 ViT-S/14 with the small text tower that was trained against it; full:
any open_clip model, ``ViT-L-14-quickgelu`` by default. Both text towers are open_clip's
``TextTransformer``, so one code feeds both with learned words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from open_clip.transformer import TextTransformer, VisionTransformer
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.frozen import FrozenFeatures
from assistant.detectors.plugin import (
    Files,
    PluginOptions,
    TrainedDetector,
    refuse_layers,
    trace_of,
)
from assistant.detectors.read_out import token_statistics
from assistant.detectors.text_tower import VisionLanguageModel
from assistant.detectors.tower import (
    TOWERS,
    TowerLayout,
    build_tower,
    embed,
    fit_positions,
    run_block,
    tower_sha256,
)
from assistant.errors import WeightsError
from assistant.types import Image, Trace

__all__ = [
    "ClipOptions",
    "ClipPair",
    "ClipPlugin",
    "PairHead",
    "TracedClipPlugin",
    "load_pair",
    "tower_of",
]

FULL_MODEL = "ViT-L-14-quickgelu"
_BLOCK = re.compile(r"^transformer\.resblocks\.(\d+)\.")


class ClipOptions(PluginOptions):
    """``model``: ``embedded``, or an open_clip model whose ``weights`` (a file) are given."""

    model: str = "embedded"
    weights: Path | None = None


class ClipPair(nn.Module):
    """Pictures and texts into one space; everything is differentiable, nothing is trained here.

    ``feature`` is what a probe reads of a picture: standardised statistics of several blocks in the
    embedded model, the normalised class token in the full one.
    """

    mean: Tensor
    std: Tensor
    centre: Tensor
    spread: Tensor
    projection: Tensor

    def __init__(
        self,
        visual: VisionTransformer,
        text: TextTransformer,
        tokenize: Callable[[Sequence[str]], Tensor],
        *,
        layout: TowerLayout,
        blocks: Sequence[int] = (),
        standard: tuple[Tensor, Tensor] | None = None,
        projection: Tensor | None = None,
        scale: float = 100.0,
        key: str = "",
    ) -> None:
        super().__init__()
        self.visual, self.text, self.layout = visual, text, layout
        self.tokenize, self.blocks, self.scale, self.key = tokenize, tuple(blocks), scale, key
        #: What the last gradient was asked of; empty where none was.
        self.seen: Sequence[Tensor] = ()
        self.depth = max(self.blocks) + 1 if self.blocks else layout.layers
        kept = {
            "mean": torch.tensor(layout.mean).view(1, 3, 1, 1),
            "std": torch.tensor(layout.std).view(1, 3, 1, 1),
            "centre": None if standard is None else standard[0],
            "spread": None if standard is None else standard[1],
            "projection": projection,
        }
        for name, value in kept.items():
            self.register_buffer(name, value, persistent=False)
        self.requires_grad_(False)

    @property
    def feature_width(self) -> int:
        """Numbers of :meth:`feature`."""
        return (3 * len(self.blocks) or 1) * self.layout.width

    @property
    def joint_width(self) -> int:
        """Numbers of the shared space."""
        return int(self.text.text_projection.shape[1])

    @property
    def word_width(self) -> int:
        """Numbers of a word."""
        return int(self.text.token_embedding.weight.shape[1])

    def embed(self, pixels: Tensor) -> Tensor:
        """B x 3 x S x S in [0, 1] to the tokens that enter the first block."""
        return embed(self.visual, (pixels - self.mean) / self.std)

    def blocks_of(self, tokens: Tensor) -> list[Tensor]:
        """Tokens after each block that is run."""
        out = []
        for block in self.visual.transformer.resblocks[: self.depth]:
            tokens = run_block(block, tokens)
            out.append(tokens)
        return out

    def feature(self, pixels: Tensor) -> Tensor:
        """B x 3 x S x S in [0, 1] to B x F."""
        return self.feature_of(self.blocks_of(self.embed(pixels)))

    def feature_of(self, outputs: Sequence[Tensor]) -> Tensor:
        """Block outputs to B x F."""
        self.seen = outputs if outputs[-1].requires_grad else ()
        if not self.blocks:
            return functional.normalize(self.visual.ln_post(outputs[-1][:, 0]), dim=-1)
        found = torch.stack([token_statistics(outputs[b]) for b in self.blocks], dim=1)
        standard: Tensor = (found.flatten(1) - self.centre) / self.spread
        return standard

    def joint(self, feature: Tensor) -> Tensor:
        """B x F to B x J, of length 1."""
        return functional.normalize(feature @ self.projection, dim=-1)

    def words(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Word vectors N x T x W of texts, and the place of each text's end."""
        numbers = self.tokenize(texts)
        end = self.text.eos_id if self.text.pool_type == "eos" else int(numbers.max())
        return self.text.token_embedding(numbers), (numbers == end).int().argmax(1)

    def encode_words(self, words: Tensor, ends: Tensor) -> Tensor:
        """Word vectors N x T x W, ending at ``ends``, to N x J of length 1."""
        text = self.text
        length = words.shape[1]
        hidden = text.transformer(
            words + text.positional_embedding[:length],
            attn_mask=text.attn_mask[:length, :length],
        )
        hidden = text.ln_final(hidden)
        at = hidden[torch.arange(len(hidden)), ends]
        return functional.normalize(at @ text.text_projection, dim=-1)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """N x J, of length 1."""
        return self.encode_words(*self.words(texts))


class PairHead(FrozenFeatures):
    """A trained part on the features of a frozen pair."""

    def __init__(self, pair: ClipPair) -> None:
        super().__init__()
        self.pair = pair
        self.base_sha256 = pair.key
        self.feature_key = f"pair-{pair.key[:16]}"

    def features(self, pixels: Tensor) -> Tensor:
        """The pair's own."""
        return self.pair.feature(pixels)

    def train(self, mode: bool = True) -> PairHead:
        """The pair itself never leaves evaluation."""
        super().train(mode)
        self.pair.eval()
        return self


class ClipPlugin(TrainedDetector):
    """What the CLIP plugins share: the pair is the base, and is not in their files."""

    Options = ClipOptions
    base_prefixes: ClassVar[tuple[str, ...]] = ("pair.",)

    @classmethod
    def create(cls, options: Any, files: Files) -> Any:
        """As every plugin; in the full profile on the full CLIP."""
        full = {"model": FULL_MODEL} if files.profile == "full" else {}
        return super().create({**full, **options}, files)


class TracedClipPlugin(ClipPlugin):
    """A CLIP plugin whose score is computed from the tokens that :meth:`ClipPair.feature_of` reads.

    Its maps are gradients times patch tokens of the last block whose patches reach the score.
    """

    scores_patches = False

    def trace(self, crop: Image, *, layers: Sequence[int] | None = None) -> Trace:
        """The tokens of that block, and the logit's gradient with respect to them.

        Raises:
            InferenceError: attention was asked for.
        """
        refuse_layers(self.name, layers)
        network: Any = self.network.eval()
        pair: ClipPair = network.pair
        with torch.enable_grad():
            pixels = self.pixels([crop]).requires_grad_()
            frozen = isinstance(network, FrozenFeatures)
            logit = network.head(network.features(pixels)) if frozen else network(pixels)
            # the class token of the last block has read no patch after it
            tokens = pair.seen[max(pair.blocks) if pair.blocks else pair.depth - 2]
            made = trace_of(logit, tokens, pair.layout.grid, prefix=1)
        pair.seen = ()
        return made


def load_pair(options: ClipOptions, files: Files) -> ClipPair:
    """The pair that the options name, strictly loaded.

    Raises:
        WeightsError: a file is missing, of another base or of another architecture.
    """
    if options.model == "embedded":
        return _embedded(files)
    return _full(options)


def tower_of(state: dict[str, Tensor]) -> TowerLayout:
    """The layout of a tower of the embedded kind, read off its tensors."""
    width = len(state["class_embedding"])
    found = [_BLOCK.match(name) for name in state]
    layers = 1 + max(int(m[1]) for m in found if m)
    plain = TOWERS["vit-s14"]
    heads = max(1, width * plain.heads // plain.width)
    return replace(plain, width=width, layers=layers, heads=heads)


def _embedded(files: Files) -> ClipPair:
    state = load_file(files.locate("dinov2-vits14"))
    layout = tower_of(state)
    visual = build_tower(layout)
    visual.load_state_dict(fit_positions(state, layout), strict=True)
    sha256 = tower_sha256(state)
    model = VisionLanguageModel.load(files.locate("text-tower-vits14"), base_sha256=sha256)
    context = model.layout.context
    return ClipPair(
        visual,
        model.text,
        lambda texts: model.vocabulary.encode(texts, context),
        layout=layout,
        blocks=model.layout.blocks,
        standard=(model.mean, model.spread),  # type: ignore[arg-type]
        projection=model.projection.weight.T.contiguous(),
        scale=float(model.logit_scale.exp()),
        key=sha256,
    )


def _full(options: ClipOptions) -> ClipPair:
    import open_clip

    if options.weights is None or not options.weights.is_file():
        raise WeightsError(
            f"The weights of {options.model} are not there: {options.weights or 'no file named'}.",
            hint="Give open_clip's file of this model: "
            """--set detector_options='{"weights": "PATH"}'.""",
            code="weights-missing",
        )
    try:
        model = open_clip.create_model(
            options.model, pretrained=str(options.weights), force_custom_text=True
        )
    except (RuntimeError, KeyError, ValueError, OSError) as error:
        raise WeightsError(
            f"{options.weights.name} does not hold {options.model}: {str(error)[:300]}",
            hint="Use weights of this architecture, or name the one that they are of.",
            code="weights-shape",
        ) from error
    return full_pair(model, options.model)


def full_pair(model: Any, name: str) -> ClipPair:
    """A pair around an open_clip model with its own text tower."""
    import open_clip

    visual = model.eval().visual
    layout = replace(
        TOWERS["vit-l14"],
        image_size=visual.image_size[0],
        patch_size=visual.patch_size[0],
        width=visual.conv1.out_channels,
        layers=len(visual.transformer.resblocks),
        heads=visual.transformer.resblocks[0].attn.num_heads,
    )
    return ClipPair(
        visual,
        model.text,
        open_clip.get_tokenizer(name),
        layout=layout,
        projection=visual.proj.detach(),
        scale=float(model.logit_scale.detach().exp()) if not model.logit_scale.is_meta else 100.0,
        key="" if visual.proj.is_meta else tower_sha256(visual.state_dict()),
    )
