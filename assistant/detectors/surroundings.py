"""What the surroundings of a face add to its score: the traces of a generator of whole pictures.

A generated portrait is generated everywhere, and hair and background give it away more often than
the inner face (measured in ``weights/README.md``). The same frozen network that reads the texture
of the crop (:mod:`assistant.detectors.texture`) reads the picture around the face, and a small
network says how far that speaks for a generator. Only what speaks for one counts: the *lift* is
never below zero, so that an untouched background never clears an exchanged face.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assistant.detectors.read_out import SumReadOut, build_read_out
from assistant.detectors.texture import TextureEye
from assistant.errors import InferenceError, WeightsError
from assistant.types import Image

__all__ = ["SurroundingsScore"]


class SurroundingsScore(nn.Module):
    """The lift of a face's logit by its surroundings: ``weight`` x softplus of a network's."""

    def __init__(self, eye: TextureEye, read_out: SumReadOut, weight: float) -> None:
        super().__init__()
        self.eye, self.read_out, self.weight = eye, read_out, weight

    @classmethod
    def build(
        cls, options: Mapping[str, Any], state: Mapping[str, Tensor], eye: TextureEye
    ) -> SurroundingsScore:
        """Out of what a detector's file holds.

        Raises:
            WeightsError: it was trained with another network, or does not fit its description.
        """
        if options.get("base_sha256") != eye.sha256:
            raise WeightsError(
                "These detector weights read the surroundings with the network "
                f"{str(options.get('base_sha256'))[:12]}, but the one here is {eye.sha256[:12]}.",
                hint="Run `whyfake weights fetch` to get the right one.",
                code="weights-other-base",
            )
        read_out = cast("SumReadOut", build_read_out(options["read_out"]))
        try:
            read_out.load_state_dict(dict(state), strict=True)
        except RuntimeError as error:
            raise WeightsError(
                f"What reads the surroundings does not fit its description: {str(error)[:300]}",
                hint="Run `whyfake weights verify`, then fetch or train again.",
                code="weights-shape",
            ) from error
        return cls(eye, read_out.eval().requires_grad_(False), float(options["weight"]))

    def options(self) -> dict[str, Any]:
        """What :meth:`build` needs, for a file's metadata."""
        return {
            "base_sha256": self.eye.sha256,
            "weight": self.weight,
            "read_out": self.read_out.options(),
        }

    def evidence(self, picture: Image) -> float:
        """How far an RGB uint8 picture and its mirror image speak for a generator (a logit)."""
        with torch.inference_mode():
            views = [picture, np.ascontiguousarray(picture[:, ::-1])]
            return float(self.read_out.from_statistics(self.eye(views)).double().mean())

    def lifts(self, evidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """What logits of the network add to the score."""
        found: NDArray[np.float64] = self.weight * np.logaddexp(0.0, evidence)
        return found

    def lift(self, picture: Image | None) -> float:
        """What is added to the face's logit, at least 0; 0 where nothing is seen.

        Raises:
            InferenceError: it is not finite.
        """
        if picture is None:
            return 0.0
        value = float(self.lifts(np.array([self.evidence(picture)]))[0])
        if not np.isfinite(value):
            raise InferenceError(
                "The surroundings of a face got a score that is no number.",
                hint="Run `whyfake weights verify`; if that is right, report the picture's size.",
                code="score-not-finite",
            )
        return value
