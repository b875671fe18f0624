"""What the page shows of a description that was written before the score was known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assistant.types import Description, Disagreement, Sentence, SentenceStatus
from assistant.ui.words import draft_panel, explanation_panel
from tests.unit.ui import cases

RESULT = cases.analysed(np.full((64, 64, 3), 120, np.uint8))
SEEN = Description(
    text="The picture is <b>dark</b>.",
    struck=("It looks real.",),
    disagreements=(
        Disagreement(
            said="It looks real.",
            measured="The measured verdict is likely manipulated.",
            cites=("S2",),
        ),
    ),
)


def test_the_description_stands_before_the_words_and_what_does_not_fit_is_told() -> None:
    shown = explanation_panel(replace(cases.spoken(RESULT.evidence), blind=SEEN))

    assert shown.index("Before it knew the score") < shown.index("wf-ok")
    assert "The picture is &lt;b&gt;dark&lt;/b&gt;." in shown
    assert "<b>dark" not in shown
    assert "Does not fit." in shown
    assert "The measured verdict is likely manipulated." in shown
    assert 'data-fact="S2"' in shown
    assert "1 sentence was left out" in shown


def test_it_is_shown_while_the_words_are_written() -> None:
    assert "Before it knew the score" in draft_panel("The", SEEN)
    assert "Before it knew the score" not in draft_panel("The")


def test_a_missing_description_says_why() -> None:
    assert "sees no picture" in draft_panel("", Description(text="", problem="It sees no picture."))


def test_a_sentence_written_again_is_shown_as_such() -> None:
    spoken = cases.spoken(RESULT.evidence)
    mended = Sentence(
        text="The skin is waxy.",
        status=SentenceStatus.UNSUPPORTED,
        cites=("R1",),
        replacement="The mouth stands out.",
        rewritten=True,
    )
    shown = explanation_panel(replace(spoken, sentences=(mended,)))

    assert "The mouth stands out." in shown
    assert "written again" in shown
    assert shown.count("The skin is waxy.") == 1  # among the struck ones only
