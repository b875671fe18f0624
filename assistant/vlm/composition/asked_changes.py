"""The everyday changes of a file that a question names."""

from __future__ import annotations

__all__ = ["names", "names_a_change"]

# Words of one kind of everyday change, in questions and in names of changes.
_CHANGES = (
    ("jpeg", "compress", "re-sav", "resav", "whatsapp", "share", "upload"),
    ("half size", "resiz", "shrunk", "shrink", "scale", "smaller"),
    ("mirror", "flip"),
    ("shift", "crop", "move"),
    ("blur",),
)


def names(question: str, change: str) -> bool:
    """Whether a question speaks of an everyday change of the file."""
    asked, name = question.lower(), change.lower()
    return any(
        any(word in asked for word in words) and any(word in name for word in words)
        for words in _CHANGES
    )


def names_a_change(question: str) -> bool:
    """Whether a question speaks of one kind of everyday change, tried or not."""
    asked = question.lower()
    return any(word in asked for words in _CHANGES for word in words)
