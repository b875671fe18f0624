"""The naive prompt to a vision-language model, kept to show how it fails.

The answer is parsed strictly. An answer that names neither side, or both, is a non-answer: an error
of the face with the code ``no-answer``, never a score.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant import registry
from assistant.detectors.plugin import FIELD_CROP
from assistant.errors import ConfigError, InferenceError
from assistant.interfaces import VlmBackend
from assistant.types import Evidence, Image, Message, Verdict, VlmRequest

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["PROMPT", "VlmZeroShotDetector", "parse_answer"]

PROMPT = (
    "Analyze the image: is it computer generated (deepfake) or natural? "
    "Answer with one word: deepfake or natural."
)
_FAKE = re.compile(r"\b(?:computer[- ]generated|deepfake|fake|manipulated|synthetic)\b", re.I)
_REAL = re.compile(r"\b(?:natural|real|genuine|authentic)\b", re.I)
_NOT = re.compile(r"\b(?:not|no|isn't|neither|cannot|can't|unsure)\b", re.I)
#: What a word is worth: the answer has no degrees.
_LOGIT = 2.0


def parse_answer(text: str) -> int | None:
    """1 for manipulated, 0 for natural, None for a non-answer; a denial is never turned round."""
    sides = bool(_FAKE.search(text)), bool(_REAL.search(text))
    if sides[0] == sides[1] or _NOT.search(text):
        return None
    return int(sides[0])


class VlmZeroShotDetector:
    """Asks a text backend; its word is the score."""

    name = "vlm-zero-shot"
    citation = (
        "The naive prompt of the zero-shot baselines in FakeVLM: Wen et al.: Spot the Fake, 2025 "
        "(arXiv 2503.14905)"
    )
    reported = "accuracy 0.474 and 0.532 (GPT-4o on FakeClue, DD-VQA)"
    crop_spec = FIELD_CROP
    #: Kept to show how it fails: no second opinion, unless it is asked for by name.
    by_name_only = True
    #: Two values and no degrees: nothing is claimed of their probability.
    calibration: Mapping[str, Any] = MappingProxyType(
        {
            "method": "one-word-answer",
            "logits": [-_LOGIT, 0.0, _LOGIT],
            "probability": [0.25, 0.5, 0.75],
            "low": [0.0, 0.0, 0.0],
            "high": [1.0, 1.0, 1.0],
            "thresholds": [0.1, 0.9],
            "fitted_on": {"note": "not fitted: a word has no degrees"},
        }
    )

    def __init__(self, backend: VlmBackend) -> None:
        if not backend.supports_images:
            raise _blind(backend.name)
        self._backend = backend
        told = sorted(backend.provenance().items())
        self.weights_sha256 = hashlib.sha256(f"{backend.name}{told}{PROMPT}".encode()).hexdigest()

    @classmethod
    def from_settings(cls, settings: Settings) -> VlmZeroShotDetector:
        """With the text backend of the settings."""
        if settings.detector_weights is not None:
            raise ConfigError(
                "The detector vlm-zero-shot takes no weights of its own.",
                hint="Choose its model with --set vlm_backend=NAME and --set vlm.model=PATH.",
            )
        kind = registry.load("vlm_backends", settings.vlm_backend, plugins=settings.plugins)
        maker = getattr(kind, "from_settings", None)
        return cls(maker(settings) if maker else kind())

    @classmethod
    def ready(cls, settings: Settings) -> bool:
        """False: its answers have no degrees.

        Raises:
            ConfigError: the text backend sees no pictures.
        """
        kind = registry.load("vlm_backends", settings.vlm_backend, plugins=settings.plugins)
        if getattr(kind, "supports_images", True) is False:
            raise _blind(settings.vlm_backend)
        return False

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """+2 where the answer is manipulated, -2 where it is natural.

        Raises:
            InferenceError: an answer is none (``no-answer``), or the backend failed.
        """
        return np.array([self._ask(crop) for crop in crops], np.float64)

    def _ask(self, crop: Image) -> float:
        request = VlmRequest(
            messages=(Message(role="user", content=PROMPT),),
            evidence=Evidence(
                media_id="zero-shot",
                face_index=0,
                verdict=Verdict.UNCERTAIN,
                probability=0.5,
                interval=(0.0, 1.0),
                facts=(),
            ),
            question=PROMPT,
            images=(crop,),
            max_new_tokens=24,
        )
        text = "".join(self._backend.stream(request, threading.Event())).strip()
        side = parse_answer(text)
        if side is None:
            raise InferenceError(
                f"The model {self._backend.name} gave no answer to the prompt: {text[:80]!r}.",
                hint="A non-answer is not a score; use a trained detector.",
                code="no-answer",
            )
        return _LOGIT if side else -_LOGIT

    def provenance(self) -> Mapping[str, str]:
        """The backend's own, and a hash of it with the prompt."""
        return {**self._backend.provenance(), "weights_sha256": self.weights_sha256}


def _blind(backend: str) -> ConfigError:
    return ConfigError(
        f"The text backend {backend} sees no picture, so it cannot judge one.",
        hint="Choose one that does: `whyfake doctor`.",
        code="no-pictures",
    )
