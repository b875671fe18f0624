"""YAML configurations of training and evaluation, checked whole before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import ConfigError

__all__ = ["ConfigFile", "Strict"]


class Strict(BaseModel):
    """A part of a configuration: no field but those it names, and none changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConfigFile(Strict):
    """A whole configuration.

    Attributes:
        example: a file that works, for the hint.
        places: fields that hold a path (or several, or None) relative to the file's folder.
    """

    example: ClassVar[str]
    places: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """A configuration from its file.

        Raises:
            ConfigError: the file cannot be read; every wrong field is named, all at once.
        """
        hint = f"Start from {cls.example}."
        try:
            config = cls.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(
                f"The configuration {path} cannot be read: {error}.", hint=hint
            ) from error
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()
            )
            raise ConfigError(f"The configuration {path} is wrong: {wrong}.", hint=hint) from error

        def placed(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(path.parent / one for one in value)
            return value and path.parent / value

        return config.model_copy(
            update={name: placed(getattr(config, name)) for name in cls.places}
        )
