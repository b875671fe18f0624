import pytest

from assistant.calibration.quality import DRIFT, quality_effect
from assistant.types import (
    Calibrated,
    DomainFinding,
    QualityIssue,
    QualityNote,
    Severity,
    Verdict,
)

INSIDE = DomainFinding(status="inside", distance=0.4, limit=1.0, outer_limit=1.5)
QUIET = Calibrated(probability=0.06, interval=(0.03, 0.1), verdict=Verdict.NO_SIGN)
LOUD = Calibrated(probability=0.94, interval=(0.9, 0.97), verdict=Verdict.LIKELY_MANIPULATED)


def note(severity: Severity, issue: QualityIssue = QualityIssue.GREYSCALE) -> QualityNote:
    return QualityNote(issue=issue, value=1.0, limit=3.0, unit="of 255", severity=severity)


def test_without_notes_nothing_changes():
    assert quality_effect(QUIET, INSIDE, ()) == (QUIET, INSIDE)


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("score", [QUIET, LOUD])
def test_every_note_widens_the_interval_and_leaves_the_probability(severity, score):
    changed, _ = quality_effect(score, INSIDE, [note(severity)])
    assert changed.probability == score.probability
    assert changed.interval[0] < score.interval[0]
    assert changed.interval[1] > score.interval[1]


def test_the_graver_note_widens_more_and_notes_do_not_add_up():
    def width(*notes):
        low, high = quality_effect(QUIET, INSIDE, notes)[0].interval
        return high - low

    weak, blind = note(Severity.WEAKENS), note(Severity.BLINDS)
    assert width(weak, weak) == width(weak) < width(blind) == width(weak, blind)
    assert set(DRIFT) == set(Severity)


@pytest.mark.parametrize("finding", [INSIDE, None])
def test_a_blind_look_gives_no_quiet_verdict_and_says_why(finding):
    notes = [note(Severity.BLINDS), note(Severity.WEAKENS, QualityIssue.COMPRESSED)]
    changed, outside = quality_effect(QUIET, finding, notes)
    assert changed.verdict is Verdict.UNCERTAIN
    assert outside is not None
    assert outside.status == "outside"
    assert outside.reasons == ("the face is greyscale",)


@pytest.mark.parametrize("severity", list(Severity))
def test_a_verdict_of_manipulated_stays(severity):
    changed, finding = quality_effect(LOUD, INSIDE, [note(severity)])
    assert changed.verdict is Verdict.LIKELY_MANIPULATED
    assert finding == INSIDE


def test_what_only_weakens_takes_no_verdict():
    changed, finding = quality_effect(QUIET, INSIDE, [note(Severity.WEAKENS)])
    assert changed.verdict is Verdict.NO_SIGN
    assert finding == INSIDE
