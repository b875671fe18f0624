"""A judge of claims that shares no code with grounding: it compares text with the measured values.

Grounding decides what is shown; a judge that reused it would only agree with it. This one is
plainer and reads no citation: it pulls out numbers, verdict words and named regions, and looks each
up in the score, the regions, the quality notes and the re-scorings. What it cannot place is false.
"""

from __future__ import annotations

import re

from assistant.evaluation.explanation_truth import Claim, Truth
from assistant.phrases import is_closed
from assistant.types import QualityIssue

__all__ = ["Claim", "Truth", "claims", "plain_sentences"]


_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"(*-])|\n+")
_CITE = re.compile(r"\s*\[[A-Z]\d+(?:\s*,\s*[A-Z]\d+)*\]")
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?:\s*(%|percent|times|x\b|points?))?")
_NAMES = re.compile(
    r"\"[^\"]*\"|\b(?:JPEG )?quality \d+|\ba shift of \d+ px\b|"
    r"\b\d+ px shift\b",
    re.I,
)
_REGIONS = (
    "left eye", "right eye", "nose", "mouth", "left cheek", "right cheek", "forehead", "jaw",
    "background",
)  # fmt: skip
_SAME_REGION = {"lips": "mouth", "chin": "jaw", "jawline": "jaw", "brow": "forehead"}
_MIRROR = re.compile(r"\(the person's [a-z ]+\)")
_FLAWS = re.compile(
    r"\b(?:earrings?|blink\w*|skin|texture|lighting|reflections?|symmetr\w*|asymmetr\w*|artifacts?|"
    r"artefacts?|blending|unnatural\w*|inconsisten\w*|hair|teeth|smooth|pixelat\w*|seams?|woman|"
    r"man|male|"
    r"edges?|strange|aliens|doubt|fake and|female|years old|ethnic\w*|young|elderly|celebrity|"
    r"definitely|undoubtedly|certainly|guaranteed|"
    r"proves that|false (?:positive|negative)s?|accura\w+|reliab\w+|confiden\w+)\b"
)
_ISSUE_WORDS = {
    QualityIssue.SMALL: r"\bface is small\b",
    QualityIssue.BLURRED: r"\bblur\w*",
    QualityIssue.TURNED: r"\bturned away\b",
    QualityIssue.DARK: r"\bdark\b",
    QualityIssue.BRIGHT: r"\boverexposed\b",
    QualityIssue.CUT_OFF: r"\bcut off\b",
    QualityIssue.GREYSCALE: r"\bgreyscale\b",
    QualityIssue.COMPRESSED: r"\bstrongly compressed\b",
    QualityIssue.COVERED: r"\beyes are not visible\b",
    QualityIssue.UNSURE: r"\blow confidence\b",
}
_LIMITS = re.compile(
    r"can be wrong|\bestimate\b|not proof|where the detector looked|not tell what was changed|"
    r"supports neither|neither side|outside the face|not part of the face|number with care|"
    r"visible cue was judged|that can be seen|number could well|the same\b|hardly moves|"
    r"verdict changes|trust the score less|from a source like none of those"
)


def plain_sentences(text: str) -> list[str]:
    """Sentences without citations."""
    found = (part.strip() for part in _SENTENCE.split(_CITE.sub("", text)))
    return [part for part in found if re.search(r"\w", part)]


def claims(text: str, truth: Truth) -> list[Claim]:
    """Every claim of ``text``; refusals, advice and offers of the closed list claim nothing."""
    found: list[Claim] = []
    for sentence in plain_sentences(text):
        if not is_closed(sentence):
            found += _of_sentence(sentence, truth)
    return found


def _of_sentence(sentence: str, truth: Truth) -> list[Claim]:
    if cue := _cue(sentence.lower(), truth):
        return [cue]
    text = _MIRROR.sub("", _NAMES.sub("", sentence)).lower()
    for word, region in _SAME_REGION.items():
        text = re.sub(rf"\b{word}\b", region, text)
    text = re.sub(
        r"\bperson's (left|right) (eye|cheek)\b",
        lambda m: f"{'right' if m[1] == 'left' else 'left'} {m[2]}",
        text,
    )
    found = [*_numbers(text, truth), *_verdicts(text, truth), *_regions(text, truth)]
    found += [*_quality(text, truth), *_origin(text, truth), *_shape(text, truth)]
    flaw = _FLAWS.search(text)
    if flaw and not re.search(
        r"\bfound with low confidence\b|\bvisible cue\b|\bcan be seen\b", text
    ):
        found.append(Claim(kind="other", said=flaw[0], true=False))
    if not found:
        found.append(Claim(kind="other", said=text[:60], true=bool(_LIMITS.search(text))))
    return found


def _cue(text: str, truth: Truth) -> Claim | None:
    """A sentence about a visible cue names both places and no number that was not measured."""
    if "visible cue was judged" in text:
        return Claim(kind="cue", said="none judged", true=truth.cues_judged == 0)
    if "nothing that can be seen" in text or "rests on statistics that the eye" in text:
        return Claim(kind="cue", said="none speaks", true=bool(truth.cues_judged))
    if not re.search(r"\bdiffers? (?:from the|by)\b|\btimes as much\b|\bas unusual\b", text):
        return None
    unseen = "statistic that the eye does not see" in text
    rounded = text.replace("fewer than 1 in", "0 in")
    said = [(float(m[1]), len(m[1].partition(".")[2])) for m in _NUMBER.finditer(rounded)]
    true = any(
        (unseen or all(place in text for place in places))
        and all(
            number == 100 or any(abs(number - m) <= 0.5 * 10.0**-digits + 1e-6 for m in measured)
            for number, digits in said
        )
        for places, measured in truth.cues
    )
    return Claim(kind="cue", said=text[:60], true=true)


def _numbers(text: str, truth: Truth) -> list[Claim]:
    found = []
    region = ""
    for part in re.split(r"[;:]|, (?=which|and the|but|it )|\bwhich\b|\bbecause\b|\bbut\b", text):
        named = [r for r in _REGIONS if re.search(rf"\b{r}\b", part)]
        region = named[-1] if named else region
        for match in _NUMBER.finditer(part):
            value, unit = float(match[1]), match[2] or ""
            if value == 100 and not unit:
                continue
            if value == 255 and part[: match.start()].rstrip().endswith(" of"):
                continue  # the scale of a grey level: "57 of 255"
            before = part[: match.start()].rstrip()
            loose = before.endswith(("over", "under", "more than", "fewer than", "below"))
            digits = len(match[1].partition(".")[2])
            tolerance = 1.0 if loose else 0.5 * 10.0**-digits + 1e-6
            allowed = _allowed(part, text, unit, region, truth)
            # A probability may be written as 0.93.
            exact = any(abs(value - a) <= tolerance for a in allowed)
            decimal = not unit and digits > 0 and value <= 1
            shared = decimal and any(abs(value - a / 100) <= tolerance for a in allowed)
            found.append(Claim(kind="number", said=match[0], true=exact or shared))
    return found


def _allowed(part: str, text: str, unit: str, region: str, truth: Truth) -> list[float]:
    if "score comes from" in text and "map" in text:  # the map's share of the score
        return [*truth.numbers["map"]]
    topics = _topics(part, text, unit)
    if topics == ["effect"] and region in truth.effects and "random patches of" not in part:
        before, after, _ = truth.effects[region]
        return [before, after, abs(after - before), *truth.numbers["effect"][-1:]]
    if topics == ["share"]:
        return [truth.regions[region][1]] if region in truth.regions else []
    if topics == ["lift"]:
        return [truth.regions[region][2]] if region in truth.regions else []
    allowed = [a for topic in topics for a in truth.numbers.get(topic, ())]
    if topics == ["probability"]:
        real = re.search(r"\b(?:real|authentic|genuine)\b", part)
        allowed = [100 - allowed[0] if real else allowed[0]]
    return allowed


def _topics(part: str, text: str, unit: str) -> list[str]:
    """What a number in this part of a sentence is about."""
    if re.search(r"\bneutrali[sz]|\bwithout the\b|\bcover(?:ed|ing)\b|\brandom patches\b", text):
        return ["effect"]
    if re.search(r"\beveryday change|\bafter\b|\bwith\b.*\bwould be\b|\bmirror|\bhalf size", text):
        return ["change"]
    if "frames" in text:
        return ["frames"]
    if re.search(r"\bnever saw\b", text):
        return ["misses"]
    if re.search(
        r"\blimits?\b (?:for|of)|\bthat answer\b|\bneither answer\b|\btoo high for\b|"
        r"\b(?:reaches|below) \d",
        part,
    ):
        return ["threshold", "probability"]  # the probability, told beside the limit of the verdict
    if re.search(r"\bmeasured\b|\blimit\b", part):
        return ["quality"]
    if unit in {"times", "x"}:
        return ["lift"]
    if re.search(r"\bof the map\b|\bof (?:it|its weight)\b|\bdraws\b", part):
        return ["share"]
    if re.search(
        r"\bthresholds?\b|\bcounts? as\b|\bbegins\b|\bends\b|\bscores (?:from|below|"
        r"between)",
        part,
    ):
        return ["threshold"]
    topics = []
    if re.search(r"\binterval\b|\bbetween\b|\bfrom\b|\bto\b", part):
        topics += ["interval"]
    if re.search(r"\bbetween\b", part):
        topics += ["threshold"]
    if re.search(r"\bprobability\b|\bscores?\b|\bchance\b|\blikel", part):
        topics += ["probability"]
    return topics


_LABEL = re.compile(
    r"\b(?:no sign (?:of manipulation was )?found|(?:likely |probably )?(?:manipulated|fake|"
    r"deepfake|real|authentic|genuine|uncertain|altered|untouched))\b"
)
_NOT_A_VERDICT = re.compile(
    r"probability of (?:manipulation|being \w+)|never saw.*|untouched faces|manipulated faces of|"
    r"too high for no sign found and too low for likely manipulated|face is manipulated is|"
    r"\bcounts as no sign found, one from \S+ on as likely manipulated, and .* as uncertain|"
    r"\bcounts? as (?:(?:likely )?(?:manipulated|real|uncertain)|no sign found)|"
    r"\b(?:were|was) manipulated\b"
)


def _verdicts(text: str, truth: Truth) -> list[Claim]:
    rest = _NOT_A_VERDICT.sub("", text)
    found = []
    hypothetical = re.search(r"\bwould\b|\bchanges? (?:the verdict )?to\b|\bwithout the\b", rest)
    region = next((r for r in _REGIONS if re.search(rf"\b{r}\b", rest)), "")
    for match in _LABEL.finditer(rest):
        said, before = match[0], rest[: match.start()]
        if re.search(r"\b(?:probability|chance|likelihood) (?:of|that)\b[^,;]*$", before):
            continue
        label = _name(said)
        if label != "uncertain" and re.search(r"\b(?:not|no|never|unlikely)\b[^,;]{0,20}$", before):
            label = "no sign found" if label == "likely manipulated" else "likely manipulated"
        allowed = truth.changed if hypothetical else {truth.verdict}
        if hypothetical and region in truth.effects and " and the " not in rest:
            allowed = truth.changed & {truth.effects[region][2]} or truth.changed
        hedged = label == "uncertain" or re.search(
            r"\b(?:likely|probably|seems?|appears?|suggests?|points? to|verdict|may|might|"
            r"no sign)\b",
            rest,
        )
        found.append(Claim(kind="verdict", said=said, true=label in allowed and bool(hedged)))
    return found


def _name(said: str) -> str:
    if "uncertain" in said:
        return "uncertain"
    return (
        "no sign found"
        if re.search(r"no sign|real|authentic|genuine|untouched", said)
        else "likely manipulated"
    )


def _regions(text: str, truth: Truth) -> list[Claim]:
    found: list[Claim] = []
    if re.search(r"\bno (?:(?:single )?region|part of the face)\b|\bnone draws\b", text):
        calm = not any(out for out, _, _ in truth.regions.values())
        return [Claim(kind="region", said="no region", true=bool(truth.regions) and calm)]
    if re.search(r"\bno other region\b|\bother regions\b", text):
        some = any(out for out, _, _ in truth.regions.values())
        return [Claim(kind="region", said="no other", true=some)]
    named = [r for r in _REGIONS if re.search(rf"\b{r}\b", text)]
    if "outside the face" in text or "not part of the face" in text:
        true = named == ["background"]
        return [Claim(kind="region", said="background", true=true)]
    causal = re.search(r"\bneutrali[sz]|\bwithout the\b|\bcover(?:ed|ing)\b", text)
    mapped = re.search(r"\bmap\b|\bstands? out\b|\bdraws\b|\bpoints? to\b", text)
    for region in named:
        out, share, lift = truth.regions.get(region, (None, 0.0, 0.0))
        if causal and not mapped:
            found.append(_effect(text, region, truth))
        elif not mapped:
            found.append(Claim(kind="region", said=region, true=False))
        else:
            # "... stands out, yet neutralising it does not move the score" denies the effect alone.
            denial = r"\bnot (?:stand|draw|point)" if causal else r"\bnot\b"
            denied = re.search(denial, text) is not None
            sized = re.search(r"\bfor its size\b", text) is not None
            own = lift if sized else share
            top = max((v if sized else s for o, s, v in truth.regions.values() if o), default=0.0)
            too_much = re.search(r"\bmost\b", text) is not None and own < top
            # The map points to where it is strongest and next strongest, also where that does not
            # stand out.
            told = {truth.peak} if re.search(r"\bstrongest\b", text) else {truth.peak, truth.next}
            pointed = out or (region in told and not re.search(r"\bstands? out\b", text))
            true = out is not None and pointed != denied and not too_much
            found.append(Claim(kind="region", said=region, true=true))
    return found


def _effect(text: str, region: str, truth: Truth) -> Claim:
    """Which way the score goes without a region; a set of regions is judged by its numbers."""
    if region not in truth.effects or re.search(r"\band the\b|\btogether\b", text):
        true = bool(re.search(r"\band the\b|\btogether\b", text)) and bool(truth.changed)
        return Claim(kind="region", said=f"neutralising {region}", true=true)
    before, after, _ = truth.effects[region]
    true = True
    if re.search(r"\bhardly\b|\bbarely\b|\bdoes not move\b|\bstays at\b|\balone\b", text):
        true = abs(after - before) < 5
    elif re.search(r"\b(?:lowers?|falls?|drops?|reduces?)\b", text):
        true = after < before
    elif re.search(r"\b(?:raises?|rises?|increases?)\b", text):
        true = after > before
    return Claim(kind="region", said=f"neutralising {region}", true=true)


def _quality(text: str, truth: Truth) -> list[Claim]:
    found = []
    if re.search(r"\bno (?:quality )?problem|found no problem", text):
        found.append(Claim(kind="quality", said="no problem", true=not truth.issues))
        return found
    if re.search(r"everyday change|^after\b|^with\b|verdict changes", text):
        return found
    for issue, pattern in _ISSUE_WORDS.items():
        if re.search(pattern, text):
            denied = re.search(r"(?<!may )\bnot\b(?! visible)", text) is not None
            true = (issue.value in truth.issues) != denied
            found.append(Claim(kind="quality", said=issue.value, true=true))
    return found


def _origin(text: str, truth: Truth) -> list[Claim]:
    words = {
        "c2pa": r"\bc2pa\b",
        "editor": r"\bediting program|\beditor\b",
        "generator": r"\bimage generator\b",
        "camera": r"\bcamera\b",
    }
    found = []
    denied = re.search(r"\bno\b|\bdoes not\b", text.replace("was not checked", "")) is not None
    for kind, pattern in words.items():
        if re.search(pattern, text):
            found.append(Claim(kind="origin", said=kind, true=(kind in truth.origins) != denied))
    if not found and re.search(r"\brecord\b|\bmetadata\b", text):
        found.append(Claim(kind="origin", said="record", true=bool(truth.origins) != denied))
    return found


def _shape(text: str, truth: Truth) -> list[Claim]:
    """Width of the interval, closeness to a threshold, likeness to known faces, what was scored."""
    found = []
    low, high = truth.numbers["interval"]
    width = re.search(
        r"\binterval (?:around the score )?is (wide|narrow)\b|\b(narrow|"
        r"wide) interval\b",
        text,
    )
    if width:
        true = high - low >= 25 if "wide" in (width[1], width[2]) else high - low <= 10 + 1e-6
        found.append(Claim(kind="other", said=width[0], true=true))
    if re.search(r"\bcase is close\b|\bcrosses a threshold\b", text):
        true = any(low < t < high for t in truth.numbers["threshold"])
        found.append(Claim(kind="other", said="close", true=true))
    if "no clear verdict" in text:
        found.append(Claim(kind="other", said="unclear", true=truth.verdict == "uncertain"))
    if "aligned face alone" in text:
        found.append(Claim(kind="other", said="face alone", true=truth.crop_alone))
    if re.search(r"\bcalibrated on\b", text):
        unlike = re.search(r"\bunlike\b|\bnot calibrated\b", text) is not None
        found.append(Claim(kind="other", said="like known", true=truth.like_known is (not unlike)))
    elif re.search(r"\bwhat is unusual\b|\boutside what the detector knows\b", text):
        found.append(Claim(kind="other", said="unlike known", true=truth.like_known is False))
    return found
