"""What the surroundings of a face add to its score: the traces of a generator of whole pictures.

A generated portrait is generated everywhere, and hair and background give it away more often than
the inner face (measured in ``weights/README.md``). The same frozen network that reads the texture
of the crop (:mod:`assistant.detectors.texture`) reads the picture around the face, and a small
network for each generator that was learnt says how far that speaks for it; the one that says most
counts. Only what speaks for a generator counts, or at least not clearly against one: the *lift* is
never below zero, so that an untouched background never clears an exchanged face.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assistant.detectors.read_out import StatisticsReadOut, build_read_out
from assistant.detectors.texture import TextureEye, load_strictly
from assistant.errors import InferenceError
from assistant.types import Image

__all__ = ["SurroundingsScore"]


class SurroundingsScore(nn.Module):
    """The lift of a face's logit by its surroundings: how far the largest logit is above ``start``.

    ``networks`` read what ``eye`` sees, one for each generator. The lift is
    softplus(``sharpness`` x (largest - ``start``)) / ``sharpness``.
    """

    def __init__(
        self,
        eye: TextureEye,
        networks: Sequence[StatisticsReadOut],
        *,
        start: float,
        sharpness: float,
    ) -> None:
        super().__init__()
        self.eye, self.networks = eye, nn.ModuleList(networks)
        self.start, self.sharpness = start, sharpness
        #: The picture looked at last and its lift: a face is scored, then probed.
        self._last: tuple[weakref.ref[Image], float] | None = None

    @classmethod
    def build(
        cls, options: Mapping[str, Any], state: Mapping[str, Tensor], eye: TextureEye
    ) -> SurroundingsScore:
        """Out of what a detector's file holds.

        Raises:
            WeightsError: it was trained with another network, or does not fit its description.
        """
        eye.require(options, "read the surroundings with the network")
        networks = [cast("StatisticsReadOut", build_read_out(o)) for o in options["networks"]]
        made = cls(
            eye,
            networks,
            start=float(options["start"]),
            sharpness=float(options["sharpness"]),
        )
        told = "What reads the surroundings does not fit its description"
        load_strictly(made.networks, state, told)
        made.networks.eval().requires_grad_(False)
        return made

    def options(self) -> dict[str, Any]:
        """What :meth:`build` needs, for a file's metadata."""
        return {
            "base_sha256": self.eye.sha256,
            "start": self.start,
            "sharpness": self.sharpness,
            "networks": [cast("StatisticsReadOut", n).options() for n in self.networks],
        }

    def evidence(self, statistics: Tensor) -> Tensor:
        """N x networks logits of what the eye sees of N pictures; larger = that generator's."""
        each = [cast("StatisticsReadOut", n).from_statistics(statistics) for n in self.networks]
        return torch.stack(each, dim=1)

    def lifts(self, evidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """What N x networks logits add to N scores."""
        above = self.sharpness * (evidence.max(axis=1) - self.start)
        with np.errstate(invalid="ignore"):  # what is no number stays so, and lift refuses it
            found: NDArray[np.float64] = np.logaddexp(0.0, above) / self.sharpness
        return found

    def lift(self, picture: Image | None) -> float:
        """What is added to the face's logit, at least 0; 0 where nothing is seen.

        An RGB uint8 picture and its mirror image are looked at; their mean logits count.

        Raises:
            InferenceError: it is not finite.
        """
        if picture is None:
            return 0.0
        last = self._last
        if last is not None and last[0]() is picture:
            return last[1]
        with torch.inference_mode():
            views = [picture, np.ascontiguousarray(picture[:, ::-1])]
            evidence = self.evidence(self.eye(views)).double().mean(0, keepdim=True)
        value = float(self.lifts(evidence.cpu().numpy())[0])
        if not np.isfinite(value):
            raise InferenceError(
                "The surroundings of a face got a score that is no number.",
                hint="Run `whyfake weights verify`; if that is right, report the picture's size.",
                code="score-not-finite",
            )
        self._last = weakref.ref(picture), value
        return value
