"""The pairs of enlarged pictures on the page."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from assistant.evidence import cue_facts, renumbered
from assistant.types import BaseRate, CueFinding, CuePlace, CueReading, CuesLooked
from assistant.ui.look_here import look_here_panel, with_amplified_detail
from tests.unit.ui.cases import analysed as measured

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


def test_each_cue_is_a_pair_with_its_number_its_rate_and_words_for_those_who_do_not_see_it():
    shown = look_here_panel(analysed(looked("a", "b")))
    assert shown.count('data-pair="V') == 2
    assert (
        len(re.findall(r'<img src="data:image/png;base64,[^"]+" alt="Enlarged: the ', shown)) == 8
    )
    assert "0.4 times as much fine detail" in shown
    assert "2 in 100 (1 to 5) genuine faces" in shown
    assert "They do not move the score." in shown
    assert "<a>" not in shown
    assert "mouth &lt;a&gt;" in shown


def test_a_face_that_no_cue_speaks_for_says_so():
    shown = look_here_panel(analysed(replace(looked("a"), findings=())))
    assert "No visible cue was judged" in shown
    quiet = looked("a")
    quiet = CuesLooked(findings=(replace(quiet.findings[0], beyond=False),))
    assert "Nothing that can be seen was measured to differ" in look_here_panel(analysed(quiet))


def test_nothing_is_shown_where_no_cue_was_asked():
    assert look_here_panel(measured(_CROP)) == ""


def test_amplified_detail_is_stronger_and_leaves_flat_places_alone():
    picture = np.full((60, 60, 3), 100, np.uint8)
    picture[28:32, 28:32] = 110
    strong = with_amplified_detail(picture)
    assert strong[30, 30, 0] > 120
    assert (strong[:10, :10] == 100).all()
