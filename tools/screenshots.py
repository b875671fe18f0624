"""Make the pictures of the page that the README and docs/page.md show.

Starts the page with the models in use, drops the astronaut example that scikit-image ships, waits
for the explanation and an answer, and writes docs/images/page-{light,dark,phone}.png and card.png.

Usage: .venv/bin/python tools/screenshots.py [OUT]
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from assistant.compose import build
from assistant.settings import load_settings
from assistant.ui import create_app, launch_options

VIEWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1000, "height": 1120}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1000, "height": 1120}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "light",
        "device_scale_factor": 2,
    },
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WAIT_MS = 180_000


def main() -> None:
    """Make them all."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    out.mkdir(parents=True, exist_ok=True)
    assistant = build(load_settings())
    app = create_app(assistant)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = launch_options(assistant)
    app.launch(server_port=port, prevent_thread_lock=True, quiet=True, **options)
    browser_path = os.environ.get("WHYFAKE_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=FLAGS)
        for name, view in VIEWS.items():
            page = browser.new_page(reduced_motion="reduce", **view)
            page.set_default_timeout(WAIT_MS)
            page.goto(f"http://127.0.0.1:{port}/")
            page.get_by_role("button", name="A portrait").click()
            page.locator("#wf-words [data-state=checked]").wait_for()
            page.get_by_role("button", name="How sure is this?").click()
            page.locator("#wf-talk [data-state=checked]").wait_for()
            page.mouse.move(0, 0)
            page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
            page.screenshot(path=out / f"page-{name}.png")
            if name == "light":
                card = page.get_by_role("link", name="Picture card (PNG)").get_attribute("href")
                (out / "card.png").write_bytes(base64.b64decode(card.partition(",")[2]))
            page.close()
        browser.close()
    app.close()
    assistant.close()
    for path in sorted(out.glob("*.png")):
        Image.open(path).convert("RGB").save(path, "PNG", optimize=True)
        print(path, path.stat().st_size // 1024, "KB")


if __name__ == "__main__":
    main()
