"""The pairs of enlarged pictures on the page."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from assistant.evidence import cue_facts, renumbered
from assistant.pairs import pairs_of, with_amplified_detail
from assistant.types import BaseRate, CueFinding, CuePlace, CueReading, CuesLooked
from assistant.ui.look_here import look_here_panel, whole_picture
from tests.unit.ui.cases import analysed as measured
from tests.unit.ui.cases import with_causes

_CROP = np.full((168, 168, 3), 120, np.uint8)
_RATE = BaseRate(share=0.02, low=0.01, high=0.05, faces=250)


def looked(*names: str, pictures: bool = True) -> CuesLooked:
    square = np.arange(240 * 240 * 3, dtype=np.uint8).reshape(240, 240, 3)
    return CuesLooked(
        findings=tuple(
            CueFinding(
                reading=CueReading(
                    cue=name,
                    quantity="fine detail",
                    value=0.4,
                    unit="times",
                    places=(
                        CuePlace(name=f"mouth <{name}>", box_xyxy=(1, 2, 3, 4)),
                        CuePlace(name="skin", box_xyxy=(0, 0, 9, 9)),
                    ),
                ),
                genuine=_RATE,
                manipulated=_RATE,
                beyond=True,
                pictures=(square, square) if pictures else (),
            )
            for name in names
        )
    )


def analysed(cues: CuesLooked):
    plain = measured(_CROP)
    return replace(plain, cues=cues, evidence=renumbered(plain.evidence, cue_facts(cues)))


WHOLE = whole_picture(np.full((300, 600, 3), 80, np.uint8))


def test_each_cue_is_a_pair_with_its_number_its_rate_and_words_for_those_who_do_not_see_it():
    shown = look_here_panel(analysed(looked("a", "b")), WHOLE)
    assert shown.count('data-pair="V') == 2
    assert len(re.findall(r'<img class="wf-plain" src="[^"]+" alt="Enlarged: The ', shown)) == 4
    assert len(re.findall(r'<img class="wf-strong" src="[^"]+" alt="Detail amplified', shown)) == 4
    assert "0.4 times as much fine detail" in shown
    assert "2 in 100 (1 to 5) genuine faces" in shown
    assert "Nothing here moves the score." in shown
    assert "<a>" not in shown
    assert "mouth &lt;a&gt;" in shown


def test_the_places_are_outlined_in_the_whole_picture_in_its_own_pixels():
    shown = look_here_panel(analysed(looked("a")), WHOLE)
    assert 'viewBox="0 0 600 300"' in shown
    assert 'class="wf-place-first" points="1.0,2.0 3.0,2.0 3.0,4.0 1.0,4.0"' in shown
    assert "dashed: The skin" in shown
    assert WHOLE.uri.startswith("data:image/jpeg")
    assert "polygon" not in look_here_panel(analysed(looked("a")))


def test_where_no_cue_speaks_that_is_said_and_the_strongest_cause_is_shown():
    quiet = looked("a")
    quiet = CuesLooked(findings=(replace(quiet.findings[0], beyond=False),))
    shown = look_here_panel(with_causes(analysed(quiet)), WHOLE)
    assert "Nothing that can be seen was measured to differ" in shown
    assert re.findall(r'data-pair="(C\d)"', shown) == ["C1"]
    assert "The mouth as it is" in shown
    assert "The mouth filled from its rim" in shown
    assert "from 90% to 48%" in shown


def test_cues_come_before_causes_and_no_more_than_three_are_shown():
    shown = look_here_panel(with_causes(analysed(looked("a", "b"))))
    assert re.findall(r'data-pair="([VC])\d"', shown) == ["V", "V", "C"]
    many = looked("a", "b", "c")
    assert len(pairs_of(with_causes(analysed(many)))) == 3


def test_a_region_is_outlined_where_it_lies_in_the_frame():
    result = with_causes(measured(_CROP))
    face = replace(result.face, matrix=np.array([[0.5, 0, -10.0], [0, 0.5, -20.0]]))
    face = replace(face, landmarks=2 * result.face.landmarks + np.array([20, 40]))
    (pair,) = pairs_of(replace(result, face=face))
    middle = np.mean(pair.outlines[0], axis=0)
    mouth = face.landmarks[3:].mean(0)
    assert np.abs(middle - mouth).max() < 12


def test_a_face_that_no_cue_could_judge_says_so():
    shown = look_here_panel(analysed(replace(looked("a"), findings=())))
    assert "No visible cue was judged" in shown


def test_nothing_is_shown_where_no_cue_was_asked_and_nothing_neutralised():
    assert look_here_panel(measured(_CROP)) == ""


def test_amplified_detail_is_stronger_and_leaves_flat_places_alone():
    picture = np.full((60, 60, 3), 100, np.uint8)
    picture[28:32, 28:32] = 110
    strong = with_amplified_detail(picture)
    assert strong[30, 30, 0] > 120
    assert (strong[:10, :10] == 100).all()
