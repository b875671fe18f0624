"""What a prompt says of the pictures that go with it."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ONE_PICTURE", "said_of_pictures"]

#: What is said where the face alone is shown.
ONE_PICTURE = "Picture: the face."


def said_of_pictures(names: Sequence[str]) -> str:
    """One line on the pictures, by their names in order."""
    if not names:
        return "No picture is shown."
    if len(names) == 1:
        return f"Picture: {names[0]}."
    return f"Pictures: {'; '.join(f'{n} {name}' for n, name in enumerate(names, 1))}."
