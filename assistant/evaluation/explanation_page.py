"""A page that shows cases side by side for reading, with a form for ratings that saves a CSV.

The page holds faces: it is for the one who measures, and no other file is loaded by it.
"""

from __future__ import annotations

import base64
import html
import random
from collections.abc import Mapping, Sequence

from assistant.evaluation.explanations import Told, Trial
from assistant.types import FaceAnalysis, Image, SentenceStatus

__all__ = ["reading_page"]

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:1rem;
color:#111;background:#fff}
article{border-top:2px solid #777;margin:2rem 0;padding-top:1rem}
.row{display:flex;gap:1rem;flex-wrap:wrap}.text{flex:1 1 20rem;border:1px solid #888;padding:.8rem}
ol{columns:2;font-size:.85rem}img{width:180px;height:180px}
fieldset{border:0;padding:0;margin:.4rem 0}
del{color:#8a1c1c}ins{color:#14508a}.status{font-size:.8rem;color:#444}
@media (prefers-color-scheme:dark){body{background:#161616;color:#eee}.status{color:#bbb}
del{color:#f19999}ins{color:#9cc7f5}}
"""
_SCRIPT = """
document.getElementById('save').addEventListener('click',()=>{
const rater=document.getElementById('rater').value.replace(/[^\\w-]/g,'')||'anonymous';
let out='rater,case,narrator,true,clear,useful\\n';
document.querySelectorAll('form[data-case]').forEach(f=>{const d=new FormData(f);
const v=['true','clear','useful'].map(k=>d.get(k)||'');
if(v.some(x=>x))out+=[rater,f.dataset.case,f.dataset.narrator,...v].join(',')+'\\n';});
const a=document.createElement('a');a.href=URL.createObjectURL(new Blob([out],{type:'text/csv'}));
a.download='ratings-'+rater+'.csv';a.click();});
"""
_ASKED = (
    ("true", "Everything it says is true"),
    ("clear", "I understand it at once"),
    ("useful", "It helps me decide what to do"),
)


def reading_page(
    results: Sequence[tuple[str, FaceAnalysis]],
    trials: Mapping[str, Trial],
    *,
    most: int = 50,
    seed: int = 0,
    named: bool = True,
) -> str:
    """The page as HTML, whole in itself.

    Args:
        results: the cases, by name.
        trials: what each narrator told.
        most: at most this many cases.
        seed: orders the narrators on each case.
        named: show which narrator wrote what; False for ratings (the CSV still holds the names).
    """
    rng = random.Random(seed)  # noqa: S311 - order on a page
    codes = {name: chr(65 + i) for i, name in enumerate(trials)}
    parts = []
    for number, (name, result) in enumerate(results[:most], 1):
        told = [
            (who, t)
            for who, trial in trials.items()
            for t in trial.told
            if t.case == name and not t.question
        ]
        rng.shuffle(told)
        texts = "".join(_text(f"c{number}", who, t, codes, named=named) for who, t in told)
        facts = "".join(
            f"<li>[{fact.id}] {html.escape(fact.text)}</li>" for fact in result.evidence.facts
        )
        parts.append(
            f"<article><h2>Case {number}</h2><div class=row>"
            f'<img alt="Face of case {number}" src="{_png(result.face.crop)}">'
            f"<details><summary>Evidence</summary><ol>{facts}</ol></details></div>"
            f"<div class=row>{texts}</div></article>"
        )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width">'
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>Explanations to read</title><style>{_STYLE}</style>"
        "<h1>Explanations to read</h1><p>This page shows faces. Keep it to yourself. Struck words "
        "stand up to no fact and are not shown to users; underlined ones "
        "replace what was against a fact.</p>"
        "<p><label>Your initials <input id=rater></label> "
        "<button id=save type=button>Save ratings as CSV</button></p>"
        f"{''.join(parts)}<script>{_SCRIPT}</script></html>"
    )


def _text(case: str, who: str, told: Told, codes: Mapping[str, str], *, named: bool) -> str:
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
    head = html.escape(who if named else f"Narrator {codes[who]}")
    fell = " (the template stepped in)" if explanation.fell_back and named else ""
    true = sum(c.true for c in told.shown)
    status = f"<p class=status>{true} of {len(told.shown)} claims true{fell}</p>" if named else ""
    scales = "".join(
        f"<fieldset><legend>{label}</legend>"
        + "".join(
            f"<label><input type=radio name={key} value={v}>{v}</label> " for v in range(1, 6)
        )
        + "</fieldset>"
        for key, label in _ASKED
    )
    return (
        f"<section class=text><h3>{head}</h3><p>{' '.join(sentences)}</p>{status}"
        f'<form data-case="{case}" data-narrator="{html.escape(who, quote=True)}">{scales}</form>'
        "</section>"
    )


def _png(crop: Image) -> str:
    import cv2

    done, data = cv2.imencode(".png", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError("the crop cannot be written as PNG")
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode("ascii")
