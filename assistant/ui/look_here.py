"""What can be seen to differ, as pairs of enlarged pictures side by side. Pure."""

from __future__ import annotations

import cv2
import numpy as np

from assistant.evidence import CueFact, NoCueFact
from assistant.overlay import png_bytes
from assistant.types import CueFinding, FaceAnalysis, Image
from assistant.ui.markup import data_uri, text

__all__ = ["look_here_panel", "with_amplified_detail"]

_GAIN = 4.0
_FINE = 2.0


def look_here_panel(result: FaceAnalysis) -> str:
    """A pair for each visible cue that speaks, or that none does; empty where none was measured."""
    facts = [f for f in result.evidence.of(CueFact) if f.visible]
    nothing = result.evidence.first(NoCueFact)
    if facts:
        found = {f.reading.cue: f for f in result.cues.findings}
        pairs = "".join(_pair(f, found[f.cue_name]) for f in facts if f.cue_name in found)
        body = (
            '<p class="wf-small">Places that differ more than in nearly all genuine faces of this '
            f"size and picture quality. They do not move the score.</p>{pairs}"
        )
    elif nothing is not None:
        body = f'<p class="wf-small">{text(nothing.text)}</p>'
    else:
        return ""
    return (
        '<section class="wf-card wf-look" aria-labelledby="wf-look-here-title">'
        f'<h2 id="wf-look-here-title">Look here</h2>{body}</section>'
    )


def with_amplified_detail(picture: Image) -> Image:
    """A picture whose fine detail is four times as strong: to be labelled as amplified."""
    values = picture.astype(np.float32)
    soft = cv2.GaussianBlur(values, (0, 0), _FINE)
    return np.asarray(np.clip(np.rint(soft + _GAIN * (values - soft)), 0, 255), np.uint8)


def _pair(fact: CueFact, finding: CueFinding) -> str:
    """Both places as they are and, folded, with their detail amplified; the number under them."""
    if len(finding.pictures) != 2:
        return f'<p data-fact="{text(fact.id)}">{text(fact.text)}</p>'
    plain = _figures(fact, finding.pictures, "")
    strong = _figures(
        fact, tuple(with_amplified_detail(p) for p in finding.pictures), ", detail amplified"
    )
    return (
        f'<div class="wf-block" data-pair="{text(fact.id)}"><div class="wf-pair">{plain}</div>'
        f'<p>{text(fact.text)} <a class="wf-cite" href="#fact-{text(fact.id)}" '
        f'data-fact="{text(fact.id)}" aria-label="Evidence {text(fact.id)}">{text(fact.id)}</a></p>'
        "<details><summary>Magnify the detail (amplified 4 times)</summary>"
        f'<div class="wf-pair">{strong}</div></details></div>'
    )


def _figures(fact: CueFact, pictures: tuple[Image, ...], how: str) -> str:
    return "".join(
        f'<figure><div class="wf-stage"><img src="{data_uri(png_bytes(picture))}" '
        f'alt="Enlarged: the {text(name)}{how}. {text(fact.text)}"></div>'
        f"<figcaption>The {text(name)}{how}</figcaption></figure>"
        for name, picture in zip(fact.places, pictures, strict=True)
    )
