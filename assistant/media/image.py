"""Picture files to RGB: every colour mode, orientation, profile and see-through part, or an error.

Half a picture is never returned: a file that ends early is refused, since the missing part would be
scored as if it were grey skin.
"""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms, ImageFile

from assistant.errors import MediaError
from assistant.media.limits import MediaLimits
from assistant.media.metadata import image_tags
from assistant.types import Image

__all__ = ["DecodedImage", "decode_image"]

_log = logging.getLogger(__name__)

# Our own limit holds before decoding, and damage is told as an error: Pillow's warnings would only
# add lines on stderr. (Not ``catch_warnings``: it is not safe between threads.)
warnings.filterwarnings("ignore", category=Pillow.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_FORMATS = {
    "jpeg": ("JPEG", "MPO"),
    "png": ("PNG",),
    "gif": ("GIF",),
    "tiff": ("TIFF",),
    "webp": ("WEBP",),
    "bmp": ("BMP",),
    "avif": ("AVIF",),
    "jpeg2000": ("JPEG2000",),
}
# EXIF orientation -> quarter turns to the left, then mirrored left to right
_TURNS = {1: (0, 0), 2: (0, 1), 3: (2, 0), 4: (2, 1), 5: (3, 1), 6: (3, 0), 7: (1, 1), 8: (1, 0)}
_WITH_ALPHA = {"LA", "PA", "La", "RGBA", "RGBa"}
_BROKEN = (
    OSError,
    SyntaxError,  # Pillow's PNG reader
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,  # the AVIF and HEIF decoders
    struct.error,
    zlib.error,
    Pillow.DecompressionBombError,
    Warning,  # where warnings are made errors
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedImage:
    """RGB uint8 HWC (read-only), what the file says of itself, and what was changed on the way."""

    pixels: Image
    tags: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def decode_image(data: bytes, kind: str, limits: MediaLimits) -> DecodedImage:
    """Decode the bytes of a picture.

    Args:
        data: the file.
        kind: its kind as :func:`assistant.media.sniff.sniff` tells it.
        limits: pixels and sides allowed, checked before decoding.

    Raises:
        MediaError: too many pixels, cut short or damaged, or no reader for it.
    """
    notes: list[str] = []
    try:
        picture = _open_heic(data) if kind == "heic" else _open(data, kind)
    except Pillow.DecompressionBombError as error:
        raise _too_large(str(error), limits) from error
    except _BROKEN as error:
        raise _broken(kind, error) from error
    width, height = picture.size
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise _too_large(f"{width:,} x {height:,} pixels", limits)
    try:
        if kind != "jpeg" and getattr(picture, "n_frames", 1) > 1:  # not a phone's depth pictures
            notes.append("The file is animated or has several pages; only the first is analysed.")
            picture.seek(0)
        picture.load()
        tags = image_tags(picture)
        orientation = _orientation(picture)
        pixels = np.asarray(_rgb(picture, notes))
    except MediaError:
        raise
    except _BROKEN as error:
        raise _broken(kind, error) from error
    finally:
        picture.close()
    quarter_turns, mirrored = _TURNS.get(orientation, (0, 0))
    pixels = np.rot90(pixels, quarter_turns)
    pixels = np.ascontiguousarray(pixels[:, ::-1] if mirrored else pixels)
    pixels.flags.writeable = False
    return DecodedImage(pixels=pixels, tags=tags, warnings=tuple(notes))


def _open(data: bytes, kind: str) -> Pillow.Image:
    if ImageFile.LOAD_TRUNCATED_IMAGES:  # a process-wide switch that another library may have set
        _log.warning("Pillow was told to accept files cut short; switched off again")
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    return Pillow.open(io.BytesIO(data), formats=_FORMATS[kind])


def _open_heic(data: bytes) -> Pillow.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise MediaError(
            "The file is a HEIC photo, and the reader for it is not installed.",
            hint="Run: pip install pillow-heif; or save the photo as JPEG.",
            code="heic-reader-missing",
        ) from error
    opened: Pillow.Image = pillow_heif.HeifImageFile(io.BytesIO(data))
    return opened


def _too_large(found: str, limits: MediaLimits) -> MediaError:
    return MediaError(
        f"The picture is too large: {found}; at most {limits.max_pixels:,} pixels and "
        f"{limits.max_side:,} on a side are decoded.",
        hint="Give a smaller copy; 2,000 pixels on the longest side are plenty.",
        code="too-many-pixels",
    )


def _broken(kind: str, error: BaseException) -> MediaError:
    _log.info("a %s file could not be decoded: %s", kind, type(error).__name__)
    return MediaError(
        f"The file begins like a {kind.upper()} picture but is damaged or cut short.",
        hint="Download or export it again; half a picture is not analysed.",
        code="broken-image",
    )


def _orientation(picture: Pillow.Image) -> int:
    try:
        value = picture.getexif().get(0x0112, 1)
    except _BROKEN:
        return 1  # a damaged EXIF block says nothing of the pixels
    return value if isinstance(value, int) else 1


def _rgb(picture: Pillow.Image, notes: list[str]) -> Pillow.Image:
    """Any colour mode to 8-bit RGB in sRGB."""
    if picture.mode.startswith(("I", "F")):
        return _eight_bits(picture, notes).convert("RGB")
    profile = picture.info.get("icc_profile")
    if "transparency" in picture.info or picture.mode in _WITH_ALPHA:
        picture = _on_white(picture.convert("RGBA"), notes)
    elif picture.mode in {"P", "1", "YCbCr", "HSV", "RGBX"}:
        picture = picture.convert("RGB")
    if profile and picture.mode in {"RGB", "CMYK", "LAB"}:
        picture = _to_srgb(picture, profile, notes)
    if picture.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
        picture = converted if converted is not None else picture
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _eight_bits(picture: Pillow.Image, notes: list[str]) -> Pillow.Image:
    """16-bit, 32-bit and floating-point greyscale to 8 bits."""
    values = np.asarray(picture).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("the picture holds values that are not finite")
    top = float(values.max(initial=0.0))
    if picture.mode == "F" and top <= 1.0:
        scale = 255.0
    elif picture.mode == "F" or top > 65535.0:
        scale = 255.0 / max(top, 255.0)
        if top > 255.0:
            notes.append("The brightness range of the file is unusual and was scaled to 8 bits.")
    else:
        scale = 1.0 if picture.mode == "I" and top <= 255.0 else 255.0 / 65535.0
    return Pillow.fromarray(np.clip(values * scale + 0.5, 0, 255).astype(np.uint8))


def _on_white(picture: Pillow.Image, notes: list[str]) -> Pillow.Image:
    lowest: Any = picture.getchannel("A").getextrema()
    if lowest[0] < 255:
        notes.append("Parts of the picture are see-through; they were laid on white.")
        white = Pillow.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Pillow.alpha_composite(white, picture)
    return picture.convert("RGB")


def _to_srgb(picture: Pillow.Image, profile: bytes, notes: list[str]) -> Pillow.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if picture.mode == "RGB" and "srgb" in ImageCms.getProfileDescription(source).lower():
            return picture
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        notes.append("The colour profile of the file is damaged and was left out.")
        return picture
    return converted if converted is not None else picture
