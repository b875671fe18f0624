"""Evidence: a face's case as numbered, exact sentences. Pure; the only account a prompt may read.

Every fact carries its sentence (``text``) and what it says as ``values``, so that text can
be checked against numbers and not against words. Probabilities, shares and changes are in [0, 1].
The keys:

- ``S1``: ``probability``, ``low``, ``high``; as shown: ``shown``, ``shown_low``, ``shown_high``;
  ``width`` of the interval: ``narrow`` (to 10 points), ``moderate``, or ``wide`` (from 25).
- ``S2``: ``verdict``; thresholds ``lower``, ``upper``, ``shown_lower``, ``shown_upper``;
  ``crosses``: the interval reaches into another verdict.
- ``S3``, videos only: ``frames``, ``low``, ``high``.
- ``R1``, ``R2``, ...: ``region``, ``share``, ``area``, ``lift``, ``stands_out`` (True), ``rank``,
  ``person_side``.
- the last ``R``: ``stands_out`` (False) and ``regions``, those measured that do not stand out;
  ``alone`` is True where none stands out.
- ``Q1``, ...: ``issue`` (empty: none was measured), ``value``, ``limit``, ``unit``.
- ``P1``, ...: ``kind`` (``none``: no record) and ``value``, the name that may be quoted, or empty.
- ``C1``, ...: ``region``, ``method``, ``before``, ``after``, ``control`` (mean change by random
  patches), ``control_n``, ``effect`` (``lowers``, ``raises``, ``hardly``, ``like-random``),
  ``stands_out``, ``verdict_after``, ``changes_verdict``.
- a ``C`` on a set: ``regions`` (empty: none was found), ``after``, ``verdict_after``, ``tried``.
- ``F1``: ``count``, ``low``, ``high``, ``flips`` (names of changes that change the verdict).
- ``F2``, ...: ``change``, ``probability``, ``before``, ``verdict_after``, ``changes_verdict``.
- ``D1``: ``inside``, ``distance``, ``limit``, ``reasons`` (words), ``abstained`` (no verdict is
  given; then ``S2`` has ``abstained`` too).
- ``L1``, ``L2``: ``limit``: ``not-proof``, ``map``.
"""

from assistant.evidence.build import build_evidence, renumbered
from assistant.evidence.causal import (
    counterfactual_fact,
    domain_fact,
    fragility_fact,
    fragility_summary,
    frames_fact,
    minimal_set_fact,
)
from assistant.evidence.names import quotable_name
from assistant.numbers import percent
from assistant.types import Evidence, Fact, FactKind

__all__ = [
    "Evidence",
    "Fact",
    "FactKind",
    "build_evidence",
    "counterfactual_fact",
    "domain_fact",
    "fragility_fact",
    "fragility_summary",
    "frames_fact",
    "minimal_set_fact",
    "percent",
    "quotable_name",
    "renumbered",
]
