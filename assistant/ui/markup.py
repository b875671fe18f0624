"""HTML from the templates beside this file, which escape every value that they are given."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

from assistant.citations import without_cites
from assistant.evidence import percent
from assistant.numbers import points, written
from assistant.types import checked_how

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["data_uri", "problem", "render", "waiting"]


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("assistant.ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "percent": percent,
        "written": written,
        "points": points,
        "without_cites": without_cites,
        "checked_how": checked_how,
    }
    return found


def render(template: str, macro: str, *values: Any, **named: Any) -> str:
    """What a macro of ``templates/TEMPLATE.html`` makes of the values."""
    module = _templates().get_template(f"{template}.html").module
    return str(getattr(module, macro)(*values, **named))


def data_uri(data: bytes, kind: str = "image/png") -> str:
    """Bytes that travel inside the page, so that no file has to lie anywhere."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def problem(message: str, hint: str, *, title: str = "This could not be analysed") -> str:
    """What failed, what is allowed and what to do, in the place of a result."""
    return render("parts", "problem", message, hint, title)


def waiting(message: str) -> str:
    """Something goes on."""
    return render("parts", "waiting", message)
