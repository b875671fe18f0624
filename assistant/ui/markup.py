"""Small pieces of HTML. Whatever was not written in this package passes through :func:`text`."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

__all__ = ["cites", "data_uri", "problem", "text", "waiting"]


def text(value: object) -> str:
    """Escape for element text and for quoted attributes alike."""
    return html.escape(str(value), quote=True)


def data_uri(data: bytes, kind: str = "image/png") -> str:
    """Bytes that travel inside the page, so that no file has to lie anywhere."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def cites(ids: Sequence[str]) -> str:
    """Links to the facts a sentence rests on."""
    return "".join(
        f'<a class="wf-cite" href="#fact-{text(i)}" data-fact="{text(i)}" '
        f'aria-label="Evidence {text(i)}">{text(i)}</a>'
        for i in ids
    )


def problem(message: str, hint: str, *, title: str = "This could not be analysed") -> str:
    """What failed, what is allowed and what to do, in the place of a result."""
    more = f'<p class="wf-hint">{text(hint)}</p>' if hint else ""
    return (
        f'<section class="wf-card wf-problem" role="alert" data-problem>'
        f"<h2>{text(title)}</h2><p>{text(message)}</p>{more}</section>"
    )


def waiting(message: str) -> str:
    """Something goes on."""
    return (
        f'<section class="wf-card wf-waiting" data-waiting data-announce="{text(message)}">'
        f'<span class="wf-pulse" aria-hidden="true"></span><p>{text(message)}</p></section>'
    )
