"""The report of a case as plain sections, which the page and the PDF both show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.cases.log import Anchor
from assistant.cases.reader import Case
from assistant.numbers import percent, reach

__all__ = ["Section", "sections", "title"]

_LIMITS = (
    "The probability is an estimate of a detector, not proof. It can be wrong in both directions.",
    "A region that stands out shows where part of the score came from, "
    "not what was done to the picture.",
    "Words are checked against the measured facts; they never change the score or the decision.",
)
_MOST_REGIONS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with paragraphs, then a table: its first row is the head."""

    heading: str
    paragraphs: Sequence[str] = ()
    table: Sequence[Sequence[str]] = ()


def title(case: Case) -> str:
    """The report's heading."""
    return f"Case {case.row.id}"


def sections(case: Case, anchor: Anchor | None = None) -> list[Section]:
    """All sections in the order they are read."""
    record = case.record
    analysis = record["analysis"]
    parts = [_summary(case)]
    for face in analysis["faces"]:
        parts += _face(face, len(analysis["faces"]))
    explanation = analysis.get("explanation")
    if explanation:
        parts.append(
            Section(
                heading="Explanation",
                paragraphs=[
                    *_lines(explanation["text"]),
                    f"Written by {explanation['backend']} from the facts above, each sentence "
                    "checked against them.",
                ],
            )
        )
    parts += _people(case)
    parts.append(Section(heading="Limits", paragraphs=_LIMITS))
    parts.append(_origin(case, anchor))
    return parts


def _summary(case: Case) -> Section:
    row, analysis = case.row, case.record["analysis"]
    if row.probability is None:
        error = analysis.get("error", {})
        found = f"No score: {error.get('message', 'no face was found')}"
    else:
        verdict = _words(row.verdict or "")
        found = f"{verdict}: probability of manipulation {row.probability:.0%}"
    lines = [found, f"State: {row.state}, step {row.step}. Made {row.created_at}."]
    if case.record.get("demo"):
        lines.insert(0, "Demo, not an analysis: a stand-in took part.")
    if row.source or row.subject:
        lines.append(f"Source: {row.source or '-'}. Item: {row.subject or '-'}.")
    lines += [str(w) for w in analysis.get("warnings", ())]
    return Section(heading="What was found", paragraphs=lines)


def _face(face: Mapping[str, Any], count: int) -> list[Section]:
    span = reach(*face["interval"])
    lines = [
        f"{_words(face['verdict'])}: probability {percent(face['probability'])}"
        + (f", interval {span}." if span else ".")
    ]
    if face.get("abstained"):
        lines.append("The face lies outside what the detector was trained for: no verdict.")
    name = f"Face {face['index'] + 1} of {count}"
    regions = [
        [
            str(r.get("region", "")),
            f"{r.get('share', 0):.0%}",
            f"{r.get('area', 0):.0%}",
            "yes" if r.get("stands_out") else "no",
        ]
        for r in sorted(face.get("regions", ()), key=lambda r: -r["share"])[:_MOST_REGIONS]
    ]
    table = [["region", "share of the map", "share of the face", "stands out"], *regions]
    facts = [["id", "measured"], *([f["id"], f["text"]] for f in face["evidence"])]
    return [
        Section(heading=name, paragraphs=lines, table=table if regions else ()),
        Section(heading=f"{name}: facts", table=facts),
    ]


def _people(case: Case) -> list[Section]:
    parts = []
    turns = [n for n in case.notes if n["kind"] == "turn"]
    if turns:
        talk: list[str] = []
        for note in turns:
            body = json.loads(note["body"])
            talk += [f"Question: {body['question']}", f"Answer: {body['text']}"]
        parts.append(Section(heading="Conversation", paragraphs=talk))
    said = [n for n in case.notes if n["kind"] != "turn"]
    rows = [
        *(
            [d["at"], d["actor"], f"{d['kind']}: {d['outcome']}", d["reason"]]
            for d in case.decisions
        ),
        *([n["at"], n["actor"], n["kind"], n["body"]] for n in said),
    ]
    if rows:
        parts.append(
            Section(
                heading="Decisions, appeals and notes",
                table=[["when (UTC)", "who", "what", "reason"], *sorted(rows)],
            )
        )
    return parts


def _origin(case: Case, anchor: Anchor | None) -> Section:
    record = case.record
    rows = [
        ["content SHA-256", record["content_sha256"]],
        ["perceptual hash", record["perceptual"]["hash"]],
        ["record SHA-256", case.record_sha256],
        ["settings SHA-256", record["settings_sha256"]],
        *([name, str(value)] for name, value in sorted(record["versions"].items())),
        *([name, str(value)] for name, value in sorted(record["environment"].items()) if value),
        *([f"log entry {e['seq']}", f"{e['action']}: {e['hash']}"] for e in case.log),
    ]
    lines = [
        "To check this report: `whyfake cases verify` reads the whole log and names the first "
        "entry that does not hold; `whyfake cases replay` computes the case anew from the kept "
        "picture."
    ]
    if anchor is not None:
        lines.append(f"Anchor of the log: entry {anchor.seq}, {anchor.hash} ({anchor.at}).")
    return Section(
        heading="Hashes, versions, how to verify",
        paragraphs=lines,
        table=[["what", "value"], *rows],
    )


def _words(verdict: str) -> str:
    return verdict.replace("_", " ").capitalize()


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]
