"""What was measured, as HTML: verdict, picture with map, regions and evidence. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.evidence import EffectFact, percent
from assistant.numbers import points
from assistant.types import FaceAnalysis, FactKind, Media, RegionFinding, Verdict, ranked_regions
from assistant.ui.markup import text

__all__ = ["evidence_panel", "look_panel", "tabs", "verdict_panel"]

_LEAST_CHIPS, _WORTH_A_CHIP = 3, 0.03
_STRIP_LENGTH = 4
_HOW = {
    "inpaint": "filled from its rim",
    "blur": "blurred",
    "mean": "replaced by the face's mean colour",
    "mirror": "replaced by the other side's mirror image",
    "left-out": "left out",
}
_MARKS = {
    Verdict.NO_SIGN: "M5 12.5l4.2 4.2L19 7",
    Verdict.UNCERTAIN: "M9 9.2a3 3 0 1 1 4.4 2.6c-1 .6-1.4 1.1-1.4 2.2M12 17.6v.1",
    Verdict.LIKELY_MANIPULATED: "M12 6.5v7M12 17.4v.1",
}
_KINDS = {
    FactKind.SCORE: "Score",
    FactKind.REGION: "Regions",
    FactKind.QUALITY: "Quality",
    FactKind.PROVENANCE: "Origin",
    FactKind.COUNTERFACTUAL: "What if a region were gone",
    FactKind.FRAGILITY: "What if the file had been changed",
    FactKind.DOMAIN: "Likeness to training data",
    FactKind.CUE: "What can be seen",
    FactKind.LIMIT: "Limits",
}


def tabs(faces: Sequence[FaceAnalysis], active: int) -> str:
    """A tab a face; nothing where there is only one."""
    if len(faces) < 2:
        return ""
    buttons = "".join(
        f'<button type="button" role="tab" id="wf-tab-{i}" data-index="{i}" '
        f'aria-selected="{"true" if i == active else "false"}" aria-controls="wf-panel" '
        f'tabindex="{0 if i == active else -1}"><b>Face {i + 1}</b> '
        f"<span>{text(face.score.verdict.words)}, {percent(face.score.probability)}</span></button>"
        for i, face in enumerate(faces)
    )
    return f'<div class="wf-tabs" role="tablist" aria-label="Faces in this picture">{buttons}</div>'


def verdict_panel(
    result: FaceAnalysis, *, count: int, media: Media, warnings: Sequence[str], demo: bool
) -> str:
    """Verdict, probability and interval, in words and on a bar with its bands."""
    score = result.score
    low, high = score.interval
    shown, shown_low, shown_high = (percent(v) for v in (score.probability, low, high))
    lower, upper = score.thresholds
    which = f"Face {result.face.index + 1} of {count}: " if count > 1 else ""
    said = (
        f"{which}{score.verdict.words}. Probability of manipulation {shown}, "
        f"interval {shown_low} to {shown_high}."
    )
    bands = "".join(
        f'<span class="wf-band wf-band-{name}" '
        f'style="left:{100 * a:.2f}%;width:{100 * (b - a):.2f}%">'
        f"<em>{label}</em></span>"
        for name, label, a, b in (
            ("real", "no sign found", 0.0, lower),
            ("uncertain", "uncertain", lower, upper),
            ("manipulated", "likely manipulated", upper, 1.0),
        )
    )
    notes = [*warnings]
    if media.kind == "video":
        notes.insert(0, f"Video: judged over {len(media.frames)} sampled frames.")
    listed = "".join(f"<li>{text(note)}</li>" for note in notes)
    return (
        f'<section class="wf-card wf-verdict" data-verdict="{text(score.verdict.value)}" '
        f'data-announce="{text(said)}" aria-labelledby="wf-verdict-title">'
        + ('<p class="wf-demo">Demo, not an analysis</p>' if demo else "")
        + '<div class="wf-verdict-row"><svg class="wf-mark" viewBox="0 0 24 24" aria-hidden="true">'
        f'<circle cx="12" cy="12" r="11"/><path d="{_MARKS[score.verdict]}"/></svg>'
        f'<div><p class="wf-eyebrow">{text(which) or "Verdict of the detector"}</p>'
        f'<h2 id="wf-verdict-title">{text(score.verdict.words.capitalize())}</h2></div>'
        f'<p class="wf-number"><b>{text(shown)}</b><span>probability of manipulation<br>'
        f"interval {text(shown_low)} to {text(shown_high)}</span></p></div>"
        f'<div class="wf-bar" role="img" aria-label="{text(said)} Below {percent(lower)} counts as '
        f'no sign found, from {percent(upper)} as likely manipulated.">{bands}'
        f'<i class="wf-interval" style="left:{100 * low:.2f}%;width:{100 * (high - low):.2f}%"></i>'
        f'<i class="wf-dot" style="left:{100 * score.probability:.2f}%"></i></div>'
        '<div class="wf-ticks" aria-hidden="true"><span style="left:0%">0%</span>'
        f'<span style="left:{100 * lower:.2f}%">{percent(lower)}</span>'
        f'<span style="left:{100 * upper:.2f}%">{percent(upper)}</span>'
        '<span style="left:100%">100%</span></div>'
        + (f'<ul class="wf-notes">{listed}</ul>' if listed else "")
        + "</section>"
    )


def look_panel(
    result: FaceAnalysis, *, crop: str, heat: str, outlines: Mapping[str, str], count: int
) -> str:
    """Face and map side by side, a slider for the map's opacity, and chips that outline regions.

    Args:
        result: the face.
        crop: the crop as a data URI.
        heat: the coloured map as a data URI.
        outlines: region to its outline as a data URI.
        count: faces in the picture.
    """
    found = ranked_regions(result.regions)
    top = ", ".join(f"{r.region} {percent(r.share)}" for r in found[:3])
    shares = f"Shares of the map: {top}." if top else "No face parts could be told apart."
    face = f"Face {result.face.index + 1}" if count > 1 else "The face"
    rims = "".join(
        f'<img class="wf-rim" data-region="{text(region)}" src="{uri}" alt="">'
        for region, uri in outlines.items()
    )
    rows, columns = result.attribution.grid
    kind = "" if result.attribution.class_specific else ", the same for real and manipulated"
    chips = "".join(
        f'<button type="button" class="wf-chip{" wf-stands" if r.stands_out else ""}" '
        f'data-region="{text(r.region)}" aria-pressed="false">'
        f"<b>{text(r.region.capitalize())}{' <em>stands out</em>' if r.stands_out else ''}</b> "
        f"<span>{percent(r.share)} of the map, {r.lift:.1f}\u00d7 its size{_steady(r)}</span>"
        "</button>"
        for i, r in enumerate(found)
        if r.area > 0 and (i < _LEAST_CHIPS or r.stands_out or r.share >= _WORTH_A_CHIP)
    )
    return (
        '<section class="wf-card wf-look" aria-labelledby="wf-look-title">'
        '<h2 id="wf-look-title">Where part of the score came from</h2>'
        '<div class="wf-pair"><figure><div class="wf-stage">'
        f'<img src="{crop}" alt="{text(face)}, aligned as the detector saw it">{rims}</div>'
        "<figcaption>As the detector saw it</figcaption></figure>"
        f'<figure><div class="wf-stage"><img src="{crop}" alt="">'
        f'<img class="wf-heat" src="{heat}" '
        f'alt="Heat map over the face. {text(shares)}">'
        f"{rims}</div><figcaption>Map <span>{text(result.attribution.method)}, "
        f"{rows} \u00d7 {columns} cells{kind}</span></figcaption></figure></div>"
        '<div class="wf-tools"><label for="wf-opacity">Opacity of the map</label>'
        '<input id="wf-opacity" type="range" min="0" max="100" step="5" value="70" '
        'aria-valuetext="70 percent"><span class="wf-legend" aria-hidden="true">'
        "<i></i>little <b></b> much</span></div>"
        '<p class="wf-small" id="wf-chips-label">Regions, first those above what untouched '
        "faces show. "
        "Point at one to outline it; left and right are yours as you look at the picture.</p>"
        '<div class="wf-chips" role="group" aria-labelledby="wf-chips-label">'
        f"{chips}</div></section>"
    )


def _steady(finding: RegionFinding) -> str:
    """In how many slightly shifted crops a region that stands out does so still."""
    if finding.stability is None or not finding.stands_out:
        return ""
    return f", {percent(finding.stability)} stable"


def evidence_panel(
    result: FaceAnalysis, *, crop: str = "", neutralised: Mapping[str, str] | None = None
) -> str:
    """Every fact with its id, after pictures of the counterfactuals.

    ``crop`` is the face as a data URI, and ``neutralised`` the same without some regions.
    """
    facts = result.evidence.facts
    items = "".join(
        f'<li id="fact-{text(f.id)}" tabindex="-1" data-kind="{text(_KINDS[f.kind])}">'
        f'<span class="wf-id">{text(f.id)}</span><span>{text(f.text)}</span></li>'
        for f in facts
    )
    return (
        '<section class="wf-card wf-evidence" aria-labelledby="wf-evidence-title">'
        f"{_strip(result, crop, neutralised or {})}"
        '<h2 id="wf-evidence-title">Evidence</h2>'
        f"<details open><summary>All {len(facts)} measured facts</summary>"
        f'<ol class="wf-facts">{items}</ol></details></section>'
    )


def _control(fact: EffectFact) -> str:
    """What equally large random patches did to the score."""
    if not fact.control_n:
        return ""
    return f'<span class="wf-control">random patches {points(fact.control)}</span>'


def _strip(result: FaceAnalysis, crop: str, neutralised: Mapping[str, str]) -> str:
    """Before and after each counterfactual, with the numbers."""
    cards: list[str] = []
    shown_facts = result.evidence.of(EffectFact)
    for fact in shown_facts[:_STRIP_LENGTH]:
        region = fact.region
        picture = neutralised.get(region)
        shown = (
            f'<img src="{picture}" alt="The face with the {text(region)} neutralised">'
            if picture
            else ""
        )
        flips = '<em class="wf-flip">verdict changes</em>' if fact.changes_verdict else ""
        cards.append(
            f'<li>{shown}<b>Without {text(region)}</b><span class="wf-before-after">'
            f'{percent(fact.before)} <span aria-hidden="true">\u2192</span>'
            f'<span class="wf-sr">to</span> <strong>{percent(fact.after)}</strong></span>'
            f"{_control(fact)}{flips}"
            f'<a class="wf-cite" href="#fact-{text(fact.id)}" data-fact="{text(fact.id)}" '
            f'aria-label="Evidence {text(fact.id)}">{text(fact.id)}</a></li>'
        )
    if not cards:
        return ""
    how = next((f.method for f in shown_facts if f.method != "left-out"), "left-out")
    before = (
        f'<li><img src="{crop}" alt="The face as it is"><b>As it is</b>'
        f'<span class="wf-before-after"><strong>{percent(result.score.probability)}</strong></span>'
        "</li>"
        if crop and neutralised
        else ""
    )
    return (
        '<div class="wf-block"><h3>If a region were not there</h3>'
        f'<p class="wf-small">Each region was {_HOW.get(how, "neutralised")} and the face scored '
        "again; so were random patches of the same size, as a control.</p>"
        f'<ul class="wf-strip">{before}{"".join(cards)}</ul></div>'
    )
