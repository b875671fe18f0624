"""A case as a file: HTML, PDF, JSON, or the draft of a statement of reasons."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from assistant.cases.dsa import draft
from assistant.cases.extras import need
from assistant.cases.log import Anchor
from assistant.cases.reader import Case
from assistant.cases.sections import Section, sections, title
from assistant.cases.store import CaseStore
from assistant.errors import CaseError

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

__all__ = ["case_json", "exported", "html_report", "pdf_report"]

_LISTS = ("decision_visibility", "category_specification", "territorial_scope", "content_type")


def exported(
    store: CaseStore, case_id: str, kind: str, fields: Mapping[str, Any] | None = None
) -> bytes:
    """The bytes of the file; ``kind`` is ``html``, ``pdf``, ``json`` or ``dsa``, which has fields.

    Raises:
        CaseError: there is no such case, or the statement is not valid.
    """
    case, anchor = store.get(case_id), store.anchor()
    if kind == "json":
        return _as_bytes(case_json(case, anchor))
    if kind == "dsa":
        given = {
            name: [value] if name in _LISTS and isinstance(value, str) else value
            for name, value in (fields or {}).items()
        }
        return _as_bytes(draft(case, **given))
    card = _card(store, case_id)
    if kind == "pdf":
        return pdf_report(case, anchor, card)
    return html_report(case, anchor, card).encode()


def _card(store: CaseStore, case_id: str) -> bytes | None:
    try:
        return store.picture(case_id, "card")
    except CaseError as error:
        if error.code in ("no-picture", "case-key"):
            return None
        raise


def _as_bytes(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def case_json(case: Case, anchor: Anchor | None = None) -> dict[str, Any]:
    """The whole case as an object, after ``assistant/schema/case-1.json``."""
    row = case.row
    return {
        **case.record,
        "id": row.id,
        "created_at": row.created_at,
        "source": row.source,
        "subject": row.subject,
        "state": row.state,
        "step": row.step,
        "picture_until": row.picture_until,
        "record_sha256": case.record_sha256,
        "decisions": [_without(d, "id", "case_id") for d in case.decisions],
        "notes": [_without(n, "id", "case_id") for n in case.notes],
        "log": [_without(e, "case_id") for e in case.log],
        "anchor": None
        if anchor is None
        else {"seq": anchor.seq, "hash": anchor.hash, "at": anchor.at},
    }


def html_report(case: Case, anchor: Anchor | None = None, card: bytes | None = None) -> str:
    """One page without scripts or outside files; ``card`` (PNG) is folded away until asked for."""
    need("cases", "jinja2")
    import jinja2

    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        Path(__file__).with_name("report.html.j2").read_text("utf-8")
    )
    return template.render(
        title=title(case),
        sections=sections(case, anchor),
        card=base64.b64encode(card).decode() if card else "",
    )


def pdf_report(case: Case, anchor: Anchor | None = None, card: bytes | None = None) -> bytes:
    """The same sections as PDF, A4, made anew byte for byte from the same case."""
    need("cases", "reportlab")
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import Image, SimpleDocTemplate

    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=title(case),
        author="whyfake",
        invariant=1,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
    )
    styles = _styles()
    story: list[Flowable] = _paragraphs([title(case)], styles["head"])
    if card:
        picture = Image(io.BytesIO(card))
        share = document.width / picture.imageWidth
        picture.drawWidth, picture.drawHeight = document.width, picture.imageHeight * share
        story.append(picture)
    for section in sections(case, anchor):
        story += _section(section, styles, document.width)
    document.build(story, onFirstPage=_number, onLaterPages=_number)
    return out.getvalue()


def _section(section: Section, styles: Mapping[str, Any], width: float) -> list[Flowable]:
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import Table, TableStyle

    made = _paragraphs([section.heading], styles["part"])
    made += _paragraphs(section.paragraphs, styles["text"])
    if section.table:
        cells = [[_paragraphs([cell], styles["cell"])[0] for cell in row] for row in section.table]
        table = Table(cells, colWidths=_widths(section.table, width), repeatRows=1)
        line = ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#dedbd5"))
        table.setStyle(TableStyle([line, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
        made.append(table)
    return made


def _paragraphs(lines: Sequence[str], style: Any) -> list[Flowable]:
    from reportlab.platypus import Paragraph

    return [Paragraph(escape(line), style) for line in lines]


def _widths(table: Sequence[Sequence[str]], width: float) -> list[float]:
    """Column widths after the longest word and the mean length of each column."""
    weights = []
    for column in zip(*table, strict=True):
        word = max(len(w) for cell in column for w in (cell.split() or [""]))
        mean = sum(len(cell) for cell in column) / len(column)
        weights.append(max(6.0, min(60.0, max(mean, min(word, 14)))))
    return [width * w / sum(weights) for w in weights]


def _styles() -> dict[str, Any]:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name, file in (("Vera", "Vera.ttf"), ("VeraBd", "VeraBd.ttf")):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, file))
    text = ParagraphStyle("text", fontName="Vera", fontSize=9, leading=13, spaceAfter=4)
    return {
        "text": text,
        "cell": ParagraphStyle("cell", parent=text, fontSize=7.5, leading=10, splitLongWords=1),
        "head": ParagraphStyle("head", parent=text, fontName="VeraBd", fontSize=13, leading=18),
        "part": ParagraphStyle(
            "part", parent=text, fontName="VeraBd", fontSize=10.5, leading=15, spaceBefore=8
        ),
    }


def _number(canvas: Any, document: Any) -> None:
    canvas.setFont("Vera", 7)
    canvas.drawRightString(document.pagesize[0] - 50, 28, f"{document.page}")


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
