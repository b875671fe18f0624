"""What is told of a clip's people over time: questions, facts, the page of lanes, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from importlib.resources import files

import av
import click
import jsonschema
import pytest

from assistant.cli.saved_files import ClipFiles
from assistant.errors import MediaError
from assistant.evidence import MomentFact, OtherPersonFact, PartFact, StretchFact
from assistant.fakes import demo_assistant
from assistant.marked_clip import marked_clip
from assistant.questions import with_named_times
from assistant.report import analysis_json, timeline_csv
from assistant.routing import named_person, named_times
from assistant.types import Analysis
from assistant.ui import timeline
from assistant.ui.measured import evidence_panel, tabs, verdict_panel
from assistant.ui.timeline import timeline_page, timeline_panel
from tests.unit.media.videos import encoded_video
from tests.unit.timeline.clips import clip_analysis


@pytest.fixture(scope="module")
def clip() -> Analysis:
    return clip_analysis()


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("what happens at 0:07?", 7.0),
        ("and at 1:02.5", 62.5),
        ("what is at 12 seconds?", 12.0),
        ("only the part from 0:10 to 0:12?", (10.0, 12.0)),
        ("between 3 and 5 seconds?", (3.0, 5.0)),
        ("von 0:05 bis 0:03", (3.0, 5.0)),
        ("is it 50 percent?", None),
        ("why 2 people?", None),
    ],
)
def test_times_in_questions_are_read(question, named) -> None:
    assert named_times(question) == named


@pytest.mark.parametrize(
    ("question", "person"),
    [
        ("is the second person manipulated too?", 2),
        ("what about person 3?", 3),
        ("and the other person?", 0),
        ("is it manipulated?", None),
    ],
)
def test_people_in_questions_are_read(question, person) -> None:
    assert named_person(question) == person


def test_a_part_is_scored_by_its_own_frames_and_the_score_stays(clip: Analysis) -> None:
    first = clip.faces[0]
    calibrator = demo_assistant().calibrator
    asked = with_named_times(first, "only the part from 0:03 to 0:05?", calibrator)
    calm = with_named_times(first, "only the part from 0:05 to 0:07?", calibrator)

    assert asked.score == first.score
    inside, outside = asked.evidence.first(PartFact), calm.evidence.first(PartFact)
    assert inside is not None
    assert outside is not None
    assert inside.frames == 4
    assert inside.probability > outside.probability


def test_where_a_person_is_not_seen_there_is_no_number(clip: Analysis) -> None:
    calibrator = demo_assistant().calibrator
    gone = with_named_times(clip.faces[0], "what happens at 0:09?", calibrator)
    fact = gone.evidence.first(MomentFact)

    assert fact is not None
    assert fact.probability is None
    assert "not seen" in fact.text
    empty = with_named_times(clip.faces[0], "from 0:08.5 to 0:09.5?", calibrator)
    assert empty.evidence.first(PartFact).probability is None


def test_after_the_end_nothing_was_measured_and_that_is_said(clip: Analysis) -> None:
    calibrator = demo_assistant().calibrator
    late = with_named_times(clip.faces[0], "what happens at 0:30?", calibrator)
    part = with_named_times(clip.faces[0], "only 0:30 to 0:40?", calibrator)

    assert late.evidence.first(MomentFact).text == (
        "The clip was looked at from 0:00 to 0:10; nothing was measured at 0:30."
    )
    assert "nothing was measured between 0:30 and 0:40" in part.evidence.first(PartFact).text


def test_asking_the_same_twice_adds_one_fact(clip: Analysis) -> None:
    calibrator = demo_assistant().calibrator
    once = with_named_times(clip.faces[0], "at 0:04?", calibrator)

    assert with_named_times(once, "at 0:04?", calibrator) is once


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What happens at 0:04?", MomentFact),
        ("Only the part from 0:03 to 0:05?", PartFact),
        ("Is the second person manipulated too?", OtherPersonFact),
    ],
)
def test_an_answer_about_a_moment_or_another_person_cites_its_fact(
    clip: Analysis, question: str, kind: type
) -> None:
    events = list(demo_assistant().ask(clip.faces[0], question))
    turn = events[-1].turn
    asked = [e.result for e in events if hasattr(e, "result")]
    evidence = (asked[-1] if asked else clip.faces[0]).evidence
    fact = evidence.first(kind)

    assert fact is not None
    assert fact.text.rstrip(".") in turn.explanation.text
    assert fact.id in {cite for s in turn.explanation.sentences for cite in s.cites}
    assert ("verdict is" in turn.explanation.text) == (kind is not OtherPersonFact)


def test_a_clause_about_a_time_that_was_not_measured_so_is_struck(clip: Analysis) -> None:
    from assistant.grounding import check
    from assistant.types import SentenceStatus

    evidence = clip.faces[0].evidence
    right, wrong_time, wrong_share = (
        check(text, evidence)[0].status
        for text in (
            "Between 0:03 and 0:05 the probability is 92%.",
            "Between 0:06 and 0:07 the probability is 92%.",
            "Between 0:03 and 0:05 the probability is 12%.",
        )
    )
    assert right is SentenceStatus.SUPPORTED
    assert wrong_time is SentenceStatus.CONTRADICTED
    assert wrong_share is SentenceStatus.CONTRADICTED


def test_the_lanes_show_people_stretches_gaps_and_no_markup_of_others(clip: Analysis) -> None:
    page = timeline_page("<i>clip</i>.mp4", clip, encoded_video([90] * 4))
    stretch = clip.faces[0].evidence.first(StretchFact)

    assert page.count('class="wf-lane-bar"') == 2
    assert "0:03 to 0:05: 92%, likely manipulated" in page
    assert stretch is not None
    assert "0:08 to 0:10: not seen" in page
    assert page.count("wf-t-unjudged") >= 2
    assert "<i>clip" not in page
    assert "<b>picture" not in page
    assert "http" not in page.split("<body")[1]
    assert page.count("data:image/jpeg") == 4
    assert page.count("data:video/mp4") == 1
    assert page.count('<button type="button" data-at="3.25"') == 3


def test_a_clip_too_large_for_a_page_is_asked_for_there(clip: Analysis, monkeypatch) -> None:
    monkeypatch.setattr(timeline, "_MOST_EMBEDDED", 10)
    page = timeline_page("clip.mp4", clip, encoded_video([90] * 4))

    assert "data:video" not in page
    assert 'type="file"' in page


def test_the_page_lists_the_facts_over_time_and_calls_them_people(clip: Analysis) -> None:
    panel = evidence_panel(clip.faces[0])
    shown = verdict_panel(clip.faces[0], count=2, media=clip.media, warnings=(), demo=False)

    assert 'data-kind="Over time"' in panel
    assert "Person 1 of 2" in shown
    assert "Person 2" in tabs(clip.faces, 0)


def test_a_picture_has_no_lanes(clip: Analysis) -> None:
    assert timeline_panel([replace(clip.faces[0], timeline=None)]) == ""


def test_the_numbers_go_into_csv_and_json_that_keep_to_the_schema(clip: Analysis) -> None:
    rows = list(csv.DictReader(io.StringIO(timeline_csv(clip))))
    assert {row["person"] for row in rows} == {"1", "2"}
    assert len(rows) == sum(len(face.timeline.moments) for face in clip.faces)
    told = json.loads(json.dumps(analysis_json("clip.mp4", clip)))
    schema = json.loads((files("assistant") / "schema/analysis-1.json").read_text("utf-8"))
    jsonschema.validate(told, schema)
    assert told["faces"][0]["timeline"]["stretches"][0]["begin"] == 3.0
    assert [float(rows[0][side]) for side in ("x0", "y0", "x1", "y1")] == (
        told["faces"][0]["timeline"]["moments"][0]["box_xyxy"]
    )


def test_the_marked_clip_shows_boxes_where_people_are_seen_and_none_where_not(clip: Analysis):
    data = encoded_video([90] * 100, size=(128, 96))
    with av.open(io.BytesIO(marked_clip(data, clip.faces[:1]))) as film:
        frames = {round(f.time, 1): f.to_ndarray(format="rgb24") for f in film.decode(video=0)}

    assert len(frames) == 100

    def rust(at: float) -> bool:
        left = frames[at][40:64, 14:40].astype(int)  # the boxes' left edges
        return bool(((left[..., 0] - left[..., 2]) > 60).any())

    assert rust(4.0)
    assert not rust(6.0)


def test_a_box_moves_between_moments_and_is_gone_where_the_person_is(clip: Analysis) -> None:
    timeline_of_one = clip.faces[0].timeline

    assert timeline_of_one.box_at(1.0) == pytest.approx((21.0, 20.0, 61.0, 70.0))
    assert timeline_of_one.box_at(9.0) is None


def test_a_picture_has_no_marked_clip(clip: Analysis) -> None:
    with pytest.raises(MediaError) as told:
        marked_clip(b"", [replace(clip.faces[0], timeline=None)])
    assert told.value.code == "no-clip"


def test_page_table_and_marked_clip_are_saved_whole_or_told(clip, tmp_path, capsys) -> None:
    data = encoded_video([90] * 20, size=(128, 96))
    files = ClipFiles(tmp_path / "a.html", tmp_path / "a.csv", tmp_path / "a.mp4")
    given = (clip, lambda: data, demo_assistant(), "clip.mp4")

    assert files.save(*given, 0, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.html", "a.mp4"]
    gone = tmp_path / "gone"
    gone.mkdir()
    files = ClipFiles(None, gone / "a.csv", None)
    gone.rmdir()
    assert not files.save(*given, 0, 1)
    assert "cannot be written" in capsys.readouterr().err
    with pytest.raises(click.UsageError):
        ClipFiles(tmp_path / "a.csv", None, None)
