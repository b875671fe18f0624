"""What ``analyze`` is to read, checked before any model is loaded: files, folders, globs, ``-``."""

from __future__ import annotations

import glob
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from assistant.errors import AssistantError, MediaError
from assistant.media import MediaLimits, check_path, read_path
from assistant.media.files import HEAD, files_below, read_stream
from assistant.media.sniff import check_kind

__all__ = ["Input", "Refused", "example", "list_inputs", "tell_failure"]

_STANDARD_INPUT = "-"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Input:
    """A file that can be opened and begins like a picture or video.

    ``read`` gives its bytes within the limits, or raises a MediaError: it cannot be read any more,
    or is too large.
    """

    name: str
    read: Callable[[MediaLimits], bytes]


@dataclass(frozen=True, slots=True)
class Refused:
    """A name that gives nothing to analyse, and why."""

    name: str
    error: AssistantError


def example(name: str) -> Input | Refused:
    """One of the pictures that come with scikit-image."""
    from assistant.examples import example_bytes

    try:
        data = example_bytes(name)
    except MediaError as error:
        return Refused(name, error)
    return Input(name, lambda _: data)


def list_inputs(names: Sequence[str]) -> Iterator[Input | Refused]:
    """What the names stand for, in their order.

    A folder stands for the pictures and videos in it and in its subfolders; a name with ``*``,
    ``?`` or ``[`` that is no file, for what it matches (``**``: in subfolders too).
    """
    read_once = False
    for name in names:
        try:
            if name == _STANDARD_INPUT:
                if not read_once:
                    yield _standard_input()
                read_once = True
            elif _ADDRESS.match(name):
                yield Refused(name, _an_address(name))
            elif _GLOB.search(name) and not Path(name).exists():
                for match in _matching(name):
                    yield from _named(match)
            else:
                yield from _named(name)
        except MediaError as error:
            yield Refused(name, error)


def _an_address(name: str) -> MediaError:
    return MediaError(
        f"{name[:200]!r} is an address, and nothing is fetched from the web.",
        hint="Save the picture and name the file, or pipe it in: curl -L ADDRESS | whyfake "
        "analyze -",
        code="address",
    )


def _standard_input() -> Input:
    if sys.stdin.isatty():
        raise MediaError(
            "`-` reads a picture from standard input, and nothing is piped in.",
            hint="Name the file, or pipe it in: cat photo.jpg | whyfake analyze -",
            code="nothing-piped",
        )
    head = sys.stdin.buffer.read(HEAD)
    check_kind(head)
    return Input(
        _STANDARD_INPUT,
        lambda limits: head + read_stream(sys.stdin.buffer, "on standard input", limits),
    )


def _matching(pattern: str) -> list[str]:
    # Path.glob takes no absolute pattern
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    if not matches:
        raise MediaError(
            f"No file matches {pattern!r}.",
            hint="Check the pattern and the folder you are in.",
            code="no-match",
        )
    return matches


def _file(path: Path) -> Input:
    """A file that was looked at: its first bytes are those of a picture or video."""
    check_path(path)
    return Input(str(path), partial(read_path, path))


def _named(name: str) -> Iterator[Input | Refused]:
    try:
        if Path(name).is_dir():
            yield from _inside(name)
        else:
            yield replace(_file(Path(name)), name=name)
    except ValueError:  # a null byte, of which older Pythons' is_dir makes no False
        told = f"The path {name[:200]!r} cannot be read."
        yield Refused(name, MediaError(told, code="unreadable-path"))
    except MediaError as error:
        yield Refused(name, error)


def _inside(folder: str) -> Iterator[Input | Refused]:
    """The pictures and videos of a folder; other files in it are passed over.

    Raises:
        MediaError: it may not be read, or there is no picture or video.
    """
    others, found = 0, False
    try:
        for path in files_below(Path(folder)):
            try:
                yield _file(path)
            except MediaError as error:
                if error.code in {"not-an-image", "svg", "unsupported-format"}:
                    others += 1
                    continue
                yield Refused(str(path), error)
            found = True
    except OSError as error:
        raise MediaError(
            f"The folder {folder!r} cannot be read ({error.strerror}).",
            hint="Change its permissions, for example: chmod -R u+rX FOLDER.",
            code="no-permission",
        ) from error
    if not found:
        left = f" ({others} other files)" if others else ""
        raise MediaError(
            f"The folder {folder!r} holds no picture or video that can be read{left}.",
            hint="Name the folder with the pictures in it.",
            code="no-pictures",
        )


def tell_failure(name: str, error: AssistantError, *, as_json: bool) -> None:
    """Tell of a file that is not analysed: as JSON on stdout, as text on stderr."""
    if as_json:
        from assistant.report import failure_json

        click.echo(json.dumps(failure_json(name, error), ensure_ascii=False))
    else:
        click.echo(f"{name}: {error.user_message} {error.hint}".rstrip(), err=True)
