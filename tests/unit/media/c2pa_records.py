"""C2PA manifest stores, built in code (JUMBF boxes with CBOR inside)."""

from __future__ import annotations

import struct
from typing import Any

from tests.unit.media.pictures import png_chunk, with_jpeg_segment, with_png_chunks


def cbor(value: Any) -> bytes:
    def head(major: int, count: int) -> bytes:
        if count < 24:
            return bytes([major << 5 | count])
        if count < 256:
            return bytes([major << 5 | 24, count])
        return bytes([major << 5 | 25]) + struct.pack(">H", count)

    if isinstance(value, str):
        raw = value.encode()
        return head(3, len(raw)) + raw
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(cbor(v) for v in value)
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def superbox(label: str, *content: bytes) -> bytes:
    description = box(b"jumd", b"\0" * 16 + b"\x03" + label.encode() + b"\0")
    return box(b"jumb", description + b"".join(content))


def store(claim: Any = None, source_type: str = "", *, raw_claim: bytes | None = None) -> bytes:
    """A manifest store with one manifest: a claim and, where given, an action's source type."""
    raw = cbor(claim) if raw_claim is None else raw_claim
    parts = [superbox("c2pa.claim.v2", box(b"cbor", raw))]
    if source_type:
        action = {"actions": [{"action": "c2pa.created", "digitalSourceType": source_type}]}
        assertions = superbox("c2pa.actions.v2", box(b"cbor", cbor(action)))
        parts.append(superbox("c2pa.assertions", assertions))
    return superbox("c2pa", superbox("urn:c2pa:1234", *parts))


def in_png(png: bytes, record: bytes) -> bytes:
    return with_png_chunks(png, png_chunk(b"caBX", record))


def in_jpeg(jpeg: bytes, record: bytes, piece: int = 60_000) -> bytes:
    """The record over as many APP11 segments as it needs, each repeating the box header."""
    header, body = record[:8], record[8:]
    pieces = [body[i : i + piece] for i in range(0, len(body), piece)]
    for number, part in reversed(list(enumerate(pieces, 1))):
        segment = b"JP" + struct.pack(">HI", 1, number) + header + part
        jpeg = with_jpeg_segment(jpeg, 0xEB, segment)
    return jpeg


def in_webp(webp: bytes, record: bytes) -> bytes:
    padded = record + b"\0" * (len(record) & 1)
    chunk = b"C2PA" + struct.pack("<I", len(record)) + padded
    return webp[:4] + struct.pack("<I", len(webp) - 8 + len(chunk)) + webp[8:] + chunk


def in_bmff(data: bytes, record: bytes) -> bytes:
    uuid = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
    purpose = b"\0\0\0\0" + b"manifest\0" + b"\0" * 8
    return data + box(b"uuid", uuid + purpose + record)
