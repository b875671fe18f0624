"""The choice of the detector that speaks, and what the others need."""

from __future__ import annotations

from typing import Any

import gradio as gr

from assistant.speakers import DetectorState, Speakers
from assistant.ui.markup import render

__all__ = ["detector_choice"]

_CAPTION = '<p class="wf-small" aria-hidden="true">Detector</p>'


def detector_choice(speakers: Speakers | None) -> gr.Dropdown:
    """A list of the detectors that can run here, with those that cannot, and why, folded below.

    Which they are is looked up when a page is opened: that imports their libraries, which would
    make the start slower, and a detector that was trained since is there after a reload. Nothing is
    shown of an assistant with one detector alone.
    """
    usual = "" if speakers is None else speakers.usual
    with gr.Column(elem_id="wf-detectors", visible=speakers is not None):
        with gr.Row(elem_id="wf-detector-row"):
            gr.HTML(_CAPTION, js_on_load=None)
            choice = gr.Dropdown(
                choices=[(usual, usual)],
                value=usual,
                label="Detector that measures the picture",
                elem_id="wf-detector",
                container=False,
                filterable=False,
            )
        waiting = gr.HTML(js_on_load=None)
    if speakers is not None:

        def known() -> tuple[Any, str]:
            states = speakers.states()
            ready = [(_label(s), s.name) for s in states if s.ready]
            unready = [state for state in states if not state.ready]
            return gr.update(choices=ready), render("about", "unready", unready)

        gr.on(
            None,
            known,
            None,
            [choice, waiting],
            show_progress="hidden",
            api_visibility="private",
        )
    return choice


def _label(state: DetectorState) -> str:
    return f"{state.name} (not calibrated)" if state.calibrated is False else state.name
