"""The same clip encoded once more: does it keep its verdict?"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from assistant.errors import MediaError
from assistant.evaluation.judged import JudgedPerson
from assistant.interfaces import Calibrator
from assistant.numbers import wilson
from assistant.timeline import TemporalHead

__all__ = ["reencoded", "reencoding_table"]

_CRF, _SIDE, _RATE, _LOW_RATE = 28, 480, 20, 12


def reencoded(data: bytes) -> bytes:
    """A clip as H.264 at CRF 28, its shorter side 480 pixels, 20 frames a second.

    Smaller clips keep their size; those of 20 frames a second or fewer get 12.

    Raises:
        MediaError: it cannot be read.
    """
    import av

    out = io.BytesIO()
    try:
        with av.open(io.BytesIO(data)) as source, av.open(out, "w", format="mp4") as target:
            film = source.streams.video[0]
            film.thread_type = "AUTO"
            rate = _RATE if float(film.average_rate or 25) > _RATE else _LOW_RATE
            width, height = film.codec_context.width, film.codec_context.height
            shrink = min(1.0, _SIDE / min(width, height))
            stream = target.add_stream("libx264", rate=rate, options={"crf": str(_CRF)})
            stream.width, stream.height = (2 * round(s * shrink / 2) for s in (width, height))
            stream.pix_fmt = "yuv420p"
            for frame in _changed(source, film, rate, (stream.width, stream.height)):
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))
    except (av.FFmpegError, IndexError) as error:
        raise MediaError(
            "The clip cannot be encoded once more.",
            hint="Leave it out.",
            code="broken-video",
        ) from error
    return out.getvalue()


def _changed(source: Any, film: Any, rate: int, size: tuple[int, int]) -> Iterator[Any]:
    """The frames at another rate and size, one after another."""
    import av
    from av.filter import Graph

    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(template=film),
        graph.add("fps", str(rate)),
        graph.add("scale", f"{size[0]}:{size[1]}"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ).configure()

    def ready() -> Iterator[Any]:
        while True:
            try:
                frame = graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            frame.pict_type = 0
            yield frame

    for frame in source.decode(film):
        graph.vpush(frame)
        yield from ready()
    graph.vpush(None)
    yield from ready()


def reencoding_table(
    people: Sequence[JudgedPerson],
    calibrator: Calibrator,
    head: TemporalHead | None = None,
    resamples: int = 400,
) -> dict[str, Any]:
    """How many keep their verdict, and how far the probability moves, with 95 % intervals.

    The verdicts are those of the calibrated score, or *abstained*, which counts as one of its own.
    ``opposite``: *no sign found* became *likely manipulated* or the other way round; ``lost``: the
    person was not found any more, which counts as not kept and has no change.
    """
    first = {(p.name, p.stretch): p for p in people if not p.again and p.moments}
    pairs = [(first[key], p) for p in people if p.again and (key := (p.name, p.stretch)) in first]
    if not pairs:
        return {"people": 0}
    found = [[_told(p, calibrator, head) for p in pair] for pair in pairs if pair[1].moments]
    verdicts = [(a[0], b[0]) for a, b in found]
    moved = np.array([abs(a[1] - b[1]) for a, b in found])
    kept = sum(a == b for a, b in verdicts)
    rng = np.random.default_rng(0)
    drawn = np.median(rng.choice(moved, (resamples, len(moved))), axis=1) if len(moved) else None
    return {
        "people": len(pairs),
        "lost": len(pairs) - len(found),
        "kept": kept,
        "kept_interval": wilson(kept, len(pairs)),
        "opposite": sum({"no_sign", "likely_manipulated"} == {a, b} for a, b in verdicts),
        "change": float(np.median(moved)) if drawn is not None else None,
        "change_interval": None if drawn is None else np.quantile(drawn, [0.025, 0.975]).tolist(),
        "change_most": float(moved.max()) if drawn is not None else None,
    }


def _told(
    person: JudgedPerson, calibrator: Calibrator, head: TemporalHead | None
) -> tuple[str, float]:
    made = calibrator.calibrate(person.logit(head))
    return "abstained" if person.abstained else made.verdict.value, made.probability
