"""A base and what was trained on it, put together: tower and read-out."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from assistant.detectors.delta_file import Delta
from assistant.detectors.low_rank import merge_low_rank
from assistant.detectors.read_out import ReadOut, build_read_out
from assistant.detectors.tower import build_tower, fit_positions, layer_norms, tower_sha256
from assistant.detectors.vision import VisionTransformer
from assistant.errors import WeightsError

__all__ = ["assemble", "tuned_state"]


def assemble(state: Mapping[str, Tensor], delta: Delta) -> tuple[VisionTransformer, ReadOut]:
    """Put a base's weights and a delta together, as they score (no dropout).

    Raises:
        WeightsError: the delta was made for another base, or names and shapes do not fit.
    """
    header = delta.header
    found = tower_sha256(state)
    if found != header.base_sha256:
        raise WeightsError(
            f"These detector weights were trained on the base {header.base_sha256[:12]}, but "
            f"the base here is {found[:12]}.",
            hint="Run `whyfake weights fetch` to get the right base, or train again on this one.",
            code="weights-other-base",
        )
    tower = build_tower(header.tower)
    read_out = build_read_out(header.read_out)
    norms = layer_norms(tower)
    strange = sorted(set(delta.norms) - set(norms))
    if strange:
        raise WeightsError(
            f"The delta tunes {strange[0]!r}, which is no LayerNorm of this tower.",
            hint="Use the delta with the base it was made for.",
            code="weights-shape",
        )
    try:
        tuned = {name: value.float() for name, value in tuned_state(state, delta).items()}
        tower.load_state_dict(tuned, strict=True, assign=True)
        read_out.load_state_dict(dict(delta.read_out), strict=True)
    except (RuntimeError, ValueError) as error:
        raise WeightsError(
            f"The weights do not fit their own description: {str(error)[:300]}",
            hint="Run `whyfake weights verify`, then fetch or train again.",
            code="weights-shape",
        ) from error
    return tower.eval(), read_out.eval()


def tuned_state(state: Mapping[str, Tensor], delta: Delta) -> dict[str, Tensor]:
    """A base's weights with a delta's LayerNorms in place and its low-rank updates added.

    The positions are those of the delta's grid.

    Raises:
        ValueError: an update fits no layer of the base.
    """
    tuned = {**merge_low_rank(state, delta.low_rank), **delta.norms}
    return fit_positions(tuned, delta.header.tower)
