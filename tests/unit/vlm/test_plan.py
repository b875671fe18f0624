"""Plans: what may be said next, and the beginnings by which a model chooses."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

import pytest

from assistant.errors import InferenceError
from assistant.grounding import check
from assistant.types import SentenceStatus
from assistant.vlm import llama_cpp
from assistant.vlm.completions import Endpoint
from assistant.vlm.composition.plan import Part, heads, options, plan_for
from tests.unit.grounding import cases

A, B, C = Part(("a one.", "a two.")), Part(("b.",)), Part(("c.",), optional=True)


def test_a_pair_may_stand_in_either_order_and_an_optional_part_be_left_out() -> None:
    following, may_end = options(((A, B), C))

    assert set(following) == {"a one.", "a two.", "b."}
    assert not may_end
    after_b = following["b."]
    assert set(options(after_b)[0]) == {"a one.", "a two."}
    assert options(options(after_b)[0]["a one."]) == ({"c.": ()}, True)
    assert options(()) == ({}, True)


def test_an_optional_part_stands_beside_what_may_follow_it() -> None:
    assert set(options((C, A))[0]) == {"c.", "a one.", "a two."}


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["The map is.", "The score is.", "Nothing."], {"The map", "The score", "Nothing."}),
        (["It is dark: so.", "It is dark (57)."], {"It is dark:", "It is dark (57)."}),
        (["Only this."], {"Only"}),
    ],
)  # fmt: skip
def test_beginnings_tell_texts_apart(texts: list[str], found: set[str]) -> None:
    assert heads(texts) is not None
    assert set(heads(texts) or ()) == found


def test_a_text_that_begins_another_has_no_beginning_of_its_own() -> None:
    assert heads(["It is so.", "It is so. Yes."]) is None


def test_no_beginning_begins_another() -> None:
    rng = random.Random(3)
    for _ in range(20):
        plan = plan_for(cases.drawn(rng))
        while plan:
            following, _ = options(plan)
            found = heads([*following])
            assert found is not None
            assert sorted(found.values()) == sorted(following)
            assert not any(a != b and b.startswith(a) for a in found for b in found)
            plan = following[rng.choice([*following])]


class Chooser:
    """Stands for the server: takes one alternative of the grammar, and keeps what it was asked."""

    def __init__(self, rng: random.Random, *, wrong: bool = False) -> None:
        self.rng, self.wrong, self.asked = rng, wrong, []

    def __call__(self, _endpoint, body, _stop):
        self.asked.append(body)
        texts = [
            t.strip('"') for t in body["grammar"].removeprefix("root ::= ").strip().split('" | "')
        ]
        yield "Something else" if self.wrong else self.rng.choice(texts)


def _written(evidence, monkeypatch, chooser, stop=None) -> str:
    monkeypatch.setattr(llama_cpp, "chat_pieces", chooser)
    body = {"messages": [{"role": "user", "content": "facts"}]}
    pieces = llama_cpp._planned(
        Endpoint(base_url="http://x"), body, plan_for(evidence), stop or threading.Event()
    )
    return "".join(pieces)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_chosen_the_text_stands_up(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = cases.drawn(random.Random(seed))
    chooser = Chooser(random.Random(seed))
    text = _written(evidence, monkeypatch, chooser)

    assert all(s.status is SentenceStatus.SUPPORTED for s in check(text, evidence)), text
    said = [b["messages"][1]["content"] for b in chooser.asked if len(b["messages"]) > 1]
    assert all(text.startswith(one) for one in said)
    assert len(chooser.asked) <= 14


def test_a_model_that_keeps_to_no_choice_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InferenceError, match="did not keep"):
        _written(cases.real(), monkeypatch, Chooser(random.Random(0), wrong=True))


def test_a_stopped_text_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    stop.set()

    assert _written(cases.real(), monkeypatch, Chooser(random.Random(0)), stop) == ""


def test_no_facts_no_plan() -> None:
    assert plan_for(replace(cases.real(), facts=())) == ()
