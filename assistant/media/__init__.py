"""Bytes to pictures: decoding under limits, frames of videos, and a file's word on its origin.

``load_media`` is imported when it is first asked for: a path is checked before any picture is
decoded, and that needs no numpy.
"""

from typing import TYPE_CHECKING, Any

from assistant.media.files import check_path, read_path
from assistant.media.limits import WHOLE, MediaLimits, Span

if TYPE_CHECKING:
    from assistant.media.loading import load_media

__all__ = ["WHOLE", "MediaLimits", "Span", "check_path", "load_media", "read_path"]


def __getattr__(name: str) -> Any:
    if name == "load_media":
        from assistant.media.loading import load_media

        return load_media
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
