"""An upload field that hands over bytes and leaves nothing of the file behind."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, ListFiles

__all__ = ["upload_field"]


def upload_field(**options: Any) -> gr.File:
    """A ``gr.File`` whose value is the file's bytes; the uploaded copy is deleted as it is read.

    The method is replaced on the instance: Gradio would look for a front end of a subclass's own.
    """
    field = gr.File(type="binary", file_count="single", **options)
    field.preprocess = _taken  # type: ignore[method-assign]
    return field


def _taken(payload: ListFiles | FileData | None) -> bytes | None:
    """The bytes. Gradio has checked before that the path is one of its own uploads."""
    if isinstance(payload, ListFiles):
        payload = payload.root[0] if payload.root else None
    if payload is None:
        return None
    path = Path(payload.path)
    try:
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # the folder may hold another upload of the same bytes
            path.parent.rmdir()
