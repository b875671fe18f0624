"""Reading a file from disk, with a typed answer to everything that can be wrong with a path."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from assistant.errors import MediaError
from assistant.media.limits import MediaLimits
from assistant.media.sniff import check_kind

__all__ = [
    "HEAD",
    "check_path",
    "files_below",
    "from_base64",
    "mebibytes",
    "read_path",
    "read_stream",
]

#: So many first bytes tell what a file is.
HEAD = 4096


def mebibytes(count: int) -> str:
    """A number of bytes as people read it."""
    return f"{count / 1024**2:,.1f} MiB" if count >= 100_000 else f"{count:,} bytes"


def check_path(path: Path) -> None:
    """Say what is wrong with a file before anything is loaded; only its first bytes are read.

    Raises:
        MediaError: as :func:`read_path`, but for its size, and as
            :func:`assistant.media.sniff.check_kind` where it is no picture or video.
    """
    with _opened(path) as file:
        check_kind(file.read(HEAD))


def read_path(path: Path, limits: MediaLimits | None = None) -> bytes:
    """The bytes of a file, never more than the larger of the two size limits.

    Raises:
        MediaError: ``code`` is ``missing-path``, ``folder``, ``not-a-file``, ``no-permission``,
            ``file-too-large`` or ``unreadable-path``.
    """
    with _opened(path) as file:
        return read_stream(file, repr(str(path)), limits, size=os.fstat(file.fileno()).st_size)


def read_stream(
    stream: BinaryIO, name: str, limits: MediaLimits | None = None, *, size: int | None = None
) -> bytes:
    """All bytes of an open stream, never more than the larger of the two size limits.

    ``name`` and ``size`` (bytes, where it is known) are for the message.

    Raises:
        MediaError: there are more (``file-too-large``).
    """
    limits = limits or MediaLimits()
    most = max(limits.max_image_bytes, limits.max_video_bytes)
    data = stream.read(most + 1)
    if len(data) > most:
        told = f"has {mebibytes(size)}" if size else "is larger"
        raise MediaError(
            f"The file {name} {told}; at most {mebibytes(most)} are read.",
            hint="Give a smaller copy: a shorter clip, or the photo at a lower resolution.",
            code="file-too-large",
        )
    return data


def from_base64(text: str) -> bytes:
    """The bytes of a file that is given as base64 or as a data URI; no address is ever fetched.

    Raises:
        MediaError: it is neither (``not-base64``).
    """
    text = text.strip()
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MediaError(
            "The file is not given as base64 text.",
            hint="Send its bytes, for example as a data URI; paths and addresses are not read.",
            code="not-base64",
        ) from error


def files_below(folder: Path) -> Iterator[Path]:
    """All files of a folder and its subfolders, in a steady order; dot names are left out.

    Raises:
        OSError: a folder cannot be read.
    """
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():  # links could lead in circles
            yield from files_below(path)
        elif path.is_file():
            yield path


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading; what is wrong with the path is told as a MediaError."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise MediaError(
                f"{str(path)!r} is a folder; one picture or video file is needed.",
                hint="Name the files in it, for example with FOLDER/*.jpg.",
                code="folder",
            )
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device could block or never end
            raise MediaError(
                f"{str(path)!r} is not a regular file.",
                hint="Save the picture to a file and name that.",
                code="not-a-file",
            )
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise MediaError(
            f"There is no file {str(path)!r}.",
            hint="Check the name and the folder you are in.",
            code="missing-path",
        ) from error
    except PermissionError as error:
        raise MediaError(
            f"The file {str(path)!r} may not be read by this user.",
            hint="Change its permissions, for example: chmod u+r FILE.",
            code="no-permission",
        ) from error
    except (OSError, ValueError) as error:  # a name too long, a loop of links, a null byte
        raise MediaError(
            f"The path {str(path)[:200]!r} cannot be read ({type(error).__name__}).",
            hint="Check the name and the disk, or copy the file elsewhere.",
            code="unreadable-path",
        ) from error
