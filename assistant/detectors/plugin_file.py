"""The file of a trained plugin: safetensors, with what fixes its network in the header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from assistant.errors import WeightsError
from assistant.weights.store import file_sha256

__all__ = ["FORMAT", "Header", "read", "read_header"]


FORMAT = "whyfake.plugin/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file says of the tensors in it."""

    options: Mapping[str, Any]
    base_sha256: str = ""
    calibration: Mapping[str, Any] | None = None
    card: Mapping[str, Any] = field(default_factory=dict)


def read_header(path: Path, name: str) -> Header:
    """What the plugin ``name``'s file says of itself; its tensors are not read.

    Raises:
        WeightsError: missing, damaged, or of another plugin.
    """
    return _read(path, name, tensors=False)[0]


def read(path: Path, name: str) -> tuple[Header, dict[str, Tensor], str]:
    """The header, the tensors by name and the SHA-256 (hex) of the plugin ``name``'s file.

    Raises:
        WeightsError: missing, damaged, or of another plugin.
    """
    header, tensors = _read(path, name, tensors=True)
    return header, tensors, file_sha256(path)


def _read(path: Path, name: str, *, tensors: bool) -> tuple[Header, dict[str, Tensor]]:
    if not path.is_file():
        raise WeightsError(
            f"The detector {name} has no weights at {path.name}.",
            hint=f"Train it: `whyfake train plugin {name} --manifest data.csv`, or give its file "
            "with --weights PATH.",
            code="weights-missing",
        )
    try:
        with safe_open(path, framework="pt") as file:
            values = json.loads((file.metadata() or {})["whyfake"])
            names = file.keys() if tensors else ()
            found = {key: file.get_tensor(key) for key in names}
        plugin = str(values["plugin"])
        header = Header(
            options=values["options"],
            base_sha256=values["base_sha256"],
            calibration=values["calibration"],
            card=values["card"],
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path.name} is no file of a trained detector: {type(error).__name__}: {error}",
            hint=f"Train it: `whyfake train plugin {name} --manifest data.csv`.",
            code="weights-damaged",
        ) from error
    if values["format"] != FORMAT or plugin != name:
        raise WeightsError(
            f"{path.name} holds the detector {plugin}, not {name}.",
            hint=f"Choose it with --detector {plugin}.",
            code="weights-other-plugin",
        )
    return header, found
