"""Examples with known outcome: how the detector behaved on faces that are alike to it.

An index holds what the detector saw of each example (its feature, in half precision), what is known
of it and what the detector said; no picture and no name of a person. Near is what lies nearer than
different people of the index lie to each other, so that a poor index says "none" and not nonsense.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.calibration.domain import token_feature
from assistant.errors import InferenceError, TrainingError, WeightsError
from assistant.types import SimilarCase, SimilarCases, Trace, Verdict

__all__ = ["Example", "ExampleIndex", "load_examples"]

Array = NDArray[np.float64]
FORMAT = "whyfake.examples/1"
#: How many examples are told of.
_NEAREST = 5
#: Nearer than this an example is the very picture at hand, which is no other case.
_SAME = 0.02
_HINT = "Make it again: `whyfake index build`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What is kept of one example; ``person`` parts people (any word, never a name that is shown).

    See :class:`assistant.types.SimilarCase` for the other fields.
    """

    name: str
    person: str
    manipulated: bool
    probability: float
    verdict: Verdict


class ExampleIndex:
    """Finds the examples whose features are nearest to a face's.

    Features are compared in units of their own spread over the index.

    Args:
        features: N x D, of :func:`assistant.calibration.domain.token_feature`.
        examples: N.
        weights_sha256: of the detector that saw them.
        source: what the examples are, in words.

    Raises:
        TrainingError: fewer than six examples, of fewer than two people, of one outcome only, or a
            feature that is not finite.
    """

    def __init__(
        self,
        features: NDArray[np.floating],
        examples: Sequence[Example],
        *,
        weights_sha256: str,
        source: str = "",
    ) -> None:
        values = np.asarray(features, np.float16).astype(np.float64)
        people = np.array([e.person for e in examples])
        if len(examples) <= _NEAREST or len(set(people)) < 2:
            raise TrainingError(
                f"An index needs more than {_NEAREST} examples of at least two people, got "
                f"{len(examples)} of {len(set(people))}.",
                hint="Name more pictures; rows of one person share a `video`.",
                code="too-few-examples",
            )
        if len({e.manipulated for e in examples}) < 2:
            raise TrainingError(
                "An index needs examples of both outcomes.",
                hint="Name manipulated and untouched pictures (label 1 and 0).",
                code="too-few-examples",
            )
        if values.ndim != 2 or len(values) != len(examples) or not np.isfinite(values).all():
            raise TrainingError(
                f"Features of shape {values.shape} do not fit {len(examples)} examples, or are "
                "not finite.",
                hint="Run `whyfake weights verify`.",
                code="example-features",
            )
        self.examples = tuple(examples)
        self.weights_sha256 = weights_sha256
        self.source = source
        self.people = len(set(people))
        self._raw = values
        self._mean, self._spread = values.mean(0), values.std(0) + 1e-3
        self._standard = (values - self._mean) / self._spread
        apart = _distances(self._standard, self._standard)
        apart[people[:, None] == people[None]] = np.inf
        self.limit = float(np.median(apart.min(1)))

    def nearest(self, trace: Trace) -> SimilarCases:
        """The nearest examples of a traced face, at most five.

        Raises:
            InferenceError: the trace keeps no tokens, or their feature has another width.
        """
        if trace.tokens is None:
            raise InferenceError(
                "Similar cases need the detector's tokens, and the trace keeps none.",
                hint="Use a detector that can be traced, such as clip-ln.",
                code="example-features",
            )
        feature = token_feature(trace.tokens)
        if feature.shape != self._mean.shape or not np.isfinite(feature).all():
            raise InferenceError(
                f"The index holds features of {len(self._mean)} values, got {feature.shape} (or a "
                "value that is not finite).",
                hint=_HINT,
                code="example-features",
            )
        standard = ((feature - self._mean) / self._spread)[None]
        distance = _distances(standard, self._standard)[0] / self.limit
        order = [int(i) for i in np.argsort(distance, kind="stable") if distance[i] > _SAME]
        near = [i for i in order[:_NEAREST] if distance[i] <= 1.0]
        return SimilarCases(
            nearest=tuple(_case(self.examples[i], float(distance[i])) for i in near),
            distance=float(distance[order[0]]),
            examples=len(self.examples),
            people=self.people,
        )

    def worth(self) -> tuple[int, float] | None:
        """Whether neighbours tell anything: each example judged by its five nearest of others.

        Returns:
            How many examples got a verdict, and the AUROC with which the share of neighbours that
            the detector called right tells those it called right (0.5: nothing). None where it
            called all of them right, or all wrong.
        """
        people = np.array([e.person for e in self.examples])
        called = [_case(e, 0.0).right for e in self.examples]
        apart = _distances(self._standard, self._standard)
        apart[people[:, None] == people[None]] = np.inf
        right = np.array([c is True for c in called])
        share = right[np.argsort(apart, axis=1)[:, :_NEAREST]].mean(1)
        decided = np.array([c is not None for c in called])
        good, bad = share[decided & right], share[decided & ~right]
        if not len(good) or not len(bad):
            return None
        above = (good[:, None] > bad[None]).mean() + 0.5 * (good[:, None] == bad[None]).mean()
        return int(decided.sum()), float(above)

    def summary(self) -> list[str]:
        """One line a kind of example: how many the detector called right."""
        lines = []
        for name in sorted({e.name for e in self.examples}):
            for manipulated in (False, True):
                cases = [_case(e, 0.0) for e in self.examples if e.name == name]
                called = [c.right for c in cases if c.manipulated is manipulated]
                if called:
                    kind = "manipulated" if manipulated else "untouched"
                    lines.append(
                        f"{name} ({kind}): {len(called)}, {called.count(True)} right, "
                        f"{called.count(False)} wrong, {called.count(None)} without verdict"
                    )
        return lines

    def save(self, path: Path) -> None:
        """Write the index as one safetensors file."""
        from safetensors.numpy import save_file

        people = sorted({e.person for e in self.examples})
        text = json.dumps(
            {
                "format": FORMAT,
                "weights_sha256": self.weights_sha256,
                "source": self.source,
                "examples": [
                    {
                        "name": e.name,
                        "person": people.index(e.person),
                        "manipulated": e.manipulated,
                        "probability": round(e.probability, 4),
                        "verdict": e.verdict.value,
                    }
                    for e in self.examples
                ],
            },
            sort_keys=True,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"features": self._raw.astype(np.float16)}, path, metadata={"whyfake": text})


def _case(example: Example, distance: float) -> SimilarCase:
    return SimilarCase(
        name=example.name,
        manipulated=example.manipulated,
        probability=example.probability,
        verdict=example.verdict,
        distance=distance,
    )


def load_examples(path: Path) -> ExampleIndex:
    """Read an index.

    Raises:
        WeightsError: the file cannot be read or is no index.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            values: Mapping[str, Any] = json.loads((file.metadata() or {})["whyfake"])
            features = np.asarray(file.get_tensor("features"))
        _check_format(values["format"])
        examples = [
            Example(
                name=str(e["name"]),
                person=str(e["person"]),
                manipulated=bool(e["manipulated"]),
                probability=float(e["probability"]),
                verdict=Verdict(e["verdict"]),
            )
            for e in values["examples"]
        ]
        return ExampleIndex(
            features,
            examples,
            weights_sha256=str(values["weights_sha256"]),
            source=str(values["source"]),
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, TrainingError) as error:
        raise WeightsError(
            f"The index of examples {path.name} cannot be read: {type(error).__name__}.",
            hint=_HINT,
            code="weights-examples",
        ) from error


def _check_format(found: object) -> None:
    if found != FORMAT:
        raise ValueError(f"format {found!r}, expected {FORMAT!r}")


def _distances(a: Array, b: Array) -> Array:
    """Root mean square differences, rows of ``a`` x rows of ``b``."""
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    found: Array = np.sqrt(np.maximum(squared, 0.0) / a.shape[1])
    return found
