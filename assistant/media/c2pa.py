"""Whether a file carries a C2PA manifest store, and which program it names (C2PA 2.1, section 11).

Only presence, the claim generator's name and the declared source type are read. Signatures and
hashes are not verified: that needs a trust list, and a "verified" that was not earned would be
worse than none. Every length is checked; a malformed record is one without a name, never an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.media.cbor import CborError, decode_cbor

__all__ = ["Manifest", "read_manifest"]

_BMFF_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_MOST_BYTES = 16 * 1024 * 1024
_MOST_BOXES = 2000
_DEEPEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The claim generator's name and the declared source type of a C2PA record, as found."""

    generator: str = ""
    source_type: str = ""


def read_manifest(data: bytes, kind: str) -> Manifest | None:
    """The C2PA record of a file, or None where there is none. Its texts are raw and untrusted."""
    finders = {"jpeg": _in_jpeg, "png": _in_png, "webp": _in_webp}
    finder = finders.get(kind, _in_bmff if kind in {"mp4", "heic", "avif"} else None)
    store = finder(data) if finder else b""
    if not store or b"c2pa" not in store[:4096]:
        return None
    generator, source = "", ""
    for label, content in _cbor_boxes(store):
        try:
            value = decode_cbor(content)
        except CborError:
            continue
        if label.startswith("c2pa.claim"):  # the last claim is the active manifest's
            generator = _generator(value) or generator
        elif label.startswith("c2pa.actions"):
            source = _find_text(value, "digitalSourceType") or source
    return Manifest(generator=generator, source_type=source)


def _in_jpeg(data: bytes) -> bytes:
    """Joins the JUMBF pieces of the APP11 segments, in order of their packet number."""
    pieces: dict[int, list[tuple[int, bytes]]] = {}
    at, end = 2, len(data)
    while at + 4 <= end and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in (0xDA, 0xD9):  # pixels begin, or the end
            break
        if marker == 0xFF:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        if marker == 0xEB and body[:2] == b"JP" and len(body) > 16:
            instance = int.from_bytes(body[2:4], "big")
            pieces.setdefault(instance, []).append((int.from_bytes(body[4:8], "big"), body[8:]))
        at += 2 + max(length, 2)
    for parts in pieces.values():
        parts.sort(key=lambda part: part[0])
        # every piece repeats the box header (length and type)
        joined = parts[0][1] + b"".join(body[8:] for _, body in parts[1:])
        if joined[4:8] == b"jumb" and b"c2pa" in joined[:64]:
            return joined[:_MOST_BYTES]
    return b""


def _in_png(data: bytes) -> bytes:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"caBX":
            return data[at + 8 : at + 8 + min(length, _MOST_BYTES)]
        at += 12 + length
    return b""


def _in_webp(data: bytes) -> bytes:
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"C2PA":
            return data[at + 8 : at + 8 + min(length, _MOST_BYTES)]
        at += 8 + length + (length & 1)
    return b""


def _in_bmff(data: bytes) -> bytes:
    for kind, content in _boxes(data):
        if kind == b"uuid" and content[:16] == _BMFF_UUID:
            start = content.find(b"jumb", 16, 4096)
            return content[start - 4 :][:_MOST_BYTES] if start >= 4 else b""
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of one level: type and content. Stops at the first length that cannot be."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(data):
            return
        size, header = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(data) - at
        if size < header or at + size > len(data):
            return
        yield data[at + 4 : at + 8], data[at + header : at + size]
        at += size


def _cbor_boxes(data: bytes, label: str = "", depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """Every CBOR box under a JUMBF superbox, with the label of the superbox it lies in."""
    if depth > _DEEPEST:
        return
    for kind, content in _boxes(data):
        if kind == b"jumd" and len(content) > 17:  # 16 bytes of type, one of flags, then the label
            label = content[17:].split(b"\0", 1)[0][:120].decode("utf-8", "replace")
        elif kind == b"jumb":
            yield from _cbor_boxes(content, label, depth + 1)
        elif kind == b"cbor":
            yield label, content


def _generator(claim: Any) -> str:
    """Name and version from ``claim_generator_info`` (a map or list), else ``claim_generator``."""
    if not isinstance(claim, dict):
        return ""
    info = claim.get("claim_generator_info")
    if isinstance(info, list) and info:
        info = info[0]
    if isinstance(info, dict) and isinstance(info.get("name"), str):
        version = info.get("version")
        return f"{info['name']} {version}" if isinstance(version, str) else str(info["name"])
    plain = claim.get("claim_generator")
    return plain if isinstance(plain, str) else ""


def _find_text(value: Any, key: str, depth: int = 0) -> str:
    if depth > _DEEPEST:
        return ""
    if isinstance(value, dict):
        found = value.get(key)
        if isinstance(found, str):
            return found
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            text = _find_text(item, key, depth + 1)
            if text:
                return text
    return ""
