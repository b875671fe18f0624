"""The page's layout and wiring in Gradio. All work is done in :mod:`assistant.ui.page`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from assistant.ui.launching import prepare, script

prepare()

import gradio as gr  # noqa: E402 - its settings are read when it is imported

from assistant.cases.extras import need  # noqa: E402
from assistant.errors import AssistantError  # noqa: E402
from assistant.examples import EXAMPLES, example_bytes  # noqa: E402
from assistant.pipeline import Assistant  # noqa: E402
from assistant.ui.choice import detector_choice  # noqa: E402
from assistant.ui.endpoints import add_endpoints  # noqa: E402
from assistant.ui.markup import problem, render  # noqa: E402
from assistant.ui.mcp_tools import add_tools  # noqa: E402
from assistant.ui.page import EMPTY, PARTS, Page, Update  # noqa: E402
from assistant.ui.sessions import Session, Sessions  # noqa: E402
from assistant.ui.uploads import upload_field  # noqa: E402

__all__ = ["create_app"]

_EXAMPLE_LABELS = {
    "astronaut": "A portrait",
    "coffee": "A picture without a face",
}

_MODEL_LABEL = "Let the language model write"
_MODEL_INFO = (
    "In its own words instead of the template's; each sentence is checked against the facts all "
    "the same. Takes some seconds more."
)
_BLIND_LABEL = "Look first, without the score"
_BLIND_INFO = (
    "The language model describes the face before it is told the score. Where that does not fit "
    "what was measured, you see both. Takes a few seconds more."
)

#: The questions that stand on the page as buttons.
_QUESTIONS = (
    "Why?",
    "Where?",
    "How sure is this?",
    "What could be wrong?",
    "What if it had been recompressed?",
)

_TALK_TITLE = (
    '<header class="wf-talk-head"><h2>Ask about it</h2>'
    "<p>Answers use the evidence alone. The score never changes by asking.</p></header>"
)

# One measurement and one text at a time, whoever asks; the others wait in Gradio's queue.
_MEASURE: dict[str, Any] = {"concurrency_id": "measure", "concurrency_limit": 1}
_WRITE: dict[str, Any] = {"concurrency_id": "write", "concurrency_limit": 1}
_AT_ONCE: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_AFTER: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_QUEUED: dict[str, Any] = {"show_progress": "minimal", "api_visibility": "private"}


def create_app(
    assistant: Assistant, *, sessions: Sessions | None = None, mcp: bool = False
) -> gr.Blocks:
    """The chat page around an assistant. Builds only: launch it with :func:`launch_options`.

    Args:
        assistant: what measures and writes.
        sessions: what is remembered of visitors; None: a store of the app's own.
        mcp: offer the tools of :mod:`assistant.ui.mcp_tools`; launch with ``mcp_server=True``.

    Raises:
        ConfigError: ``mcp`` is asked for and its package is not installed.
    """
    if mcp:
        need("mcp", "mcp")
    page = Page(assistant)
    sessions = Sessions() if sessions is None else sessions
    with gr.Blocks(
        title="Whyfake: is this face manipulated, and why?",
        analytics_enabled=False,
        delete_cache=(300, 600),
        fill_width=True,
    ) as app:
        page_app: gr.Blocks = app
        _build(page, sessions)
        add_endpoints(page, sessions, listed=not mcp)
        if mcp:
            add_tools(page, sessions)

        def left(request: gr.Request) -> None:
            sessions.drop(str(request.session_hash))

        app.unload(left)
    app.queue(default_concurrency_limit=4, max_size=64)
    return page_app


def _build(page: Page, sessions: Sessions) -> None:
    gr.HTML(render("about", "header", page.assistant.demo), js_on_load=None)
    with gr.Column(elem_id="wf-start"):
        upload = upload_field(
            label="Drop a photo or video here, paste it, or choose a file",
            elem_id="wf-drop",
            height=170,
        )
        blind = gr.Checkbox(
            label=_BLIND_LABEL,
            info=_BLIND_INFO,
            value=False,
            visible=page.assistant.can_describe,
            container=False,
            elem_id="wf-blind",
        )
        with gr.Row(elem_id="wf-examples"):
            gr.HTML('<p class="wf-small">No photo at hand?</p>', js_on_load=None)
            examples = {
                name: gr.Button(_EXAMPLE_LABELS.get(name, name.capitalize()), size="sm")
                for name in EXAMPLES
            }
        detector = detector_choice(page.assistant.speakers)
    parts: dict[str, gr.HTML] = {}
    parts["tabs"] = gr.HTML(elem_id="wf-tabs", js_on_load=script("tabs"))
    for name in ("verdict", "player", "time"):
        parts[name] = gr.HTML(elem_id=f"wf-{name}", js_on_load=None)
    with gr.Column(elem_id="wf-panel"):  # the style sheet hides it while there is no verdict
        for name in ("words", "here", "look", "causes", "fragile"):
            parts[name] = gr.HTML(elem_id=f"wf-{name}", js_on_load=None)
        with gr.Column(elem_id="wf-talk-card"):
            gr.HTML(_TALK_TITLE, js_on_load=None)
            parts["talk"] = gr.HTML(elem_id="wf-talk", js_on_load=None)
            with gr.Row(elem_id="wf-questions"):
                asked = [gr.Button(q, size="sm", min_width=60) for q in _QUESTIONS]
            with gr.Row(elem_id="wf-ask"):
                box = gr.Textbox(
                    label="Your question about this result",
                    placeholder="Ask about this result",
                    lines=1,
                    max_lines=4,
                    scale=5,
                    elem_id="wf-question",
                )
                ask = gr.Button(
                    "Ask", variant="primary", scale=0, min_width=88, elem_id="wf-ask-go"
                )
            with gr.Row(elem_id="wf-controls"):
                stop = gr.Button("Stop", size="sm", interactive=False, elem_id="wf-stop")
                retry = gr.Button("Retry", size="sm", elem_id="wf-retry")
                clear = gr.Button("Clear", size="sm", elem_id="wf-clear")
            by_model = gr.Checkbox(
                label=_MODEL_LABEL,
                info=_MODEL_INFO,
                value=False,
                visible=page.assistant.narrator.offers_model,
                container=False,
                elem_id="wf-by-model",
            )
        parts["evidence"] = gr.HTML(elem_id="wf-evidence", js_on_load=None)
        parts["files"] = gr.HTML(elem_id="wf-files", js_on_load=None)
        parts["export"] = gr.HTML(elem_id="wf-export", js_on_load=script("export"))
    about = (page.assistant.limits.media, page.assistant.provenance())
    gr.HTML(render("about", "limits", *about), js_on_load=None)

    outputs = [*parts.values(), stop, retry]

    def shape(update: Update) -> dict[Any, Any]:
        """An update of the page's parts as Gradio takes it."""
        made: dict[Any, Any] = {parts[name]: update[name] for name in PARTS if name in update}
        if "busy" in update:
            made[stop] = gr.update(interactive=update["busy"])
            made[retry] = gr.update(interactive=not update["busy"])
        return made or {stop: gr.skip()}

    def stream(step: Callable[[Session], Iterator[Update]]) -> Callable[..., Any]:
        def run(request: gr.Request) -> Iterator[dict[Any, Any]]:
            yield shape({})  # a step without an update would empty every part of the page
            for update in step(_session(sessions, request)):
                yield shape(update)

        return run

    measure, explain, answer = stream(page.measure), stream(page.explain), stream(page.answer)
    steady = stream(page.steady)

    def then_measure(event: Any) -> None:
        event.then(
            measure, None, outputs, show_progress_on=[parts["verdict"]], **_QUEUED, **_MEASURE
        ).then(steady, None, outputs, **_AFTER, **_MEASURE).then(
            explain, None, outputs, show_progress_on=[parts["words"]], **_QUEUED, **_WRITE
        )

    def then_write(event: Any, step: Any, on: str) -> Any:
        return event.then(step, None, outputs, show_progress_on=[parts[on]], **_QUEUED, **_WRITE)

    def receive(data: bytes | None, request: gr.Request) -> dict[Any, Any]:
        if data is None:
            return {upload: gr.skip()}
        return {**shape(page.receive(_session(sessions, request), data)), upload: None}

    def look_first(wanted: bool, request: gr.Request) -> None:
        _session(sessions, request).blind = wanted

    blind.change(look_first, [blind], None, **_AT_ONCE)

    def switched(name: str, request: gr.Request) -> dict[Any, Any]:
        return shape(page.switch(_session(sessions, request), name))

    then_measure(detector.input(switched, [detector], outputs, **_AT_ONCE))
    then_measure(upload.upload(receive, [upload], [*outputs, upload], **_AT_ONCE))
    for name, button in examples.items():

        def example(request: gr.Request, name: str = name) -> dict[Any, Any]:
            try:
                data = example_bytes(name)
            except AssistantError as error:
                return shape({**EMPTY, "verdict": problem(error.user_message, error.hint)})
            return shape(page.receive(_session(sessions, request), data))

        then_measure(button.click(example, None, outputs, **_AT_ONCE))

    def choose(event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        return shape(page.choose(_session(sessions, request), int(event.index)))

    chosen = parts["tabs"].select(choose, None, outputs, **_AT_ONCE)
    then_write(chosen.then(steady, None, outputs, **_AFTER, **_MEASURE), explain, "words")

    parts["export"].select(stream(page.mark), None, outputs, **_AFTER, **_MEASURE)

    def question(words: str, request: gr.Request) -> dict[Any, Any]:
        return {**shape(page.question(_session(sessions, request), words)), box: ""}

    for trigger in (ask.click, box.submit):
        then_write(trigger(question, [box], [*outputs, box], **_AT_ONCE), answer, "talk")
    for button in asked:
        then_write(button.click(question, [button], [*outputs, box], **_AT_ONCE), answer, "talk")

    def halt(request: gr.Request) -> None:
        page.stop(_session(sessions, request))

    stop.click(halt, None, None, **_AT_ONCE)

    def again(request: gr.Request) -> dict[Any, Any]:
        return shape(page.retry(_session(sessions, request)))

    redo = retry.click(again, None, outputs, **_AT_ONCE)
    redo.then(explain, None, outputs, show_progress_on=[parts["words"]], **_QUEUED, **_WRITE)
    redo.then(answer, None, outputs, show_progress_on=[parts["talk"]], **_QUEUED, **_WRITE)

    def rewrite(wanted: bool, request: gr.Request) -> dict[Any, Any]:
        return shape(page.rewrite(_session(sessions, request), wanted))

    then_write(by_model.change(rewrite, [by_model], outputs, **_AT_ONCE), explain, "words")

    def wipe(request: gr.Request) -> dict[Any, Any]:
        return {**shape(page.clear(_session(sessions, request))), box: ""}

    clear.click(wipe, None, [*outputs, box], **_AT_ONCE)


def _session(sessions: Sessions, request: gr.Request) -> Session:
    return sessions.of(str(request.session_hash))
