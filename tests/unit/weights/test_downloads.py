"""The real download code against a server on this machine."""

from __future__ import annotations

import errno
import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import WeightsError
from assistant.weights import fetch
from assistant.weights.downloads import download_hub, download_url
from assistant.weights.manifest import Entry, HubSource, UrlSource
from tests.unit.weights.conftest import CONTENT, SHA, wheel_entry

REVISION = "a" * 40


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []
        self.status = 200
        self.cut_after: int | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        if self.server.status != 200 or (REVISION not in self.path and "/file" not in self.path):
            self.send_response(404 if self.server.status == 200 else self.server.status)
            self.send_header("Content-Length", "0")
            self.send_header("X-Error-Code", "RevisionNotFound")
            self.end_headers()
            return
        given = self.headers.get("Range")
        if body:
            self.server.ranges.append(given)
        start = int(given.removeprefix("bytes=").split("-")[0]) if given else 0
        content = CONTENT[start:]
        self.send_response(206 if given else 200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{SHA}"')
        self.send_header("X-Repo-Commit", REVISION)
        if given:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        if body:
            self.wfile.write(content[: self.server.cut_after])


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's client may connect, and waits for nothing between two tries."""
    from huggingface_hub import constants, file_download

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(file_download.time, "sleep", lambda _: None)


def entry_of(source: dict[str, str], **changes: object) -> Entry:
    return Entry.model_validate(wheel_entry(source=source, **changes))


def url_source(server: Server) -> UrlSource:
    # Around the rule that only https is allowed: the server here has no certificate.
    return UrlSource.model_construct(kind="url", url=f"{server.address}/file")


ENTRY = entry_of({"kind": "url", "url": "https://example.test/file"})


@pytest.mark.usefixtures("online")
def test_an_address_is_loaded(server: Server, tmp_path: Path) -> None:
    path = download_url(ENTRY, url_source(server), tmp_path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA


@pytest.mark.usefixtures("online")
def test_a_half_finished_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{ENTRY.file}.part").write_bytes(CONTENT[:1000])
    path = download_url(ENTRY, url_source(server), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


@pytest.mark.usefixtures("online")
def test_a_download_that_breaks_off_is_told(server: Server, tmp_path: Path) -> None:
    server.cut_after = 1000
    with pytest.raises(WeightsError) as caught:
        download_url(ENTRY, url_source(server), tmp_path)
    assert caught.value.code == "weights-offline"


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize("status", [404, 500])
def test_an_error_answer_is_told(server: Server, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(WeightsError, match=f"answered {status}") as caught:
        download_url(ENTRY, url_source(server), tmp_path)
    assert caught.value.hint


@pytest.mark.usefixtures("online")
def test_a_disk_that_fills_up_on_the_way_is_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    opened = Path.open

    def open_(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        return Full() if mode == "ab" else opened(path, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", open_)
    with pytest.raises(WeightsError, match="MB free") as caught:
        download_url(ENTRY, url_source(server), tmp_path)
    assert caught.value.code == "weights-no-space"
    assert "ASSISTANT_DATA_DIR" in caught.value.hint


@pytest.mark.usefixtures("online")
def test_a_web_page_in_place_of_a_file_is_thrown_away(
    server: Server, tmp_path: Path, write_manifest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A portal that wants a login answers 200 to everything; only the hash tells."""
    page = b"<html>Please log in</html>" + b" " * (len(CONTENT) - 26)
    monkeypatch.setattr(f"{__name__}.CONTENT", page)
    monkeypatch.setattr(
        "assistant.weights.fetching.download_url",
        lambda entry, _, work: download_url(entry, url_source(server), work),
    )
    write_manifest(wheel_entry(source={"kind": "url", "url": "https://example.test/file"}))
    with pytest.raises(WeightsError, match="thrown away") as caught:
        fetch(data_dir=tmp_path)
    assert caught.value.code == "weights-changed"
    assert not [path for path in (tmp_path / "weights").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("online")
def test_an_address_that_nobody_serves_is_offline(tmp_path: Path) -> None:
    source = UrlSource.model_construct(kind="url", url="http://127.0.0.1:9/file")
    with pytest.raises(WeightsError, match="was not reached") as caught:
        download_url(ENTRY, source, tmp_path)
    assert "whyfake weights fetch tiny" in caught.value.hint


HUB = HubSource(kind="hub", repo_id="team/model", revision=REVISION, file="model.safetensors")
HUB_ENTRY = entry_of(HUB.model_dump())


@pytest.mark.usefixtures("online")
def test_a_hub_file_comes_from_a_mirror_at_its_revision(server: Server, tmp_path: Path) -> None:
    path = download_hub(HUB_ENTRY, HUB, tmp_path, server.address)
    assert path.read_bytes() == CONTENT


@pytest.mark.usefixtures("online")
def test_a_revision_the_hub_does_not_have_is_told(server: Server, tmp_path: Path) -> None:
    source = HUB.model_copy(update={"revision": "b" * 40})
    with pytest.raises(WeightsError, match="RevisionNotFoundError") as caught:
        download_hub(HUB_ENTRY, source, tmp_path, server.address)
    assert caught.value.code == "weights-download"


def test_with_the_hub_switched_off_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="was not reached") as caught:
        download_hub(HUB_ENTRY, HUB, tmp_path, None)
    assert caught.value.code == "weights-offline"
    assert "copy another's data folder" in caught.value.hint
