"""What of a training run must survive a kill: values, optimiser, average, best, place."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from assistant.errors import TrainingError

__all__ = ["RunState"]


class RunState:
    """Trained parameters with their running average, the best average so far, and a checkpoint.

    Args:
        named: the trained parameters.
        optimiser: of them.
        key: all that the run depends on; a checkpoint with another key is refused.
        path: of the checkpoint; None: nothing is written.
        average: decay of the average; 0: the average is the values themselves.
        every: batches between two checkpoints.
    """

    def __init__(
        self,
        named: Mapping[str, Tensor],
        optimiser: torch.optim.Optimizer,
        *,
        key: str,
        path: Path | None,
        average: float = 0.0,
        every: int = 50,
    ) -> None:
        self._named, self._optimiser = dict(named), optimiser
        self._decay, self._every, self._path, self._key = average, every, path, key
        self.average, self.best = self._values(), self._values()
        self.validation: list[float] = []
        self.epoch, self.batch = 0, 0

    def _values(self) -> dict[str, Tensor]:
        return {n: p.detach().clone() for n, p in self._named.items()}

    def stepped(self, epoch: int, batch: int) -> None:
        """A step was made: ``batch`` batches of ``epoch`` are done."""
        for name, parameter in self._named.items():
            self.average[name].lerp_(parameter.detach(), 1.0 - self._decay)
        if batch % self._every == 0:
            self._save(epoch, batch)

    def epoch_done(self, epoch: int, value: float) -> None:
        """An epoch ended with this validation score; its average is kept if it is the best."""
        if not self.validation or not value <= max(self.validation):
            self.best = copy.deepcopy(self.average)
        self.validation.append(value)
        self.batch = 0
        self._save(epoch + 1, 0)

    def _save(self, epoch: int, batch: int) -> None:
        if self._path is None:
            return
        draft = self._path.with_name(f".{self._path.name}")
        told = {"key": self._key, "epoch": epoch, "batch": batch, "validation": self.validation}
        kept = {"values": self._values(), "average": self.average, "best": self.best}
        torch.save({**told, **kept, "optimiser": self._optimiser.state_dict()}, draft)
        draft.replace(self._path)

    def restore(self) -> None:
        """Go on from the checkpoint, where there is one.

        Raises:
            TrainingError: it belongs to another run.
        """
        if self._path is None or not self._path.exists():
            return
        state = torch.load(self._path, weights_only=True)
        if state["key"] != self._key:
            raise TrainingError(
                f"The checkpoint {self._path.name} belongs to another configuration.",
                hint="Delete it, or choose another --work folder.",
                code="other-checkpoint",
            )
        with torch.no_grad():
            for name, parameter in self._named.items():
                parameter.copy_(state["values"][name])
        self.average, self.best = state["average"], state["best"]
        self.validation = state["validation"]
        self.epoch, self.batch = state["epoch"], state["batch"]
        self._optimiser.load_state_dict(state["optimiser"])
