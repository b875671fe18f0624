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
from PIL import ImageFile, UnidentifiedImageError

from assistant.errors import MediaError
from assistant.media.animation import decode_animation, is_animation
from assistant.media.clip import DecodedVideo
from assistant.media.colour import eight_bits, to_rgb
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


def decode_image(data: bytes, kind: str, limits: MediaLimits) -> DecodedImage | DecodedVideo:
    """Decode the bytes of a picture; one that moves (GIF, WebP, APNG, AVIF) is a clip.

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
    except UnidentifiedImageError as error:
        if kind == "tiff":
            return _numbers_tiff(data, limits)
        raise _broken(kind, error) from error
    except _BROKEN as error:
        raise _broken(kind, error) from error
    width, height = picture.size
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise _too_large(f"{width:,} x {height:,} pixels", limits)
    try:
        if is_animation(picture, kind):
            return decode_animation(picture, limits)
        if kind == "tiff" and getattr(picture, "n_frames", 1) > 1:
            notes.append("The file has several pages; only the first is analysed.")
            picture.seek(0)
        picture.load()
        tags = image_tags(picture)
        orientation = _orientation(picture)
        pixels = np.asarray(to_rgb(picture, notes))
    except MediaError:
        raise
    except _BROKEN as error:
        raise _broken(kind, error) from error
    finally:
        picture.close()
    turned = _upright(pixels, orientation)
    return DecodedImage(pixels=turned, tags=tags, warnings=tuple(notes))


def _open(data: bytes, kind: str) -> Pillow.Image:
    if ImageFile.LOAD_TRUNCATED_IMAGES:  # a process-wide switch that another library may have set
        _log.warning("Pillow was told to accept files cut short; switched off again")
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    return Pillow.open(io.BytesIO(data), formats=_FORMATS[kind])


def _open_heic(data: bytes) -> Pillow.Image:
    import pillow_heif

    heif: Any = pillow_heif.HeifImageFile
    opened: Pillow.Image = heif(io.BytesIO(data))
    return opened


def _numbers_tiff(data: bytes, limits: MediaLimits) -> DecodedImage:
    """A TIFF that Pillow has no mode for: colours as floating point or as 32-bit numbers.

    Raises:
        MediaError: too many pixels, damaged, or pixels that are no picture's.
    """
    import tifffile

    notes: list[str] = []
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page: Any = file.pages[0]
            rows, columns = page.imagelength, page.imagewidth
            if rows * columns > limits.max_pixels or max(rows, columns) > limits.max_side:
                raise _too_large(f"{columns:,} x {rows:,} pixels", limits)
            values, orientation = page.asarray(), page.tags.get("Orientation")
        if values.ndim == 3 and values.shape[0] in {3, 4} and values.shape[2] not in {3, 4}:
            values = np.moveaxis(values, 0, 2)  # one plane a colour
        if values.ndim == 2:
            values = np.repeat(values[..., None], 3, 2)
        if values.ndim != 3 or values.shape[2] not in {3, 4} or values.dtype.kind not in "uif":
            raise MediaError(  # noqa: TRY301
                f"The TIFF holds values of {values.dtype} in the shape {values.shape}, which is no "
                "picture that is read.",
                hint="Save it as JPEG, PNG or a TIFF of 8 or 16 bits.",
                code="unsupported-format",
            )
        pixels = eight_bits(values[..., :3], notes)
    except MediaError:
        raise
    except _BROKEN as error:  # tifffile's own error is a ValueError
        raise _broken("tiff", error) from error
    turned = _upright(pixels, int(orientation.value) if orientation is not None else 1)
    return DecodedImage(pixels=turned, warnings=tuple(notes))


def _upright(pixels: Image, orientation: int) -> Image:
    """Turned and mirrored as the orientation tag says; read-only."""
    quarter_turns, mirrored = _TURNS.get(orientation, (0, 0))
    pixels = np.rot90(pixels, quarter_turns)
    pixels = np.ascontiguousarray(pixels[:, ::-1] if mirrored else pixels)
    pixels.flags.writeable = False
    return pixels


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
