"""Similar cases from the index to the JSON, the page, the terminal and an answer."""

import dataclasses
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from assistant.cli.render import face_text
from assistant.events import Done, TurnDone
from assistant.fakes import BrightnessDetector, demo_assistant
from assistant.fitted import EXAMPLE_FILES, build_examples
from assistant.report import analysis_json
from assistant.settings import Settings
from assistant.types import FactKind, SimilarCase, SimilarCases, Verdict
from assistant.ui.measured import evidence_panel
from assistant.vlm.template import TemplateBackend
from tests.drawn import drawn_faces, png

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "assistant" / "schema" / "analysis-1.json").read_text("utf-8")
)
CASE = SimilarCase(
    name="face exchanged",
    manipulated=True,
    probability=0.9,
    verdict=Verdict.LIKELY_MANIPULATED,
    distance=0.5,
)


class Says:
    """An index that always finds the same."""

    weights_sha256 = "0" * 64

    def __init__(self, near, people):
        self.found = SimilarCases(
            nearest=(CASE,) * near, distance=0.5 if near else 3.0, examples=400, people=people
        )

    def nearest(self, trace):
        return self.found


def analysed(index, monkeypatch):
    trace = BrightnessDetector.trace

    def with_tokens(self, crop, *, layers=None):
        return dataclasses.replace(
            trace(self, crop, layers=layers), tokens=np.zeros((1, 257, 4), np.float32)
        )

    monkeypatch.setattr(BrightnessDetector, "trace", with_tokens)
    assistant = demo_assistant()
    assistant._measurer = dataclasses.replace(assistant._measurer, examples=index)
    done = list(assistant.analyze(png(drawn_faces())))[-1]
    assert isinstance(done, Done)
    return done.analysis, assistant


@pytest.mark.parametrize(
    ("near", "people", "told"), [(5, 90, True), (5, 2, True), (0, 90, True), (0, 2, False)]
)
def test_an_index_of_few_people_is_silent_where_nothing_is_near(near, people, told, monkeypatch):
    analysis, _ = analysed(Says(near, people), monkeypatch)
    (result, *_) = analysis.faces
    facts = result.evidence.of_kind(FactKind.EXAMPLES)
    assert bool(facts) is told
    jsonschema.validate(json.loads(json.dumps(analysis_json("x.png", analysis))), SCHEMA)
    if told:
        assert facts[0].id == "E1"
        assert facts[0].text in " ".join(face_text(result, count=1).split())
        page = evidence_panel(result)
        assert "fact-E1" in page
        assert "Similar cases" in page


def test_the_answer_to_how_sure_tells_it_and_the_explanation_does_not(monkeypatch):
    analysis, assistant = analysed(Says(5, 90), monkeypatch)
    assistant.narrator.vlm = TemplateBackend()
    assert "E1" not in analysis.explanation.text
    (*_, last) = assistant.ask(analysis.faces[0], "How sure are you?")
    assert isinstance(last, TurnDone)
    assert "E1" in last.turn.explanation.text
    assert "nearest examples" in last.turn.explanation.text


def test_an_index_of_other_weights_is_left_out_and_said_so(tmp_path, caplog):
    from assistant.calibration.examples import Example, ExampleIndex

    rng = np.random.default_rng(0)
    cases = [
        Example(
            name="x",
            person=str(i % 3),
            manipulated=i % 2 == 0,
            probability=0.5,
            verdict=Verdict.UNCERTAIN,
        )
        for i in range(8)
    ]
    index = ExampleIndex(rng.normal(size=(8, 6)), cases, weights_sha256="1" * 64)
    index.save(tmp_path / EXAMPLE_FILES["embedded"])
    settings = Settings(data_dir=tmp_path)

    @dataclasses.dataclass
    class Stub:
        weights_sha256: str
        name: str = "stub"

    found = build_examples(settings, Stub("1" * 64))
    assert found is not None
    assert found.people == 3
    assert build_examples(settings, Stub("2" * 64)) is None
    assert "similar cases are not told" in caplog.text
