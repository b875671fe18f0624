"""Public sets of clips judged by video: files, or DeepfakeBench's folders of frames."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from assistant.errors import MediaError
from assistant.evaluation.judged import JudgedFile, JudgedPerson
from assistant.evaluation.reencoding import reencoded
from assistant.evaluation.video import judge_clip, judged_lane, rule_table
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits, load_media, read_path
from assistant.media.clip import spread
from assistant.scoring import Scorer
from assistant.timeline import TemporalHead
from assistant.training.layouts import Sample
from assistant.types import Image, Media

__all__ = ["clip_of", "judge_samples", "set_tables"]

_LOG = logging.getLogger(__name__)
#: Frames of a folder are taken to be shown one after another at this rate: the sets keep no times.
_RATE = 25.0


def clip_of(sample: Sample, limits: MediaLimits) -> Media:
    """A set's video as a clip, whether it is kept as a file or as a folder of frames.

    Raises:
        MediaError: a file cannot be read.
    """
    first = read_path(sample.files[0], limits)
    media = load_media(first, limits)
    if len(sample.files) == 1:
        return media
    size = (media.width, media.height)
    times = [number / _RATE for number in range(len(sample.files))]
    chosen = spread(times, limits.frames)
    names = "\n".join(path.name for path in sample.files)
    return Media(
        id=hashlib.sha256(first + names.encode()).hexdigest(),
        kind="video",
        frames=tuple(_frame(sample.files[number], size, limits) for number in chosen),
        width=size[0],
        height=size[1],
        seconds=tuple(times[number] for number in chosen),
        span=(0.0, times[-1]),
        further=partial(_further, sample.files, size, limits),
    )


def _further(
    files: Sequence[Path], size: tuple[int, int], limits: MediaLimits, seconds: Sequence[float]
) -> Iterator[tuple[float, Image]]:
    last = len(files) - 1
    for number in sorted({min(last, max(0, int(s * _RATE + 1e-6))) for s in seconds}):
        yield number / _RATE, _frame(files[number], size, limits)


def _frame(path: Path, size: tuple[int, int], limits: MediaLimits) -> Image:
    """A picture at the size of the folder's first: crops of faces differ in theirs."""
    picture = load_media(read_path(path, limits), limits).frames[0]
    if picture.shape[1::-1] == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def judge_samples(
    samples: Sequence[Sample],
    finder: FaceFinder,
    scorer: Scorer,
    limits: MediaLimits,
    *,
    file: JudgedFile,
    again: bool = False,
) -> list[JudgedPerson]:
    """The most prominent person of each video; without moments where nothing could be judged.

    ``file`` keeps what was judged. ``again``: each video that is a file is judged a second time,
    encoded once more.
    """
    judged = []
    for sample in tqdm(samples, "videos"):
        name = "/".join(sample.files[0].parts[-3:])
        for once_more in (False, True)[: 1 + (again and len(sample.files) == 1)]:
            if not file.of(name, again=once_more):
                truth = JudgedPerson(
                    clip=sample.video,
                    name=name,
                    manipulated=sample.label == 1,
                    stretch=None,
                    source=sample.source,
                    family=sample.family,
                    again=once_more,
                )
                file.add(_judged(sample, truth, finder, scorer, limits))
            judged += file.of(name, again=once_more)
    return judged


def _judged(
    sample: Sample,
    truth: JudgedPerson,
    finder: FaceFinder,
    scorer: Scorer,
    limits: MediaLimits,
) -> JudgedPerson:
    try:
        if truth.again:
            media = load_media(reencoded(read_path(sample.files[0], limits)), limits)
        else:
            media = clip_of(sample, limits)
        people = judge_clip(media, finder, scorer)
    except MediaError as error:
        _LOG.warning("%s: %s", sample.files[0].name, error.user_message)
        people = []
    return judged_lane(people[0] if people else None, scorer, truth)


def set_tables(
    people: Sequence[JudgedPerson], resamples: int = 400, head: TemporalHead | None = None
) -> dict[str, Any]:
    """The table of rules of each source, and of each of its families against its genuine videos."""
    tables: dict[str, Any] = {}
    for source in sorted({p.source for p in people}):
        own = [p for p in people if p.source == source]
        tables[source] = rule_table(own, resamples, head)
        families = sorted({p.family for p in own if p.manipulated})
        if len(families) > 1:
            for family in families:
                against = [p for p in own if not p.manipulated or p.family == family]
                tables[f"{source} / {family}"] = rule_table(against, resamples, head)
    return tables
