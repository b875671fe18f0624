"""What commands share: the settings that the group's options and a command's own flags make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["settings_of"]


def settings_of(context: click.Context, **flags: Any) -> Settings:
    """Settings from all layers; ``flags`` that are None were not given."""
    from assistant.settings import load_settings

    own = {name: value for name, value in flags.items() if value is not None}
    return load_settings(**{**dict(context.obj or {}), **own})
