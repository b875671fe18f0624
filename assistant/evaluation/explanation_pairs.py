"""A page for readers: two narrators' explanations of each case, unnamed, in random order.

The reader says which of the two they would rather get. The answers are saved as CSV by the page
itself (no server), kept in the browser until then, and read by :mod:`assistant.evaluation.ratings`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import random
from collections.abc import Mapping, Sequence

from assistant.errors import TrainingError
from assistant.evaluation.explanation_page import PAGE_STYLE, facts_list, page_head, picture
from assistant.evaluation.explanations import Trial
from assistant.evaluation.ratings import COLUMNS, SCALES
from assistant.overlay import blend
from assistant.types import FaceAnalysis

__all__ = ["pairs_page"]

_STYLE = (
    PAGE_STYLE
    + """
fieldset{border:1px solid #999;border-radius:4px;margin:.5rem 0;padding:.4rem .8rem}
fieldset fieldset,.text fieldset{border:0;padding:0;margin:.2rem 0}
label{margin-right:1.2rem;white-space:nowrap}legend{font-weight:600}
.text legend{font-weight:400}
#bar{position:sticky;top:0;background:inherit;background-color:#f3f3f3;padding:.5rem .8rem;
border:1px solid #888;border-radius:4px;display:flex;gap:1rem;flex-wrap:wrap;align-items:center}
button{font:inherit;padding:.2rem .8rem}
:focus-visible{outline:3px solid #1a5fb4;outline-offset:2px}
@media (prefers-color-scheme:dark){#bar{background-color:#2a2a2a}}
"""
)
# Names come out of the key only when the ratings are saved: reading the page shows none.
_SCRIPT = """
const key=JSON.parse(atob(document.getElementById('key').textContent));
const scales=SCALES,slot='whyfake-ratings-'+key.page;
const rater=document.getElementById('rater'),done=document.getElementById('done');
const forms=[...document.querySelectorAll('form[data-case]')];
const read=f=>Object.fromEntries(new FormData(f));
function keep(){const all={rater:rater.value};forms.forEach(f=>{all[f.dataset.case]=read(f);});
try{localStorage.setItem(slot,JSON.stringify(all));}catch(e){}
const n=forms.filter(f=>read(f).preferred).length;
done.textContent=n+' of '+forms.length+' cases answered';}
try{const all=JSON.parse(localStorage.getItem(slot)||'{}');rater.value=all.rater||'';
forms.forEach(f=>Object.entries(all[f.dataset.case]||{}).forEach(([name,value])=>{
const box=f.querySelector('input[name="'+name+'"][value="'+value+'"]');if(box)box.checked=true;}));
}catch(e){}
document.addEventListener('change',keep);keep();
document.getElementById('save').addEventListener('click',()=>{
const who=rater.value.replace(/[^\\w-]/g,'')||'anonymous';
let out=COLUMNS+'\\n';
forms.forEach(f=>{const d=read(f);if(!Object.keys(d).length)return;
key.cases[f.dataset.case].forEach((narrator,i)=>{const place=String(i+1);
const preferred=!d.preferred?'':d.preferred==='same'?'same':d.preferred===place?'yes':'no';
out+=[who,f.dataset.case,place,narrator,preferred,...scales.map(s=>d[s+place]||'')].join(',')+'\\n';
});});
const a=document.createElement('a');a.href=URL.createObjectURL(new Blob([out],{type:'text/csv'}));
a.download='ratings-'+who+'.csv';a.click();});
"""
_ASKED = {
    "true": "Everything it says is true",
    "clear": "I understand it at once",
    "useful": "It helps me decide what to do",
}


def pairs_page(
    results: Sequence[tuple[str, FaceAnalysis]],
    trials: Mapping[str, Trial],
    *,
    most: int = 50,
    seed: int = 0,
) -> str:
    """The page as HTML, whole in itself; texts are as users see them, without what was struck.

    Args:
        results: the cases, by name.
        trials: what the two narrators told, by name.
        most: at most this many cases.
        seed: which of the two stands first on each case.

    Raises:
        TrainingError: there are not two narrators, or no case that both explained.
    """
    if len(trials) != 2:
        raise TrainingError(
            f"The page for readers compares two narrators, not {len(trials)}.", code="narrators"
        )
    said = {
        who: {t.case: t.explanation.text for t in trial.told if not t.question}
        for who, trial in trials.items()
    }
    both = [(name, result) for name, result in results if all(name in s for s in said.values())]
    if not both:
        raise TrainingError("No case was explained by both narrators.", code="narrators")
    rng = random.Random(seed)  # noqa: S311 - order on a page
    parts: list[str] = []
    order: dict[str, list[str]] = {}
    for number, (name, result) in enumerate(both[:most], 1):
        pair = list(trials)
        rng.shuffle(pair)
        order[f"c{number}"] = pair
        parts.append(_case(number, result, [said[who][name] for who in pair]))
    body = "".join(parts)
    page = hashlib.sha256(body.encode()).hexdigest()[:16]
    key = base64.b64encode(json.dumps({"page": page, "cases": order}).encode()).decode("ascii")
    script = _SCRIPT.replace("SCALES", json.dumps(SCALES)).replace(
        "COLUMNS", json.dumps(",".join(COLUMNS))
    )
    return (
        page_head("Two explanations of each face", _STYLE)
        + "<p>You are a moderator and must decide what happens to each picture. Two programs "
        "explain the same check; which wrote which is not shown, and their order changes from case "
        "to case. Read both, then say which you would rather get. What was measured is the same "
        "for both. This page shows faces: keep it to yourself. It sends nothing; your answers stay "
        "in this browser until you save them.</p>"
        "<div id=bar><label>Your initials <input id=rater size=8></label>"
        "<button id=save type=button>Save ratings as CSV</button>"
        "<span id=done role=status></span></div>"
        f"{body}<script type=text/plain id=key>{key}</script><script>{script}</script></html>"
    )


def _case(number: int, result: FaceAnalysis, texts: Sequence[str]) -> str:
    crop = result.face.crop
    pictures = picture(crop, f"Face of case {number}")
    pictures += picture(blend(crop, result.attribution.map, 0.6), f"Map of case {number}")
    places = ("First", "Second")
    shown = "".join(
        f"<section class=text aria-label='{place} text'><h3>{place}</h3><p>{html.escape(text)}</p>"
        f"<details><summary>Rate it on its own (optional)</summary>{_scales(str(i))}</details>"
        "</section>"
        for i, (place, text) in enumerate(zip(places, texts, strict=True), 1)
    )
    choices = "".join(
        f"<label><input type=radio name=preferred value={value}> {label}</label>"
        for value, label in (("1", "First"), ("same", "No difference"), ("2", "Second"))
    )
    return (
        f"<article><form data-case=c{number}><h2>Case {number}</h2>"
        f"<div class=row>{pictures}{facts_list(result)}</div><div class=row>{shown}</div>"
        f"<fieldset><legend>Which would you rather get?</legend>{choices}</fieldset>"
        "</form></article>"
    )


def _scales(place: str) -> str:
    return "".join(
        f"<fieldset><legend>{_ASKED[scale]} (1 no, 5 yes)</legend>"
        + "".join(
            f"<label><input type=radio name={scale}{place} value={v}> {v}</label>"
            for v in range(1, 6)
        )
        + "</fieldset>"
        for scale in SCALES
    )
