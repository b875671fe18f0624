import dataclasses
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from assistant.events import Done
from assistant.fakes import BrightnessDetector, demo_assistant
from assistant.report import analysis_json
from assistant.types import DomainFinding, FactKind, Reading, Verdict
from tests.drawn import drawn_faces, png

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "assistant" / "schema" / "analysis-1.json").read_text("utf-8")
)


class Says:
    """A domain check that always finds the same."""

    interval = (0.7, 0.999)

    def __init__(self, status):
        self.status = status
        self.seen = None

    def judge(self, reading, measures):
        self.seen = measures
        reasons = () if self.status == "inside" else ("the face is smaller than those it knows",)
        return DomainFinding(
            status=self.status, distance=1.7, limit=1.0, outer_limit=1.5, reasons=reasons
        )

    def apply(self, calibrated, finding):
        if finding.status == "inside":
            return calibrated
        verdict = Verdict.UNCERTAIN if finding.status == "outside" else calibrated.verdict
        return dataclasses.replace(calibrated, interval=self.interval, verdict=verdict)


def analysed(status, monkeypatch, skin=(255, 190, 160)):
    def read(self, crops):
        nothing = np.zeros((1, 3, 4), np.float32)
        return tuple(Reading(logit=float(z), statistics=nothing) for z in self.logits(crops))

    monkeypatch.setattr(BrightnessDetector, "read", read, raising=False)
    assistant = demo_assistant()
    domain = Says(status) if status else None
    scorer = dataclasses.replace(assistant.scorer, domain=domain)
    assistant._measurer = dataclasses.replace(assistant._measurer, scorer=scorer)
    done = list(assistant.analyze(png(drawn_faces(skin=skin))))[-1]
    assert isinstance(done, Done)
    return done.analysis, assistant


@pytest.mark.parametrize("status", ["", "inside", "edge", "outside"])
def test_the_json_says_whether_a_verdict_was_withheld(status, monkeypatch):
    analysis, _ = analysed(status, monkeypatch)
    told = analysis_json("a.png", analysis)
    jsonschema.validate(told, SCHEMA)
    face = told["faces"][0]
    assert face["abstained"] == (status == "outside")
    assert (face["domain"] or {}).get("status", "") == status
    assert face["verdict"] == ("uncertain" if status == "outside" else "likely_manipulated")


def test_outside_the_verdict_is_withheld_in_every_fact_and_sentence(monkeypatch):
    analysis, assistant = analysed("outside", monkeypatch)
    result = analysis.faces[0]
    assert result.score.abstained
    assert result.score.probability > 0.65
    assert set(assistant._measurer.scorer.domain.seen) == {"face_side", "sharpness", "blockiness"}
    evidence = result.evidence
    assert evidence["S2"].values()["abstained"]
    assert "no verdict" in evidence["S2"].text
    assert "smaller than those it knows" in evidence["D1"].text
    assert not any(fact.values().get("changes_verdict") for fact in evidence.facts)
    assert analysis.explanation is not None
    assert "likely manipulated" not in analysis.explanation.text.lower()


def test_at_the_edge_the_verdict_stays_and_the_interval_widens(monkeypatch):
    plain, _ = analysed("inside", monkeypatch)
    edge, _ = analysed("edge", monkeypatch)
    assert edge.faces[0].score.verdict is plain.faces[0].score.verdict
    assert edge.faces[0].score.interval == (0.7, 0.999)
    fact = edge.faces[0].evidence.of_kind(FactKind.DOMAIN)[0]
    assert not fact.values()["inside"]
    assert "interval was widened" in fact.text
    assert plain.faces[0].evidence["D1"].values()["inside"]


def test_a_close_case_at_the_edge_gets_no_verdict(monkeypatch):
    monkeypatch.setattr(Says, "interval", (0.5, 0.999))
    analysis, _ = analysed("edge", monkeypatch)
    score = analysis.faces[0].score
    assert score.probability > 0.65
    assert score.abstained
    assert score.verdict is Verdict.UNCERTAIN
