"""Small videos, encoded in code."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np


def encoded_video(
    levels: Sequence[int],
    *,
    form: str = "mp4",
    codec: str = "mpeg4",
    size: tuple[int, int] = (64, 48),
    rate: int = 10,
    keys_every: int = 12,
    metadata: dict[str, str] | None = None,
    faststart: bool = False,
) -> bytes:
    """A video whose frames are flat greys of the given levels, with a white left upper corner."""
    if faststart:  # moving the index to the front needs a file that can be read again
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "video.mp4"
            with av.open(
                str(path), "w", format=form, container_options={"movflags": "+faststart"}
            ) as container:
                _fill(container, levels, codec, size, rate, keys_every, metadata)
            return path.read_bytes()
    stream_bytes = io.BytesIO()
    with av.open(stream_bytes, "w", format=form) as container:
        _fill(container, levels, codec, size, rate, keys_every, metadata)
    return stream_bytes.getvalue()


def _fill(container, levels, codec, size, rate, keys_every, metadata) -> None:
    container.metadata.update(metadata or {})
    stream = container.add_stream(codec, rate=rate)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.gop_size = keys_every
    stream.codec_context.bit_rate = 2_000_000
    for level in levels:
        pixels = np.full((size[1], size[0], 3), level, np.uint8)
        pixels[: size[1] // 4, : size[0] // 4] = 255
        for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")):
            container.mux(packet)
    for packet in stream.encode():
        container.mux(packet)


def encoded_sound() -> bytes:
    """An MP4 file with a sound track alone."""
    stream_bytes = io.BytesIO()
    with av.open(stream_bytes, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)
    return stream_bytes.getvalue()
