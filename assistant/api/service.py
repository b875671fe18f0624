"""What the endpoints do: one analysis at a time, cases kept, faces held for a conversation."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from assistant.api import idempotency
from assistant.api.intake import Incoming, Options
from assistant.api.keys import Key
from assistant.api.problems import ApiError
from assistant.cases.database import canonical, writing
from assistant.cases.keeping import pictures_of
from assistant.cases.record import Recorded, record
from assistant.cases.store import CaseStore
from assistant.errors import AssistantError
from assistant.events import Analyzed, Failed, Token, TurnDone
from assistant.report import turn_json

if TYPE_CHECKING:
    from assistant.integrations.webhooks import Webhooks
    from assistant.pipeline import Assistant
    from assistant.settings import Settings
    from assistant.types import FaceAnalysis, Turn

__all__ = ["Service"]

_log = logging.getLogger(__name__)
_MOST_HELD = 64


class Service:
    """Behind the API. ``settings`` are those that the assistant was built from."""

    def __init__(
        self,
        store: CaseStore,
        assistant: Assistant,
        settings: Settings,
        webhooks: Webhooks | None = None,
    ) -> None:
        self.webhooks = webhooks
        self.store = store
        self.assistant = assistant
        self.settings = settings
        self.lock = threading.Lock()
        self._held: OrderedDict[str, tuple[FaceAnalysis, ...]] = OrderedDict()
        self._talks: dict[tuple[str, int], list[Turn]] = {}

    def analyse(self, sent: Incoming, key: Key, name: str | None) -> dict[str, Any]:
        """Analyse a photo and keep it; the answer is the case's record with its id.

        Raises:
            AssistantError: typed, with nothing kept and the name free again.
        """
        try:
            made = self.measured(sent.data, explain=sent.options.explain)
            with writing(self.store.engine) as within:
                case_id = self.create(sent.data, sent.options, key.owner, made, within)
                answer = {"case": case_id, **made.record}
                if name is not None:
                    idempotency.end(within, key.id, name, 200, answer)
        except BaseException:
            if name is not None:
                idempotency.give_up(self.store.engine, key.id, name)
            raise
        if made.analysis is not None:
            self._hold(case_id, made.analysis.faces)
        return answer

    def measured(self, data: bytes, *, explain: bool) -> Recorded:
        """A file's record.

        Raises:
            AssistantError: it could not be analysed.
        """
        with self.lock:
            made = record(self.assistant, self.settings, data, explain=explain)
        if made.error is not None:
            raise made.error
        return made

    def ask(self, case_id: str, face: int, question: str, actor: str) -> Iterator[str]:
        """Server-sent events: ``token``s as they come (not checked yet), then ``answer``.

        Raises:
            AssistantError: before the first event: no such case or face, or no picture to go by.
        """
        faces = self._faces(case_id)
        if not 1 <= face <= len(faces):
            raise ApiError(
                f"The case has {len(faces)} face(s), there is no face {face}.",
                hint="Faces count from 1.",
            )
        return self._answer(case_id, face, faces[face - 1], question, actor)

    def _answer(
        self, case_id: str, face: int, result: FaceAnalysis, question: str, actor: str
    ) -> Iterator[str]:
        """Written in a thread of its own: a slow reader must not hold the assistant."""
        told: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        gone = threading.Event()

        def write() -> None:
            try:
                with self.lock:
                    for text in self._events(case_id, face, result, question, actor, gone):
                        told.put(text)
            except Exception:  # noqa: BLE001
                _log.exception("an answer failed")
                told.put(_event("failed", {"code": "internal-error", "message": "", "hint": ""}))
            finally:
                told.put(None)

        threading.Thread(target=write, daemon=True).start()
        try:
            while (text := told.get()) is not None:
                yield text
        finally:
            gone.set()

    def _events(
        self,
        case_id: str,
        face: int,
        result: FaceAnalysis,
        question: str,
        actor: str,
        gone: threading.Event,
    ) -> Iterator[str]:
        talk = self._talks.setdefault((case_id, face), [])
        for event in self.assistant.ask(result, question, history=tuple(talk), cancel=gone):
            if isinstance(event, Token):
                yield _event("token", {"text": event.text})
            elif isinstance(event, Analyzed):
                yield _event("measuring", {})
            elif isinstance(event, Failed):
                yield _event("failed", _told(event.error))
            elif isinstance(event, TurnDone):
                talk.append(event.turn)
                turn = turn_json(event.turn)
                self.store.note(case_id, actor=actor, text=canonical(turn), kind="turn")
                yield _event("answer", turn)

    def _faces(self, case_id: str) -> tuple[FaceAnalysis, ...]:
        """The faces of a case: held since its analysis, or computed anew from the kept picture."""
        case = self.store.get(case_id)
        if case.row.status != "analysed":
            raise ApiError(
                "The case has no face, so there is nothing to ask about.",
                hint="Use a picture with a face.",
                code="no-face",
            )
        if case_id in self._held:
            self._held.move_to_end(case_id)
            return self._held[case_id]
        data = self.store.picture(case_id)
        made = self.measured(data, explain=False)
        then = [f["logit"] for f in case.record["analysis"]["faces"]]
        anew = [f["logit"] for f in made.record["analysis"]["faces"]]
        if then != anew or made.analysis is None:
            raise ApiError(
                "The kept picture gives another score now than it did then.",
                hint="`whyfake cases replay` says why; ask with the versions of that time.",
                code="replay-differs",
            )
        self._hold(case_id, made.analysis.faces)
        return made.analysis.faces

    def forget(self) -> None:
        """Forget the faces that are held, as a start anew does."""
        self._held.clear()
        self._talks.clear()

    def create(
        self, data: bytes, options: Options, owner: str, made: Recorded, within: Connection
    ) -> str:
        """Store a case and tell of it, in the transaction that is open."""
        kept = pictures_of(data, made, demo=self.assistant.demo) if options.keep_picture else None
        case_id = self.store.create(
            made.record,
            actor=owner,
            source=options.source,
            subject=options.subject,
            picture=kept,
            keep_days=self.settings.cases.keep_days,
            within=within,
        )
        if self.webhooks is not None:
            faces = made.record["analysis"]["faces"]
            self.webhooks.enter(
                within,
                "case.created",
                case_id,
                status=made.record["analysis"]["status"],
                subject=options.subject,
                probability=max((f["probability"] for f in faces), default=None),
            )
        return case_id

    def decide(self, case_id: str, actor: str, outcome: str, reason: str, kind: str) -> str:
        """Decide and tell of it; returns the state that follows."""
        with writing(self.store.engine) as within:
            state = self.store.decide(
                case_id, actor=actor, outcome=outcome, reason=reason, kind=kind, within=within
            )
            if self.webhooks is not None:
                self.webhooks.enter(within, "case.decided", case_id, outcome=outcome, state=state)
        return state

    def appeal(self, case_id: str, actor: str, reason: str) -> None:
        """Open a decided case again and tell of it."""
        with writing(self.store.engine) as within:
            self.store.appeal(case_id, actor=actor, reason=reason, within=within)
            if self.webhooks is not None:
                self.webhooks.enter(within, "case.appealed", case_id)

    def _hold(self, case_id: str, faces: tuple[FaceAnalysis, ...]) -> None:
        self._held[case_id] = faces
        while len(self._held) > _MOST_HELD:
            old, _ = self._held.popitem(last=False)
            for place in [p for p in self._talks if p[0] == old]:
                del self._talks[place]


def _event(name: str, value: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n"


def _told(error: AssistantError) -> dict[str, str]:
    return {"code": error.code, "message": error.user_message, "hint": error.hint}
