"""Stands in for the code that builds derived model files."""

from __future__ import annotations

from pathlib import Path


def double(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes() * 2)


def fail_half_way(source: Path, target: Path) -> None:
    target.write_bytes(b"half")
    raise ValueError("expected 12 blocks, got 11")
