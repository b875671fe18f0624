import asyncio
import os
from typing import Any

from assistant.fakes import demo_assistant
from assistant.ui.launching import _Headers, launch_options, upload_dir


def test_launch_options_leave_the_address_to_the_caller_and_ask_nothing_of_other_sites() -> None:
    options = launch_options(demo_assistant())
    callers = {"server_name", "server_port", "share", "quiet", "prevent_thread_lock"}
    assert not callers & set(options)
    page = options["css"] + options["head"]
    assert "http://" not in page
    assert "https://" not in page
    assert options["max_file_size"] > 200 * 2**20
    assert options["ssr_mode"] is False


def test_uploads_pass_through_a_private_folder_and_analytics_are_off() -> None:
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["GRADIO_TEMP_DIR"] == str(upload_dir())
    assert upload_dir().stat().st_mode & 0o077 == 0


def test_every_answer_carries_the_policy_and_other_traffic_passes() -> None:
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(_Headers(app)({"type": "http"}, None, send))  # type: ignore[arg-type]
    headers = dict(sent[0]["headers"])
    assert headers[b"a"] == b"b"
    assert b"default-src 'self'" in headers[b"content-security-policy"]
    sent.clear()
    asyncio.run(_Headers(app)({"type": "websocket"}, None, send))  # type: ignore[arg-type]
    assert len(sent[0]["headers"]) == 1
