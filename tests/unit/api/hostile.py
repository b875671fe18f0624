"""Requests that nobody honest sends, made systematically: a table of families.

Every request carries :data:`MARK` where a caller can put text or a file's name; no log may hold it.
"""

from __future__ import annotations

import base64
import gzip
import json
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from tests.drawn import drawn_faces, png

__all__ = ["CLIPS", "FAMILIES", "MARK", "Sent"]

MARK = "anna-example-in-the-bath"
JSON = {"content-type": "application/json"}
ABSENT = "0" * 32


@dataclass
class Sent:
    """A request; ``key`` names the scopes of its key, or is the value of the header itself."""

    method: str
    path: str
    words: dict[str, Any] = field(default_factory=dict)
    key: tuple[str, ...] | str = ("analyze", "read", "ask", "decide", "metrics")


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def _png_bomb(side: int) -> bytes:
    head = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    rows = zlib.compress(b"\0" * 3_000_000)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    )


def _bombs() -> list[bytes]:
    """Small files that claim to be huge, or swell when they are opened."""
    gif = b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    frame = b"\x2c\0\0\0\0" + struct.pack("<HH", 65535, 65535) + b"\0\x02\x02\x44\x01\0"
    bmp = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
    bmp += struct.pack("<IiiHHIIiiII", 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0)
    text = _chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 20_000_000))
    whole = png(drawn_faces())
    return [
        _png_bomb(60_000),
        _png_bomb(2**31 - 1),
        _png_bomb(12_000),
        gif + frame * 5000 + b";",
        bmp,
        b"II*\0" + struct.pack("<IHHHII", 8, 1, 256, 4, 1, 2**31) + b"\0" * 4,
        b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\xff" * 10,
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\1\3\x11\1\xff\xd9",
        whole[:33] + text + b"\0" * 10,
        b"PK\x03\x04" + b"\0" * 200,
        gzip.compress(b"\0" * 5_000_000),
    ]


#: Beginnings of clips with nothing behind them.
CLIPS = (
    b"\0\0\0\x18ftypmp42" + struct.pack(">I", 2**32 - 1) + b"mdat" * 50,
    b"\x1aE\xdf\xa3" + b"\xff" * 300,
    b"RIFF\xff\xff\xff\xffAVI LIST" + b"\0" * 90,
)


def _broken() -> list[bytes]:
    """Files that are cut, empty, or of other kinds."""
    whole = png(drawn_faces())
    cut = [whole[:n] for n in (1, 8, 20, 60, 200, len(whole) // 2)]
    other = [b"", b"\0", b"GIF89a", b"\xff\xd8\xff", b"%PDF-1.7", b"MZ\x90", b"#!/bin/sh\nid\n"]
    text = [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<?xml version='1.0'?><!DOCTYPE a>"]
    return cut + other + text + [whole[:-30] + b"\xff" * 18]


def _files() -> list[Sent]:
    names = ["../../etc/passwd", f"{MARK}.jpg", "a\0b.png", "C:\\x", "%2e%2e%2f", "x" * 5000]
    every = _bombs() + _broken()
    found = [
        Sent("POST", "/v1/analyze", {"files": {"media": (names[i % len(names)], data)}})
        for i, data in enumerate(every)
    ]
    return found + [
        Sent("POST", "/v1/compat/hive", {"files": {"media": (MARK, d)}})
        for d in [*every[:13], *CLIPS]
    ]


def _sizes() -> list[Sent]:
    big = b"x" * 2_000_000
    picture = png(drawn_faces()) + b"x" * 1_400_000
    return [
        Sent("POST", path, {"content": big, "headers": {"content-type": kind}})
        for path in ("/v1/analyze", "/v1/compat/hive", "/v1/compat/label-studio/predict")
        for kind in ("application/octet-stream", "application/json", "multipart/form-data")
    ] + [
        Sent(
            "POST",
            "/v1/analyze",
            {"files": {"media": (MARK, picture)}},
        ),
        Sent("POST", "/v1/analyze", {"data": {f"f{i}": "x" for i in range(2000)}, "files": {}}),
        Sent("POST", "/v1/analyze", {"files": [("media", (str(i), b"x")) for i in range(50)]}),
        Sent("POST", "/v1/analyze", {"headers": {"content-length": "99999999999", **JSON}}),
    ]


def _types() -> list[Sent]:
    """JSON of other types and encodings than are asked for."""
    values: list[Any] = [None, 1, 1e400, [], {}, True, "x", [1] * 9, {"a": MARK}, "\ud800", -0.0]
    places = [("/v1/analyze", "media"), (f"/v1/cases/{ABSENT}/ask", "question")]
    places += [(f"/v1/cases/{ABSENT}/{name}", "text") for name in ("appeals", "notes")]
    found = [
        Sent("POST", path, {"content": json.dumps({name: value}), "headers": JSON})
        for path, name in places
        for value in values
    ]
    bodies = [
        b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe\0", b'{"media": NaN}', b"", b"null",
        '{"media": "ÄÖ"}'.encode("utf-16"), b'{"media":"AAAA","media":"BBBB","x":1}',
    ]  # fmt: skip
    return found + [Sent("POST", "/v1/analyze", {"content": b, "headers": JSON}) for b in bodies]


def _forms() -> list[Sent]:
    kinds = [
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=y",
        "multipart/form-data; boundary=" + "y" * 5000, "text/plain", "", "application/xml",
        "image/png", "application/json; charset=utf-7", "multipart/mixed; boundary=y",
    ]  # fmt: skip
    body = b"--y\r\nContent-Disposition: form-data; name=media\r\n\r\nx\r\n--y--"
    found = [
        Sent("POST", "/v1/analyze", {"content": body, "headers": {"content-type": kind}})
        for kind in kinds
    ]
    options = [
        ("source", "x" * 101), ("subject", "x" * 301), ("keep_picture", "maybe"),
        ("explain", "[]"), ("url", "http://127.0.0.1/"), ("owner", "bob"), ("state", "confirmed"),
        ("source", "a\0b"), ("subject", f"{MARK}\x1b[2J"),
    ]  # fmt: skip
    picture = png(drawn_faces(size=(240, 200)))
    return found + [
        Sent("POST", "/v1/analyze", {"files": {"media": ("x", picture)}, "data": {name: value}})
        for name, value in options
    ]


def _addresses() -> list[Sent]:
    """Addresses where files belong: nothing may be fetched."""
    targets = [
        "http://127.0.0.1:{port}/x.png", "http://localhost:{port}/", "http://[::1]:{port}/",
        "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "/etc/passwd",
        "ftp://127.0.0.1:{port}/", "gopher://127.0.0.1:{port}/", "http://2130706433:{port}/",
        "data:text/html,<script>alert(1)</script>", "data:image/png;base64,!!", "\\\\host\\share",
    ]  # fmt: skip
    found = [
        Sent("POST", "/v1/analyze", {"content": json.dumps({"media": t}), "headers": JSON})
        for t in targets
    ]
    found += [
        Sent("POST", "/v1/analyze", {"json": {"media": "AAAA", name: targets[0]}})
        for name in ("url", "image_url", "callback", "webhook")
    ]
    found += [Sent("POST", "/v1/compat/hive", {"data": {"url": t}}) for t in targets[:4]]
    return found


def _keys() -> list[Sent]:
    places = [
        ("GET", "/v1/cases"), ("GET", f"/v1/cases/{ABSENT}"), ("POST", "/v1/analyze"),
        ("GET", f"/v1/jobs/{ABSENT}"), ("GET", "/metrics"), ("POST", "/v1/compat/hive"),
        ("POST", f"/v1/cases/{ABSENT}/decisions"), ("POST", "/v1/compat/label-studio/predict"),
    ]  # fmt: skip
    values = [
        "", "Bearer", "Bearer x", "Basic !!", "Basic " + base64.b64encode(b"a:b").decode(),
        "Bearer wf_" + "A" * 5000, "Bearer ' OR 1=1 --", "Token \xe9", "Digest x",
    ]  # fmt: skip
    found = [Sent(*places[i % len(places)], {}, value) for i, value in enumerate(values * 2)]
    scopes: dict[str, list[tuple[str, str, Any]]] = {
        "read": [("POST", "/v1/analyze", None), ("GET", "/metrics", None)],
        "analyze": [("GET", "/v1/cases", None), ("GET", f"/v1/cases/{ABSENT}/near", None)],
        "metrics": [("POST", f"/v1/cases/{ABSENT}/ask", {"question": "why?"})],
        "ask": [
            ("POST", f"/v1/cases/{ABSENT}/decisions", {"outcome": "confirm", "reason": "x"}),
            ("POST", f"/v1/cases/{ABSENT}/appeals", {"text": "x"}),
            ("POST", f"/v1/cases/{ABSENT}/notes", {"text": "x"}),
        ],
    }
    found += [
        Sent(method, path, {} if body is None else {"json": body}, (scope,))
        for scope, tried in scopes.items()
        for method, path, body in tried
    ]
    return found


def _ids() -> list[Sent]:
    """Ids of nobody, of other kinds, and paths that lead out."""
    ids = [
        ABSENT, "x", "../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc", "'; DROP TABLE log;--", "%00",
        "0" * 31 + "G", "0" * 33, "ＡＢ" * 16, "*", "{case_id}", "-1",
    ]  # fmt: skip
    found = []
    for one in ids:
        found += [Sent("GET", f"/v1/cases/{one}"), Sent("GET", f"/v1/jobs/{one}")]
        found += [Sent("GET", f"/v1/cases/{one}/report", {"params": {"format": "exe"}})]
        found += [Sent("POST", f"/v1/cases/{one}/ask", {"json": {"question": MARK}})]
        body = {"outcome": "confirm", "reason": MARK}
        found += [Sent("POST", f"/v1/cases/{one}/decisions", {"json": body})]
    return found


def _queries() -> list[Sent]:
    wrong = [
        "limit=0", "limit=-1", "limit=1e9", "limit=501", "state=lost", "after=x", "least=nan",
        "least=2", "least=-inf", f"after={ABSENT}", "since=';--", "until=%00",
        "source=" + "x" * 200, "verdict=" + "x" * 50, "since=" + "9" * 30,
    ]  # fmt: skip
    return [Sent("GET", f"/v1/cases?{query}") for query in wrong]


def _methods() -> list[Sent]:
    places = ["/v1/analyze", "/v1/compat/hive", f"/v1/cases/{ABSENT}/ask"]
    found = [Sent(m, p) for m in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS") for p in places]
    strange = ["/v1", "//v1//cases", "/v1/cases/../../etc", "/.env", "/v2/cases", "/v1/CASES/x"]
    return found + [Sent("GET", path) for path in strange]


def _studio() -> list[Sent]:
    place = "/v1/compat/label-studio/predict"
    view = '<View><Image name="i" value="$image"/></View>'
    bomb = '<!DOCTYPE a [<!ENTITY b "cccccccc"><!ENTITY d "&b;&b;&b;">]><View>&d;</View>'
    configs = [view[:20], bomb, "<View/>", "x" * 200_000, "<View>" * 9000, "", "\0"]
    found = [Sent("POST", place, {"json": {"tasks": [], "label_config": c}}) for c in configs]
    tasks: list[Any] = [[{}] * 99, "x", None, [1], {"a": 1}]
    return found + [
        Sent("POST", place, {"json": {"tasks": t, "label_config": view}}) for t in tasks
    ]


#: Name of a family -> its requests; each must be answered 4xx with a typed error.
FAMILIES: dict[str, list[Sent]] = {
    "files": _files(),
    "sizes": _sizes(),
    "types": _types(),
    "forms": _forms(),
    "addresses": _addresses(),
    "keys": _keys(),
    "ids": _ids(),
    "queries": _queries(),
    "methods": _methods(),
    "label-studio": _studio(),
}
