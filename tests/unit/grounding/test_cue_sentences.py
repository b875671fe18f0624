from __future__ import annotations

import pytest

from assistant.evidence import renumbered
from assistant.grounding import check
from assistant.types import BaseRate
from tests.unit.grounding import cases

CUE = cases.cue("mouth-detail", genuine=BaseRate(share=0.01, low=0.0, high=0.03, faces=300))


@pytest.mark.parametrize(
    ("sentence", "status"),
    [
        ("The mouth holds 2.4 times as much fine detail as the left cheek [V1].", "supported"),
        ("The map is strongest at the mouth, with 1 in 100 genuine faces [V1].", "contradicted"),
    ],
)
def test_a_cue_is_no_place_in_the_map(sentence: str, status: str) -> None:
    evidence = renumbered(cases.manipulated(), [CUE])
    assert [s.status.value for s in check(sentence, evidence)] == [status]
