"""The results of a scan as Parquet, written whole or not at all, and a page that sums them up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.cases.extras import need
from assistant.scan.ledger import Ledger

__all__ = ["write_page", "write_tables"]

_MOST = 20


def write_tables(ledger: Ledger, out: Path) -> tuple[Path, Path]:
    """Write the results and, beside them, ``NAME.errors.parquet``; returns both paths.

    A row is a file. ``first`` is the first path of the same content; ``probability``, ``low`` and
    ``high`` are in [0, 1] and null where there is no score; ``detail`` is JSON, one entry a face.
    """
    need("cases", "pyarrow")
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    results = pa.schema(
        [
            ("path", text),
            ("sha256", text),
            ("bytes", pa.int64()),
            ("status", text),
            ("kind", text),
            ("faces", pa.int32()),
            ("probability", number),
            ("low", number),
            ("high", number),
            ("verdict", text),
            ("detail", text),
            ("first", text),
        ]
    )
    refused = pa.schema([(name, text) for name in ("path", "code", "message", "hint")])
    errors = out.with_name(f"{out.stem}.errors{out.suffix}")
    _parquet(ledger.rows(), results, out)
    _parquet(ledger.errors(), refused, errors)
    return out, errors


def _parquet(pages: Iterable[Sequence[Mapping[str, Any]]], schema: Any, out: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = out.with_name(f".{out.name}.part")
    with pq.ParquetWriter(part, schema) as writer:
        for page in pages:
            writer.write_table(pa.Table.from_pylist(list(page), schema=schema))
    part.replace(out)


def write_page(ledger: Ledger, out: Path) -> Path:
    """Write the summary as HTML: the distribution, the worst, the undecided, the refused."""
    need("cases", "jinja2")
    import jinja2

    scored = "items i JOIN outcomes o USING (sha256) WHERE o.probability IS NOT NULL"
    columns = "SELECT i.path, o.probability, o.low, o.high, o.verdict, o.faces FROM"
    bins = {
        int(row["bin"]): row["n"]
        for row in ledger.ask(
            "SELECT min(9, CAST(o.probability * 10 AS INTEGER)) AS bin, count(*) AS n "  # noqa: S608
            f"FROM {scored} GROUP BY bin"
        )
    }
    most = max(bins.values(), default=1)
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        Path(__file__).with_name("summary.html.j2").read_text("utf-8")
    )
    page = template.render(
        counts=ledger.ask(
            "SELECT o.status, count(*) AS files, count(DISTINCT sha256) AS contents "
            "FROM items i JOIN outcomes o USING (sha256) GROUP BY o.status ORDER BY o.status"
        ),
        verdicts=ledger.ask(
            f"SELECT o.verdict, count(*) AS files FROM {scored} "  # noqa: S608
            "GROUP BY o.verdict ORDER BY files DESC"
        ),
        bins=[(i / 10, bins.get(i, 0), round(100 * bins.get(i, 0) / most)) for i in range(10)],
        worst=ledger.ask(f"{columns} {scored} ORDER BY o.probability DESC, i.path LIMIT {_MOST}"),
        undecided=ledger.ask(
            f"{columns} {scored} AND o.verdict = 'uncertain' "
            f"ORDER BY abs(o.probability - 0.5), i.path LIMIT {_MOST}"
        ),
        refused=ledger.ask(
            "SELECT code, count(*) AS files, min(path) AS example FROM errors "
            "GROUP BY code ORDER BY files DESC"
        ),
        about=ledger.ask("SELECT name, value FROM about ORDER BY name"),
    )
    part = out.with_name(f".{out.name}.part")
    part.write_text(page, encoding="utf-8")
    part.replace(out)
    return out
