"""Answers in the shape of Hive's visual classifiers, which Bluesky's automod and others read.

After ``automod/visual/hiveai_client.go`` of bluesky-social/indigo: a multipart field ``media`` in,
``status[].response.output[].classes[]{class,score}`` out. A file without a face has an empty
``output``: there is no score, and none must be read as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["CLASSES", "hive_answer"]

#: The classes of a face, first the probability of manipulation in [0, 1], then its complement.
CLASSES = ("yes_deepfake", "no_deepfake")


def hive_answer(record: Mapping[str, Any], case_id: str) -> dict[str, Any]:
    """The answer for a case's record; the task's id is the case's, so that it is found again."""
    faces = record["analysis"]["faces"]
    return {
        "id": case_id,
        "code": 200,
        "from_cache": False,
        "status": [
            {
                "status": {"code": "0", "message": "SUCCESS"},
                "response": {
                    "input": {
                        "id": case_id,
                        "model": "whyfake",
                        "model_version": record["versions"].get("weights_sha256", ""),
                    },
                    "output": [_face(face) for face in faces],
                },
            }
        ],
    }


def _face(face: Mapping[str, Any]) -> dict[str, Any]:
    """An outside face has no verdict, so ``abstained`` stands beside its score."""
    fake = face["probability"]
    return {
        "time": 0,
        "bounding_poly": [{"box_xyxy": face["box_xyxy"]}],
        "abstained": face["abstained"],
        "verdict": face["verdict"],
        "interval": face["interval"],
        "classes": [
            {"class": CLASSES[0], "score": fake},
            {"class": CLASSES[1], "score": 1.0 - fake},
        ],
    }
