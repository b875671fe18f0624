"""Scans over working fakes: dedup, errors, resuming, the kill of a process, the tables."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from assistant.cli.main import main
from assistant.errors import ConfigError, InferenceError, MediaError
from assistant.fakes import BrightnessDetector, demo_assistant
from assistant.scan.items import list_items
from assistant.scan.ledger import Ledger
from assistant.scan.local import Progress, scan
from assistant.scan.stage import Examiner, examiner_of
from tests import killing
from tests.drawn import drawn_faces, png

EXAMINER = examiner_of(demo_assistant())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three different faces, one of them twice, one picture without a face, two broken files."""
    place = tmp_path / "pictures"
    (place / "deep").mkdir(parents=True)
    for i in range(3):
        (place / f"face{i}.png").write_bytes(png(drawn_faces(size=(320 + i * 8, 240))))
    (place / "deep" / "again.png").write_bytes((place / "face1.png").read_bytes())
    (place / "grey.png").write_bytes(png(np.full((90, 90, 3), 60, np.uint8)))
    (place / "broken.png").write_bytes(png(drawn_faces())[:400])
    (place / "text.txt").write_text("no picture")
    (place / ".hidden").write_text("left out")
    return place


def rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("assistant.scan.stage.build_examiner", lambda _: EXAMINER)
    monkeypatch.setattr("assistant.compose.build_finder", lambda _: EXAMINER.finder)

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(main, ["scan", *[str(w) for w in words]])

    return invoke


def test_a_folder_becomes_tables_and_a_page(run: Any, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.parquet"
    done = run(folder, "--out", out)
    assert done.exit_code == 0, done.output
    found = {Path(r["path"]).name: r for r in rows(out)}
    assert set(found) == {"face0.png", "face1.png", "face2.png", "again.png", "grey.png"}
    assert found["again.png"]["probability"] == found["face1.png"]["probability"]
    assert found["face1.png"]["first"] == found["again.png"]["path"]
    grey = found["grey.png"]
    assert (grey["status"], grey["probability"], grey["verdict"]) == ("no_face", None, None)
    errors = {Path(r["path"]).name: r["code"] for r in rows(tmp_path / "r.errors.parquet")}
    assert set(errors) == {"broken.png", "text.txt"}
    page = (tmp_path / "r.html").read_text()
    assert "face0.png" in page
    assert errors["text.txt"] in page
    assert "1 the same as others, 2 refused" in done.stderr


def test_the_score_is_that_of_a_single_analysis(run: Any, folder: Path, tmp_path: Path) -> None:
    from assistant.events import Done

    out = tmp_path / "r.parquet"
    assert run(folder, "--out", out).exit_code == 0
    for row in rows(out):
        if row["status"] == "analysed":
            (done,) = (
                e
                for e in demo_assistant().analyze(Path(row["path"]).read_bytes(), explain=False)
                if isinstance(e, Done)
            )
            assert row["probability"] == max(f.score.probability for f in done.analysis.faces)


def test_a_second_run_does_nothing_twice(run: Any, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.parquet"
    assert run(folder, "--out", out).exit_code == 0
    before = out.read_bytes()
    (folder / "new.png").write_bytes(png(drawn_faces(2)))
    again = run(folder, "--out", out)
    assert "in this run 1 analysed, 0 the same as others, 0 refused" in again.stderr
    assert out.read_bytes() != before
    assert len(rows(out)) == 6


def test_a_list_names_files_beside_it(folder: Path, tmp_path: Path) -> None:
    table = folder / "list.csv"
    table.write_text("path,label\nface0.png,0\nface1.png,1\nface0.png,0\n")
    lines = folder / "list.txt"
    lines.write_text("face0.png\n\nface1.png\n")
    expected = [str(folder / "face0.png"), str(folder / "face1.png")]
    ledger = Ledger(tmp_path / "s", {})
    for source in (table, lines):
        ledger.expect(list_items(str(source)))
        assert list(ledger.left()) == expected
    ledger.close()


def test_an_address_is_read_through_fsspec(run: Any, folder: Path, tmp_path: Path) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe("/bucket/deep/face.png", (folder / "face0.png").read_bytes())
    store.pipe("/bucket/text.txt", b"no picture")
    out = tmp_path / "r.parquet"
    done = run("memory://bucket", "--out", out)
    assert done.exit_code == 0, done.output
    assert [r["path"] for r in rows(out)] == ["memory:///bucket/deep/face.png"]
    assert [r["path"] for r in rows(tmp_path / "r.errors.parquet")] == ["memory:///bucket/text.txt"]
    assert run("nonsense://x", "--out", tmp_path / "n.parquet").exit_code == 1


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("absent", None, "missing-path"),
        ("wrong.csv", b"file\nx.png\n", "bad-manifest"),
        ("binary.txt", b"\xff\xfe\x00", "bad-manifest"),
        ("empty.txt", b"\n", "empty-scan"),
    ],
)
def test_wrong_lists_are_refused(
    tmp_path: Path, name: str, content: bytes | None, code: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError) as caught:
        list(list_items(str(tmp_path / name)))
    assert caught.value.code == code


def test_other_weights_do_not_continue_a_scan(tmp_path: Path) -> None:
    Ledger(tmp_path / "s", {"weights_sha256": "a"}).close()
    with pytest.raises(ConfigError, match="another weights_sha256"):
        Ledger(tmp_path / "s", {"weights_sha256": "b"})
    (tmp_path / "t").write_bytes(b"no database at all, but text of some length" * 50)
    with pytest.raises(ConfigError, match="no state of a scan"):
        Ledger(tmp_path / "t", {})


def test_progress_tells_the_time_left(folder: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    ledger = Ledger(tmp_path / "s", {})
    ledger.expect(list_items(str(folder)))
    scan(ledger, EXAMINER, tell=told.append)
    ledger.close()
    assert told[-1].done == told[-1].total == 7
    assert told[-1].seconds_left == 0
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert all(p.seconds_left is not None and p.seconds_left >= 0 for p in told)


def test_many_threads_analyse_every_content_once(tmp_path: Path) -> None:
    """Contents come many times, good and broken, while the first of them is still worked on."""
    place = tmp_path / "pictures"
    place.mkdir()
    kinds = [png(drawn_faces(size=(240 + 8 * i, 200))) for i in range(5)] + [b"no picture"] * 2
    for i in range(140):
        (place / f"{i:03}.png").write_bytes(kinds[i % 7])
    ledger = Ledger(tmp_path / "s", {})
    ledger.expect(list_items(str(place)))
    last = scan(ledger, EXAMINER, workers=4)
    found = [r for page in ledger.rows() for r in page]
    ledger.close()
    assert (last.analysed, last.same, last.refused) == (5, 95, 40)
    assert len({r["path"] for r in found}) == len(found) == 100


def test_a_face_that_cannot_be_scored_refuses_its_own_file_alone(tmp_path: Path) -> None:
    class Bad(BrightnessDetector):
        def logits(self, crops: Any) -> Any:
            if any(crop.mean() > 155 for crop in crops):
                raise InferenceError("not finite")
            return super().logits(crops)

    scorer = replace(EXAMINER.scorer, detector=Bad())
    place = tmp_path / "pictures"
    place.mkdir()
    (place / "good.png").write_bytes(png(drawn_faces()))
    (place / "bad.png").write_bytes(png(drawn_faces(skin=(255, 190, 150))))
    ledger = Ledger(tmp_path / "s", {})
    ledger.expect(list_items(str(place)))
    last = scan(ledger, replace(EXAMINER, scorer=scorer))
    (page,) = ledger.errors()
    ledger.close()
    assert (last.analysed, last.refused) == (1, 1)
    assert [Path(row["path"]).name for row in page] == ["bad.png"]


def test_kills_at_random_moments_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    assert killing.scan(tmp_path, kills=4, seed=7) == []


def _demo_examiner() -> Examiner:
    return examiner_of(demo_assistant())


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray's own
def test_ray_gives_the_same_rows_as_this_machine(folder: Path, tmp_path: Path) -> None:
    """A Ray is started for it; each actor builds its examiner."""
    from assistant.scan.distributed import scan_with_ray

    found = []
    for name in ("local", "ray"):
        with contextlib.closing(Ledger(tmp_path / name, {})) as ledger:
            ledger.expect(list_items(str(folder)))
            if name == "ray":
                last = scan_with_ray(ledger, _demo_examiner, media=EXAMINER.media, actors=1)
            else:
                last = scan(ledger, EXAMINER)
            pages = [*ledger.rows(), *ledger.errors()]
            found.append(([row for page in pages for row in page], last.analysed, last.refused))
    assert found[0] == found[1]
    assert len(found[0][0]) == 7
