"""What the API answers, right and wrong requests alike."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import assistant
from assistant.api.keys import revoke_key
from tests.drawn import drawn_faces, png
from tests.unit.api.conftest import Api

SCHEMAS = Path(assistant.__file__).parent / "schema"


def code(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["detail"]
    return str(told["code"])


def clip() -> bytes:
    import io

    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 480, 360, "yuv420p"
        frame = av.VideoFrame.from_ndarray(drawn_faces(), format="rgb24")
        for _ in range(8):
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def test_a_photo_becomes_a_case_at_once(api: Api) -> None:
    answer = api.analyze(source="forum", subject="post/7")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    Draft202012Validator(json.loads((SCHEMAS / "analysis-1.json").read_text())).validate(
        told["analysis"]
    )
    case = api.client.get(f"/v1/cases/{told['case']}", headers=api.bob).json()
    Draft202012Validator(json.loads((SCHEMAS / "case-1.json").read_text())).validate(case)
    assert (case["source"], case["log"][0]["actor"]) == ("forum", "ann")


def test_base64_gives_the_same_result_as_the_form(api: Api) -> None:
    text = "data:image/png;base64," + base64.b64encode(png(drawn_faces())).decode()
    sent = api.client.post("/v1/analyze", headers=api.ann, json={"media": text})
    form = api.analyze().json()
    assert sent.json()["analysis"]["faces"] == form["analysis"]["faces"]


def test_no_face_is_a_case_without_a_score(api: Api) -> None:
    told = api.analyze(png(np.full((90, 90, 3), 60, np.uint8))).json()
    assert told["analysis"]["status"] == "no_face"
    assert "probability" not in json.dumps(told)
    asked = api.client.post(
        f"/v1/cases/{told['case']}/ask", headers=api.ann, json={"question": "why?"}
    )
    assert code(asked, 409) == "no-face"


def test_a_clip_is_a_job_that_becomes_one_case(api: Api) -> None:
    answer = api.analyze(clip(), source="clips")
    assert answer.status_code == 202, answer.text
    place = answer.headers["location"]
    assert code(api.client.get(place, headers=api.bob), 404) == "no-such-job"
    for _ in range(300):
        job = api.client.get(place, headers=api.ann).json()
        if job["state"] not in ("waiting", "running"):
            break
        time.sleep(0.1)
    assert job["state"] == "done", job
    assert api.store.get(job["case"]).row.kind == "video"
    assert len(api.store.list()) == 1


def test_the_same_idempotency_key_makes_one_case(api: Api) -> None:
    headers = {**api.ann, "Idempotency-Key": "once"}
    send = {"files": {"media": ("x", png(drawn_faces()))}, "headers": headers}
    first, second = (api.client.post("/v1/analyze", **send) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert len(api.store.list()) == 1
    other = api.client.post(
        "/v1/analyze", headers=headers, files={"media": ("x", png(drawn_faces(2)))}
    )
    assert code(other, 422) == "idempotency-mismatch"
    clips = {"files": {"media": ("x", clip())}, "headers": {**api.ann, "Idempotency-Key": "clip"}}
    assert api.client.post("/v1/analyze", **clips).json() == (
        api.client.post("/v1/analyze", **clips).json()
    )


def test_a_failed_request_frees_its_idempotency_key(api: Api) -> None:
    headers = {**api.ann, "Idempotency-Key": "again"}
    for _ in range(2):
        sent = api.client.post("/v1/analyze", headers=headers, files={"media": ("x", b"text")})
        assert code(sent, 415) in ("not-an-image", "unsupported-format")


def test_a_question_is_answered_as_events_and_kept(api: Api) -> None:
    case = api.analyze().json()["case"]
    asked = api.client.post(
        f"/v1/cases/{case}/ask", headers=api.ann, json={"question": "How sure is that?"}
    )
    events = [block.split("\n", 1) for block in asked.text.strip().split("\n\n")]
    assert events[-1][0] == "event: answer"
    answer = json.loads(events[-1][1].removeprefix("data: "))
    assert answer["text"]
    (note,) = api.store.get(case).notes
    assert json.loads(note["body"])["text"] == answer["text"]
    assert note["actor"] == "ann"


def test_an_old_case_is_asked_about_by_its_kept_picture_alone(api: Api) -> None:
    case = api.analyze(keep_picture="true").json()["case"]
    bare = api.analyze().json()["case"]
    api.client.app.state.service.forget()
    question = {"question": "why?"}
    kept = api.client.post(f"/v1/cases/{case}/ask", headers=api.ann, json=question)
    assert "event: answer" in kept.text
    gone = api.client.post(f"/v1/cases/{bare}/ask", headers=api.ann, json=question)
    assert code(gone, 409) == "no-picture"


def test_an_appeal_is_refused_to_the_first_decider(api: Api) -> None:
    case = api.analyze().json()["case"]
    place, body = f"/v1/cases/{case}/decisions", {"outcome": "confirm", "reason": "edges"}
    assert api.client.post(place, headers=api.ann, json=body).json() == {"state": "confirmed"}
    appeal = api.client.post(f"/v1/cases/{case}/appeals", headers=api.bob, json={"text": "no"})
    assert appeal.json() == {"state": "appealed"}
    assert code(api.client.post(place, headers=api.ann, json=body), 403) == "same-person"
    assert api.client.post(place, headers=api.bob, json=body).status_code == 200
    rows = api.client.get("/v1/cases?state=confirmed", headers=api.bob).json()["cases"]
    assert [row["id"] for row in rows] == [case]
    for kind, begins in (("html", b"<!doctype"), ("pdf", b"%PDF"), ("json", b"{")):
        file = api.client.get(f"/v1/cases/{case}/report?format={kind}", headers=api.bob)
        assert file.content.startswith(begins)


def test_keys_open_what_their_scopes_say_until_they_are_revoked(api: Api) -> None:
    assert code(api.client.get("/v1/cases"), 401) == "no-key"
    reader = api.key("read")
    assert api.client.get("/v1/cases", headers=reader).status_code == 200
    sent = api.client.post("/v1/analyze", headers=reader, files={"media": ("x", b"x")})
    assert code(sent, 403) == "wrong-scope"
    assert code(api.client.get("/metrics", headers=reader), 403) == "wrong-scope"
    from assistant.api.keys import all_keys

    for row in all_keys(api.store.engine):
        assert "sha256" not in row
        if row["owner"] == "cy":
            revoke_key(api.store.engine, str(row["id"]), actor="ann")
    assert code(api.client.get("/v1/cases", headers=reader), 401) == "no-key"


def test_a_key_is_held_to_its_rate(api: Api) -> None:
    slow = api.key("read", per_minute=3)
    answers = [api.client.get("/v1/cases", headers=slow) for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "60"


def test_health_needs_no_key_and_metrics_count(api: Api) -> None:
    assert api.client.get("/v1/health").json()["status"] == "up"
    api.analyze()
    text = api.client.get("/metrics", headers=api.ann).text
    assert 'whyfake_requests_total{route="/v1/analyze",status="200"} 1.0' in text


def test_a_task_of_label_studio_with_an_address_is_not_fetched(api: Api) -> None:
    view = (
        '<View><Image name="image" value="$image"/>'
        '<RectangleLabels name="face" toName="image"/></View>'
    )
    data = "data:image/png;base64," + base64.b64encode(png(drawn_faces(2))).decode()
    tasks = [{"data": {"image": data}}, {"data": {"image": "http://127.0.0.1:1/x.png"}}]
    answer = api.client.post(
        "/v1/compat/label-studio/predict",
        headers=api.ann,
        json={"tasks": tasks, "label_config": view, "project": "1.0", "params": {}},
    ).json()
    good, bad = answer["results"]
    assert len(good["result"]) == 2
    assert 0 <= good["score"] <= 1
    assert bad == {"result": [], "error": {"code": "not-base64"}}
    setup = api.client.post(
        "/v1/compat/label-studio/setup", headers=api.ann, json={"schema": view, "project": "1.0"}
    )
    assert list(setup.json()) == ["model_version"]


def test_the_hive_shape_is_read_as_automod_reads_it(api: Api) -> None:
    answer = api.client.post(
        "/v1/compat/hive",
        headers={**api.ann, "Authorization": api.ann["Authorization"].replace("Bearer", "Token")},
        files={"media": ("blob", png(drawn_faces()))},
    ).json()
    scores = {
        c["class"]: c["score"]
        for status in answer["status"]
        for output in status["response"]["output"]
        for c in output["classes"]
    }
    record = api.store.get(answer["id"]).record
    assert scores["yes_deepfake"] == record["analysis"]["faces"][0]["probability"]
    assert scores["yes_deepfake"] + scores["no_deepfake"] == pytest.approx(1)


def test_the_schema_of_the_api_is_openapi(api: Api) -> None:
    told = api.client.get("/v1/openapi.json").json()
    assert told["openapi"].startswith("3.")
    assert {"/v1/analyze", "/v1/cases", "/v1/cases/{case_id}/ask"} <= set(told["paths"])
