"""Models of random weights, held to the numbers and ids of a case."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.prompting import PromptLibrary
from assistant.types import Evidence, VlmRequest
from assistant.vlm.composition import to_the_point
from assistant.vlm.llama_cpp import LlamaCppBackend
from assistant.vlm.pinned import numbers_in
from tests.tiny_models import write_tiny_gguf
from tests.unit.grounding import cases

PROMPTS = PromptLibrary(Path(__file__).parents[3] / "prompts")


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaCppBackend]:
    path = tmp_path_factory.mktemp("pinned") / "model.gguf"
    write_tiny_gguf(path, seed=11)
    made = LlamaCppBackend(path, None, threads=1, pinned=True)
    yield made
    made.close()


@pytest.fixture
def evidence() -> Evidence:
    return to_the_point(cases.evidence_of(0.93, (0.88, 0.97)), None)


def _request(evidence: Evidence, *, one_sentence: bool = False) -> VlmRequest:
    messages = PROMPTS.get("explain").render(
        facts=evidence.to_prompt(), pictures="No picture is shown."
    )
    return VlmRequest(
        messages=messages,
        evidence=evidence,
        facts=evidence.facts,
        one_sentence=one_sentence,
        max_new_tokens=2500,
    )


def _written(backend: LlamaCppBackend, request: VlmRequest) -> str:
    return "".join(backend.stream(request, threading.Event()))


def test_even_a_random_model_writes_no_number_and_no_id_that_no_fact_has(
    backend: LlamaCppBackend, evidence: Evidence
) -> None:
    text = _written(backend, _request(evidence))

    ids = re.findall(r"\[(\w+)\]", text)
    allowed = {
        n for fact in evidence.facts for n in re.findall(r"[\d.]+", " ".join(numbers_in(fact)))
    }
    assert ids, text
    assert set(ids) <= {fact.id for fact in evidence.facts}
    assert len(ids) == len(set(ids)), "each fact is told at most once"
    assert set(re.findall(r"\d+(?:\.\d+)?", re.sub(r"\[\w+\]", "", text))) <= allowed
    assert backend.provenance()["decoding"] == "pinned"


def test_one_sentence_is_one_where_it_is_asked_for(
    backend: LlamaCppBackend, evidence: Evidence
) -> None:
    text = _written(backend, _request(evidence, one_sentence=True))

    assert text.endswith("].")
    assert text.count(".") - len(re.findall(r"\d\.\d", text)) == 1


def test_a_request_without_facts_is_not_held_to_any(
    backend: LlamaCppBackend, evidence: Evidence
) -> None:
    free = replace(_request(evidence), facts=(), max_new_tokens=12)

    assert "[" not in _written(backend, free)
