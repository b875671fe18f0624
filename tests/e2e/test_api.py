"""The page's endpoints through ``gradio_client``: typed, named, one case a client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

gradio_client = pytest.importorskip("gradio_client")

from assistant.ui.launching import upload_dir  # noqa: E402
from tests.e2e.steps import FACE, TWO_FACES  # noqa: E402


@pytest.fixture
def client(site: Any) -> Any:
    return lambda: gradio_client.Client(site.url, verbose=False)


def _file(tmp_path: Path, data: bytes, name: str = "photo.png") -> Any:
    path = tmp_path / name
    path.write_bytes(data)
    return gradio_client.handle_file(str(path))


def test_only_the_two_endpoints_are_named_and_they_are_typed(client: Any) -> None:
    told = client().view_api(return_format="dict")["named_endpoints"]
    assert set(told) == {"/analyze", "/ask"}
    analyze = {p["parameter_name"]: p for p in told["/analyze"]["parameters"]}
    assert analyze["explain"]["python_type"]["type"] == "bool"
    assert analyze["explain"]["parameter_has_default"]
    ask = {p["parameter_name"]: p for p in told["/ask"]["parameters"]}
    assert ask["question"]["python_type"]["type"] == "str"


def test_analyze_then_ask_answer_with_the_schema_of_the_command_line(
    client: Any, tmp_path: Path
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(Path("assistant/schema/analysis-1.json").read_text("utf-8"))
    one = client()
    told = one.predict(_file(tmp_path, TWO_FACES), True, api_name="/analyze")
    jsonschema.validate(told, schema)
    assert told["status"] == "analysed"
    assert len(told["faces"]) == 2
    assert told["explanation"]["text"]
    answer = one.predict("Why?", 2, api_name="/ask")
    assert answer["question"] == "Why?"
    assert answer["sentences"]
    assert [p for p in Path(upload_dir()).rglob("*") if p.is_file()] == []


def test_no_face_and_no_picture_are_typed_results(client: Any, tmp_path: Path) -> None:
    one = client()
    told = one.predict(_file(tmp_path, b"letter", "letter.txt"), True, api_name="/analyze")
    assert told["status"] == "failed"
    assert told["error"]["hint"]
    assert "probability" not in json.dumps(told)


def test_each_client_has_its_own_case(client: Any, tmp_path: Path) -> None:
    one, two = client(), client()
    one.predict(_file(tmp_path, FACE), False, api_name="/analyze")
    assert two.predict("Why?", 1, api_name="/ask")["error"]["code"] == "no-such-face"
    assert one.predict("Why?", 1, api_name="/ask")["text"]
    assert one.predict("", 1, api_name="/ask")["error"]["code"] == "empty-question"


def test_a_foreign_path_is_not_read(client: Any, site: Any) -> None:
    import httpx

    body = {
        "data": [{"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}, True],
        "session_hash": "abc",
    }
    answer = httpx.post(f"{site.url}gradio_api/call/analyze", json=body, timeout=20)
    event = answer.json()["event_id"]
    told = httpx.get(f"{site.url}gradio_api/call/analyze/{event}", timeout=20).text
    assert "event: error" in told
    assert Path("/etc/hostname").exists()
