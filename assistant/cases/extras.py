"""Packages that only some installations have, asked for where they are first needed."""

from __future__ import annotations

import importlib.util

from assistant.errors import ConfigError

__all__ = ["need"]


def need(extra: str, *packages: str) -> None:
    """Check that packages of an extra are installed.

    Raises:
        ConfigError: one is not; the hint names the command that installs it.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"This needs {', '.join(missing)}, not installed here.",
            hint=f"Run `pip install 'whyfake[{extra}]'`.",
            code="missing-package",
        )
