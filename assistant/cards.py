"""The picture card: one face's result as a PNG to pass on, with its own text description."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from assistant.first_answer import first_answer, named_regions
from assistant.numbers import percent, reach, written
from assistant.overlay import VERDICT_COLOURS, blend
from assistant.pairs import Pair, pairs_of
from assistant.types import (
    Analysis,
    FaceAnalysis,
    Image,
    RegionFinding,
    Score,
    Verdict,
)

__all__ = ["card_text", "render_card"]

_WIDTH, _HEIGHT, _EDGE = 1200, 760, 48
_PICTURE = 300
#: The two strongest pairs, side of a picture and height of their row; only where there are any.
_PAIRS, _PAIR_PICTURE, _PAIR_ROW = 2, 150, 252
_INK, _SOFT, _LINE, _PAPER = (28, 27, 25), (104, 100, 94), (222, 219, 213), (250, 249, 247)
_TINTS = {
    Verdict.NO_SIGN: (207, 223, 242),
    Verdict.UNCERTAIN: (243, 227, 190),
    Verdict.LIKELY_MANIPULATED: (247, 212, 196),
}
_LIMIT = (
    "An estimate, not proof. The detector can be wrong; "
    "the map shows where part of its score comes from."
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def render_card(analysis: Analysis, face: int = 0, *, demo: bool = False) -> bytes:
    """The card of one face as PNG bytes, with :func:`card_text` as its ``Description``.

    It is 1200 x 760, and higher by a row where there are pairs of pictures to look at.

    Args:
        analysis: a finished analysis.
        face: index of the face.
        demo: say on the card that a fake took part.

    Raises:
        IndexError: there is no such face.
    """
    result = analysis.faces[face]
    pairs = pairs_of(result, _PAIRS)
    row = _PAIR_ROW if pairs else 0
    card = PilImage.new("RGB", (_WIDTH, _HEIGHT + row), _PAPER)
    draw = ImageDraw.Draw(card)
    title = "Whyfake: demo, not an analysis" if demo else "Whyfake"
    draw.text((_EDGE, 34), title, fill=_INK, font=_font(22, bold=True))
    draw.text(
        (_WIDTH - _EDGE, 38),
        f"media {analysis.media.id[:12]}",
        fill=_SOFT,
        font=_font(15),
        anchor="ra",
    )
    top = 84
    for i, (picture, label) in enumerate(
        (
            (result.face.crop, "As the detector saw it"),
            (
                blend(result.face.crop, result.attribution.map, 0.7),
                f"Map: {result.attribution.method}",
            ),
        )
    ):
        left = _EDGE + i * (_PICTURE + 20)
        card.paste(_square(picture), (left, top))
        draw.text((left, top + _PICTURE + 8), label, fill=_SOFT, font=_font(15))
    column = _EDGE + 2 * (_PICTURE + 20) + 16
    _verdict(draw, result.score, column, top)
    _regions(draw, _top(result), column, top + 182)
    if pairs:
        _look_here(card, draw, pairs, 444)
    _words(draw, result, 444 + row)
    _foot(draw, result, card.height)
    meta = PngInfo()
    meta.add_itxt("Description", card_text(analysis, face))
    meta.add_itxt("Software", "Whyfake")
    buffer = io.BytesIO()
    card.save(buffer, "PNG", pnginfo=meta)
    return buffer.getvalue()


def card_text(analysis: Analysis, face: int = 0) -> str:
    """What the card says, for those who cannot see it."""
    result = analysis.faces[face]
    score = result.score
    span = reach(*score.interval) if score.calibrated else ""
    number = written(score.probability, score.calibrated)
    parts = [
        f"{score.verdict.words.capitalize()}: {score.number} {number}"
        + (f", interval {span}." if span else "."),
        *_said(result),
    ]
    named = ", ".join(f"{r.region} {percent(r.share)}" for r in _top(result))
    if named:
        parts.append(f"Shares of the map: {named}.")
    parts += [f"Look here: {pair.fact.text}" for pair in pairs_of(result, _PAIRS)]
    return " ".join([*parts, _LIMIT])


def _said(result: FaceAnalysis) -> list[str]:
    return [line.text for line in first_answer(result.evidence)]


def _top(result: FaceAnalysis) -> list[RegionFinding]:
    """The regions that the words name."""
    return named_regions(result.evidence, result.regions)


def _verdict(draw: ImageDraw.ImageDraw, score: Score, left: int, top: int) -> None:
    colour = VERDICT_COLOURS[score.verdict]
    right = _WIDTH - _EDGE
    draw.text(
        (left, top - 6), score.verdict.words.capitalize(), fill=colour, font=_font(34, bold=True)
    )
    draw.text(
        (left, top + 44),
        f"{written(score.probability, score.calibrated)} {score.number}",
        fill=_INK,
        font=_font(20, bold=True),
    )
    low, high = score.interval
    span = reach(low, high) if score.calibrated else ""
    draw.text((left, top + 72), f"interval {span}" if span else "", fill=_SOFT, font=_font(17))

    def at(share: float) -> float:
        return left + share * (right - left)

    bar = top + 112
    lower, upper = score.thresholds
    for start, end, verdict in (
        (0.0, lower, Verdict.NO_SIGN),
        (lower, upper, Verdict.UNCERTAIN),
        (upper, 1.0, Verdict.LIKELY_MANIPULATED),
    ):
        draw.rectangle((at(start), bar, at(end) - 2, bar + 20), fill=_TINTS[verdict])
    # The interval as a box, the probability as a line that stands out of the bar.
    edge = (at(low), bar, max(at(high), at(low) + 4), bar + 20)
    middle = tuple((c + t) // 2 for c, t in zip(colour, _TINTS[score.verdict], strict=True))
    draw.rectangle(edge, fill=middle, outline=colour, width=2)
    x = at(score.probability)
    draw.rounded_rectangle((x - 5, bar - 6, x + 5, bar + 26), 5, fill=_PAPER)
    draw.rounded_rectangle((x - 3, bar - 5, x + 3, bar + 25), 3, fill=colour)
    font = _font(14)
    draw.text((left, bar + 30), Verdict.NO_SIGN.words, fill=_SOFT, font=font)
    draw.text((right, bar + 30), "manipulated", fill=_SOFT, font=font, anchor="ra")
    draw.text((at((lower + upper) / 2), bar + 30), "uncertain", fill=_SOFT, font=font, anchor="ma")


def _regions(
    draw: ImageDraw.ImageDraw, regions: Sequence[RegionFinding], left: int, top: int
) -> None:
    right = _WIDTH - _EDGE
    if not regions:
        return
    draw.text(
        (left, top), "Places that the words name, in the map", fill=_INK, font=_font(17, bold=True)
    )
    for i, finding in enumerate(regions):
        y = top + 32 + i * 29
        draw.text((left, y), finding.region, fill=_INK, font=_font(16))
        start = left + 108
        end = start + (right - start - 245) * min(1.0, finding.share)
        draw.rectangle((start, y + 5, right - 245, y + 15), fill=_LINE)
        draw.rectangle((start, y + 5, max(end, start + 2), y + 15), fill=(15, 118, 110))
        draw.text(
            (right, y),
            f"{percent(finding.share)}, {finding.lift:.1f} x its size"
            + (", stands out" if finding.stands_out else ""),
            fill=_SOFT,
            font=_font(15),
            anchor="ra",
        )


def _look_here(
    card: PilImage.Image, draw: ImageDraw.ImageDraw, pairs: Sequence[Pair], top: int
) -> None:
    """Pairs of enlarged pictures beside each other, with the number under them."""
    draw.line((_EDGE, top, _WIDTH - _EDGE, top), fill=_LINE, width=1)
    draw.text((_EDGE, top + 12), "Look here", fill=_INK, font=_font(17, bold=True))
    width = (_WIDTH - 2 * _EDGE) // _PAIRS
    font = _font(14)
    for i, pair in enumerate(pairs):
        left, right = _EDGE + i * width, _EDGE + (i + 1) * width - 24
        for j, (picture, name) in enumerate(zip(pair.pictures, pair.names, strict=True)):
            x = left + j * (_PAIR_PICTURE + 12)
            card.paste(_square(picture, _PAIR_PICTURE), (x, top + 44))
            for k, line in enumerate(_wrapped(draw, name, font, most=2, width=_PAIR_PICTURE + 4)):
                draw.text((x, top + 50 + _PAIR_PICTURE + k * 18), line, fill=_SOFT, font=font)
        x = left + 2 * (_PAIR_PICTURE + 12) + 4
        for k, line in enumerate(_wrapped(draw, pair.fact.text, font, most=10, width=right - x)):
            draw.text((x, top + 44 + k * 19), line, fill=_INK, font=font)


def _words(draw: ImageDraw.ImageDraw, result: FaceAnalysis, top: int) -> None:
    draw.line((_EDGE, top, _WIDTH - _EDGE, top), fill=_LINE, width=1)
    font = _font(19)
    for i, line in enumerate(_wrapped(draw, " ".join(_said(result)), font, most=8)):
        draw.text((_EDGE, top + 22 + i * 28), line, fill=_INK, font=font)


def _foot(draw: ImageDraw.ImageDraw, result: FaceAnalysis, bottom: int) -> None:
    top = bottom - 78
    draw.line((_EDGE, top, _WIDTH - _EDGE, top), fill=_LINE, width=1)
    draw.text((_EDGE, top + 12), _LIMIT, fill=_INK, font=_font(16))
    score = result.score
    state = score.calibrator if score.calibrated else "not calibrated"
    source = f"Detector {score.detector} {score.weights_sha256[:12]}, {state}"
    draw.text((_EDGE, top + 38), source, fill=_SOFT, font=_font(14))


def _square(picture: Image, side: int = _PICTURE) -> PilImage.Image:
    return PilImage.fromarray(picture).resize((side, side), PilImage.Resampling.BICUBIC)


def _wrapped(
    draw: ImageDraw.ImageDraw, text: str, font: Font, *, most: int, width: int = _WIDTH - 2 * _EDGE
) -> list[str]:
    """Lines that fit the width, in pixels; the last one tells where text was left out."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font=font) <= width:
            lines[-1] = longer
        else:
            lines.append(_clipped(draw, word, font, width))
    if len(lines) > most:
        lines = lines[:most]
        while draw.textlength(f"{lines[-1]} ...", font=font) > width:
            lines[-1] = lines[-1].rpartition(" ")[0]
        lines[-1] += " ..."
    return lines


def _clipped(draw: ImageDraw.ImageDraw, word: str, font: Font, width: int) -> str:
    while word and draw.textlength(word, font=font) > width:
        word = word[: len(word) * 3 // 4]
    return word


@cache
def _font(size: int, *, bold: bool = False) -> Font:
    """DejaVu where it is installed, else the font that Pillow carries."""
    try:
        return ImageFont.truetype("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)
