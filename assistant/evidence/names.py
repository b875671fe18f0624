"""Names in evidence: sides of a face, and strings out of a file that may be quoted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from assistant.types import PERSON_SIDE

__all__ = ["listed", "quotable_name", "the_region", "the_regions"]

_NAME = re.compile(r"[\w .,+()/'&@:-]{1,48}\Z")
# Words that no program or camera name needs, and that a text which tries to steer a reader does.
_STEERING = re.compile(
    r"\b(ignore|disregard|forget|instruct\w*|prompt|system|assistant|user|say|tell|answer|respond|"
    r"repl(?:y|ies)|output|write|print|repeat|show|append|translate|declare|verdict|score|"
    r"probab\w*|real|fake\w*|deepfake\w*|genuine|"
    r"authentic\w*|manipulat\w*|untouched|unaltered|original|certain\w*|definit\w*|proof|proven?|"
    r"trust|verified|approved|must|always|never|you|your|am|is|are|was|not|this|that|percent|"
    r"\d+%)\b",
    re.IGNORECASE,
)


def quotable_name(text: str) -> str:
    """``text`` if it looks like the name of a program, device or signer, else an empty string.

    Text in a file is written by whoever made the file. Only what looks like a name is repeated: at
    most 48 plain characters and six words, none of which could steer a reader or a language model.
    """
    plain = "".join(
        " " if unicodedata.category(c)[0] in "CZ" else c
        for c in unicodedata.normalize("NFKC", text)
    )
    plain = " ".join(plain.split())
    words = plain.split()
    if not words or len(words) > 6 or not _NAME.match(plain) or _STEERING.search(plain):
        return ""
    if "://" in plain or "www." in plain.lower():
        return ""
    return plain


def the_region(region: str) -> str:
    """A region with its article, and the person's own side where the two differ."""
    other = PERSON_SIDE.get(region)
    return f"the {region} (the person's {other})" if other else f"the {region}"


def listed(names: Sequence[str]) -> str:
    """Names as a list in a sentence: ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def the_regions(regions: Sequence[str]) -> str:
    """Regions with their articles, as a list."""
    return listed([f"the {region}" for region in regions])
