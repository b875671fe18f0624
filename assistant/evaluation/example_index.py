"""Makes the index of examples: what the detector says of faces whose outcome is known.

Without own pictures the faces are portraits in the public domain that packages ship, as they are,
after everyday changes of the file, and manipulated in known ways: two people, so it tells little.
A team's own labelled cases (``--manifest``) make an index that means something; only features and
outcomes are kept of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.attribution.neutralise import VARIATIONS
from assistant.calibration.domain import token_feature
from assistant.calibration.examples import Example, ExampleIndex
from assistant.errors import InferenceError
from assistant.evaluation.known_masks import AlignedFace, sample_rounds
from assistant.interfaces import Calibrator, TraceableDetector
from assistant.types import Image

__all__ = ["KnownCase", "build_index", "known_cases"]

#: How each manipulated kind is told of.
_TOLD = {
    "mouth": "mouth exchanged",
    "eye": "one eye exchanged",
    "nose": "nose exchanged",
    "half": "half of the face exchanged",
    "whole": "face exchanged",
    "self-blend": "blended with itself",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A crop of known outcome; fields as of :class:`assistant.calibration.examples.Example`."""

    crop: Image
    name: str
    person: str
    manipulated: bool


def known_cases(faces: Sequence[AlignedFace], *, rounds: int, seed: int = 0) -> Iterator[KnownCase]:
    """Each face as it is, after everyday changes of the file, and manipulated in known ways."""
    for sample in sample_rounds(faces, rounds, seed=seed):
        person = sample.name
        if sample.kind in _TOLD:
            yield KnownCase(
                crop=sample.crop, name=_TOLD[sample.kind], person=person, manipulated=True
            )
            continue
        if sample.kind != "untouched":
            continue
        yield KnownCase(crop=sample.crop, name="untouched", person=person, manipulated=False)
        for name, change in VARIATIONS.items():
            told = f"untouched, after {name}"
            yield KnownCase(crop=change(sample.crop), name=told, person=person, manipulated=False)


def build_index(
    cases: Sequence[KnownCase],
    detector: TraceableDetector,
    calibrator: Calibrator,
    *,
    source: str,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> ExampleIndex:
    """Score all cases and keep what the detector saw of each.

    Args:
        cases: of both outcomes, of at least two people.
        detector: is asked.
        calibrator: gives its verdicts.
        source: what the cases are, in words.
        progress: told (done, in all).

    Raises:
        InferenceError: the detector keeps no tokens.
        TrainingError: too few cases (see :class:`assistant.calibration.examples.ExampleIndex`).
    """
    features, examples = [], []
    for done, case in enumerate(cases, start=1):
        trace = detector.trace(case.crop)
        if trace.tokens is None:
            raise InferenceError(
                f"The detector {detector.name!r} keeps no tokens, so no face is near another.",
                hint="Use clip-ln.",
                code="example-features",
            )
        features.append(token_feature(trace.tokens))
        calibrated = calibrator.calibrate(trace.logit)
        examples.append(
            Example(
                name=case.name,
                person=case.person,
                manipulated=case.manipulated,
                probability=calibrated.probability,
                verdict=calibrated.verdict,
            )
        )
        progress(done, len(cases))
    return ExampleIndex(
        np.array(features),
        examples,
        weights_sha256=detector.weights_sha256,
        source=source,
    )
