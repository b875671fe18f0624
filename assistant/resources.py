"""Files that ship with the package: tables beside the code, prompts and the weights manifest.

Prompts and manifest are looked for in this order: a setting (``ASSISTANT_PROMPTS_DIR``,
``ASSISTANT_WEIGHTS_DIR``), the data inside the installed package, the folders of a source checkout.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

from assistant.errors import ConfigError

__all__ = ["resource_dir", "table"]

_PACKAGE = Path(__file__).resolve().parent


@cache
def table(path: str) -> dict[str, Any]:
    """What a YAML file of the package holds; ``path`` is relative to ``assistant/``."""
    import yaml

    fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: dict[str, Any] = yaml.load((_PACKAGE / path).read_text("utf-8"), Loader=fast)  # noqa: S506
    return read


def resource_dir(name: Literal["prompts", "weights"]) -> Path:
    """The folder ``name``.

    Raises:
        ConfigError: the setting names no folder, or the package carries none.
    """
    variable = f"ASSISTANT_{name.upper()}_DIR"
    if setting := os.environ.get(variable):
        chosen = Path(setting).expanduser()
        if not chosen.is_dir():
            raise ConfigError(
                f"{variable} is {setting!r}, which is no folder.",
                hint=f"Point {variable} to a folder of {name}, or unset it.",
            )
        return chosen
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise ConfigError(
        f"This installation carries no {name}: neither {_PACKAGE / '_data' / name} nor a checkout.",
        hint=f"Install whyfake again, or point {variable} to a folder of {name}.",
    )
