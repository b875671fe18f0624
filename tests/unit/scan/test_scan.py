"""Scans over working fakes: dedup, errors, resuming, the kill of a process, the tables."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from assistant.cli.main import main
from assistant.errors import ConfigError, MediaError
from assistant.fakes import demo_assistant
from assistant.scan.items import list_items
from assistant.scan.ledger import Ledger
from assistant.scan.local import Progress, scan
from tests.drawn import drawn_faces, png

ROOT = Path(__file__).parents[3]


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
    monkeypatch.setattr("assistant.compose.build", lambda _settings: demo_assistant())

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
    assert list(list_items(table)) == list(list_items(lines)) == expected


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
        list(list_items(tmp_path / name))
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
    scan(list_items(folder), ledger, demo_assistant(), tell=told.append)
    ledger.close()
    assert [p.done for p in told] == list(range(1, 8))
    assert told[-1].seconds_left == 0
    assert all(p.seconds_left is not None and p.seconds_left >= 0 for p in told)


PROGRAM = """
import sys
from assistant.fakes import demo_assistant
from assistant.scan.items import list_items
from assistant.scan.ledger import Ledger
from assistant.scan.local import scan
from pathlib import Path
ledger = Ledger(Path(sys.argv[2]), {})
print("begun", flush=True)
scan(list_items(Path(sys.argv[1])), ledger, demo_assistant())
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_at_random_moments_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    place, state = tmp_path / "pictures", tmp_path / "s"
    place.mkdir()
    for i in range(60):
        (place / f"{i:03}.png").write_bytes(png(drawn_faces(size=(240 + 4 * (i // 2), 200))))
    chance = random.Random(7)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    kills = 0
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(place), str(state)],
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.05, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        kills += process.returncode == -signal.SIGKILL
    ledger = Ledger(state, {})
    before = len([r for page in ledger.rows() for r in page])
    last = scan(list_items(place), ledger, demo_assistant())
    found = [r for page in ledger.rows() for r in page]
    ledger.close()
    assert kills > 0
    assert before < 60
    assert last.analysed + last.same == 60 - before
    assert len({r["path"] for r in found}) == len(found) == 60
    assert len({r["sha256"] for r in found}) == 30
