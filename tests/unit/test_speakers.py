"""Who can speak here, a second opinion beside the first score, how far detectors agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.errors import AssistantError, PluginError
from assistant.events import Analyzed, Done, Failed, TurnDone
from assistant.evidence import AgreementFact, Evidence, OpinionFact
from assistant.fakes import demo_assistant
from assistant.grounding import check
from assistant.pipeline import Assistant
from assistant.report import analysis_json
from assistant.routing import named_detector
from assistant.settings import Settings
from assistant.speakers import detector_states, settings_for
from assistant.types import FaceAnalysis, Opinion, SentenceStatus, Verdict
from tests.drawn import drawn_faces, png
from tests.speaking import plugin_file, speaking

FACE = png(drawn_faces())
NAMES = ("clip-probe", "effort", "ensemble", "gend", "xception")


def test_what_can_run_is_told_and_what_cannot_says_why_and_the_next_step(tmp_path: Path) -> None:
    plugin_file(tmp_path, "xception", calibrated=True)
    plugin_file(tmp_path, "squeezenet")
    plugin_file(tmp_path, "sbi", plugin="xception")
    plugin_file(tmp_path, "ensemble")
    (tmp_path / "detectors" / "clad.safetensors").write_bytes(b"no weights")
    settings = Settings(data_dir=tmp_path, vlm_backend="template")

    states = {state.name: state for state in detector_states(settings)}

    assert states["xception"].words == "ready, calibrated"
    assert states["squeezenet"].words == "ready, not calibrated"
    assert "holds the detector xception" in states["sbi"].problem
    assert "holds the detector xception" in states["ensemble"].problem  # a member's file
    assert "no file of a trained detector" in states["clad"].problem
    assert "whyfake train plugin effort" in states["effort"].hint
    assert "--accept-unpinned" in states["mesonet"].hint
    assert "sees no picture" in states["vlm-zero-shot"].problem
    assert [s.name for s in states.values() if s.chosen] == ["clip-ln"]
    assert all(s.hint for s in states.values() if not s.ready)


def test_files_given_for_one_detector_are_never_handed_to_another(tmp_path: Path) -> None:
    own = plugin_file(tmp_path, "xception")
    settings = Settings(data_dir=tmp_path, detector="sbi", detector_weights=tmp_path / "mine")

    assert settings_for(settings, "sbi") is settings
    assert settings_for(settings, "xception").detector_weights == own
    assert settings_for(settings, "clad").detector_weights is None


def analysed(assistant: Assistant) -> FaceAnalysis:
    done = [e for e in assistant.analyze(FACE, explain=False) if isinstance(e, Done)]
    return done[0].analysis.faces[0]


@pytest.mark.parametrize(
    "question",
    [
        "What does the xception say?",
        "Compare with another detector, please.",
        "Can I have a second opinion?",
        "Was sagt ein anderer Detektor?",
    ],
)
def test_a_second_opinion_is_a_cited_fact_and_moves_nothing(tmp_path: Path, question: str) -> None:
    assistant = speaking(tmp_path)
    first = analysed(assistant)

    events = list(assistant.ask(first, question, picture=lambda: FACE))

    told = next(e.result for e in events if isinstance(e, Analyzed))
    (fact,) = told.evidence.of(OpinionFact)
    assert told.score == first.score
    assert fact.opinion.detector == "xception"
    assert fact.opinion.value == pytest.approx(1 - first.score.probability)
    answer = next(e.turn for e in events if isinstance(e, TurnDone)).explanation
    assert "[O1]" in answer.text
    assert all(s.status is SentenceStatus.SUPPORTED for s in answer.sentences)
    again = list(assistant.ask(told, question, picture=lambda: pytest.fail("asked twice")))
    assert "[O1]" in next(e.turn for e in again if isinstance(e, TurnDone)).explanation.text


def test_a_detector_without_calibration_claims_no_probability(tmp_path: Path) -> None:
    assistant = speaking(tmp_path, fitted=False)
    told = next(
        e.result
        for e in assistant.ask(analysed(assistant), "a second opinion?", picture=lambda: FACE)
        if isinstance(e, Analyzed)
    )
    (fact,) = told.evidence.of(OpinionFact)
    assert "never calibrated" in fact.text
    assert "%" not in fact.text

    assert assistant.speakers is not None
    other = assistant.speakers.speaker("xception")
    done = next(e for e in other.analyze(FACE) if isinstance(e, Done)).analysis
    (face,) = analysis_json("face.png", done)["faces"]
    assert (face["detector"], face["calibrated"], face["verdict"]) == (
        "xception",
        False,
        "uncertain",
    )
    score = done.faces[0].evidence["S1"].text
    assert "no probability" in score
    assert "%" not in score
    assert done.explanation is not None
    assert "probability of manipulation" not in done.explanation.text
    claimed = f"The probability of manipulation is {done.faces[0].score.probability:.0%}."
    assert check(claimed, done.faces[0].evidence)[0].status is SentenceStatus.CONTRADICTED


@pytest.mark.parametrize(
    ("question", "picture", "code"),
    [
        ("What does xception say?", None, "picture-gone"),
        ("What does xception say?", png(np.zeros((64, 64, 3), np.uint8)), "no-such-face"),
        ("What does xception say?", b"", "empty-file"),
        ("What does the effort say?", FACE, "weights-missing"),
    ],
)
def test_a_second_opinion_that_cannot_be_had_is_a_typed_failure(
    tmp_path: Path, question: str, picture: bytes | None, code: str
) -> None:
    assistant = speaking(tmp_path)
    assert assistant.speakers is not None
    assistant.speakers._make = _only_xception(assistant.speakers._make)
    given = None if picture is None else lambda: picture

    last = list(assistant.ask(analysed(assistant), question, picture=given))[-1]

    assert isinstance(last, Failed)
    assert last.error.hint
    assert last.error.code == code


def _only_xception(make):  # type: ignore[no-untyped-def]
    from assistant.compose import build_detector

    def made(settings: Settings) -> Assistant:
        if settings.detector not in {"clip-ln", "xception"}:
            build_detector(settings)  # raises: it was never trained
        return make(settings)  # type: ignore[no-any-return]

    return made


def test_where_no_other_detector_is_ready_the_answer_names_the_next_step(tmp_path: Path) -> None:
    assistant = speaking(tmp_path)
    (tmp_path / "detectors" / "xception.safetensors").unlink()
    last = list(assistant.ask(analysed(assistant), "a second opinion?", picture=lambda: FACE))[-1]
    assert isinstance(last, Failed)
    assert (last.error.code, "whyfake detectors" in last.error.hint) == ("no-other-detector", True)
    with pytest.raises(PluginError, match="did you mean 'xception'"):
        assistant.speakers.speaker("xceptoin")  # type: ignore[union-attr]
    alone = demo_assistant()
    last = list(alone.ask(analysed(alone), "What does xception say?"))[-1]
    assert isinstance(last, Failed)
    assert isinstance(last.error, AssistantError)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("what does the xception say?", "xception"),
        ("And CLIP probe?", "clip-probe"),
        ("What does the ensemble say?", "ensemble"),
        ("What did GenD find?", "gend"),
        ("Is it worth the effort?", None),
        ("Do the detectors agree?", ""),
        ("What does another detector think?", ""),
        ("¿Qué dice otro detector?", ""),
        ("Why does the detector say so?", None),
        ("Could the detector be wrong?", None),
    ],
)
def test_a_question_names_a_detector_or_asks_for_any(question: str, name: str | None) -> None:
    assert named_detector(question, NAMES) == name


def opinions(*values: float) -> Evidence:
    names = ("xception", "clip-probe", "squeezenet", "mesonet")
    said = [
        Opinion(detector=n, value=v, calibrated=n != "mesonet")
        for n, v in zip(names, values, strict=False)
    ]
    return Evidence(
        media_id="a" * 64,
        face_index=0,
        verdict=Verdict.UNCERTAIN,
        probability=0.5,
        interval=(0.4, 0.6),
        facts=(AgreementFact(id="O1", opinions=tuple(said)),),
    )


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        ("Three of four detectors agree.", "supported"),
        ("3 of the 4 detectors lean towards a manipulated face.", "supported"),
        ("Four of four detectors agree.", "contradicted"),
        ("All detectors agree.", "contradicted"),
        ("Two of four detectors agree.", "contradicted"),
        ("Three of four detectors lean away from a manipulated face.", "contradicted"),
        ("Three of five detectors agree.", "contradicted"),
        ("The xception puts it at 90%.", "supported"),
        ("The xception puts it at 70%.", "contradicted"),
        ("The squeezenet leans towards a manipulated face.", "contradicted"),
        ("The mesonet puts it at 80%.", "contradicted"),
        ("The sbi leans towards a manipulated face.", "unsupported"),
        ("A second detector agrees.", "unsupported"),
    ],
)
def test_claims_of_agreement_are_checked_against_the_fact(claim: str, status: str) -> None:
    (found,) = check(claim, opinions(0.9, 0.7, 0.2, 0.8))
    assert found.status.value == status, found.reason


def test_agreement_is_told_in_words_and_in_json() -> None:
    fact = opinions(0.9, 0.7, 0.2, 0.8).facts[0]
    assert fact.text.startswith(
        "Three of four detectors agree: they lean towards a manipulated face."
    )
    assert "mesonet (not calibrated)" in fact.text
    values = fact.values()
    assert (values["agree"], values["detectors"], values["side"]) == (3, 4, "manipulated")
    assert opinions(0.9, 0.2).facts[0].text.startswith("The two detectors are split")
    assert opinions(0.1, 0.2).facts[0].values()["side"] == "not manipulated"
