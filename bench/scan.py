"""Scan against the detector alone on the same crops, and memory over many files.

Usage: python bench/scan.py rate [--files N] [--side PIXELS]   the shipped models, one run, a ratio
       python bench/scan.py memory [--files N]                 fakes, generated pictures
"""

from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image, ImageEnhance

from assistant.fakes import demo_assistant
from assistant.interfaces import ReadingDetector
from assistant.scan.ledger import Ledger
from assistant.scan.local import Progress, scan
from assistant.scan.stage import build_examiner, examiner_of
from assistant.settings import Settings
from tests.drawn import drawn_faces


def photos(folder: Path, count: int, side: int) -> None:
    """Crops of the face that scikit-image ships, each in another light, quality and frame."""
    from skimage import data

    face = Image.fromarray(data.astronaut())
    chance = random.Random(0)
    for i in range(count):
        x, y, wide = chance.randint(130, 160), chance.randint(5, 25), chance.randint(150, 180)
        one = face.crop((x, y, x + wide, y + wide)).resize((side, side))
        one = ImageEnhance.Brightness(one).enhance(chance.uniform(0.8, 1.2))
        one.save(folder / f"{i:05}.jpg", quality=chance.randint(80, 95))


def rate(files: int, rounds: int, side: int, workers: int) -> dict[str, Any]:
    """The scan's files a second over the detector's crops a second, in turns.

    CPU seconds tell the same on a machine that others use: what one file costs in each.
    """
    examiner = build_examiner(Settings())
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "in").mkdir()
        photos(place / "in", files, side)
        paths = sorted((place / "in").iterdir())
        prepared = [examiner.prepare(path.read_bytes()) for path in paths]
        crops = [f.crop for one in prepared for track in one.tracks for f in track.faces]
        detector = examiner.scorer.detector
        assert isinstance(detector, ReadingDetector)
        detector.read(crops[:8])
        turns = []
        for i in range(rounds):
            alone = _timed(lambda: detector.read(crops))
            ledger = Ledger(place / f"{i}.scan", {})
            ledger.expect(map(str, paths))
            whole = _timed(lambda ledger=ledger: scan(ledger, examiner, workers=workers))
            ledger.close()
            turns.append((alone, whole))
    return {
        "files": files,
        "side": side,
        "workers": workers,
        "crops": len(crops),
        "detector_crops_a_second": [round(len(crops) / a[0], 2) for a, _ in turns],
        "scan_files_a_second": [round(files / w[0], 2) for _, w in turns],
        "ratio": round(statistics.median(a[0] / w[0] for a, w in turns), 3),
        "ratio_of_cpu_seconds": round(statistics.median(a[1] / w[1] for a, w in turns), 3),
        "cpu_ms_a_file": {
            "detector": round(1000 * statistics.median(a[1] for a, _ in turns) / files, 1),
            "scan": round(1000 * statistics.median(w[1] for _, w in turns) / files, 1),
        },
    }


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    wall, own = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - own


def memory(files: int) -> dict[str, Any]:
    """Resident memory while a scan of generated pictures goes on, with its slope."""
    examiner = examiner_of(demo_assistant())
    process = psutil.Process()
    points: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "in"
        _generated(place, files)

        def tell(progress: Progress) -> None:
            points.append((progress.done, process.memory_info().rss / 1e6))

        ledger = Ledger(Path(name) / "s.scan", {})
        ledger.expect(str(p) for p in place.rglob("*.png"))
        began = time.monotonic()
        scan(ledger, examiner, workers=2, tell=tell)
        seconds = time.monotonic() - began
        ledger.close()
        state = (Path(name) / "s.scan").stat().st_size
    later = [p for p in points if p[0] >= files / 4]  # the first quarter warms up
    slope = float(np.polyfit(*zip(*later, strict=True), 1)[0])
    return {
        "files": files,
        "files_a_second": round(files / seconds, 1),
        "first_mb": round(points[0][1], 1),
        "at_a_quarter_mb": round(later[0][1], 1),
        "last_mb": round(points[-1][1], 1),
        "slope_mb_per_1000_files": round(1000 * slope, 4),
        "at_1000000_files_mb": round(later[0][1] + slope * 1_000_000, 0),
        "state_bytes_a_file": round(state / files),
    }


def _generated(place: Path, files: int) -> None:
    """Drawn faces, every one of other bytes, in folders of 1000."""
    base = drawn_faces(size=(240, 200)).copy()
    for i in range(files):
        folder = place / f"{i // 1000:03}"
        folder.mkdir(parents=True, exist_ok=True)
        base[0, :4] = np.frombuffer(i.to_bytes(12, "big"), np.uint8).reshape(4, 3)
        out = io.BytesIO()
        Image.fromarray(base).save(out, "PNG", compress_level=1)
        (folder / f"{i:06}.png").write_bytes(out.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["rate", "memory"])
    parser.add_argument("--files", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", type=int, default=256, help="pixels of the pictures")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    if given.what == "rate":
        found = rate(given.files or 64, given.rounds, given.side, given.workers)
    else:
        found = memory(given.files or 20_000)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
