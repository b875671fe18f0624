"""The file that holds what was trained: LayerNorm values, read-out, crop, calibration, card.

One safetensors file. Tensors: ``norm.<name in the tower>`` (the tuned LayerNorm values themselves,
so that nothing is lost to rounding a difference), ``low_rank.<layer>.up`` and ``.down`` where
linear layers were updated too, ``read_out.<name>``. A matrix of a read-out may
be kept as int8, with ``<its name>/step`` beside it: the float32 step of each row. Metadata
``whyfake``: one JSON object with the fields of :class:`DeltaHeader`. The base tower is named by its
hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from assistant.detectors.tower import TowerLayout
from assistant.errors import WeightsError
from assistant.types import CropSpec

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["Delta", "DeltaHeader", "files_of", "read_delta", "write_delta"]

FORMAT = "whyfake.delta/1"
_LARGE = 1024
#: Numbers of a read-out's matrix from which on its rows are kept in steps.
_HUGE = 16_384
_STEP = "/step"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaHeader:
    """The metadata of a delta.

    ``base_sha256`` is :func:`assistant.detectors.tower.tower_sha256` of the base; ``mirror``: the
    logit is the mean of a crop's and its mirror image's; ``calibration`` and
    ``card`` are plain JSON values.
    """

    tower: TowerLayout
    base_sha256: str
    read_out: Mapping[str, Any]
    crop: CropSpec
    mirror: bool = False
    calibration: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A delta as read: header, LayerNorms, low-rank factors, read-outs (float32), its hash."""

    header: DeltaHeader
    norms: Mapping[str, Tensor]
    read_out: Mapping[str, Tensor]
    sha256: str
    low_rank: Mapping[str, Tensor] = field(default_factory=dict)


def files_of(settings: Settings) -> tuple[Path, Path]:
    """Base tower and delta: those of the profile, or the settings' own delta on its base.

    Raises:
        WeightsError: one is missing or was changed.
    """
    from assistant.settings import DETECTOR_FILES
    from assistant.weights import locate

    def located(name: str) -> Path:
        return locate(name, data_dir=settings.data_dir, accept_unpinned=settings.accept_unpinned)

    base, delta = DETECTOR_FILES[settings.profile]
    return located(base), settings.detector_weights or located(delta)


def write_delta(
    path: Path,
    header: DeltaHeader,
    *,
    norms: Mapping[str, Tensor],
    read_out: Mapping[str, Tensor],
    low_rank: Mapping[str, Tensor] | None = None,
    small: bool = False,
) -> None:
    """Write a delta.

    ``small``: the large matrices of read-outs are kept as int8, what else is large as float16;
    LayerNorms stay float32. Reading and writing again changes nothing more.
    """
    tensors = {f"norm.{name}": t.detach().float().contiguous() for name, t in norms.items()}
    others = {f"read_out.{name}": tensor for name, tensor in read_out.items()}
    others |= {f"low_rank.{name}": tensor for name, tensor in (low_rank or {}).items()}
    for name, tensor in others.items():
        values = tensor.detach().float().contiguous()
        is_low_rank = name.startswith("low_rank.")
        if small and values.dim() == 2 and values.numel() >= _HUGE and not is_low_rank:
            tensors[name], tensors[name + _STEP] = _to_steps(values)
        else:
            tensors[name] = values.half() if small and values.numel() >= _LARGE else values
    text = json.dumps(
        {
            "format": FORMAT,
            "tower": header.tower.to_json(),
            "base_sha256": header.base_sha256,
            "read_out": dict(header.read_out),
            "crop": {
                "size": header.crop.size,
                "scale": header.crop.scale,
                "shift_y": header.crop.shift_y,
                **({"published": True} if header.crop.published else {}),
            },
            "mirror": header.mirror,
            "calibration": dict(header.calibration),
            "card": dict(header.card),
        },
        sort_keys=True,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    save_file(tensors, draft, metadata={"whyfake": text})
    draft.replace(path)


def _to_steps(values: Tensor) -> tuple[Tensor, Tensor]:
    """Rows x columns as whole numbers in [-127, 127], and the step of each row (never 0)."""
    step = (values.abs().amax(dim=1) / 127).clamp_min(torch.finfo(torch.float32).tiny)
    return (values / step[:, None]).round().to(torch.int8), step


def _from_steps(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All as float32; what is kept in steps put together again."""
    return {
        name: values.float() * (tensors[name + _STEP][:, None] if name + _STEP in tensors else 1.0)
        for name, values in tensors.items()
        if not name.endswith(_STEP)
    }


def _check_format(found: object) -> None:
    if found != FORMAT:
        raise ValueError(f"format {found!r}, expected {FORMAT!r}")


def read_delta(path: Path) -> Delta:
    """Read a delta.

    Raises:
        WeightsError: the file is missing, damaged, or not a delta.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with safe_open(path, framework="pt") as file:
            values = json.loads((file.metadata() or {})["whyfake"])
            tensors = _from_steps({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        _check_format(values["format"])
        header = DeltaHeader(
            tower=TowerLayout.from_json(values["tower"]),
            base_sha256=values["base_sha256"],
            read_out=values["read_out"],
            crop=CropSpec(**values["crop"]),
            mirror=bool(values.get("mirror", False)),
            calibration=values["calibration"],
            card=values["card"],
        )
    except FileNotFoundError as error:
        raise WeightsError(
            f"The detector's weights are not at {path}.",
            hint="Run `whyfake weights verify`.",
            code="weights-missing",
        ) from error
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path} is not a detector delta of whyfake: {type(error).__name__}: {error}.",
            hint="Run `whyfake weights fetch`, or train one with `whyfake train detector`.",
            code="weights-damaged",
        ) from error

    def part(prefix: str) -> dict[str, Tensor]:
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    return Delta(
        header=header,
        norms=part("norm."),
        read_out=part("read_out."),
        low_rank=part("low_rank."),
        sha256=digest,
    )
