"""Hashes of a picture: SHA-256 of its bytes, and a perceptual hash that survives recompression.

PDQ (256 bits) where the package ``pdqhash`` is installed, which needs a C++ compiler; else the
64-bit pHash of ``imagehash``. The kind stands before the digits, and kinds are never compared.
"""

from __future__ import annotations

import importlib.util

from assistant.types import Image

__all__ = ["bits_apart", "match_limit", "perceptual"]

_LIMITS = {"pdq": 31, "phash": 8}
_PDQ_LEAST_QUALITY = 50


def perceptual(image: Image) -> tuple[str, int]:
    """``"pdq:<hex>"`` or ``"phash:<hex>"`` of an RGB picture, and its quality in [0, 100].

    A quality of 0 means that the picture is too plain for the hash to tell it from others.
    """
    if importlib.util.find_spec("pdqhash") is not None:
        import numpy as np
        import pdqhash

        bits, quality = pdqhash.compute(np.ascontiguousarray(image))
        usable = int(quality) if quality >= _PDQ_LEAST_QUALITY else 0
        return "pdq:" + np.packbits(bits.astype(np.uint8)).tobytes().hex(), usable
    return phash(image)


def phash(image: Image) -> tuple[str, int]:
    """The 64-bit pHash, for installations without ``pdqhash``."""
    import imagehash
    from PIL import Image as PilImage

    plain = float(image.std()) < 4.0
    return f"phash:{imagehash.phash(PilImage.fromarray(image))}", 0 if plain else 100


def match_limit(found: str) -> int:
    """Bits in which two hashes of this kind may differ and still mean the same picture."""
    return _LIMITS[found.partition(":")[0]]


def bits_apart(one: str, other: str) -> int | None:
    """Bits in which two hashes differ; None where they are of different kinds."""
    kind, _, digits = one.partition(":")
    other_kind, _, other_digits = other.partition(":")
    if kind != other_kind or not digits or not other_digits:
        return None
    return (int(digits, 16) ^ int(other_digits, 16)).bit_count()
