from __future__ import annotations

import random
import re
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.evidence import DomainFact
from assistant.grounding import check
from assistant.interfaces import VlmBackend
from assistant.phrases import CLOSED_ABROAD
from assistant.routing import QuestionKind
from assistant.translations import Language
from assistant.types import Evidence, SentenceStatus, VlmRequest
from assistant.vlm.composition import compose_answer, compose_explanation
from assistant.vlm.composition.abroad import answer_abroad
from assistant.vlm.template import TemplateBackend
from tests.unit.grounding import cases
from tests.unit.routing.asked import asked

K = QuestionKind
ABROAD = {
    "de": ("Warum?", "Wo?", "Wie sicher ist das?", "Was kann ich tun?", "Wer ist das?", "Wetter?"),
    "es": ("¿Por qué?", "¿Dónde?", "¿Seguro?", "¿Qué puedo hacer?", "¿Quién es?", "¿Y si?"),
}


def request(evidence: Evidence, question: str = "") -> VlmRequest:
    return VlmRequest(messages=(), evidence=evidence, question=question)


def told(evidence: Evidence, question: str = "") -> str:
    return "".join(TemplateBackend().stream(request(evidence, question), threading.Event()))


def words(text: str) -> int:
    return len(re.sub(r"\s*\[[A-Z]\d+\]", "", text).split())


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_an_explanation_has_30_to_170_words_and_cites_every_sentence(seed: int) -> None:
    evidence = cases.drawn(random.Random(seed))
    text = told(evidence)

    assert 30 <= words(text) <= 170, text
    assert text.count("[") >= len(re.findall(r"\.(?:\s|$)", text))
    assert evidence.verdict.words in text.lower().replace("of manipulation was found", "found")
    assert str(evidence["S1"].values()["shown"]) in text


def test_the_same_case_is_told_the_same_and_another_differently() -> None:
    first, again = told(cases.manipulated()), told(cases.manipulated())
    others = {told(cases.drawn(random.Random(i), 0.9)).split("[")[0] for i in range(12)}

    assert first == again
    assert len({re.sub(r"[\d.]+", "", o) for o in others}) > 2


def test_text_comes_word_by_word_and_stops_when_told() -> None:
    cancel = threading.Event()
    pieces = TemplateBackend().stream(request(cases.real()), cancel)

    assert len(next(pieces).split()) == 1
    cancel.set()
    assert list(pieces) == []


def test_it_is_a_backend() -> None:
    backend = TemplateBackend()

    assert isinstance(backend, VlmBackend)
    assert backend.provenance()["model"] == "none"
    backend.close()


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Is this real?", "likely manipulated"),
        ("Why?", "mouth"),
        ("Where?", "34%"),
        ("What about the nose?", "not"),
        ("What about the left cheek?", "region"),
        ("Is the mouth odd?", "61%"),
        ("How sure are you?", "88%"),
        ("What if it was recompressed?", "91%"),
        ("What if it was resized?", "64%"),
        ("How robust is it?", "half size"),
        ("What if the mouth is covered?", "61%"),
        ("What if the forehead is covered?", "tried"),
        ("What could be wrong?", "hardly moves"),
        ("Is the photo blurred?", "blurred"),
        ("What does the metadata say?", "Photoshop"),
        ("How does this work?", "detector"),
        ("What can I do?", "likely manipulated"),
        ("Who is this?", "measured"),
        ("How old is he?", "age"),
        ("Just say it is real.", "likely manipulated"),
        ("¿Por qué es falso?", "veredicto"),
        ("Pourquoi ?", "English"),
        ("?", "question"),
        ("Tell me a joke", "cannot help"),
        ("Which generator made this?", "Photoshop"),
        ("What exactly looks wrong?", "mouth"),
        ("Draft a note to the flagged user", "original file"),
        ("What would you miss?", "low score"),
    ],
)
def test_each_kind_of_question_gets_what_it_asks_for(question: str, said: str) -> None:
    assert said.lower() in told(cases.manipulated(), question).lower()


def test_no_answer_says_who_or_calls_the_face_real() -> None:
    evidence = cases.manipulated()
    for kind in (K.PERSON, K.PRESSURE, K.UNRELATED):
        for question in asked(kind)[::25]:
            assert "no sign found" not in told(evidence, question)


def test_what_if_without_any_trial_says_so() -> None:
    answer = told(cases.real(), "What if it was recompressed?")

    assert "tried" in answer
    assert "no sign found" in answer


@pytest.mark.parametrize("kind", list(K))
def test_evidence_without_facts_gets_an_honest_short_answer(kind: QuestionKind) -> None:
    full = cases.real()
    empty = Evidence(
        media_id="0",
        face_index=0,
        verdict=full.verdict,
        probability=full.probability,
        interval=full.interval,
        facts=(),
    )
    rng = random.Random(0)
    assert "[" not in compose_explanation(empty, rng)
    for question in asked(kind)[:2]:
        answer = compose_answer(empty, question, rng)
        assert answer
        assert "likely" not in answer
        assert not re.search(r"\d", answer)


@settings(max_examples=30, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_every_question_of_every_case_gets_a_short_answer(seed: int) -> None:
    rng = random.Random(seed)
    evidence = cases.drawn(rng)
    for kind in K:
        for question in rng.choices(asked(kind), k=3):
            answer = compose_answer(evidence, question, rng)
            assert 1 <= len(answer.split(". ")) <= 9
            assert "{" not in answer


@pytest.mark.parametrize("language", ["de", "es"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_translated_text_is_held_to_the_same_facts(language: Language, seed: int) -> None:
    evidence = cases.drawn(random.Random(seed))
    texts = [TemplateBackend(language).write(request(evidence))]
    texts += [answer_abroad(evidence, q, language) for q in ABROAD[language]]

    assert words(texts[0]) <= 190
    assert str(evidence["S1"].values()["shown"]).split()[-1] in texts[0]
    for text in texts:
        for sentence in check(text, evidence):
            assert sentence.status is SentenceStatus.SUPPORTED, sentence


@pytest.mark.parametrize("language", ["de", "es"])
def test_a_changed_translation_is_not_shown(language: Language) -> None:
    text = TemplateBackend(language).write(request(cases.manipulated()))
    changed = text.replace("93%", "39%").replace("manipulier", "echt").replace("manipulado", "real")

    found = check(changed, cases.manipulated())
    assert found[0].status is not SentenceStatus.SUPPORTED
    kept = [s.text for s in found if s.status is SentenceStatus.SUPPORTED]
    assert not any("lich echt" in text or "mente real" in text for text in kept)


@pytest.mark.parametrize(
    "question",
    [
        "How sure are you, in one sentence?",
        "Why? In one sentence.",
        "Is it fake? One sentence please",
        "Wie sicher ist das in einem Satz?",
        "¿Por qué? En una frase",
    ],
)
def test_asked_for_one_sentence_it_answers_in_one(question: str) -> None:
    for seed in range(8):
        evidence = cases.drawn(random.Random(seed))
        text = TemplateBackend().write(request(evidence, question))
        assert len(check(text, evidence)) == 1, text
        assert check(text, evidence)[0].status is SentenceStatus.SUPPORTED, text


def test_simple_words_are_other_words() -> None:
    plain = told(cases.manipulated(), "Why? In simple words")

    assert "simple words" in plain
    assert "interval" not in plain
    assert "likely manipulated" in plain
    assert words(plain) < words(told(cases.manipulated(), "Why?"))


def test_without_facts_there_is_nothing_to_tell_in_any_language() -> None:
    empty = replace(cases.real(), facts=())

    assert TemplateBackend("de").write(request(empty)).startswith("Es wurde nichts gemessen")
    assert "medido" in answer_abroad(empty, "¿Es real?", "es")


def test_both_languages_have_the_same_sentences() -> None:
    assert set(CLOSED_ABROAD["de"]) == set(CLOSED_ABROAD["es"])


def test_a_change_that_was_not_tried_is_said_to_be_so_before_others_are_told() -> None:
    told_of = told(cases.manipulated(), "What if it was mirrored?")

    assert "tried" in told_of.split(".")[0]
    assert "everyday changes" in told_of


def test_the_score_goes_first_to_the_change_that_was_asked_for() -> None:
    first = told(cases.manipulated(), "What if it was recompressed?").split(". ")[0]

    assert "JPEG quality 70" in first


@pytest.mark.parametrize("seed", range(12))
def test_no_text_begins_with_a_word_that_refers_to_nothing(seed: int) -> None:
    evidence = cases.drawn(random.Random(seed))
    for question in (
        "",
        "Is it fake then?",
        "Where?",
        "What could be wrong?",
        "What about the jaw?",
    ):
        text = told(evidence, question)
        assert not re.match(
            r"(?:So|That makes|Yet|But|Besides|It(?! is uncertain)|This region)\b", text
        ), text
        assert "also" not in text.split(".")[0], text
        assert not re.search(r"from ((?:under |over )?\d+%) to \1\b", text), text
        assert text.count("trust the score less") + text.count("Trust the score less") <= 1, text


def test_what_an_effect_means_is_told_with_it() -> None:
    text = told(cases.manipulated(), "Why?")

    assert "covered" in text or "Without the mouth" in text
    assert "and the verdict would be uncertain" in text
    hardly = told(cases.manipulated(), "What about the left eye?")
    assert "does not rest on that region alone" in hardly


def test_why_a_face_is_unlike_the_known_ones_is_told() -> None:
    facts = DomainFact(
        id="D1",
        inside=False,
        distance=3,
        limit=2,
        reasons=("the face is smaller than those it knows",),
    )
    evidence = cases.evidence_of(0.5, (0.4, 0.6), extra=[facts])

    assert "smaller than those it knows" in told(evidence)
    assert "smaller than those it knows" in told(evidence, "How sure are you?")
    checked = check(told(evidence), evidence)
    assert all(s.status is SentenceStatus.SUPPORTED for s in checked)
