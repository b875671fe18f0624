"""Reading a file from disk, with a typed answer to everything that can be wrong with a path."""

from __future__ import annotations

import stat
from pathlib import Path

from assistant.errors import MediaError
from assistant.media.limits import MediaLimits

__all__ = ["mebibytes", "read_path"]


def mebibytes(count: int) -> str:
    """A number of bytes as people read it."""
    return f"{count / 1024**2:,.1f} MiB" if count >= 100_000 else f"{count:,} bytes"


def read_path(path: Path, limits: MediaLimits | None = None) -> bytes:
    """The bytes of a file, never more than the larger of the two size limits.

    Raises:
        MediaError: ``code`` is ``missing-path``, ``folder``, ``not-a-file``, ``no-permission``,
            ``file-too-large`` or ``unreadable-path``.
    """
    limits = limits or MediaLimits()
    most = max(limits.max_image_bytes, limits.max_video_bytes)
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
            data = file.read(most + 1)
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
    if len(data) > most:
        raise MediaError(
            f"The file {str(path)!r} has {mebibytes(status.st_size)}; "
            f"at most {mebibytes(most)} are read.",
            hint="Give a smaller copy: a shorter clip, or the photo at a lower resolution.",
            code="file-too-large",
        )
    return data
