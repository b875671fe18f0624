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
        patience: validations without progress before :meth:`exhausted`; 0: never.
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
        patience: int = 0,
    ) -> None:
        self._named = dict(named)
        self._optimiser = optimiser
        self._decay = average
        self._every = every
        self._patience = patience
        self._path = path
        self._key = key
        self._average = self._values()
        self._best = self._values()
        self.validation: list[float] = []
        self.epoch, self.batch = 0, 0

    def _values(self) -> dict[str, Tensor]:
        return {n: p.detach().clone() for n, p in self._named.items()}

    def stepped(self, epoch: int, batch: int) -> None:
        """A step was made: ``batch`` batches of ``epoch`` are done."""
        for name, parameter in self._named.items():
            self._average[name].lerp_(parameter.detach(), 1.0 - self._decay)
        if batch % self._every == 0:
            self._save(epoch, batch)

    def epoch_done(self, epoch: int, value: float) -> None:
        """An epoch ended with this validation score; its average is kept if it is the best."""
        if not self.validation or not value <= max(self.validation):
            self._best = copy.deepcopy(self._average)
        self.validation.append(value)
        self.batch = 0
        self._save(epoch + 1, 0)

    def exhausted(self) -> bool:
        """True where the last ``patience`` validations brought nothing."""
        if not self._patience or len(self.validation) <= self._patience:
            return False
        return max(self.validation[-self._patience :]) <= max(self.validation[: -self._patience])

    def averaged(self) -> _Swap:
        """A context in which the parameters have their averaged values."""
        return _Swap(self._named, self._average)

    def best(self, prefix: str, *, last: bool = False) -> dict[str, Tensor]:
        """The best (or last) average of the parameters under ``prefix``, without it, on the CPU."""
        values = self._average if last else self._best
        return {n.removeprefix(prefix): t.cpu() for n, t in values.items() if n.startswith(prefix)}

    def _save(self, epoch: int, batch: int) -> None:
        if self._path is None:
            return
        draft = self._path.with_name(f".{self._path.name}")
        torch.save(
            {
                "key": self._key,
                "epoch": epoch,
                "batch": batch,
                "values": self._values(),
                "average": self._average,
                "best": self._best,
                "validation": self.validation,
                "optimiser": self._optimiser.state_dict(),
            },
            draft,
        )
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
        self._average, self._best = state["average"], state["best"]
        self.validation = state["validation"]
        self.epoch, self.batch = state["epoch"], state["batch"]
        self._optimiser.load_state_dict(state["optimiser"])


class _Swap:
    """Put the averaged values in place for a while."""

    def __init__(self, named: dict[str, Tensor], values: dict[str, Tensor]) -> None:
        self._named, self._values = named, values
        self._kept: dict[str, Tensor] = {}

    def __enter__(self) -> None:
        with torch.no_grad():
            for name, parameter in self._named.items():
                self._kept[name] = parameter.detach().clone()
                parameter.copy_(self._values[name])

    def __exit__(self, *_: object) -> None:
        with torch.no_grad():
            for name, parameter in self._named.items():
                parameter.copy_(self._kept[name])
