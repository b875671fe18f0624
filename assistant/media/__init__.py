"""Bytes to pictures: decoding under limits, frames of videos, and a file's word on its origin."""

from assistant.media.files import read_path
from assistant.media.limits import MediaLimits
from assistant.media.loading import load_media

__all__ = ["MediaLimits", "load_media", "read_path"]
