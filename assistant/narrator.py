"""Has the words written, then checks each sentence. Text never touches a number."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from assistant import grounding
from assistant.errors import AssistantError, Cancelled
from assistant.interfaces import VlmBackend
from assistant.prompting import Prompt, PromptLibrary
from assistant.questions import QuestionKind, classify, clean_user_text
from assistant.streaming import StreamLimits, guarded
from assistant.types import (
    Evidence,
    Explanation,
    FaceAnalysis,
    FactKind,
    Message,
    Sentence,
    SentenceStatus,
    Turn,
    VlmRequest,
)

__all__ = ["Narrator"]

_log = logging.getLogger(__name__)
_HISTORY_TURNS = 4

#: What must never depend on a model: these get the fixed answers of the fallback.
_FIXED = frozenset(
    {
        QuestionKind.IDENTITY,
        QuestionKind.PRESSURE,
        QuestionKind.OTHER_LANGUAGE,
        QuestionKind.OUT_OF_SCOPE,
    }
)

#: Facts an answer must rest on to be an answer to its question.
_ANSWERED_BY: dict[QuestionKind, frozenset[FactKind]] = {
    QuestionKind.VERDICT: frozenset({FactKind.SCORE}),
    QuestionKind.WHY: frozenset({FactKind.SCORE, FactKind.REGION, FactKind.COUNTERFACTUAL}),
    QuestionKind.WHERE: frozenset({FactKind.REGION, FactKind.COUNTERFACTUAL}),
    QuestionKind.HOW_SURE: frozenset({FactKind.SCORE, FactKind.FRAGILITY, FactKind.DOMAIN}),
    QuestionKind.WHAT_IF: frozenset({FactKind.FRAGILITY, FactKind.COUNTERFACTUAL}),
    QuestionKind.COULD_BE_WRONG: frozenset(
        {FactKind.LIMIT, FactKind.QUALITY, FactKind.DOMAIN, FactKind.FRAGILITY}
    ),
    QuestionKind.QUALITY: frozenset({FactKind.QUALITY}),
    QuestionKind.PROVENANCE: frozenset({FactKind.PROVENANCE}),
}


class Narrator:
    """Writes explanations and answers with a text backend, and lets only checked sentences through.

    Args:
        vlm: the backend that writes.
        fallback: a backend that needs no model; used where ``vlm`` fails or too little of its text
            stands up to the check.
        prompts: the prompt files.
        limits: the longest waits.
    """

    def __init__(
        self,
        *,
        vlm: VlmBackend,
        fallback: VlmBackend,
        prompts: PromptLibrary,
        limits: StreamLimits | None = None,
    ) -> None:
        self.vlm = vlm
        self.fallback = fallback
        self._prompts = prompts
        self._limits = limits or StreamLimits()
        self._one_at_a_time = threading.Lock()

    def close(self) -> None:
        """Stop the backends' processes."""
        self.vlm.close()
        self.fallback.close()

    def explain(
        self, result: FaceAnalysis, *, cancel: threading.Event | None = None
    ) -> Iterator[str | Explanation]:
        """Pieces of the explanation as they are written, then the checked whole."""
        prompt = self._prompts.get("explain")
        request = self._request(
            prompt, result, question="", messages=_render(prompt, result.evidence)
        )
        yield from self._write(prompt, request, cancel)

    def answer(
        self,
        result: FaceAnalysis,
        question: str,
        *,
        history: Sequence[Turn] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[str | Explanation]:
        """Pieces of an answer as they are written, then the checked whole."""
        prompt = self._prompts.get("answer")
        asked = clean_user_text(question)
        kind = classify(asked)
        messages = _with_history(_render(prompt, result.evidence, question=asked), history)
        request = self._request(prompt, result, question=asked, messages=messages)
        if kind in _FIXED:
            yield self._fixed(prompt, request)
            return
        yield from self._write(prompt, request, cancel, _ANSWERED_BY.get(kind))

    def wants_fragility(self, question: str, evidence: Evidence) -> bool:
        """Whether a question needs the recompression and resizing checks that are not in yet."""
        if evidence.of_kind(FactKind.FRAGILITY):
            return False
        return classify(question) is QuestionKind.WHAT_IF

    def _request(
        self, prompt: Prompt, result: FaceAnalysis, *, question: str, messages: tuple[Message, ...]
    ) -> VlmRequest:
        return VlmRequest(
            messages=messages,
            evidence=result.evidence,
            question=question,
            images=(result.face.crop,) if self.vlm.supports_images else (),
            max_new_tokens=prompt.max_new_tokens,
        )

    def _fixed(self, prompt: Prompt, request: VlmRequest) -> Explanation:
        """The fallback's answer, with no model asked."""
        text = "".join(self.fallback.stream(request, threading.Event()))
        sentences = grounding.check(text, request.evidence)
        return Explanation(
            text=grounding.shown_text(sentences),
            sentences=sentences,
            raw_text=text,
            backend=self.fallback.name,
            prompt=prompt.ref,
        )

    def _write(
        self,
        prompt: Prompt,
        request: VlmRequest,
        cancel: threading.Event | None,
        answered_by: frozenset[FactKind] | None = None,
    ) -> Iterator[str | Explanation]:
        began = time.perf_counter()
        pieces: list[str] = []
        first = 0.0
        reason = ""
        try:
            with _held(self._one_at_a_time, cancel):
                for piece in guarded(
                    _starter(self.vlm, request), limits=self._limits, cancel=cancel
                ):
                    first = first or time.perf_counter() - began
                    pieces.append(piece)
                    yield piece
        except Cancelled:
            raise
        except AssistantError as error:
            _log.warning("text backend %s failed: %s", self.vlm.name, error.code)
            reason = error.user_message
        raw = "".join(pieces)
        checked = Explanation(
            text="",
            sentences=grounding.check(raw, request.evidence) if raw.strip() else (),
            raw_text=raw,
            backend=self.vlm.name,
            prompt=prompt.ref,
            first_token_seconds=first,
        )
        if not reason and not grounding.is_enough(checked.sentences):
            reason = "Too little of what the model wrote stands up to the evidence."
        elif not reason and not _answers(checked.sentences, request.evidence, answered_by):
            reason = "What the model wrote does not answer the question."
        if reason and self.vlm is not self.fallback:
            checked = self._fall_back(checked, request, reason)
        yield replace(
            checked,
            text=grounding.shown_text(checked.sentences),
            seconds=time.perf_counter() - began,
        )

    def _fall_back(self, checked: Explanation, request: VlmRequest, reason: str) -> Explanation:
        text = "".join(self.fallback.stream(request, threading.Event()))
        return replace(
            checked,
            sentences=grounding.check(text, request.evidence),
            backend=self.fallback.name,
            fell_back=True,
            fallback_reason=reason,
        )


def _answers(
    sentences: Sequence[Sentence], evidence: Evidence, by: frozenset[FactKind] | None
) -> bool:
    """Whether a supported sentence rests on a fact that the question asks for (if there is one)."""
    if by is None or not any(fact.kind in by for fact in evidence.facts):
        return True
    cited = {c for s in sentences if s.status is SentenceStatus.SUPPORTED for c in s.cites}
    return any(fact.kind in by for fact in evidence.facts if fact.id in cited)


def _starter(vlm: VlmBackend, request: VlmRequest) -> Callable[[threading.Event], Iterator[str]]:
    return lambda stop: vlm.stream(request, stop)


def _render(prompt: Prompt, evidence: Evidence, *, question: str = "") -> tuple[Message, ...]:
    known = {
        "facts": evidence.to_prompt(),
        "verdict": evidence.verdict.words,
        "probability": f"{evidence.probability:.0%}",
        "interval": f"{evidence.interval[0]:.0%} to {evidence.interval[1]:.0%}",
        "question": question,
    }
    return prompt.render(**{name: known[name] for name in prompt.inputs})


def _with_history(messages: tuple[Message, ...], history: Sequence[Turn]) -> tuple[Message, ...]:
    """The last turns, as they were shown, between the case and the new question."""
    if not history:
        return messages
    past: list[Message] = []
    for turn in history[-_HISTORY_TURNS:]:
        past.append(Message(role="user", content=clean_user_text(turn.question)))
        past.append(Message(role="assistant", content=turn.explanation.text))
    return (*messages[:-1], *past, messages[-1])


class _held:
    """Holds a lock; waiting for it ends at once when the user stops."""

    def __init__(self, lock: threading.Lock, cancel: threading.Event | None) -> None:
        self._lock = lock
        self._cancel = cancel

    def __enter__(self) -> None:
        while not self._lock.acquire(timeout=0.1):
            if self._cancel is not None and self._cancel.is_set():
                raise Cancelled("The answer was stopped.", hint="Ask again to go on.")

    def __exit__(self, *_: object) -> None:
        self._lock.release()
