"""Colours and fonts of the page. Fonts are the system's own: none is fetched."""

from __future__ import annotations

import gradio as gr

__all__ = ["theme"]


def theme() -> gr.themes.Base:
    """Stone greys and one accent, in light and dark."""
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
