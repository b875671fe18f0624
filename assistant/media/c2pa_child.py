"""The child process that reads one C2PA record with ``c2pa-python``, whose parser is native code.

Reads a file from stdin and writes one JSON object to stdout: what it was told, or ``{}`` where the
file has no record. It has no network, little memory and little time. Imports nothing of
``assistant``, so that it starts fast.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import resource
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["main"]

_MOST_MEMORY = 2 << 30
_MOST_SECONDS = 8
_LONGEST = 400
_MOST_SOURCES = 20
_NO_NETWORK = 0x10000000 | 0x40000000  # CLONE_NEWUSER | CLONE_NEWNET: an empty network of its own
# what c2pa-python would fetch: records kept elsewhere and lists of withdrawn certificates
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}


def main() -> int:
    """Read one file; returns the exit status."""
    data = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).unshare(_NO_NETWORK)  # a second lock, where the system lets us
    sys.stdout.write(json.dumps(_read(data)))
    return 0


def _read(data: bytes) -> dict[str, Any]:
    import c2pa

    try:
        context = c2pa.Context.from_dict(_OFFLINE)
        record = json.loads(c2pa.Reader(None, io.BytesIO(data), context=context).json())
    except (c2pa.C2paError.ManifestNotFound, c2pa.C2paError.NotSupported):
        return {}
    except (c2pa.C2paError, ValueError) as error:
        elsewhere = str(error).startswith("Remote")  # only the address of a record is in the file
        return {} if elsewhere else {"signature": "unread"}
    manifests = record["manifests"]
    active = manifests.get(record.get("active_manifest")) or {}
    codes = [status["code"] for status in record.get("validation_status", [])]
    changed = any(code.endswith((".mismatch", ".missing")) for code in codes)
    valid = record.get("validation_state") in ("Valid", "Trusted")
    return {
        "generator": _generator(active)[:_LONGEST],
        "sources": list(dict.fromkeys(_sources([active, manifests])))[:_MOST_SOURCES],
        "signature": "valid" if valid else "broken" if changed else "unread",
    }


def _generator(claim: dict[str, Any]) -> str:
    """Name and version from ``claim_generator_info``, else ``claim_generator``."""
    info = (claim.get("claim_generator_info") or [{}])[0]
    if isinstance(info.get("name"), str):
        return f"{info['name']} {info.get('version') or ''}".strip()
    return str(claim.get("claim_generator") or "")


def _sources(value: Any) -> Iterator[str]:
    """Every declared source type, also of the pictures that this one was made from."""
    if isinstance(value, dict):
        declared = value.get("digitalSourceType")
        if isinstance(declared, str):
            yield declared[:_LONGEST]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _sources(item)


if __name__ == "__main__":
    sys.exit(main())
