"""What a picture file writes about itself: EXIF, XMP and text chunks, as plain strings.

All of it was written by whoever made the file. It is returned as inert text, cut to length, and is
cleaned again before anyone is shown it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["image_tags", "xmp_tags"]

_LONGEST = 4000  # a Stable Diffusion parameter block is long; only its beginning is looked at
_EXIF = {
    0x010F: "make",
    0x0110: "model",
    0x0131: "software",
    0x010E: "description",
}
_EXIF_IFD = 0x8769
_USER_COMMENT = 0x9286
_XMP_FIELDS = ("CreatorTool", "DigitalSourceType", "AISystemUsed", "Credit")
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    Warning,
)


def image_tags(picture: Picture) -> dict[str, str]:
    """The named texts of an opened picture: ``software``, ``xmp:CreatorTool``, ``text:KEY`` ...

    A damaged block gives no tags; it never makes the picture unreadable.
    """
    tags: dict[str, str] = {}
    try:
        exif = picture.getexif()
        for number, name in _EXIF.items():
            _put(tags, name, exif.get(number))
        _put(tags, "comment", exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT))
    except (*_DAMAGED, ZeroDivisionError):
        tags.pop("comment", None)
    info: Mapping[Any, Any] = picture.info
    for key, value in info.items():
        if key in {"xmp", "XML:com.adobe.xmp"}:
            tags.update(xmp_tags(_text(value, longest=200_000)))
        elif isinstance(key, str) and isinstance(value, str):
            _put(tags, f"text:{key[:60]}", value)
        elif key == "comment":
            _put(tags, "text:comment", value)
    return tags


def xmp_tags(xmp: str) -> dict[str, str]:
    """The few fields of an XMP packet that tell of origin.

    Found by pattern, not by an XML parser: entity expansion has no way in, and a half-broken packet
    still tells what it can.
    """
    tags: dict[str, str] = {}
    for name in _XMP_FIELDS:
        element = rf"<\w+:{name}[^<>]*>([^<]{{1,400}})<"
        attribute = rf"\b\w+:{name}\s*=\s*[\"']([^\"'<]{{1,400}})[\"']"
        found = re.search(f"{element}|{attribute}", xmp)
        if found:
            _put(tags, f"xmp:{name}", found.group(1) or found.group(2))
    return tags


def _put(tags: dict[str, str], name: str, value: object) -> None:
    text = _text(value).strip(" \t\r\n\x00")
    if text:
        tags[name] = text


def _text(value: object, *, longest: int = _LONGEST) -> str:
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, bytes):
        value = value[: 2 * longest]
        if value[:8] == b"UNICODE\x00":  # EXIF user comments name their encoding
            rest = value[8:]
            encoding = "utf-16-be" if rest[:1] == b"\x00" else "utf-16-le"
            return rest.decode(encoding, "replace")[:longest]
        if value[:5] == b"ASCII":
            value = value[8:]
        return value.decode("utf-8", "replace")[:longest]
    return ""
