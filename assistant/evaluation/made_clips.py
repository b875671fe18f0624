"""Clips with an exact truth: portraits, manipulated for a known stretch of time.

The people are the portraits of scikit-image and matplotlib and their mirror images in another
light, or those of a folder of photos, moved over a background and encoded as H.264. A manipulated
moment shows the same portrait with something laid into its face, as
:mod:`assistant.training.made_fakes` makes it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.errors import MediaError, TrainingError
from assistant.evaluation.known_masks import AlignedFace
from assistant.evaluation.map_faces import shipped_pictures
from assistant.faces import make_face
from assistant.interfaces import FaceFinder
from assistant.types import CropSpec, Image

__all__ = ["MadeClip", "MadePerson", "Portrait", "encoded", "make_clip", "portraits"]

_SIZE = (1280, 720)
_RATE = 25
_LEAST_HALF = 110  # pixels of a photo from the middle of the face to the edge of its portrait
_LEAST_PORTRAITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """A genuine portrait and the same with something laid into the face, RGB uint8 HWC."""

    name: str
    genuine: Image
    manipulated: Image


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePerson:
    """Who is seen, how they move, and when they are manipulated.

    ``path``: the centre of the portrait at the beginning and at the end, in shares of the frame;
    ``stretch``: begin and end in seconds, or None.
    """

    portrait: Portrait
    path: tuple[tuple[float, float], tuple[float, float]]
    stretch: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeClip:
    """The bytes of an MP4 and the people that are in it."""

    data: bytes
    people: tuple[MadePerson, ...]
    seconds: float
    crf: int


def portraits(
    finder: FaceFinder, seed: int, *, side: int = 420, folder: Path | None = None, most: int = 16
) -> list[Portrait]:
    """The portraits that installed packages ship, or those of a folder, each with a made fake.

    Args:
        finder: finds the face in each.
        seed: which fakes are made, and which photos are taken.
        side: of a portrait in pixels.
        folder: of photos of one face each; those whose face is small are left out.
        most: portraits at most of a folder.

    Raises:
        TrainingError: a package is missing, or no face was found.
    """
    faces = _shipped(finder, side) if folder is None else _photos(finder, side, folder, most, seed)
    names = sorted(faces)
    made = []
    for number, name in enumerate(names):
        donor = faces[names[(number + 2) % len(names)]]
        rng = np.random.default_rng((seed, number))
        made.append(_portrait(name, faces[name], donor, rng))
    return made


def _shipped(finder: FaceFinder, side: int) -> dict[str, _Found]:
    shipped = [picture for _, picture in shipped_pictures()]
    if len(shipped) < 2:
        raise TrainingError(
            "The portraits come with scikit-image and matplotlib, and one is missing.",
            hint="Run `pip install 'whyfake[page,train]'`.",
            code="examples-missing",
        )
    sources = {"astronaut": shipped[0][:360, 50:410], "hopper": shipped[1][40:512, 20:492]}
    sized = {
        name: cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
        for name, picture in sources.items()
    }
    for name, picture in list(sized.items()):
        warm = picture[:, ::-1].astype(np.float32) * np.array([1.06, 1.0, 0.86])
        sized[f"{name}-mirrored"] = np.clip(warm, 0, 255).astype(np.uint8)
    return {name: _face(finder, np.ascontiguousarray(p)) for name, p in sized.items()}


def _photos(finder: FaceFinder, side: int, folder: Path, most: int, seed: int) -> dict[str, _Found]:
    from assistant.media import MediaLimits, load_media, read_path

    files = sorted(p for p in folder.iterdir() if p.is_file())
    order = np.random.default_rng(seed).permutation(len(files))
    faces: dict[str, _Found] = {}
    for number in order:
        try:
            picture = load_media(read_path(files[number], MediaLimits())).frames[0]
        except MediaError:
            continue
        found = finder.find(picture)
        if len(found) != 1:
            continue
        left, top, right, bottom = found[0].box_xyxy
        half = 1.1 * max(right - left, bottom - top)
        x, y = (left + right) / 2, (top + bottom) / 2
        square = picture[
            max(0, round(y - half)) : round(y + half), max(0, round(x - half)) : round(x + half)
        ]
        if half < _LEAST_HALF or abs(square.shape[0] - square.shape[1]) > 0.1 * half:
            continue
        sized = cv2.resize(np.ascontiguousarray(square), (side, side), interpolation=cv2.INTER_AREA)
        try:
            faces[files[number].name] = _face(finder, sized)
        except TrainingError:
            continue
        if len(faces) == most:
            break
    if len(faces) < _LEAST_PORTRAITS:
        raise TrainingError(
            f"{folder} holds {len(faces)} usable portraits; {_LEAST_PORTRAITS} are needed.",
            hint="Give a folder of photos of one large face each.",
            code="no-faces",
        )
    return faces


@dataclass(frozen=True, slots=True)
class _Found:
    picture: Image
    aligned: AlignedFace
    matrix: NDArray[np.float64]


def _face(finder: FaceFinder, picture: Image) -> _Found:
    found = finder.find(picture)
    if not found:
        raise TrainingError("No face was found in a portrait that packages ship.", code="no-faces")
    face = make_face(
        picture,
        max(found, key=lambda d: d.area),
        CropSpec(size=256),
        media_id="made",
        index=0,
        frame_index=0,
    )
    aligned = AlignedFace(crop=face.crop, crop_landmarks=face.crop_landmarks)
    return _Found(picture, aligned, face.matrix)


def _portrait(name: str, own: _Found, donor: _Found, rng: np.random.Generator) -> Portrait:
    from assistant.training.made_fakes import laid_in

    out, mask = laid_in(own.aligned, donor.aligned, (), rng)
    height, width = own.picture.shape[:2]
    back = cv2.invertAffineTransform(own.matrix)
    size = (width, height)
    where = cv2.warpAffine(np.asarray(mask, np.float32), back, size)[..., None] > 0.01
    pixels = cv2.warpAffine(out, back, size, flags=cv2.INTER_CUBIC)
    return Portrait(
        name=name, genuine=own.picture, manipulated=np.where(where, pixels, own.picture)
    )


def make_clip(
    people: Sequence[MadePerson],
    seconds: float,
    crf: int,
    *,
    size: tuple[int, int] = _SIZE,
    rate: int = _RATE,
    seed: int = 0,
) -> MadeClip:
    """Move portraits over a background and encode the frames.

    Args:
        people: the first lies behind the others.
        seconds: length.
        crf: H.264 quality, 18 (good) to 35 (bad).
        size: width and height in pixels.
        rate: frames a second.
        seed: of the background.
    """
    width, height = size
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 190, (5, 8, 3)).astype(np.float32)
    background = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    background = np.clip(background + rng.normal(0, 3, (height, width, 3)), 0, 255).astype(np.uint8)
    frames = []
    for number in range(round(seconds * rate)):
        at = number / rate
        frame = background.copy()
        for person in people:
            _lay(frame, person, at, seconds)
        frames.append(frame)
    return MadeClip(
        data=encoded(frames, crf, rate=rate), people=tuple(people), seconds=seconds, crf=crf
    )


def _lay(frame: Image, person: MadePerson, at: float, seconds: float) -> None:
    begin, end = person.stretch or (-1.0, -1.0)
    fake = begin <= at < end
    picture = person.portrait.manipulated if fake else person.portrait.genuine
    side = picture.shape[0]
    share = at / seconds
    (x0, y0), (x1, y1) = person.path
    x = (x0 + (x1 - x0) * share) * frame.shape[1] + 6 * np.sin(2.1 * at)
    y = (y0 + (y1 - y0) * share) * frame.shape[0] + 5 * np.cos(1.7 * at)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), 3 * np.sin(1.3 * at), 1.0)
    matrix[:, 2] += (x - side / 2, y - side / 2)
    size = (frame.shape[1], frame.shape[0])
    mask = cv2.warpAffine(np.ones((side, side), np.uint8), matrix, size) > 0
    frame[mask] = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC)[mask]


def encoded(frames: Sequence[Image], crf: int, *, rate: int = _RATE) -> bytes:
    """Frames of one size as an MP4 (H.264)."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=rate, options={"crf": str(crf), "preset": "veryfast"}
        )
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return out.getvalue()
