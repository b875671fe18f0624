"""How the page is served: nothing asked of other sites, nothing kept, limits on what comes in."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from assistant.pipeline import Assistant

__all__ = ["launch_options", "prepare", "script", "upload_dir"]

_M_ARENA_MAX = -8  # of glibc's malloc.h
_HERE = Path(__file__).parent
# The page may run its own scripts and show pictures that it carries itself; all else is refused.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "media-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'"
)
_HEADERS = {
    b"content-security-policy": _POLICY.encode(),
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


@cache
def upload_dir() -> Path:
    """The folder uploads pass through: private, and removed when the process ends."""
    given = os.environ.get("GRADIO_TEMP_DIR")
    if given:
        return Path(given)
    path = Path(tempfile.mkdtemp(prefix="whyfake-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def prepare() -> None:
    """Switch off what would leave this machine, before Gradio is imported or an app is built."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(upload_dir())
    _few_arenas()


def _few_arenas() -> None:
    """Keep memory flat: glibc gives each thread an arena of its own and returns little of it.

    Sixteen visitors took 1.9 GB and rising without this, 1.4 GB with it (bench/page_users.py).
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def script(name: str) -> str:
    """The text of ``NAME.js``, beside this file."""
    return (_HERE / f"{name}.js").read_text("utf-8")


def launch_options(assistant: Assistant) -> dict[str, Any]:
    """What ``Blocks.launch`` needs for this page beside address and port."""
    from starlette.middleware import Middleware

    return {
        "theme": _theme(),
        "css": "".join(
            (_HERE / f"{name}.css").read_text("utf-8") for name in ("style", "timeline")
        ),
        "head": f"<script>{script('page')}{script('timeline')}</script>",
        "favicon_path": str(_HERE / "icon.svg"),
        "footer_links": [],
        # Above the reader's own limit, so that its answer is the one that is seen.
        "max_file_size": _largest(assistant) + 8 * 2**20,
        "ssr_mode": False,
        "enable_monitoring": False,
        "app_kwargs": {"middleware": [Middleware(_Headers)]},
    }


def _theme() -> Any:
    """Stone greys and one accent, in light and dark; fonts are the system's own."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_md,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "DejaVu Sans Mono", "monospace"],
    ).set(
        body_background_fill="#f7f6f3",
        body_background_fill_dark="#141413",
        block_border_width="0px",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_shadow="none",
    )


def _largest(assistant: Assistant) -> int:
    """The largest file in bytes that the reader takes, picture or video."""
    media = assistant.limits.media
    return max(media.max_image_bytes, media.max_video_bytes)


class _Headers:
    """Adds headers that keep the browser from asking any other site."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS.items()]
            await send(message)

        await self._app(scope, receive, add if scope["type"] == "http" else send)
