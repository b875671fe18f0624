"""A small reverse proxy: what nginx does with ``location /sub/ { proxy_pass http://server/; }``."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["proxied"]

_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


@contextmanager
def proxied(routes: Mapping[str, int]) -> Iterator[str]:
    """A proxy on a free port of this machine; its address without a path.

    Args:
        routes: path prefix (``/whyfake``) to the port of the server that answers it, which sees
            the path without the prefix. All else is 404.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(routes))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def _handler(routes: Mapping[str, int]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = next((p for p in routes if self.path.startswith(f"{p}/")), None)
            if found is None:
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            headers["X-Forwarded-Host"] = self.headers["host"]
            headers["X-Forwarded-Proto"] = "http"
            upstream = http.client.HTTPConnection("127.0.0.1", routes[found], timeout=60)
            try:
                path = self.path.removeprefix(found)
                upstream.request(self.command, path, body or None, headers)
                answer = upstream.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                while piece := answer.read1(65_536):  # streams go through as they come
                    self.wfile.write(piece)
                    self.wfile.flush()
            except (BrokenPipeError, ConnectionResetError):
                pass  # the browser has left
            finally:
                upstream.close()

        do_POST = do_HEAD = do_PUT = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
