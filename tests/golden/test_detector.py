"""The shipped detector gives the scores that it gave when its weights were shipped."""

from __future__ import annotations

import copy
import json

import pytest

from tools.golden import GOLDEN, differences, measured


@pytest.fixture(scope="module")
def golden() -> dict:
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.weights
@pytest.mark.timeout(900)  # 25 pictures, on a busy machine too
def test_logits_and_auroc_are_the_golden_ones(golden: dict) -> None:
    """Weights that were changed on purpose: `python tools/golden.py --write`."""
    assert differences(measured(), golden) == []


def test_a_shifted_logit_other_weights_and_a_lower_auroc_are_told(golden: dict) -> None:
    now = copy.deepcopy(golden)
    now["logits"]["hopper"] += 0.002
    now["auroc"] -= 0.06
    now["weights_sha256"] = "0" * 64
    assert len(golden["logits"]) == 5
    assert len(differences(now, golden)) == 3
    assert differences(golden, golden) == []
