"""Commands declared by their signature: a parameter says its type, option, default and help."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import click

__all__ = [
    "EXISTING",
    "EXISTING_FILE",
    "EXISTING_FOLDER",
    "FILE",
    "FOLDER",
    "PATH",
    "LazyGroup",
    "argument",
    "command",
    "option",
]

PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
EXISTING = click.Path(path_type=Path, exists=True)
EXISTING_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
EXISTING_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@dataclass(frozen=True, slots=True)
class _Declared:
    """A parameter of the command line; what its annotation tells is added to ``attrs``."""

    kind: type[click.Parameter]
    attrs: dict[str, Any]
    name: str = ""
    least: float | None = None
    most: float | None = None

    def made(self, parameter: str, hint: Any) -> click.Parameter:
        """The parameter of click for ``parameter`` of a function, annotated with ``hint``."""
        if self.kind is click.Argument:
            names = [parameter]
        else:
            names = [self.name or f"--{parameter.replace('_', '-')}", parameter]
        return self.kind(names, **{**_told(hint, self), **self.attrs})


def option(
    help: str | None = None,
    default: Any = None,
    *,
    name: str = "",
    least: float | None = None,
    most: float | None = None,
    **attrs: Any,
) -> Any:
    """An option, as the default of a parameter.

    A flag where the parameter is a bool; given several times where it is a tuple; a file where it
    is a path.

    Args:
        help: what it is.
        default: its value where it is not given.
        name: ``--name``, where it is not that of the parameter.
        least: of a number.
        most: of a number.
        attrs: whatever else :class:`click.Option` takes, ``type`` for example.
    """
    attrs = {"help": help, **attrs}
    if default is not None:
        attrs["default"] = default
    return _Declared(click.Option, attrs, name, least, most)


def argument(**attrs: Any) -> Any:
    """An argument, as the default of a parameter; any number of them where it is a tuple."""
    return _Declared(click.Argument, attrs)


def command(
    name: str | None = None, *, of: click.Group | None = None
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function a command, one of the group ``of``; its docstring is the help.

    A parameter ``context`` is handed click's context.
    """

    def made(function: Callable[..., None]) -> click.Command:
        hints = get_type_hints(function)
        parameters = signature(function).parameters
        called = click.pass_context(function) if "context" in parameters else function
        declared = [
            each.default.made(key, hints[key])
            for key, each in parameters.items()
            if isinstance(each.default, _Declared)
        ]
        return (of or click).command(name, params=declared)(called)

    return made


def _told(hint: Any, declared: _Declared) -> dict[str, Any]:
    """What an annotation tells of a parameter."""
    several = get_origin(hint) is tuple
    if several or get_origin(hint) in (Union, types.UnionType):
        hint = get_args(hint)[0]
    limits: dict[str, Any] = {"min": declared.least, "max": declared.most}
    found: dict[str, Any] = {}
    if hint is bool:
        found["is_flag"] = True
    elif hint is Path:
        found["type"] = FILE
    elif any(limit is not None for limit in limits.values()):
        found["type"] = click.IntRange(**limits) if hint is int else click.FloatRange(**limits)
    elif hint in (int, float):
        found["type"] = hint
    if several:
        found |= {"nargs": -1} if declared.kind is click.Argument else {"multiple": True}
    return found


class LazyGroup(click.Group):
    """Knows its commands by a table: name -> (module of this folder, one line for --help).

    Its attribute is the command's name, unless ``module:attribute`` names another.
    """

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module behind a name; None where there is no such name."""
        if cmd_name not in self.table:
            return None
        module, _, attribute = self.table[cmd_name][0].partition(":")
        found = importlib.import_module(f"assistant.cli.{module}")
        command: click.Command = getattr(found, attribute or cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table, without importing any command."""
        if not self.table:
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.table.items()])
