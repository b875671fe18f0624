"""What each door sends or answers for one record, against committed files.

``WHYFAKE_WRITE_GOLDEN=1`` writes them anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.integrations.coop import item_of
from assistant.integrations.hive import hive_answer
from assistant.integrations.label_studio import controls_of, prediction
from assistant.integrations.ozone import Subject, events_of

PLACE = Path(__file__).parent / "doors"
RECORD = json.loads((PLACE / "record.json").read_text(encoding="utf-8"))
NO_FACE = {**RECORD, "analysis": {**RECORD["analysis"], "status": "no_face", "faces": []}}
CASE, REPORT = "c" * 32, "https://example.org/cases/c"
VIEW = (
    '<View><Image name="image" value="$image"/><Choices name="verdict" toName="image">'
    '<Choice value="likely_manipulated"/></Choices>'
    '<RectangleLabels name="face" toName="image"/></View>'
)


def _coop(record: Any) -> Any:
    return {"items": [item_of(record, CASE, item_id="7", type_id="photo", report_url=REPORT)]}


def _ozone(record: Any) -> Any:
    subject = Subject(uri="at://did:plc:someone/app.bsky.feed.post/3k", cid="bafyreib").as_json()
    return [{"event": event, "subject": subject} for event in events_of(record, REPORT)]


DOORS: dict[str, Callable[[Any], Any]] = {
    "hive-answer": lambda record: hive_answer(record, CASE),
    "label-studio-answer": lambda record: prediction(record, controls_of(VIEW)),
    "coop-request": _coop,
    "ozone-request": _ozone,
}


@pytest.mark.parametrize("kind", ["face", "no-face"])
@pytest.mark.parametrize("door", DOORS)
def test_a_door_says_what_it_said(door: str, kind: str) -> None:
    made = DOORS[door](RECORD if kind == "face" else NO_FACE)
    path = PLACE / f"{door}.{kind}.json"
    if os.environ.get("WHYFAKE_WRITE_GOLDEN"):
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(made))


def test_no_number_is_told_where_there_is_none() -> None:
    for path in PLACE.glob("*.no-face.json"):
        text = path.read_text(encoding="utf-8")
        assert '"score"' not in text
        assert "whyfakeScore" not in text
