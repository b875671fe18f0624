"""What a visitor does, and what they wait for."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.drawn import drawn_faces, png

FACE = png(drawn_faces())
TWO_FACES = png(drawn_faces(2))


def drop(page: Any, data: bytes = FACE, name: str = "photo.png") -> None:
    """Give the page a file."""
    page.set_input_files(
        "#wf-drop input[type=file]",
        files=[{"name": name, "mimeType": "application/octet-stream", "buffer": data}],
    )


def explained(page: Any) -> Any:
    """Wait for the checked explanation."""
    words = page.locator("#wf-words [data-state=checked]")
    words.wait_for()
    return words


def ask(page: Any, question: str) -> None:
    """Type a question and send it."""
    page.get_by_label("Your question about this result").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def answers(page: Any, count: int = 1) -> Any:
    """Wait for ``count`` checked answers."""
    done = page.locator("#wf-talk .wf-turn[data-state=checked]")
    expect(done).to_have_count(count)
    return done
