"""The choice of the detector that speaks, and what the others need."""

from __future__ import annotations

import gradio as gr

from assistant.speakers import Speakers
from assistant.ui.markup import render

__all__ = ["detector_choice"]

_LABEL = "Detector"
_INFO = "Another one measures the same picture anew. It gives its own score, map and words."


def detector_choice(speakers: Speakers | None) -> gr.Dropdown:
    """A list of the detectors that can run here, with those that cannot, and why, folded below.

    Nothing is shown of an assistant with one detector alone.
    """
    states = () if speakers is None else speakers.states()
    ready = [state for state in states if state.ready]
    with gr.Column(elem_id="wf-detectors", visible=bool(states)):
        choice = gr.Dropdown(
            choices=[(f"{s.name} ({s.words.removeprefix('ready, ')})", s.name) for s in ready],
            value=speakers.usual if speakers is not None else None,
            label=_LABEL,
            info=_INFO,
            elem_id="wf-detector",
            filterable=False,
        )
        waiting = [state for state in states if not state.ready]
        gr.HTML(render("about", "unready", waiting) if waiting else "", js_on_load=None)
    return choice
