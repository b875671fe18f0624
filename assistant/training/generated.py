"""Faces of people who do not exist, made here: more material of wholly generated faces.

The generator is MobileStyleGAN (Belousov, arXiv 2104.04767), a small network distilled from
StyleGAN2, as the wheel ``random-face`` carries it; OpenVINO runs it. Its pictures are shrunk and
compressed by a filter drawn for each, mostly without smoothing first: so they are as sharp as the
FFHQ photos beside which they are learnt (``whyfake eval shortcuts`` tells), and what is learnt is
not that one of the two is softer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from tqdm import tqdm

from assistant.evaluation.face_manifest import write_manifest
from assistant.types import Image

__all__ = ["FaceGenerator", "MobileStyleGAN", "write_generated"]

SOURCE = "mobilestylegan"
#: OpenCV's filters, which do not smooth before they shrink, and how often each is drawn.
_FILTERS = {cv2.INTER_CUBIC: 0.45, cv2.INTER_LINEAR: 0.35, cv2.INTER_NEAREST: 0.2}
_TRUNCATION = (0.7, 1.0)
_MEAN_OF = 4096


class FaceGenerator(Protocol):
    """Makes faces out of numbers."""

    #: How many numbers a face is made of.
    width: int

    def __call__(self, noise: NDArray[np.float32], truncation: float) -> Image:
        """RGB uint8 H x W x 3 of ``noise`` (``width`` normal numbers).

        ``truncation`` in [0, 1] draws it towards the mean face (arXiv 1812.04948, section B).
        """


class MobileStyleGAN:
    """The generator of the ``random-face`` wheel: 1024 x 1024 pixels, three a second on two cores.

    ``mapping``: the mapping network's XML and weights; ``synthesis``: the synthesis network's.
    """

    width = 512

    def __init__(self, mapping: tuple[Path, Path], synthesis: tuple[Path, Path]) -> None:
        import openvino

        core = openvino.Core()
        options = {"INFERENCE_NUM_THREADS": 2}
        styles = core.read_model(*mapping)
        styles.reshape({"var": [-1, self.width]})
        self._styles = core.compile_model(styles, "CPU", options)
        self._pixels = core.compile_model(core.read_model(*synthesis), "CPU", options)
        some = np.random.default_rng(0).normal(size=(_MEAN_OF, self.width)).astype(np.float32)
        self._mean = self._styles({"var": some})[0].mean(axis=0)

    def __call__(self, noise: NDArray[np.float32], truncation: float) -> Image:
        """As :class:`FaceGenerator` says."""
        style = self._styles({"var": noise[None]})[0][0]
        style = self._mean + truncation * (style - self._mean)
        pixels = self._pixels({"style": style[None].astype(np.float32)})[0][0]
        found: Image = np.clip((pixels.transpose(1, 2, 0) + 1.0) * 127.5 + 0.5, 0, 255).astype(
            np.uint8
        )
        return found


def write_generated(
    generator: FaceGenerator,
    folder: Path,
    *,
    count: int,
    seed: int = 0,
    side: int = 256,
    quality: int = 75,
) -> Path:
    """Make faces and the manifest that lists them; what is there already is not made again.

    Args:
        generator: makes them.
        folder: gets ``faces/SEED-NUMBER.jpg`` and ``manifest.csv``.
        count: how many; more later go on where these ended.
        seed: with a face's number it says what that face is.
        side: of the pictures, pixels.
        quality: of the JPEG files (4:2:0, libjpeg's tables).

    Returns:
        The manifest; every face is its own video.
    """
    (folder / "faces").mkdir(parents=True, exist_ok=True)
    names = [f"{seed}-{number:05d}" for number in range(count)]
    for number, name in enumerate(tqdm(names, "faces")):
        path = folder / "faces" / f"{name}.jpg"
        if not path.exists():
            rng = np.random.default_rng((seed, number))
            noise = rng.normal(size=generator.width).astype(np.float32)
            picture = generator(noise, float(rng.uniform(*_TRUNCATION)))
            how = int(rng.choice(list(_FILTERS), p=list(_FILTERS.values())))
            small = cv2.resize(picture, (side, side), interpolation=how)
            draft = path.with_suffix(".part")
            PillowImage.fromarray(small).save(
                draft, format="JPEG", quality=quality, subsampling="4:2:0"
            )
            draft.replace(path)
    manifest = folder / "manifest.csv"
    write_manifest(
        manifest,
        (
            (f"faces/{name}.jpg", 1, SOURCE, f"{SOURCE}-{name}", "whole-face-gan", "", 0)
            for name in names
        ),
    )
    return manifest
