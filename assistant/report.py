"""An analysis as a JSON object, after ``assistant/schema/analysis-1.json``."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from assistant.errors import AssistantError
from assistant.events import NoFace
from assistant.evidence import MissesFact
from assistant.types import (
    Analysis,
    Description,
    Explanation,
    Face,
    FaceAnalysis,
    Score,
    Scores,
    Timeline,
    Turn,
)

__all__ = [
    "SCHEMA",
    "analysis_json",
    "failure_json",
    "no_face_json",
    "scores_json",
    "timeline_csv",
    "turn_json",
]

SCHEMA = "whyfake.analysis/1"


def analysis_json(
    file: str, analysis: Analysis, turns: Sequence[Turn] | None = None
) -> dict[str, Any]:
    """The object for an analysed file; with ``turns`` also the questions and answers."""
    faces = [_face(face) for face in analysis.faces]
    said = _explanation(analysis.explanation) if analysis.explanation else None
    out = _measured(file, analysis, faces, said)
    if turns is not None:
        out["turns"] = [turn_json(turn) for turn in turns]
    return out


def scores_json(file: str, scores: Scores) -> dict[str, Any]:
    """The object for a file that was scored alone: no regions, no evidence, and its map is null."""
    faces = [
        {**_score(each.face, each.score), "regions": [], "map": None, "evidence": []}
        for each in scores.faces
    ]
    return _measured(file, scores, faces, None)


def _measured(
    file: str,
    found: Analysis | Scores,
    faces: list[dict[str, Any]],
    explanation: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "file": file,
        "status": "analysed",
        "media": {
            "id": found.media.id,
            "kind": found.media.kind,
            "width": found.media.width,
            "height": found.media.height,
            "frames": len(found.media.frames),
        },
        "faces": faces,
        "explanation": explanation,
        "versions": dict(found.versions),
        "warnings": list(found.warnings),
        "seconds": {k: round(v, 3) for k, v in found.seconds.items()},
    }


def no_face_json(file: str, event: NoFace) -> dict[str, Any]:
    """The object for a file without a face: there is no score in it."""
    return {
        "schema": SCHEMA,
        "file": file,
        "status": "no_face",
        "faces": [],
        "explanation": None,
        "error": {"code": event.reason.value, "message": event.message, "hint": event.hint},
        "warnings": list(event.media.warnings),
    }


def failure_json(file: str, error: AssistantError) -> dict[str, Any]:
    """The object for a file that could not be analysed."""
    return {
        "schema": SCHEMA,
        "file": file,
        "status": "failed",
        "faces": [],
        "explanation": None,
        "error": {"code": error.code, "message": error.user_message, "hint": error.hint},
        "warnings": [],
    }


def turn_json(turn: Turn) -> dict[str, Any]:
    """A question with its checked answer."""
    return {"question": turn.question, **_explanation(turn.explanation)}


def _score(face: Face, score: Score) -> dict[str, Any]:
    return {
        "index": face.index,
        "frame": face.frame_index,
        "probability": score.probability,
        "interval": list(score.interval),
        "verdict": score.verdict.value,
        "abstained": score.abstained,
        "domain": None if score.domain is None else _plain(score.domain, distance=4, outer_limit=4),
        "thresholds": list(score.thresholds),
        "logit": score.logit,
        "box_xyxy": [round(float(v), 1) for v in face.box_xyxy],
        "confidence": round(float(face.confidence), 4),
        "quality": [_plain(note, value=4, severity=None) for note in face.quality],
        "detector": score.detector,
        "calibrator": score.calibrator,
        "calibrated": score.calibrated,
        "weights_sha256": score.weights_sha256,
    }


def _timeline(timeline: Timeline) -> dict[str, Any]:
    return {
        "begin": timeline.begin,
        "end": timeline.end,
        "rule": timeline.rule,
        "moments": [
            _plain(m, probability=4, interval=4, logit=4, box_xyxy=1) for m in timeline.moments
        ],
        "stretches": [
            _plain(s, probability=4, interval=4, elsewhere=4) for s in timeline.stretches
        ],
        "absent": [list(gap) for gap in timeline.absent],
    }


def timeline_csv(analysis: Analysis) -> str:
    """The numbers over time as CSV: a line for each person and frame that was read."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = ("person", "seconds", "probability", "low", "high", "verdict", "logit", "judged")
    writer.writerow([*columns, "x0", "y0", "x1", "y1"])
    for face in analysis.faces:
        for m in face.timeline.moments if face.timeline else ():
            numbers = [f"{v:.4f}" for v in (m.probability, *m.interval)]
            writer.writerow(
                [
                    face.face.index + 1,
                    f"{m.seconds:.3f}",
                    *numbers,
                    m.verdict.value,
                    f"{m.logit:.4f}",
                    int(m.judged),
                    *([""] * 4 if m.box_xyxy is None else (round(float(v), 1) for v in m.box_xyxy)),
                ]
            )
    return out.getvalue()


def _face(result: FaceAnalysis) -> dict[str, Any]:
    return {
        **_score(result.face, result.score),
        "misses": _misses(result),
        "timeline": None if result.timeline is None else _timeline(result.timeline),
        "regions": [_plain(r, share=4, area=4, lift=3) for r in result.regions],
        "map": {
            "method": result.attribution.method,
            "grid": list(result.attribution.grid),
            "class_specific": result.attribution.class_specific,
        },
        "evidence": [
            {"id": f.id, "text": f.text, "values": f.values()} for f in result.evidence.facts
        ],
        "cues": {
            "readings": [
                {
                    "cue": f.reading.cue,
                    "value": round(f.reading.value, 4),
                    "unit": f.reading.unit,
                    "genuine": round(f.genuine.share, 4),
                    "manipulated": round(f.manipulated.share, 4),
                    "kind": f.kind,
                    "beyond": f.beyond,
                    "visible": f.visible,
                }
                for f in result.cues.findings
            ],
            "not_judged": [_plain(each) for each in result.cues.not_judged],
        },
    }


def _misses(result: FaceAnalysis) -> list[dict[str, Any]]:
    """What the detector misses, by family; empty where the face is flagged or it is not known."""
    fact = result.evidence.first(MissesFact)
    return [] if fact is None else list(fact.values()["misses"])


def _description(seen: Description) -> dict[str, Any]:
    return {
        **_plain(seen, seconds=3),
        "disagreements": [_plain(each) for each in seen.disagreements],
        "prompt": str(seen.prompt) if seen.prompt else "",
    }


def _explanation(explanation: Explanation) -> dict[str, Any]:
    return {
        **_plain(explanation, seconds=3, raw_text=None, first_token_seconds=None),
        "sentences": [_plain(sentence) for sentence in explanation.sentences],
        "prompt": str(explanation.prompt),
        "blind": _description(explanation.blind) if explanation.blind else None,
    }


def _plain(value: Any, /, **digits: int | None) -> dict[str, Any]:
    """A dataclass by its fields, rounded where digits are given; those with None are left out."""
    names = [f.name for f in dataclasses.fields(value) if digits.get(f.name, 0) is not None]
    return {name: _rounded(getattr(value, name), digits.get(name)) for name in names}


def _rounded(value: Any, digits: int | None) -> Any:
    if isinstance(value, tuple):
        return [_rounded(each, digits) for each in value]
    if isinstance(value, StrEnum):
        return value.value
    return value if digits is None or value is None else round(float(value), digits)
