from dataclasses import replace

import numpy as np

from assistant.errors import Cancelled
from assistant.types import Sentence, SentenceStatus, Turn
from assistant.ui.words import (
    conversation,
    draft_panel,
    explanation_panel,
    stopped_panel,
)
from tests.unit.ui.cases import analysed, spoken

EVIDENCE = analysed(np.full((224, 224, 3), 128, np.uint8)).evidence
SPOKEN = spoken(EVIDENCE)
EVIL = '<script>alert(1)</script><img src="x"> ![a](http://b) '


def test_each_kind_of_sentence_has_its_own_look_and_reason() -> None:
    html = explanation_panel(SPOKEN)
    assert 'data-fact="S1" aria-label="Evidence S1"' in html
    assert "[S1]" not in html
    assert '<del class="wf-del"><span class="wf-sr">Struck: </span>The lighting' in html
    assert "The detector can be wrong: its score is an estimate" in html
    assert ">corrected<" in html
    assert "2 sentences did not stand up" in html
    assert "unsupported: hair was not measured" in html
    assert "contradicted: the evidence says that the detector can be wrong" in html
    assert "Written by llama-cpp, each sentence checked against the facts" in html
    assert "wf-fallback" not in html


def test_a_contradicted_sentence_without_replacement_is_struck() -> None:
    bare = Sentence(text="It is real.", status=SentenceStatus.CONTRADICTED)
    html = explanation_panel(replace(SPOKEN, sentences=(bare,)))
    assert '<del class="wf-del">' in html
    assert "1 sentence did not stand up" in html


def test_a_fall_back_is_said() -> None:
    html = explanation_panel(replace(SPOKEN, fell_back=True, fallback_reason="It <hung>."))
    assert "Written by the template instead of the language model. It &lt;hung&gt;." in html


def test_whatever_is_written_or_asked_stays_text() -> None:
    sentence = Sentence(text=EVIL, status=SentenceStatus.SUPPORTED, cites=('S1"><b>',))
    evil = replace(SPOKEN, text=EVIL, sentences=(sentence,), backend=EVIL)
    error = Cancelled(EVIL, hint=EVIL)
    for html in (
        explanation_panel(evil),
        draft_panel(EVIL),
        stopped_panel(EVIL, error),
        conversation([], question=EVIL, draft=EVIL),
        conversation([Turn(question=EVIL, explanation=evil)], stopped=(EVIL, EVIL, error)),
    ):
        assert "<script" not in html
        assert "<img" not in html
        assert "<b>" not in html
        assert "&lt;script&gt;" in html


def test_drafts_say_that_nothing_is_checked_and_are_not_announced() -> None:
    html = draft_panel("The score")
    assert "No sentence has been checked yet" in html
    assert 'aria-busy="true"' in html
    assert "data-announce" not in html
    assert "data-announce" in explanation_panel(SPOKEN)


def test_a_stopped_draft_is_struck_whole() -> None:
    html = stopped_panel("half a", Cancelled("The answer was stopped.", hint="Ask again."))
    assert "<del>half a</del>" in html
    assert "The answer was stopped. Ask again." in html


def test_only_the_last_answer_is_announced() -> None:
    turns = [Turn(question="a?", explanation=SPOKEN), Turn(question="b?", explanation=SPOKEN)]
    assert conversation(turns).count("data-announce") == 1
    assert conversation(turns, question="c?").count("data-announce") == 0
    assert conversation([]) == ""


def test_a_sentence_that_was_not_checked_is_quieter_and_neither_struck_nor_counted() -> None:
    loose = Sentence(text="The light is warm.", status=SentenceStatus.NOT_CHECKED, reason="loose")
    html = explanation_panel(replace(SPOKEN, sentences=(*SPOKEN.sentences, loose)))

    assert 'class="wf-unchecked">The light is warm.<span class="wf-why">not checked' in html
    assert "<del>The light is warm." not in html
    assert not loose.struck
    assert "checked against the facts but for 1 sentence that no fact speaks of" in html
    assert "each sentence checked" not in html
