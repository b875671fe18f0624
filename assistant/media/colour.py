"""Any colour mode of a picture to 8-bit RGB in sRGB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

__all__ = ["eight_bits", "to_rgb"]

_WITH_ALPHA = {"LA", "PA", "La", "RGBA", "RGBa"}
#: The colour spaces of ICC profiles -> the mode of the pixels that they describe.
_PROFILE_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
_SAME = 2  # of 255: profiles that differ less on every colour are the same


def to_rgb(picture: Pillow.Image, notes: list[str]) -> Pillow.Image:
    """Any colour mode to 8-bit RGB in sRGB; what was changed is added to ``notes``."""
    if picture.mode.startswith(("I", "F")):
        return Pillow.fromarray(eight_bits(np.asarray(picture), notes)).convert("RGB")
    profile = picture.info.get("icc_profile")
    if "transparency" in picture.info or picture.mode in _WITH_ALPHA:
        grey = picture.mode in {"L", "LA", "La"}
        picture = _on_white(picture.convert("RGBA"), notes)
        picture = picture.convert("L") if grey else picture
    elif picture.mode in {"P", "1", "YCbCr", "HSV", "RGBX"}:
        picture = picture.convert("RGB")
    if profile:
        picture = _to_srgb(picture, profile, notes)
    if picture.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
        picture = converted if converted is not None else picture
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def eight_bits(values: NDArray[Any], notes: list[str]) -> NDArray[np.uint8]:
    """Values of 16 or 32 bits or floating point, of any shape, to 8 bits.

    Raises:
        ValueError: a value is not finite.
    """
    kind = values.dtype
    if kind == np.uint8:
        return values
    floating = kind.kind == "f"
    wide = values.astype(np.float64)
    if not np.isfinite(wide).all():
        raise ValueError("the picture holds values that are not finite")
    top = float(wide.max(initial=0.0))
    if floating and top <= 1.0:
        scale = 255.0
    elif floating or top > 65535.0:
        scale = 255.0 / max(top, 255.0)
        if top > 255.0:
            notes.append("The brightness range of the file is unusual and was scaled to 8 bits.")
    else:
        scale = 1.0 if kind.itemsize == 4 and top <= 255.0 else 255.0 / 65535.0
    return np.clip(wide * scale + 0.5, 0, 255).astype(np.uint8)


def _on_white(picture: Pillow.Image, notes: list[str]) -> Pillow.Image:
    lowest: Any = picture.getchannel("A").getextrema()
    if lowest[0] < 255:
        notes.append("Parts of the picture are see-through; they were laid on white.")
        white = Pillow.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Pillow.alpha_composite(white, picture)
    return picture.convert("RGB")


def _to_srgb(picture: Pillow.Image, profile: bytes, notes: list[str]) -> Pillow.Image:
    """Through the profile, unless it is sRGB in what it does; its name says nothing."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        described = _PROFILE_MODES.get(source.profile.xcolor_space)
        if described != picture.mode:
            if {described, picture.mode} <= {"RGB", "L"}:  # grey kept as colour, or the reverse
                return picture if described == "L" else _convert(picture.convert("RGB"), source)
            raise ValueError("a profile of another kind of colours")  # noqa: TRY301
        return _convert(picture, source)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        notes.append("The colour profile of the file is damaged and was left out.")
        return picture


def _convert(picture: Pillow.Image, source: Any) -> Pillow.Image:
    turn = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), picture.mode, "RGB")
    if picture.mode in {"RGB", "L"}:
        sample = _sample(picture.mode)
        turned = ImageCms.applyTransform(sample, turn)
        change = np.asarray(turned, np.int16) - np.asarray(sample.convert("RGB"), np.int16)
        if np.abs(change).max() <= _SAME:
            return picture
    converted = ImageCms.applyTransform(picture, turn)
    return converted if converted is not None else picture


def _sample(mode: str) -> Pillow.Image:
    """Colours all over the space, one a pixel."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "L":
        return Pillow.fromarray(steps[None])
    grid = np.stack(np.meshgrid(steps, steps, steps), -1)
    return Pillow.fromarray(grid.reshape(len(steps), -1, 3))
