"""One file of a scan through the product's own path: the score, without maps' checks or words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError
from assistant.events import Analyzed, Done, Failed, MediaReady, NoFace, Progress

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.types import FaceAnalysis

__all__ = ["examine"]

#: After the scores: what a scan does not wait for.
_LATER = ("counterfactuals", "fragility")


def examine(assistant: Assistant, data: bytes) -> dict[str, Any]:
    """A file's outcome: the columns of ``ledger.OUTCOME``.

    The probability is that of the face with the highest; every face is in ``detail``. A file
    without a face has no probability.

    Raises:
        AssistantError: the file cannot be analysed.
    """
    kind, faces, nothing = "", dict[int, "FaceAnalysis"](), False
    events = assistant.analyze(data, explain=False, fragility=False)
    try:
        for event in events:
            if isinstance(event, MediaReady):
                kind = event.media.kind
            elif isinstance(event, Analyzed):
                faces[event.result.face.index] = event.result
            elif isinstance(event, NoFace):
                nothing = True
            elif isinstance(event, Failed):
                raise event.error
            elif isinstance(event, Done) or (isinstance(event, Progress) and event.stage in _LATER):
                break
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
    if nothing:
        return _outcome("no_face", kind, [])
    if not faces:
        raise AssistantError("The analysis ended without a result.", code="no-result")
    return _outcome("analysed", kind, [faces[i] for i in sorted(faces)])


def _outcome(status: str, kind: str, faces: list[FaceAnalysis]) -> dict[str, Any]:
    worst = max((f.score for f in faces), key=lambda s: s.probability, default=None)
    return {
        "status": status,
        "kind": kind,
        "faces": len(faces),
        "probability": worst.probability if worst else None,
        "low": worst.interval[0] if worst else None,
        "high": worst.interval[1] if worst else None,
        "verdict": worst.verdict.value if worst else None,
        "detail": [
            {
                "face": f.face.index,
                "box_xyxy": [round(float(v), 1) for v in f.face.box_xyxy],
                "logit": f.score.logit,
                "probability": f.score.probability,
                "verdict": f.score.verdict.value,
                "abstained": f.score.abstained,
            }
            for f in faces
        ],
    }
