"""Example pictures that installed packages ship, so that no photo lies in this project."""

from __future__ import annotations

import io

from assistant.errors import MediaError

__all__ = ["EXAMPLES", "example_bytes"]

#: Name and what it shows. ``astronaut`` is a NASA portrait in the public domain.
EXAMPLES: dict[str, str] = {
    "astronaut": "a portrait of an astronaut (NASA, public domain, shipped with scikit-image)",
    "coffee": "a cup of coffee: no face, so no score (shipped with scikit-image)",
}


def example_bytes(name: str) -> bytes:
    """An example as PNG bytes.

    Raises:
        MediaError: there is no example of that name, or scikit-image is missing.
    """
    if name not in EXAMPLES:
        raise MediaError(
            f"There is no example {name!r}; there are {', '.join(sorted(EXAMPLES))}.",
            hint="Give the path of your own photo.",
            code="unknown-example",
        )
    try:
        from skimage import data
    except ImportError as error:
        raise MediaError(
            "The examples come with scikit-image, which is not installed.",
            hint="Run `pip install 'whyfake[page]'`, or give the path of your own photo.",
            code="examples-missing",
        ) from error
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(getattr(data, name)()).save(buffer, "PNG")
    return buffer.getvalue()
