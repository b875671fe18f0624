import re
from dataclasses import replace

import numpy as np
import pytest

from assistant.citations import without_cites
from assistant.evidence import OriginFact
from assistant.types import Media, TrackRecord, Verdict, ranked_regions
from assistant.ui.markup import data_uri, problem
from assistant.ui.measured import (
    causes_panel,
    evidence_panel,
    fragility_panel,
    look_panel,
    tabs,
    verdict_panel,
)
from tests.unit.evidence.examples import MISSES
from tests.unit.ui.cases import analysed, nose_case, with_causes

CROP = np.full((224, 224, 3), 128, np.uint8)
MEDIA = Media(id="0" * 64, kind="image", frames=(CROP,), width=224, height=224)


def _verdict(logit: float, **options: object) -> str:
    given = {"count": 1, "media": MEDIA, "warnings": (), "demo": False, **options}
    return verdict_panel(analysed(CROP, logit=logit), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("logit", "verdict"),
    [
        (-3.0, Verdict.NO_SIGN),
        (0.0, Verdict.UNCERTAIN),
        (3.0, Verdict.LIKELY_MANIPULATED),
    ],
)
def test_the_verdict_is_said_in_words_and_not_in_colour_alone(
    logit: float, verdict: Verdict
) -> None:
    html = _verdict(logit)
    assert f'data-verdict="{verdict.value}"' in html
    assert f">{verdict.words.capitalize()}</h2>" in html
    marks = {re.search(r'<path d="([^"]+)"', _verdict(x)).group(1) for x in (-3.0, 0.0, 3.0)}  # type: ignore[union-attr]
    assert len(marks) == 3


def test_the_bar_stands_where_the_numbers_say() -> None:
    html = _verdict(0.0)
    assert 'class="wf-dot" style="left:50.00%"' in html
    assert 'class="wf-interval" style="left:40.00%;width:20.00%"' in html
    assert 'style="left:35.00%;width:30.00%"' in html
    assert (
        'aria-label="uncertain. Probability of manipulation 50%, interval 40% to 60%. '
        'Below 35% counts as no sign found, from 65% as likely manipulated."' in html
    )


def test_what_is_missed_stands_beside_a_verdict_that_flags_nothing() -> None:
    record = TrackRecord(misses=MISSES)

    def shown(logit: float, known: TrackRecord | None) -> str:
        face = analysed(CROP, logit=logit, record=known)
        return verdict_panel(face, count=1, media=MEDIA, warnings=(), demo=False)

    missed = "Of face swaps of a kind it never saw, the detector misses about 58 in 100."
    assert missed in shown(-3.0, record)
    assert "of a kind it never saw, the detector flags only about 11 in 100" in shown(0.0, record)
    assert "misses" not in shown(3.0, record)
    assert "misses" not in shown(-3.0, None)


def test_an_interval_whose_ends_read_alike_is_not_shown() -> None:
    face = analysed(CROP, logit=-3.0)
    score = replace(face.score, probability=0.001, interval=(0.0, 0.003))
    html = verdict_panel(replace(face, score=score), count=1, media=MEDIA, warnings=(), demo=False)

    assert "under 1%" in html
    assert "interval under" not in html


def test_which_face_demo_video_and_warnings_are_said() -> None:
    video = replace(MEDIA, kind="video", frames=(CROP,) * 3, seconds=(0.0, 1.0, 2.0))
    html = _verdict(1.0, count=3, media=video, demo=True, warnings=("<9 faces>",))
    assert "Face 1 of 3" in html
    assert "Demo, not an analysis" in html
    assert "judged over 3 sampled frames" in html
    assert "&lt;9 faces&gt;" in html


def test_tabs_are_there_for_several_faces_alone() -> None:
    one, two = analysed(CROP), analysed(CROP, index=1, logit=-2.0)
    assert tabs([one], 0) == ""
    html = tabs([one, two], 1)
    assert html.count('role="tab"') == 2
    assert re.search(r'id="wf-tab-1"[^>]*aria-selected="true"[^>]*tabindex="0"', html)
    assert re.search(r'id="wf-tab-0"[^>]*aria-selected="false"[^>]*tabindex="-1"', html)
    assert "no sign found, 12%" in html


def test_the_look_names_what_the_map_shows_for_those_who_cannot_see_it() -> None:
    result = analysed(CROP)
    html = look_panel(result, count=1)
    top = ranked_regions(result.regions)[0]
    assert f"Shares of the map: {top.region}" in html
    assert html.count('class="wf-rim" data-region="mouth"') == 2
    assert "the same for real and manipulated" in html
    chips = re.findall(r'class="wf-chip[^"]*" data-region="([^"]+)"', html)
    assert chips[0] == top.region
    assert 3 <= len(chips) < len(result.regions)


def test_all_facts_are_listed_and_folded() -> None:
    result = with_causes(analysed(CROP))
    html = evidence_panel(result)
    for fact in result.evidence.facts:
        assert f'id="fact-{fact.id}"' in html
    assert "<details><summary>All" in html


def test_each_region_that_was_neutralised_is_shown_with_what_that_did() -> None:
    html = causes_panel(with_causes(analysed(CROP)))
    assert re.search(r'src="data:image/png[^"]+" alt="The face with the mouth neutralised"', html)
    assert "90%" in html
    assert "<strong>48%</strong>" in html
    assert html.count("verdict changes</em>") == 1
    assert html.count("random patches 2 points") == 3
    assert "filled from its rim" in html
    assert causes_panel(analysed(CROP)) == ""


def test_the_fragility_card_has_bars_with_numbers_and_the_limits_of_the_verdicts() -> None:
    result = with_causes(analysed(CROP))
    html = fragility_panel(result)
    assert html.count("<li") == 1 + 4
    assert '60%</span><b class="wf-flip">verdict changes</b></li>' in html
    assert "JPEG quality 50" in html
    assert result.evidence["F1"].text in html
    assert html.count('class="wf-bar-limit" style="left:35.0%"') == 5
    assert "no sign found below 35%" in html
    assert 'aria-busy="false"' in html


def test_the_fragility_card_keeps_its_place_until_it_is_measured() -> None:
    html = fragility_panel(analysed(CROP), pending=("half size", "mirroring"))
    assert html.count("<li") == 3
    assert html.count("to come") == 2
    assert 'aria-busy="true"' in html
    assert fragility_panel(analysed(CROP)) == ""


def test_a_region_that_stands_out_tells_whether_it_is_stable() -> None:
    result = analysed(CROP)
    regions = tuple(
        replace(r, stands_out=r.region == "mouth", stability=0.75) for r in result.regions
    )
    html = look_panel(replace(result, regions=regions), count=1)
    assert html.count("75% stable") == 1


def test_a_fact_with_html_in_it_stays_text() -> None:
    result = analysed(CROP)
    bad = OriginFact(id="P9", source="camera", name='<img src=x onerror="alert(1)">')
    evidence = replace(result.evidence, facts=(*result.evidence.facts, bad))
    html = evidence_panel(replace(result, evidence=evidence))
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt;" in html


def test_a_problem_says_what_and_how_to_go_on() -> None:
    html = problem("The file is <empty>.", "Choose another.")
    assert 'role="alert"' in html
    assert "&lt;empty&gt;" in html
    assert "Choose another." in html


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("The mouth stands out [R1].", "The mouth stands out."),
        ("It is 90% [S1, S2] [R1]!", "It is 90%!"),
        ("No ids here.", "No ids here."),
        ("[L1]", ""),
    ],
)
def test_ids_in_brackets_are_taken_out(sentence: str, shown: str) -> None:
    assert without_cites(sentence) == shown


def test_data_uris_hold_their_bytes() -> None:
    assert data_uri(b"abc") == "data:image/png;base64,YWJj"


def test_the_answer_comes_first_and_the_chips_begin_with_the_place_that_it_names() -> None:
    result = nose_case()
    html = verdict_panel(result, count=1, media=MEDIA, warnings=(), demo=False)
    assert "The map points to the nose, but with it covered the score stays at" in html
    assert html.index("wf-first") < html.index("This face is likely manipulated:")

    look = look_panel(result, count=1)
    assert look.index("<b>Nose") < look.index("<b>Background")
    assert "<details open" not in evidence_panel(result)
