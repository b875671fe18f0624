"""Claims about the place where the map is strongest, though not beyond untouched faces."""

from __future__ import annotations

import pytest

from assistant.grounding import check
from assistant.types import SentenceStatus
from tests.unit.ui.cases import nose_case

EVIDENCE = nose_case().evidence


@pytest.mark.parametrize(
    "sentence",
    [
        "The map points to the nose.",
        "The map is strongest at the nose.",
        "The nose does not stand out.",
    ],
)
def test_what_the_map_shows_may_be_said(sentence: str) -> None:
    assert check(sentence, EVIDENCE)[0].status is SentenceStatus.SUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "The nose stands out in the map.",
        "The map does not point to the nose.",
        "The map is strongest at the background.",
        "The map points to the nose, with 12% of its weight.",
    ],
)
def test_what_it_does_not_show_is_contradicted(sentence: str) -> None:
    found = check(sentence, EVIDENCE)[0]
    assert found.status is SentenceStatus.CONTRADICTED
    assert found.replacement
