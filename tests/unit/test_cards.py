import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from assistant.cards import card_text, render_card
from assistant.first_answer import first_answer
from assistant.types import Analysis, Media, TrackRecord
from tests.unit.evidence.examples import MISSES
from tests.unit.ui.cases import analysed, nose_case, spoken, with_causes

CROP = np.full((224, 224, 3), (200, 150, 120), np.uint8)
RESULT = analysed(CROP)
ANALYSIS = Analysis(
    media=Media(id="ab" * 32, kind="image", frames=(CROP,), width=224, height=224),
    faces=(RESULT, analysed(CROP, index=1, logit=-3.0)),
    explanation=spoken(RESULT.evidence),
    versions={},
)


def _opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_the_card_is_a_png_that_describes_itself() -> None:
    card = _opened(render_card(ANALYSIS))
    assert card.format == "PNG"
    assert card.size == (1200, 760)
    assert card.info["Description"] == card_text(ANALYSIS)
    assert "Likely manipulated: probability of manipulation 90%" in card_text(ANALYSIS)
    assert "not proof" in card_text(ANALYSIS)
    assert "lighting" not in card_text(ANALYSIS)


def test_the_card_shows_the_face_and_the_verdicts_colour() -> None:
    fake = np.asarray(_opened(render_card(ANALYSIS)).convert("RGB"))
    real = np.asarray(_opened(render_card(ANALYSIS, 1)).convert("RGB"))
    assert tuple(fake[100, 60]) == (200, 150, 120)
    assert (fake == (178, 58, 18)).all(axis=2).any()
    assert not (real == (178, 58, 18)).all(axis=2).any()
    assert (real == (29, 92, 170)).all(axis=2).any()
    assert "No sign found" in card_text(ANALYSIS, 1)


def test_the_strongest_pairs_stand_on_the_card_and_in_its_description() -> None:
    crop = np.array(CROP)
    crop[150:190, 80:144] = (90, 20, 30)
    caused = replace(ANALYSIS, faces=(with_causes(analysed(crop)),))
    card = _opened(render_card(caused))
    assert card.width == 1200
    assert card.height > 760
    row = np.asarray(card.convert("RGB"))[488:638, 48:198].reshape(-1, 3)
    assert (row == (90, 20, 30)).all(1).mean() > 0.2
    text = card.info["Description"]
    assert "Look here: Neutralising the mouth" in text
    assert "from 90% to 48%" in text


def test_a_card_of_a_demo_says_so_and_a_missing_face_is_refused() -> None:
    assert render_card(ANALYSIS, demo=True) != render_card(ANALYSIS)
    with pytest.raises(IndexError):
        render_card(ANALYSIS, 2)


def test_the_card_says_what_is_missed_where_nothing_is_flagged() -> None:
    quiet = analysed(CROP, logit=-3.0, record=TrackRecord(misses=MISSES))
    analysis = replace(ANALYSIS, faces=(quiet,), explanation=None)

    assert (
        "Of face swaps of a kind it never saw, the detector misses about 58 in 100."
        in card_text(analysis)
    )
    assert "misses" not in card_text(ANALYSIS, 1)
    assert render_card(analysis) != render_card(replace(analysis, faces=(ANALYSIS.faces[1],)))


def test_the_card_puts_the_answer_first_and_shows_the_places_that_it_names() -> None:
    result = nose_case()
    text = card_text(replace(ANALYSIS, faces=(result,)))
    answer = " ".join(line.text for line in first_answer(result.evidence))

    assert answer in text
    assert "Shares of the map: nose " in text
    assert "background" not in text
    assert "Generated" not in text


def test_the_longest_answer_and_a_face_without_places_fit() -> None:
    unmapped = replace(RESULT, regions=())
    for result in (unmapped, with_causes(RESULT)):
        assert _opened(render_card(replace(ANALYSIS, faces=(result,)))).width == 1200


def test_without_fonts_on_the_machine_the_card_is_made_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from assistant import cards

    def missing(*_: object, **__: object) -> None:
        raise OSError

    cards._font.cache_clear()
    monkeypatch.setattr(cards.ImageFont, "truetype", missing)
    monkeypatch.setattr(
        cards.ImageFont, "load_default", lambda size: cards.ImageFont.load_default_imagefont()
    )
    assert _opened(render_card(ANALYSIS)).size == (1200, 760)
    cards._font.cache_clear()
