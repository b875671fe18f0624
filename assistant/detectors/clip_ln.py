"""The ``clip-ln`` detector: a frozen vision transformer, tuned LayerNorms, a small read-out.

Yermakov, Cech, Matas: "Unlocking the Hidden Potential of CLIP in Generalizable Deepfake Detection"
(arXiv 2503.19683) and GenD (arXiv 2508.06248). One class serves both profiles: the embedded
ViT-S/14 read at several blocks, and the published ViT-L/14 read at its last class token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from assistant.compute import torch_device
from assistant.detectors.assembly import assemble
from assistant.detectors.delta_file import DeltaHeader, files_of, read_delta
from assistant.detectors.read_out import PatchEvidenceReadOut, ReadOut, token_statistics
from assistant.detectors.tower import (
    attention_probabilities,
    embed,
    run_block,
    run_block_from_attention,
    run_blocks,
)
from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.detectors.vision import VisionTransformer
from assistant.errors import InferenceError, OutOfMemory, WeightsError
from assistant.types import NOT_FITTED, CropSpec, Image, Reading, Trace

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["ClipLnDetector"]


class ClipLnDetector:
    """Scores aligned face crops; a :class:`assistant.interfaces.TraceableDetector`.

    Only the blocks up to the last one the read-out looks at are run (``depth`` of them).
    """

    name = "clip-ln"
    citation = (
        "Yermakov, Cech, Matas: Unlocking the Hidden Potential of CLIP in Generalizable Deepfake "
        "Detection, 2025 (arXiv 2503.19683)"
    )
    reported = "ViT-L/14: CDFv2 0.966, DFDC 0.872"

    def __init__(
        self,
        tower: VisionTransformer,
        read_out: ReadOut,
        header: DeltaHeader,
        *,
        weights_sha256: str,
        base_file: str = "",
        device: str = "cpu",
        batch_size: int = 16,
    ) -> None:
        self._device = torch.device(device)
        self._tower = tower.to(self._device).eval().requires_grad_(False)
        self._read_out = read_out.to(self._device).eval().requires_grad_(False)
        self._header = header
        self._base_file = base_file
        self._batch_size = batch_size
        layout = header.tower
        self._mean = torch.tensor(layout.mean, device=self._device).view(1, 3, 1, 1) * 255.0
        self._std = torch.tensor(layout.std, device=self._device).view(1, 3, 1, 1) * 255.0
        self.crop_spec: CropSpec = header.crop
        self.weights_sha256: str = weights_sha256
        self.depth: int = max(read_out.blocks) + 1

    @classmethod
    def load(
        cls,
        base: Path,
        delta: Path,
        *,
        device: str = "cpu",
    ) -> ClipLnDetector:
        """Load a base tower and what was trained on it, both strictly.

        Args:
            base: safetensors of the tower under open_clip's names.
            delta: file written by ``whyfake train detector``.
            device: a torch device.

        Raises:
            WeightsError: a file is missing, damaged, or made for another base.
        """
        read = read_delta(delta)
        try:
            state = load_file(base)
        except (OSError, SafetensorError) as error:
            raise WeightsError(
                f"The base tower could not be read from {base}: {error}.",
                hint="Run `whyfake weights fetch`.",
                code="weights-missing",
            ) from error
        tower, read_out = assemble(state, read)
        return cls(
            tower,
            read_out,
            read.header,
            weights_sha256=read.sha256,
            base_file=base.name,
            device=device,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> ClipLnDetector:
        """The files of the profile, or the settings' own ``detector_weights`` on its base."""
        base, delta = files_of(settings)
        return cls.load(base, delta, device=torch_device(settings.device))

    @classmethod
    def ready(cls, settings: Settings) -> bool:
        """Whether it was calibrated; a file that is missing is a WeightsError."""
        return read_delta(files_of(settings)[1]).header.calibration["method"] not in NOT_FITTED

    @property
    def calibration(self) -> Mapping[str, Any]:
        """The values of the calibrator that was fitted for these weights."""
        return self._header.calibration

    @property
    def card(self) -> Mapping[str, Any]:
        """What the training run wrote of itself."""
        return self._header.card

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """Raw scores of RGB uint8 crops, one each; larger = more likely manipulated.

        Raises:
            InferenceError: a score is not finite.
            OutOfMemory: too little memory for ``batch_size`` crops.
        """
        return np.array([reading.logit for reading in self.read(crops)], np.float64)

    def read(self, crops: Sequence[Image]) -> tuple[Reading, ...]:
        """Scores as :meth:`logits` gives them, with statistics of the blocks that are read.

        The statistics are those of the crops as they are, not of their mirror images.

        Raises:
            InferenceError: a score is not finite.
            OutOfMemory: too little memory for ``batch_size`` crops.
        """
        logits = np.empty(len(crops), np.float64)
        kept: list[NDArray[np.float32]] = []
        heads: list[tuple[float, float] | None] = []
        with torch.inference_mode():
            for start in range(0, len(crops), self._batch_size):
                batch = crops[start : start + self._batch_size]
                try:
                    values, statistics, answers = self._read_batch(batch)
                except (torch.OutOfMemoryError, MemoryError) as error:
                    raise OutOfMemory(
                        f"There is too little memory to score {len(batch)} faces at once.",
                        hint="Lower the detector's batch_size.",
                    ) from error
                logits[start : start + len(batch)] = values.double().cpu().numpy()
                kept += [*statistics.cpu().numpy()]
                heads += (
                    [None] * len(batch)
                    if answers is None
                    else [(a, b) for a, b in answers.double().cpu().tolist()]
                )
        found = zip(self._finite(logits), kept, heads, strict=True)
        return tuple(Reading(logit=float(z), statistics=s, heads=h) for z, s, h in found)

    def trace(self, crop: Image, *, layers: Sequence[int] | None = None) -> Trace:
        """Score one crop and keep what a heat map needs.

        Without ``layers``: the outputs of all blocks that are run and the logit's gradient by them,
        through the read-out alone, also of the mirror image. With ``layers``: their attention.

        Raises:
            InferenceError: the score is not finite, or a layer is not run.
        """
        grid = self._header.tower.grid
        if layers is None:
            return self._trace_tokens(crop, grid)
        chosen = tuple(sorted({int(layer) for layer in layers}))
        if not chosen or chosen[0] < 0 or chosen[-1] >= self.depth:
            raise InferenceError(
                f"Layers {list(layers)} cannot be traced: this detector runs blocks 0 to "
                f"{self.depth - 1}.",
                hint="Ask for some of these blocks.",
                code="trace-layers",
            )
        return self._trace_attention(crop, chosen, grid)

    def score_patches(self, crop: Image) -> NDArray[np.float32] | None:
        """Rows x columns of patch logits as :meth:`trace` gives them, at the price of a score.

        None where the read-out gives patches no logit of their own.
        """
        with torch.inference_mode():
            picked = self._pick(self._run([crop]))
            mirrored = self._pick(self._run(_turned([crop]))) if self._header.mirror else None
            found = self._patch_logits(picked, mirrored)
        return None if found is None else found.reshape(self._header.tower.grid)

    @property
    def mirrors(self) -> bool:
        """True where a crop's score is the mean with its mirror image's, so both have the same."""
        return self._header.mirror

    @property
    def scores_patches(self) -> bool:
        """True where the read-out gives each patch a logit of its own."""
        return any(isinstance(part, PatchEvidenceReadOut) for part in self._read_out.modules())

    def provenance(self) -> Mapping[str, str]:
        """Base, its hash, the delta's hash and device."""
        return {
            "base": self._base_file,
            "base_sha256": self._header.base_sha256,
            "weights_sha256": self.weights_sha256,
            "read_out": str(self._header.read_out.get("kind", "")),
            "device": str(self._device),
        }

    def _prepare(self, crops: Sequence[Image]) -> Tensor:
        side = self._header.tower.image_size
        sized = [crop if crop.shape[:2] == (side, side) else _resize(crop, side) for crop in crops]
        pixels = torch.from_numpy(np.stack(sized)).to(self._device)
        normal = (pixels.permute(0, 3, 1, 2).float() - self._mean) / self._std
        return embed(self._tower, normal)

    def _both(self, logit: Tensor, crop: Image) -> float:
        """The crop's score, of which ``logit`` is the unmirrored view's."""
        value = logit.detach()
        if self._header.mirror:
            with torch.inference_mode():
                value = 0.5 * (value + self._read_out(self._pick(self._run(_turned([crop])))))
        return float(self._finite(value.double().cpu().numpy())[0])

    def _patch_logits(
        self, picked: Sequence[Tensor], mirrored: Sequence[Tensor] | None
    ) -> NDArray[np.float32] | None:
        with torch.inference_mode():
            found = self._read_out.patch_logits([t.detach() for t in picked])
            if found is None:
                return None
            other = None if mirrored is None else self._read_out.patch_logits(mirrored)
            if other is not None:
                back = other.view(1, *self._header.tower.grid).flip(2).flatten(1)
                found = 0.5 * (found + back)
            logits: NDArray[np.float32] = found[0].cpu().numpy()
        return logits

    def _run(self, crops: Sequence[Image]) -> list[Tensor]:
        return run_blocks(self._tower, self._prepare(crops), range(self.depth))

    def _read_batch(self, crops: Sequence[Image]) -> tuple[Tensor, Tensor, Tensor | None]:
        """B logits, B x blocks x 3 x width statistics, and B x 2 logits of heads if there are."""
        outputs = self._run(crops)
        logits, heads = self._answers(self._pick(outputs))
        kept = [token_statistics(outputs[block].float()) for block in self._read_out.blocks]
        if self._header.mirror:
            mirrored, others = self._answers(self._pick(self._run(_turned(crops))))
            logits = 0.5 * (logits + mirrored)
            heads = None if heads is None or others is None else 0.5 * (heads + others)
        return logits, torch.stack(kept, dim=1), heads

    def _answers(self, tokens: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
        """B logits, and the B x 2 of the heads that they are joined of."""
        if isinstance(self._read_out, TwoHeadReadOut):
            heads = self._read_out.head_logits(tokens)
            return torch.logsumexp(heads, dim=1), heads
        return self._read_out(tokens), None

    def _pick(self, outputs: Sequence[Tensor]) -> list[Tensor]:
        picked = [outputs[block] for block in self._read_out.blocks]
        if self._read_out.after_last_norm:
            picked = [self._tower.ln_post(tokens) for tokens in picked]
        return [tokens.float() for tokens in picked]

    def _trace_tokens(self, crop: Image, grid: tuple[int, int]) -> Trace:
        share = 0.5 if self._header.mirror else 1.0
        picked, own = self._trace_view(crop, grid, share)
        if not self._header.mirror:
            logit = float(self._finite(np.array([own.logit]))[0])
            return replace(own, logit=logit, patch_logits=self._patch_logits(picked, None))
        mirrored, other = self._trace_view(_turned([crop])[0], grid, share)
        both = self._finite(np.array([0.5 * (own.logit + other.logit)]))
        patches = self._patch_logits(picked, mirrored)
        return replace(own, logit=float(both[0]), patch_logits=patches, mirror=other)

    def _trace_view(
        self, crop: Image, grid: tuple[int, int], share: float
    ) -> tuple[list[Tensor], Trace]:
        """What the read-out reads of one view, whose ``share`` of the score has these gradients."""
        with torch.no_grad():
            outputs = run_blocks(self._tower, self._prepare([crop]), range(self.depth))
        leaves = [outputs[block].detach().requires_grad_() for block in self._read_out.blocks]
        with torch.enable_grad():
            chosen = dict(zip(self._read_out.blocks, leaves, strict=True))
            picked = self._pick([chosen.get(i, t) for i, t in enumerate(outputs)])
            logit = self._read_out(picked)
            gradients = torch.autograd.grad(logit.sum(), leaves)
        stacked = torch.cat(outputs).float()
        gradient = torch.zeros_like(stacked)
        for block, value in zip(self._read_out.blocks, gradients, strict=True):
            gradient[block] = share * value[0].float()
        return picked, Trace(
            logit=float(logit.detach().double().cpu()[0]),
            layers=(),
            grid=grid,
            tokens=stacked.cpu().numpy(),
            token_gradient=gradient.cpu().numpy(),
        )

    def _trace_attention(
        self, crop: Image, layers: tuple[int, ...], grid: tuple[int, int]
    ) -> Trace:
        blocks = self._tower.transformer.resblocks
        wanted: list[Tensor] = []
        outputs: list[Tensor] = []
        with torch.no_grad():
            tokens = self._prepare([crop])
            for index in range(layers[0]):
                tokens = run_block(blocks[index], tokens)
                outputs.append(tokens)
            first, value = attention_probabilities(blocks[layers[0]], tokens)
        with torch.enable_grad():
            for index in range(layers[0], self.depth):
                if index in layers:
                    # the lowest block's probabilities are the leaf: backward ends there
                    if index == layers[0]:
                        probabilities = first.requires_grad_()
                    else:
                        probabilities, value = attention_probabilities(blocks[index], tokens)
                    wanted.append(probabilities)
                    tokens = run_block_from_attention(blocks[index], tokens, probabilities, value)
                else:
                    tokens = run_block(blocks[index], tokens)
                outputs.append(tokens)
            logit = self._read_out(self._pick(outputs))
            gradients = torch.autograd.grad(logit.sum(), wanted)
        share = 0.5 if self._header.mirror else 1.0
        return Trace(
            logit=self._both(logit, crop),
            layers=layers,
            grid=grid,
            attention=torch.cat([p.detach() for p in wanted]).float().cpu().numpy(),
            attention_gradient=(share * torch.cat(gradients).float()).cpu().numpy(),
        )

    @staticmethod
    def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
        if not np.isfinite(values).all():
            raise InferenceError(
                f"{int((~np.isfinite(values)).sum())} of {len(values)} faces got a score that is "
                "no number.",
                hint="Run `whyfake weights verify`; if that is right, report the picture's size.",
                code="score-not-finite",
            )
        return values


def _turned(crops: Sequence[Image]) -> list[Image]:
    """Mirror images."""
    return [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]


def _resize(crop: Image, side: int) -> Image:
    """Shortest side to ``side`` by Pillow's bicubic, then the centre: as the tower was trained."""
    height, width = crop.shape[:2]
    short = min(height, width)
    size = (side * width // short, side * height // short)
    resized = np.asarray(PIL.Image.fromarray(crop).resize(size, PIL.Image.Resampling.BICUBIC))
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return np.ascontiguousarray(resized[top : top + side, left : left + side])
