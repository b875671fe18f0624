"""What a file is, told from its first bytes alone. Names and content types are never believed."""

from __future__ import annotations

import re

from assistant.errors import MediaError

__all__ = ["VIDEO_FORMATS", "check_kind", "is_image", "is_video", "sniff"]

_STARTS = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\xff\x0a", "jpeg-xl"),
    (b"\x00\x00\x00\x0cJXL ", "jpeg-xl"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"%PDF", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
    (b"8BPS", "photoshop"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"0&\xb2u\x8ef\xcf\x11", "asf"),
    (b"FLV\x01", "flv"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"ID3", "audio"),
    (b"fLaC", "audio"),
)
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF = {b"avif", b"avis"}
_IMAGES = frozenset({"jpeg", "png", "gif", "tiff", "webp", "bmp", "avif", "heic", "jpeg2000"})
#: The container formats of videos that are read, by the name FFmpeg gives their reader.
VIDEO_FORMATS = {
    "mp4": "mov",
    "matroska": "matroska",
    "avi": "avi",
    "asf": "asf",
    "mpeg-ts": "mpegts",
    "mpeg": "mpeg",
    "ogg": "ogg",
    "flv": "flv",
}
#: The first boxes of QuickTime films that are older than the ``ftyp`` box.
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
#: How Ogg names the codecs of pictures, in the first page of their stream.
_OGG_PICTURES = (b"\x80theora", b"OVP80", b"BBCD\0", b"\x01video\0\0\0")

_READ = (
    "JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP and TIFF pictures, and MP4, MOV, MKV, WebM, AVI, WMV, "
    "MPEG-TS, MPEG, Ogg and FLV videos"
)
# kind -> (code, what it is, what to do)
_REFUSED = {
    "svg": ("svg", "an SVG drawing", "Export it as PNG; note that drawings have no score."),
    "pdf": (
        "not-an-image",
        "a PDF document",
        "Export the page or the picture in it as JPEG or PNG.",
    ),
    "html": ("not-an-image", "a web page", "Save the picture itself, not the page that shows it."),
    "text": ("not-an-image", "text", "Give a photo or a video file."),
    "zip": ("not-an-image", "an archive", "Unpack it and give one picture at a time."),
    "archive": ("not-an-image", "an archive", "Unpack it and give one picture at a time."),
    "audio": ("not-an-image", "sound", "Give a photo or a video file."),
    "program": ("not-an-image", "a program", "Give a photo or a video file."),
    "photoshop": ("unsupported-format", "a Photoshop document", "Export it as JPEG or PNG."),
    "jpeg-xl": ("unsupported-format", "a JPEG XL picture", "Save it as JPEG or PNG."),
    "unknown": ("not-an-image", "of a kind that is not known here", "Save it as JPEG or PNG."),
}


def is_image(kind: str) -> bool:
    """Whether ``kind`` is a picture format that is read."""
    return kind in _IMAGES


def is_video(kind: str) -> bool:
    """Whether ``kind`` is a video container that is read."""
    return kind in VIDEO_FORMATS


def sniff(data: bytes) -> str:
    """The kind of file ``data`` is: ``jpeg``, ``mp4``, ``svg``, ``text``, ``unknown`` ..."""
    head = data[:4096]
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"AVI ": "avi", b"WAVE": "audio"}.get(head[8:12], "unknown")
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head[4:8] in _OLD_QUICKTIME and head[0] < 9:  # a length under 150 MB, and no text
        return "mp4"
    if head[:4] == b"OggS":
        return "ogg" if any(name in head for name in _OGG_PICTURES) else "audio"
    if _is_transport_stream(head):
        return "mpeg-ts"
    if head[:2] == b"BM" and len(head) > 26 and head[6:10] == b"\0\0\0\0":
        return "bmp"
    return _textual(head)


def check_kind(data: bytes) -> str:
    """The kind of a picture or video that is read; its first 4096 bytes are enough.

    Raises:
        MediaError: it is empty (``empty-file``) or something else (``not-an-image``, ``svg``,
            ``unsupported-format``).
    """
    if not data:
        raise MediaError(
            "The file is empty (0 bytes).",
            hint="Save or download it again, then give it once more.",
            code="empty-file",
        )
    kind = sniff(data)
    if not (is_image(kind) or is_video(kind)):
        code, what, hint = _REFUSED[kind]
        raise MediaError(
            f"The file is {what}, not a picture or video that can be read ({_READ}).",
            hint=hint,
            code=code,
        )
    return kind


def _is_transport_stream(head: bytes) -> bool:
    """MPEG-TS: a sync byte every 188 bytes, or every 192 behind four bytes of time (M2TS)."""
    return any(
        len(head) > start + 4 * step and all(head[start + i * step] == 0x47 for i in range(5))
        for start, step in ((0, 188), (4, 192))
    )


def _iso_media(head: bytes) -> str:
    size = int.from_bytes(head[:4], "big")
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, min(size, len(head), 128), 4))}
    if brands & _AVIF:
        return "avif"
    if brands & _HEIC:
        return "heic"
    return "audio" if head[8:12] == b"M4A " else "mp4"


def _textual(head: bytes) -> str:
    """Markup and plain text, in UTF-8 or UTF-16; anything with control bytes is unknown."""
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        text = head.decode(encoding, errors="strict" if len(head) < 4096 else "ignore")
    except UnicodeDecodeError:
        return "unknown"
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        return "unknown"
    lowered = text.lstrip("\ufeff \t\r\n").lower()
    if "<svg" in lowered[:2048] and lowered.startswith("<"):
        return "svg"
    if re.match(r"<!doctype html|<html|<head|<body|<script|<!--", lowered):
        return "html"
    return "text"
