"""An analysis as terminal text: results on stdout, progress on stderr."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence

import click

from assistant.events import FaceFound, NoFace, Progress, progress_text
from assistant.evidence import ChangeFact
from assistant.first_answer import MOST_WORDS, first_answer, short_facts
from assistant.numbers import percent, reach, written
from assistant.settings import Settings
from assistant.types import (
    Description,
    Explanation,
    Face,
    FaceAnalysis,
    RegionFinding,
    Score,
    SentenceStatus,
    Verdict,
    checked_how,
)

__all__ = [
    "Progressor",
    "answer_text",
    "explanation_text",
    "face_text",
    "no_face_text",
    "score_line",
]

#: The detector that the short answer does not name: the one that speaks unless told otherwise.
USUAL: str = Settings.model_fields["detector"].default

_WIDTH = 88
_BAR = 40
_COLOURS = {
    Verdict.NO_SIGN: "green",
    Verdict.UNCERTAIN: "yellow",
    Verdict.LIKELY_MANIPULATED: "red",
}


class Progressor:
    """Says on stderr what is going on; silent where stderr is not a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._on = not quiet and sys.stderr.isatty()

    def show(self, event: Progress | FaceFound) -> None:
        """Rewrite the progress line."""
        if not self._on:
            return
        if isinstance(event, FaceFound):
            text = f"face {event.face.index + 1} found, scoring"
        else:
            text = f"{event.stage}: {progress_text(event)}"
        click.echo(f"\r\033[K{text} ...", nl=False, err=True)

    def clear(self) -> None:
        """Remove the progress line."""
        if self._on:
            click.echo("\r\033[K", nl=False, err=True)


def answer_text(faces: Sequence[FaceAnalysis]) -> str:
    """What comes first, in at most 90 words.

    Of several faces the likeliest is told in full, a line each of the others.
    """
    order = sorted(faces, key=lambda face: -face.score.probability)
    who = "Face" if order[0].timeline is None else "Person"
    others = [
        f"{who} {f.face.index + 1} of {len(faces)}: {f.score.verdict.words}, "
        f"{percent(f.score.probability) if f.score.calibrated else _number(f.score)}."
        for f in order[1:]
    ]
    first, room = order[0], MOST_WORDS - sum(len(line.split()) for line in others)
    which = f"{who} {first.face.index + 1} of {len(faces)}: " if others else ""
    verdict, *rest = first_answer(first.evidence, most=room - len(which.split()))
    colour = _COLOURS[first.score.verdict]
    headline = _wrap(f"{which}{verdict.text}", "  ")
    lines = [click.style(line, fg=colour, bold=True) for line in headline]
    if rest:
        lines += _wrap(" ".join(line.text for line in rest), "  ")
    if first.score.detector != USUAL:
        state = "" if first.score.calibrated else ", which was never calibrated"
        lines.append(f"  Scored by the detector {first.score.detector}{state}.")
    return "\n".join([*lines, *(f"  {line}" for line in others)])


def face_text(result: FaceAnalysis, *, count: int) -> str:
    """All that was measured of one face: probability, regions and evidence."""
    score = result.score
    low, high = score.interval
    who = "Face" if result.timeline is None else "Person"
    name = f"{who} {result.face.index + 1} of {count}: " if count > 1 else ""
    span = reach(low, high)
    lines = [
        f"  {name}{score.verdict.words}, {_number(score)}"
        + (f" (interval {span})" if span and score.calibrated else ""),
        f"  {_bar(score.probability, low, high, score.thresholds)}",
        f"  no sign found below {score.thresholds[0]:.0%}, likely manipulated from "
        f"{score.thresholds[1]:.0%}, uncertain between"
        if score.calibrated
        else "  this detector was never calibrated: the number ranks faces and is no probability",
        f"  scored by the detector {score.detector} ({score.calibrator})",
        "",
        f"  The map ({result.attribution.method}), strongest places first:",
    ]
    mapped = sorted((r for r in result.regions if r.area > 0), key=lambda r: -r.lift)
    for finding in mapped[:4]:
        mark = "*" if finding.stands_out else " "
        lines.append(
            f"   {mark} {finding.region:<12} {finding.share:4.0%} of the map on "
            f"{finding.area:4.0%} of the picture ({finding.lift:.1f} x its size{_steady(finding)})"
        )
    if any(r.stands_out for r in mapped[:4]):
        lines.append("   * more than in untouched faces")
    lines += _fragility(result)
    lines += ["", "  Facts:"]
    for ids, text in short_facts(result.evidence):
        lines += _wrap(text, f"   [{ids}] ")
    return "\n".join(lines)


def _number(score: Score) -> str:
    """The number and what it is."""
    return f"{score.number} {written(score.probability, score.calibrated)}"


def score_line(face: Face, score: Score) -> str:
    """Verdict, probability and interval of one face, and what limits them, in a line."""
    verdict = click.style(score.verdict.words, fg=_COLOURS[score.verdict], bold=True)
    span = reach(*score.interval) if score.calibrated else ""
    number = percent(score.probability) if score.calibrated else _number(score)
    line = f"{verdict}, {number}" + (f" (interval {span})" if span else "")
    if score.abstained:
        line += "; no verdict: the face is unlike those the detector knows"
    elif score.domain is not None and score.domain.status == "edge":
        line += "; the face is at the edge of what the detector knows"
    issues = ", ".join(note.issue.value.replace("-", " ") for note in face.quality)
    return f"{line}; quality: {issues}" if issues else line


def _steady(finding: RegionFinding) -> str:
    if finding.stability is None:
        return ""
    return f", {finding.stability:.0%} alike in shifted crops"


def _fragility(result: FaceAnalysis) -> list[str]:
    """The score after each everyday change, as bars with the verdict's bands."""
    rows = result.evidence.of(ChangeFact)
    if not rows:
        return []
    lines = ["", "  If the file had been changed:"]
    for fact in rows:
        flips = ", verdict changes" if fact.changes_verdict else ""
        cells = ["-"] * _BAR
        for threshold in result.score.thresholds:
            cells[min(_BAR - 1, int(threshold * _BAR))] = ":"
        cells[min(_BAR - 1, int(fact.probability * _BAR))] = "O"
        lines.append(f"     {fact.change:<20} [{''.join(cells)}] {fact.probability:4.0%}{flips}")
    return lines


def explanation_text(explanation: Explanation, *, title: str = "Explanation") -> str:
    """The checked sentences; struck ones are marked and never mixed with the rest."""
    source = f"written by {explanation.backend}, {checked_how(explanation)}"
    lines = _seen(explanation.blind)
    lines += [f"  {title} ({source}):"]
    if explanation.fell_back:
        lines += _wrap(f"(the template wrote this: {explanation.fallback_reason})", "   ")
    lines += _wrap(explanation.text, "   ")
    loose = [s for s in explanation.sentences if s.status is SentenceStatus.NOT_CHECKED]
    if loose:
        lines.append("  Not checked, since no fact speaks of it:")
        for sentence in loose:
            lines += _wrap(f"~ {sentence.text}", "   ")
    struck = [s for s in explanation.sentences if s.struck]
    if struck:
        lines.append(f"  Struck by the check ({len(struck)}):")
        for sentence in struck:
            lines += _wrap(f"x {sentence.text} ({sentence.status.value}: {sentence.reason})", "   ")
            if sentence.rewritten:
                lines += _wrap(f"+ written again: {sentence.replacement}", "   ")
    return "\n".join(lines)


def _seen(seen: Description | None) -> list[str]:
    """What the model saw before it was told the score, and where that does not fit."""
    if seen is None:
        return []
    lines = ["  Before it knew the score, the model saw:"]
    lines += _wrap(seen.text or seen.problem, "   ")
    for found in seen.disagreements:
        cited = "".join(f" [{cite}]" for cite in found.cites)
        lines += _wrap(f'! does not fit: "{found.said}" But: {found.measured}{cited}', "   ")
    return [*lines, ""]


def no_face_text(event: NoFace) -> str:
    """No face, no score."""
    notes = [f"  Note: {warning}" for warning in event.media.warnings]
    return "\n".join([f"  {event.message} {event.hint}", *notes])


def _bar(probability: float, low: float, high: float, thresholds: tuple[float, float]) -> str:
    cells = []
    for i in range(_BAR):
        at = (i + 0.5) / _BAR
        cells.append("=" if low <= at <= high else "-")
    for threshold in thresholds:
        cells[min(_BAR - 1, int(threshold * _BAR))] = ":"
    cells[min(_BAR - 1, int(probability * _BAR))] = "O"
    return f"real [{''.join(cells)}] manipulated"


def _wrap(text: str, lead: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead)) or [
        lead.rstrip()
    ]
