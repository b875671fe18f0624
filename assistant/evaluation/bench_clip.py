"""A clip's seconds and memory: beside every frame scored, beside a photo, and ten minutes long."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.evaluation.made_clips import MadePerson, make_clip, portraits
from assistant.evaluation.video import judge_clip
from assistant.examples import example_bytes
from assistant.faces import make_face
from assistant.media import load_media
from assistant.tracks import judgeable

if TYPE_CHECKING:
    from assistant.interfaces import FaceFinder
    from assistant.scoring import Scorer
    from assistant.types import Image

__all__ = ["bench_clip"]

_SECONDS, _LONG_SECONDS, _RATE = 10, 600, 25
_BATCH = 4
_MB = 1024


def bench_clip(finder: FaceFinder, scorer: Scorer) -> dict[str, Any]:
    """A clip of 10 s and one of 10 min, 720p at 25 frames a second, of one person who moves.

    Returns:
        ``seconds.clip_judged`` and ``seconds.clip_every_frame`` (the faces of all frames found and
        scored) with ``ratios.every_frame_over_clip`` (the wish is 3 or more), models loaded, one
        after the other; ``seconds.clip_cold`` (a fresh ``whyfake analyze --no-explain``; the wish
        is 20) with its ``cpu_seconds``, which a busy machine does not raise, and ``peak_mb`` of a
        photo, the clip and the long clip, each in a fresh process (the wish is 200 over the
        photo's).
    """
    portrait = portraits(finder, 1)[0]
    person = MadePerson(portrait=portrait, path=((0.45, 0.5), (0.55, 0.5)))
    data = make_clip([person], _SECONDS, 23).data
    with tempfile.TemporaryDirectory() as folder:
        files = {"photo": Path(folder, "photo.png"), "clip": Path(folder, "clip.mp4")}
        files["photo"].write_bytes(example_bytes("astronaut"))
        files["clip"].write_bytes(data)
        long = Path(folder, "long.mp4")
        long.write_bytes(_repeated(data))
        cold = {name: _fresh(path) for name, path in {**files, "long_clip": long}.items()}
    began = time.perf_counter()
    judge_clip(load_media(data), finder, scorer)
    judged = time.perf_counter() - began
    began = time.perf_counter()
    frames = _every_frame(data, finder, scorer)
    every = time.perf_counter() - began
    return {
        "seconds": {
            "clip_judged": round(judged, 2),
            "clip_every_frame": round(every, 2),
            **{f"{name}_cold": round(seconds, 1) for name, (seconds, _, _) in cold.items()},
        },
        "cpu_seconds": {name: round(cpu, 1) for name, (_, cpu, _) in cold.items()},
        "ratios": {"every_frame_over_clip": round(every / judged, 2)},
        "peak_mb": {name: peak for name, (_, _, peak) in cold.items()},
        "frames": frames,
    }


def _every_frame(data: bytes, finder: FaceFinder, scorer: Scorer) -> int:
    """Find and score the faces of all frames, in the detector's batches."""
    media = load_media(data)
    times = np.arange(0, media.span[1] + 1e-6, 1 / _RATE)
    crops: list[Image] = []
    count = 0
    assert media.further is not None  # noqa: S101 - a clip that was made here
    for _, frame in media.further(times.tolist()):
        count += 1
        for detection in judgeable(finder.find, frame)[0]:
            face = make_face(
                frame, detection, scorer.detector.crop_spec, media_id="", index=0, frame_index=0
            )
            crops.append(face.crop)
        if len(crops) >= _BATCH:
            scorer.read(crops)
            crops = []
    scorer.read(crops)
    return count


def _repeated(data: bytes) -> bytes:
    """The clip played forth until ten minutes are full: its packets, not encoded again."""
    import io

    import av

    out = io.BytesIO()
    source: Any
    with av.open(io.BytesIO(data)) as source, av.open(out, "w", format="mp4") as target:
        film: Any = source.streams.video[0]
        copied = target.add_stream_from_template(film)
        packets = [p for p in source.demux(film) if p.pts is not None]
        length = round(_SECONDS / film.time_base)
        whole = [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in packets]
        for turn in range(_LONG_SECONDS // _SECONDS):
            for body, pts, dts, key in whole:
                packet: Any = av.Packet(body)
                packet.stream, packet.time_base = copied, film.time_base
                packet.pts, packet.dts = pts + turn * length, dts + turn * length
                packet.is_keyframe = key
                target.mux(packet)
    return out.getvalue()


#: Runs the command line and tells, last, the process's peak in kB and its seconds of all cores. The
#: resource usage that a parent reads holds the parent's own peak too.
_MEASURED = """
import re, sys, time
from pathlib import Path
from assistant.cli.main import main
try:
    main(sys.argv[1:], standalone_mode=False)
finally:
    peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
    print(peak[1], time.process_time())
"""


def _fresh(path: Path) -> tuple[float, float, int]:
    """Seconds, seconds of all cores, and peak megabytes of an analysis alone (Linux)."""
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
        [sys.executable, "-c", _MEASURED, "analyze", str(path), "--no-explain"],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"the analysis of {path.name} failed: {done.stderr[-500:]}")
    peak, cpu = done.stdout.split()[-2:]
    return seconds, float(cpu), int(peak) // _MB
