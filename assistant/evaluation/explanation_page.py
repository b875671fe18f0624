"""A page that shows cases side by side for reading: what each narrator said, and what was struck.

The page holds faces: it is for the one who measures, and no other file is loaded by it. Ratings are
asked for on a page of its own, where no narrator is named (``explanation_pairs.py``).
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence

from assistant.evaluation.explanations import Told, Trial
from assistant.types import FaceAnalysis, Image, SentenceStatus

__all__ = ["PAGE_STYLE", "facts_list", "page_head", "picture", "reading_page"]

#: What the pages of cases share.
PAGE_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:1rem;
color:#111;background:#fff}
article{border-top:2px solid #777;margin:2rem 0;padding-top:1rem}
.row{display:flex;gap:1rem;flex-wrap:wrap;margin:.6rem 0}
.text{flex:1 1 20rem;border:1px solid #888;border-radius:4px;padding:.8rem}
ol{font-size:.85rem;padding-left:1.4rem}img{width:180px;height:180px}
del{color:#8a1c1c}ins{color:#14508a}.status{font-size:.8rem;color:#444}
@media (prefers-color-scheme:dark){body{background:#161616;color:#eee}.status{color:#bbb}
del{color:#f19999}ins{color:#9cc7f5}}
"""


def reading_page(
    results: Sequence[tuple[str, FaceAnalysis]], trials: Mapping[str, Trial], *, most: int = 50
) -> str:
    """The page as HTML, whole in itself.

    Args:
        results: the cases, by name.
        trials: what each narrator told.
        most: at most this many cases.
    """
    parts = []
    for number, (name, result) in enumerate(results[:most], 1):
        texts = "".join(
            _text(who, told)
            for who, trial in trials.items()
            for told in trial.told
            if told.case == name and not told.question
        )
        face = picture(result.face.crop, f"Face of case {number}")
        parts.append(
            f"<article><h2>Case {number}</h2><div class=row>{face}{facts_list(result)}</div>"
            f"<div class=row>{texts}</div></article>"
        )
    return (
        page_head("Explanations to read", PAGE_STYLE)
        + "<p>This page shows faces. Keep it to yourself. Struck words stand up to no fact and are "
        "not shown to users; underlined ones replace what was against a fact.</p>"
        + "".join(parts)
        + "</html>"
    )


def page_head(title: str, style: str) -> str:
    """The top of a page that loads nothing and sends nothing."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width">'
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{style}</style><h1>{title}</h1>"
    )


def facts_list(result: FaceAnalysis, *, opened: bool = False) -> str:
    """The case's facts, to be opened."""
    facts = "".join(
        f"<li>[{fact.id}] {html.escape(fact.text)}</li>" for fact in result.evidence.facts
    )
    attribute = " open" if opened else ""
    return f"<details{attribute}><summary>What was measured</summary><ol>{facts}</ol></details>"


def picture(image: Image, alt: str) -> str:
    """An image (RGB uint8 HWC) inside the page."""
    import cv2

    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92]
    )
    if not done:
        raise ValueError("the picture cannot be written as JPEG")
    source = "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
    return f'<img alt="{html.escape(alt, quote=True)}" src="{source}">'


def _text(who: str, told: Told) -> str:
    explanation = told.explanation
    sentences = []
    for s in explanation.sentences:
        text = html.escape(s.text)
        if s.status is SentenceStatus.SUPPORTED:
            sentences.append(text)
        else:
            title = html.escape(f"{s.status.value}: {s.reason}", quote=True)
            sentences.append(f'<del title="{title}">{text}</del>')
            if s.replacement:
                sentences.append(f"<ins>{html.escape(s.replacement)}</ins>")
    fell = " (the template stepped in)" if explanation.fell_back else ""
    true = sum(c.true for c in told.shown)
    return (
        f"<section class=text><h3>{html.escape(who)}</h3><p>{' '.join(sentences)}</p>"
        f"<p class=status>{true} of {len(told.shown)} claims true{fell}</p></section>"
    )
