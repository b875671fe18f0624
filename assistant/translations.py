"""Languages of answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["LANGUAGES", "Language"]

Language = Literal["en", "de", "es"]

#: Languages besides English, with their own names.
LANGUAGES: Mapping[Language, str] = {"de": "Deutsch", "es": "Español"}
