"""The other detectors that a question asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["asks_agreement", "named_detector"]

_ANY = re.compile(
    r"\bsecond (?:opinion|detector)\b|"
    r"\b(?:another|other|different)\b[\w\s]{0,20}\b(?:detectors?|opinions?)\b|"
    r"\ball (?:of )?(?:the )?detectors\b|"
    r"\bzweite[nr]? meinung\b|\bander\w* detektor\w*\b|"
    r"\bsegunda opini[oó]n\b|\botr[oa]s? (?:detector|opini[oó]n)\w*\b",
    re.IGNORECASE,
)
_AGREE = re.compile(
    r"\bdetectors\b.*\b(?:agree|disagree|split|say)|\bhow many\b.*\bdetectors\b|"
    r"\bdetektoren\b.*\beinig|\bdetectores\b.*\bcoinciden",
    re.IGNORECASE,
)
#: Names that are words of English: a question means the detector only where it says so.
_PLAIN = frozenset({"clad", "effort", "ensemble"})


def named_detector(question: str, names: Sequence[str]) -> str | None:
    """Which of ``names`` a question asks for; empty: any other; None: none."""
    text = question.lower()
    for name in sorted(names, key=len, reverse=True):
        words = r"[-_ ]?".join(map(re.escape, name.split("-")))
        if name in _PLAIN:
            words = rf"(?:detector {words}|{words} (?:detector|say|think|find|see))"
        if re.search(rf"(?<![\w-]){words}(?![\w-])", text):
            return name
    return "" if _ANY.search(text) or asks_agreement(question) else None


def asks_agreement(question: str) -> bool:
    """Whether a question asks how far detectors agree."""
    return bool(_AGREE.search(question))
