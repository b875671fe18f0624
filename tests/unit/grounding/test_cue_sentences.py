from __future__ import annotations

import pytest

from assistant.evidence import CueFact, renumbered
from assistant.grounding import check
from assistant.types import BaseRate
from tests.unit.grounding import cases

CUE = CueFact(
    id="V1",
    cue_name="mouth-detail",
    quantity="fine detail",
    value=2.4,
    unit="times",
    places=("mouth", "left cheek"),
    boxes=((0, 0, 1, 1), (1, 1, 2, 2)),
    genuine=BaseRate(share=0.01, low=0.0, high=0.03, faces=300),
    manipulated=BaseRate(share=0.31, low=0.25, high=0.38, faces=280),
)


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
