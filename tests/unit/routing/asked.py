"""Questions as the router's lists word them, by kind."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from assistant.routing import QuestionKind
from assistant.training.router import RouterConfig, Wording, read_wordings

__all__ = ["asked"]

_ROOT = Path(__file__).parents[3]


@cache
def asked(kind: QuestionKind) -> Sequence[str]:
    """English ways to ask, of those that the router learnt from."""
    found = [w.text for w in _learnt() if w.kind is kind]
    return found or ["?"]  # an empty question is in no list


@cache
def _learnt() -> Sequence[Wording]:
    config = RouterConfig.read(_ROOT / "configs/router.yaml")
    config = config.model_copy(update={"questions": _ROOT / config.questions})
    return [w for w in read_wordings(config) if w.language == "en" and not w.held_out]
