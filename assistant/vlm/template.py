"""The narrator that needs no model: it chooses among the facts' own sentences.

Every sentence about the case ends in the ids of its facts: ``The verdict is uncertain [S2].`` The
sentences are in ``assistant/evidence``.
"""

from __future__ import annotations

import hashlib
import random
import re
import threading
from collections.abc import Iterator, Mapping

from assistant.routing import route
from assistant.translations import Language
from assistant.types import VlmRequest
from assistant.vlm.composition import compose_answer, compose_explanation
from assistant.vlm.composition.abroad import answer_abroad, explain_abroad

__all__ = ["TemplateBackend"]


class TemplateBackend:
    """Writes from the evidence alone: deterministic, and true by construction.

    The same case and question always give the same words; other cases get other patterns.

    Args:
        language: of explanations. A question is answered in its own language where that is English,
            German or Spanish, else in English.
    """

    name = "template"
    supports_images = False

    def __init__(self, language: Language = "en") -> None:
        self.language: Language = language

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        """The text word by word; the request's messages and images are not read."""
        for piece in re.findall(r"\S+\s*", self.write(request)):
            if cancel.is_set():
                return
            yield piece

    def write(self, request: VlmRequest) -> str:
        """The whole text."""
        evidence = request.evidence
        key = f"{evidence.media_id}/{evidence.face_index}/0/{request.question}"
        rng = random.Random(hashlib.sha256(key.encode()).digest())  # noqa: S311 - picks wording
        if not request.question:
            if self.language != "en":
                return explain_abroad(evidence, self.language)
            return compose_explanation(evidence, rng)
        asked = route(request.question)
        if asked.language == "de":
            return answer_abroad(evidence, request.question, "de", asked)
        if asked.language == "es":
            return answer_abroad(evidence, request.question, "es", asked)
        return compose_answer(evidence, request.question, rng)

    def provenance(self) -> Mapping[str, str]:
        """There is no model."""
        return {"model": "none", "patterns": "assistant/vlm/composition"}

    def close(self) -> None:
        """Nothing to stop."""
