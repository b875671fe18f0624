"""A small, bounded CBOR reader (RFC 8949): enough for C2PA claims, safe on hostile bytes."""

from __future__ import annotations

import struct
from typing import Any

__all__ = ["CborError", "decode_cbor"]

_DEEPEST = 16
_MOST_ITEMS = 20_000
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}


class CborError(ValueError):
    """The bytes are not CBOR, or deeper or longer than is read."""


def decode_cbor(data: bytes) -> Any:
    """The first item of ``data`` as Python values; tags are dropped, map keys become strings.

    Raises:
        CborError: malformed, nested deeper than 16, or more than 20,000 items.
    """
    return _Reader(data).item(0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._items = 0

    def _take(self, count: int) -> bytes:
        if count < 0 or self._at + count > len(self._data):
            raise CborError("the bytes end early")
        self._at += count
        return self._data[self._at - count : self._at]

    def _length(self, short: int) -> int | None:
        if short < 24:
            return short
        if short <= 27:
            return int.from_bytes(self._take(1 << (short - 24)), "big")
        if short == 31:
            return None  # indefinite
        raise CborError("a reserved length")

    def item(self, depth: int) -> Any:
        self._items += 1
        if depth > _DEEPEST or self._items > _MOST_ITEMS:
            raise CborError("nested too deep or too long")
        first = self._take(1)[0]
        major, short = first >> 5, first & 31
        if major == 7:
            return self._simple(short)
        length = self._length(short)
        if major in (2, 3):
            raw = self._take(length) if length is not None else self._pieces(major, depth)
            return raw.decode("utf-8", "replace") if major == 3 else raw
        if major in (4, 5):
            return self._collection(major, length, depth)
        if length is None:
            raise CborError("an indefinite number")
        if major == 6:
            return self.item(depth + 1)
        return length if major == 0 else -1 - length

    def _simple(self, short: int) -> Any:
        if short in _FLOATS:
            form, count = _FLOATS[short]
            return struct.unpack(form, self._take(count))[0]
        if short == 24:
            self._take(1)
            return None
        if short in _SIMPLE:
            return _SIMPLE[short]
        raise CborError("an unknown simple value")

    def _ends(self) -> bool:
        if self._data[self._at : self._at + 1] == b"\xff":
            self._at += 1
            return True
        return False

    def _pieces(self, major: int, depth: int) -> bytes:
        pieces = []
        while not self._ends():
            piece = self.item(depth + 1)
            if isinstance(piece, str) and major == 3:
                pieces.append(piece.encode())
            elif isinstance(piece, bytes) and major == 2:
                pieces.append(piece)
            else:
                raise CborError("a string of mixed pieces")
        return b"".join(pieces)

    def _collection(self, major: int, length: int | None, depth: int) -> Any:
        if length is not None and length > _MOST_ITEMS:
            raise CborError("too many items")
        found: list[Any] = []
        while (len(found) < length) if length is not None else not self._ends():
            if major == 4:
                found.append(self.item(depth + 1))
            else:
                key = self.item(depth + 1)
                found.append((str(key)[:200], self.item(depth + 1)))
        return found if major == 4 else dict(found)
