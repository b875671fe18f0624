"""Has the words written, then checks each sentence. Text never touches a number."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from assistant import grounding
from assistant.errors import AssistantError, Cancelled
from assistant.evidence import told_opinions
from assistant.interfaces import VlmBackend
from assistant.prompting import Prompt, PromptLibrary
from assistant.routing import (
    QuestionKind,
    Route,
    clean_user_text,
    named_person,
    named_times,
    printable,
    route,
)
from assistant.routing.answering import ANSWERED_BY, answers, is_fixed
from assistant.shown_pictures import Shown, shown_to_model
from assistant.streaming import StreamLimits, guarded
from assistant.types import (
    Description,
    Evidence,
    Explanation,
    FaceAnalysis,
    FactKind,
    Message,
    Sentence,
    Turn,
    VlmRequest,
)
from assistant.vlm.composition import to_the_point
from assistant.vlm.composition.pictures import said_of_pictures
from assistant.vlm.turns import TurnQueue

__all__ = ["Narrator"]

_log = logging.getLogger(__name__)
_HISTORY_TURNS = 2
# Sentences of a text that are written again: each costs a call of the model.
_MOST_REPAIRS = 3


class Narrator:
    """Writes explanations and answers with a text backend, and lets only checked sentences through.

    Args:
        vlm: the backend that writes.
        fallback: a backend that needs no model; used where ``vlm`` fails or too little of its text
            stands up to the check.
        prompts: the prompt files.
        limits: the longest waits.
        pictures: how many pictures ``vlm`` is shown at most, if it takes as many.
        model_writes: whether ``vlm`` writes where nobody says who does; else the fallback.
    """

    def __init__(
        self,
        *,
        vlm: VlmBackend,
        fallback: VlmBackend,
        prompts: PromptLibrary,
        limits: StreamLimits | None = None,
        pictures: int = 3,
        model_writes: bool = True,
    ) -> None:
        self.vlm = vlm
        takes = getattr(vlm, "most_images", 3) if vlm.supports_images else 0
        self._most_pictures = min(pictures, takes)
        self.fallback = fallback
        self._prompts = prompts
        self._limits = limits or StreamLimits()
        self.model_writes = model_writes
        self._turns = TurnQueue()

    def close(self) -> None:
        """Stop the backends' processes."""
        self.vlm.close()
        self.fallback.close()

    def warm_up(self) -> None:
        """Load the text model while a face is being measured, where the backend loads one."""
        start = getattr(self.vlm, "start", None)
        if callable(start) and self.model_writes:
            threading.Thread(target=_tried, args=(start,), name="warm-up", daemon=True).start()

    def read_ahead(self, result: FaceAnalysis) -> None:
        """Have a backend that can read what is known of a face while more of it is measured."""
        read = getattr(self.vlm, "read_ahead", None)
        if callable(read) and self.model_writes:
            facts = [f for f in result.evidence.facts if f.kind is not FactKind.LIMIT]  # come last
            known = replace(result, evidence=replace(result.evidence, facts=tuple(facts)))

            def ahead() -> None:
                read(self._to_explain(known)[0])

            threading.Thread(target=_tried, args=(ahead,), name="read-ahead", daemon=True).start()

    def explain(
        self,
        result: FaceAnalysis,
        *,
        blind: bool = False,
        by_model: bool | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[str | Description | Explanation]:
        """Pieces of the explanation as they are written, then the checked whole.

        ``by_model`` says who writes; None: who does so unless asked otherwise. With ``blind`` the
        model first describes the crop, without the score: the description comes first, and again in
        the explanation.
        """
        described = None
        if blind:
            described = self.describe(result, cancel=cancel)
            yield described
        request, pictures = self._to_explain(result)
        if not self._by_model(by_model):
            yield replace(self._fixed(self._prompts.get("explain"), request), blind=described)
            return
        for piece in self._write(self._prompts.get("explain"), request, cancel):
            done = pictures.said_by(piece)
            yield replace(done, blind=described) if isinstance(done, Explanation) else done

    def describe(
        self, result: FaceAnalysis, *, cancel: threading.Event | None = None
    ) -> Description:
        """What the model sees in the crop without the score, held against what was measured.

        Where there is no description, ``problem`` says why; that never ends an analysis.

        Raises:
            Cancelled: the user stopped it.
        """
        if not self.vlm.supports_images:
            problem = f"The text backend {self.vlm.name} sees no picture, so it describes none."
            return Description(text="", backend=self.vlm.name, problem=problem)
        prompt = self._prompts.get("describe")
        request = VlmRequest(
            messages=prompt.render(),
            evidence=result.evidence,
            images=(result.face.crop,),
            max_new_tokens=prompt.max_new_tokens,
        )
        began = time.perf_counter()
        said, problem = "", ""
        try:
            said = self._whole(request, self._limits, cancel)
        except Cancelled:
            raise
        except AssistantError as error:
            _log.warning("text backend %s failed to describe: %s", self.vlm.name, error.code)
            problem = error.user_message
        unseen = getattr(self.vlm, "unseen", ())
        text, struck, disagreements = grounding.check_description(said, result, unseen=unseen)
        if not text and not problem:
            problem = "Nothing of what the model said of the picture can be shown."
        return Description(
            text=text,
            struck=struck,
            disagreements=disagreements,
            backend=self.vlm.name,
            prompt=prompt.ref,
            seconds=time.perf_counter() - began,
            problem=problem,
        )

    def answer(
        self,
        result: FaceAnalysis,
        question: str,
        *,
        history: Sequence[Turn] = (),
        by_model: bool | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[str | Explanation]:
        """Pieces of an answer as they are written, then the checked whole.

        ``by_model`` as of :meth:`explain`.
        """
        prompt = self._prompts.get("answer")
        asked = clean_user_text(question)
        way = route(asked)
        request, pictures = self._request(prompt, result, way, question=asked, history=history)
        asks_of_time = named_times(asked) is not None or named_person(asked) is not None
        of_time = asks_of_time and result.timeline is not None
        of_others = bool(told_opinions(result.evidence, asked))
        if is_fixed(way) or of_others or of_time or not self._by_model(by_model):
            yield self._fixed(prompt, request)
            return
        by = None if way.one_sentence else ANSWERED_BY.get(way.kind)
        for piece in self._write(prompt, request, cancel, by):
            yield pictures.said_by(piece)

    def wants_fragility(self, question: str, evidence: Evidence) -> bool:
        """Whether a question needs the recompression and resizing checks that are not in yet."""
        if evidence.of_kind(FactKind.FRAGILITY):
            return False
        way = route(question)
        return QuestionKind.WHAT_IF in {way.kind, *way.others}

    @property
    def offers_model(self) -> bool:
        """Whether a model can write, though the fallback does unless asked otherwise."""
        return self.vlm is not self.fallback and not self.model_writes

    def _by_model(self, wanted: bool | None) -> bool:
        return self.vlm is not self.fallback and (self.model_writes if wanted is None else wanted)

    def _to_explain(self, result: FaceAnalysis) -> tuple[VlmRequest, Shown]:
        return self._request(self._prompts.get("explain"), result, None)

    def _request(
        self,
        prompt: Prompt,
        result: FaceAnalysis,
        way: Route | None,
        *,
        question: str = "",
        history: Sequence[Turn] = (),
    ) -> tuple[VlmRequest, Shown]:
        """What the model is asked: the facts to the point, and the pictures that it takes."""
        chosen = to_the_point(result.evidence, way.kind if way else None, question)
        pictures = shown_to_model(result, self._most_pictures)
        if self.vlm is self.fallback:  # no model, so nothing was left out of what it saw
            pictures = Shown((), (), ())
        said = {
            "facts": chosen.to_prompt(),
            "pictures": said_of_pictures(pictures.names),
            "question": question,
        }
        messages = prompt.render(**{name: said[name] for name in prompt.inputs})
        request = VlmRequest(
            messages=_with_history(messages, history),
            evidence=result.evidence,
            question=question,
            images=pictures.images,
            facts=chosen.facts,
            one_sentence=way is not None and way.one_sentence,
            max_new_tokens=prompt.max_new_tokens,
        )
        return request, pictures

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
        first, reason = 0.0, ""
        start = _starter(self.vlm, request)
        try:
            with self._turns.turn(cancel or threading.Event()):
                for piece in guarded(start, limits=self._limits, cancel=cancel):
                    first = first or time.perf_counter() - began
                    pieces.append(piece)
                    yield piece
        except Cancelled:
            raise
        except AssistantError as error:
            _log.warning("text backend %s failed: %s", self.vlm.name, error.code)
            reason = error.user_message
        raw = printable("".join(pieces))
        checked = Explanation(
            text="",
            sentences=grounding.check(grounding.finished(raw), request.evidence)
            if raw.strip()
            else (),
            raw_text=raw,
            backend=self.vlm.name,
            prompt=prompt.ref,
            first_token_seconds=first,
        )
        if not reason:
            mended = self._mended(checked.sentences, request, began, cancel)
            checked = replace(checked, sentences=mended)
        if not reason and not grounding.is_enough(checked.sentences):
            reason = "Too little of what the model wrote stands up to the evidence."
        elif not reason and not answers(checked.sentences, request.evidence, answered_by):
            reason = "What the model wrote does not answer the question."
        if reason and self.vlm is not self.fallback:
            checked = self._fall_back(checked, request, reason)
        elif not request.question:
            told = grounding.with_verdict(checked.sentences, request.evidence)
            checked = replace(checked, sentences=told)
        yield replace(
            checked,
            text=grounding.shown_text(checked.sentences),
            seconds=time.perf_counter() - began,
        )

    def _mended(
        self,
        sentences: tuple[Sentence, ...],
        request: VlmRequest,
        began: float,
        cancel: threading.Event | None,
    ) -> tuple[Sentence, ...]:
        """Struck sentences written once more by the model; what still fails gives way to a fact.

        All of it ends with the time that a text may take.

        Raises:
            Cancelled: the user stopped it.
        """
        prompt = self._prompts.get("repair")
        facts = replace(request.evidence, facts=request.facts).to_prompt()
        most = _MOST_REPAIRS if getattr(self.vlm, "mends", True) else 0
        for place in grounding.mendable(sentences, most=most):
            left = self._limits.total_seconds - (time.perf_counter() - began)
            if left <= 0:
                break
            struck = clean_user_text(sentences[place].text, limit=600)
            again = replace(
                request,
                messages=prompt.render(facts=facts, sentence=struck),
                one_sentence=True,
                max_new_tokens=prompt.max_new_tokens,
            )
            limits = replace(
                self._limits,
                first_seconds=min(left, self._limits.first_seconds),
                total_seconds=left,
            )
            try:
                text = self._whole(again, limits, cancel)
            except Cancelled:
                raise
            except AssistantError as error:
                _log.warning("text backend %s failed to mend: %s", self.vlm.name, error.code)
                break
            sentences = grounding.rewritten(sentences, place, text, request.evidence)
        return grounding.with_facts(sentences, request.evidence)

    def _whole(
        self, request: VlmRequest, limits: StreamLimits, cancel: threading.Event | None
    ) -> str:
        """All that the model writes at one request."""
        with self._turns.turn(cancel or threading.Event()):
            pieces = guarded(_starter(self.vlm, request), limits=limits, cancel=cancel)
            return printable("".join(pieces))

    def _fall_back(self, checked: Explanation, request: VlmRequest, reason: str) -> Explanation:
        text = "".join(self.fallback.stream(request, threading.Event()))
        return replace(
            checked,
            sentences=grounding.check(text, request.evidence),
            backend=self.fallback.name,
            fell_back=True,
            fallback_reason=reason,
        )


def _tried(start: Callable[[], None]) -> None:
    """Start a backend ahead of time; why it cannot be is told when it is asked to write."""
    try:
        start()
    except AssistantError as error:
        _log.info("text backend not started ahead: %s", error.code)


def _starter(vlm: VlmBackend, request: VlmRequest) -> Callable[[threading.Event], Iterator[str]]:
    return lambda stop: vlm.stream(request, stop)


def _with_history(messages: tuple[Message, ...], history: Sequence[Turn]) -> tuple[Message, ...]:
    """The last turns, as they were shown, between the case and the new question."""
    if not history:
        return messages
    past: list[Message] = []
    for turn in history[-_HISTORY_TURNS:]:
        past.append(Message(role="user", content=clean_user_text(turn.question)))
        past.append(Message(role="assistant", content=turn.explanation.text))
    return (*messages[:-1], *past, messages[-1])
