"""A model of random weights, held to the grammar of a case by llama.cpp itself."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from assistant.grounding import check
from assistant.prompting import PromptLibrary
from assistant.types import SentenceStatus, VlmRequest
from assistant.vlm.llama_cpp import LlamaCppBackend
from tests.tiny_models import write_tiny_gguf
from tests.unit.grounding import cases

PROMPTS = PromptLibrary(Path(__file__).parents[3] / "prompts")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("structured") / "model.gguf"
    write_tiny_gguf(path, seed=11)
    return path


def test_even_a_random_model_says_only_what_the_facts_say(model: Path) -> None:
    evidence = cases.evidence_of(0.93, (0.88, 0.97))
    backend = LlamaCppBackend(model, None, threads=1, structured=True)
    try:
        answer = PROMPTS.get("answer").render(facts=evidence.to_prompt(), question="How sure?")
        request = VlmRequest(
            messages=answer, evidence=evidence, question="How sure?", max_new_tokens=900
        )
        text = "".join(backend.stream(request, threading.Event()))
    finally:
        backend.close()

    found = check(text, evidence)
    assert len(found) >= 3
    assert all(s.status is SentenceStatus.SUPPORTED for s in found), text
    assert backend.provenance()["decoding"] == "structured"


def test_a_request_that_does_not_show_the_facts_is_not_held_to_them(model: Path) -> None:
    evidence = cases.manipulated()
    backend = LlamaCppBackend(model, None, threads=1, structured=True)
    messages = PROMPTS.get("describe").render()
    shown = PROMPTS.get("explain").render(facts=evidence.to_prompt())

    assert not backend._plan(VlmRequest(messages=messages, evidence=evidence))
    assert backend._plan(VlmRequest(messages=shown, evidence=evidence))
    backend.close()


def test_reading_ahead_changes_nothing_of_what_is_written(model: Path) -> None:
    evidence = cases.evidence_of(0.93, (0.88, 0.97))
    explain = PROMPTS.get("explain").render(facts=evidence.to_prompt())
    request = VlmRequest(messages=explain, evidence=evidence, max_new_tokens=900)

    def written(*, ahead: bool) -> str:
        backend = LlamaCppBackend(model, None, threads=1, structured=True)
        try:
            if ahead:
                backend.read_ahead(request)
            return "".join(backend.stream(request, threading.Event()))
        finally:
            backend.close()

    assert written(ahead=True) == written(ahead=False)
