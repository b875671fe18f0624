"""What the page does, without Gradio: steps that take a session and yield updates of its parts.

An :data:`Update` maps the name of a part (``verdict``, ``words``, ...) to its new HTML, and
``busy`` to whether something is being written; what it does not name stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from assistant.attribution.neutralise import VARIATIONS
from assistant.errors import AssistantError, Cancelled, InferenceError
from assistant.events import (
    Analyzed,
    Described,
    Done,
    Explained,
    FaceFound,
    Failed,
    MediaReady,
    NoFace,
    Progress,
    Token,
    TurnDone,
    progress_text,
)
from assistant.marked_clip import marked_clip
from assistant.pipeline import Assistant
from assistant.types import FaceAnalysis, FactKind, Image
from assistant.ui.downloads import downloads, export_panel
from assistant.ui.look_here import look_here_panel, whole_picture
from assistant.ui.markup import problem, waiting
from assistant.ui.measured import (
    causes_panel,
    evidence_panel,
    fragility_panel,
    look_panel,
    tabs,
    verdict_panel,
)
from assistant.ui.pacing import paced, safely
from assistant.ui.sessions import Session, without_frames
from assistant.ui.speaking import asked, keep_file, speaker_of
from assistant.ui.timeline import player_panel, timeline_panel
from assistant.ui.words import conversation, draft_panel, explanation_panel, stopped_panel

__all__ = ["EMPTY", "PARTS", "Page", "Update"]

Update = dict[str, Any]

#: The parts of the page that hold HTML, in their order.
PARTS = (
    "tabs", "verdict", "player", "time", "words", "here", "look", "causes", "fragile", "talk",
    "evidence", "files", "export",
)  # fmt: skip
#: The page with nothing on it.
EMPTY: Update = {**dict.fromkeys(PARTS, ""), "busy": False}
# Parts of one face: what its facts tell, and all that changes with the open tab.
_FACTS = ("here", "causes", "evidence")
_FACE = ("verdict", "time", "fragile", "look", *_FACTS)
_STILL_MEASURING = InferenceError(
    "The picture is being measured still.",
    hint="Ask again once the explanation has begun.",
    code="still-measuring",
)
_STAGES = {
    "people": "Looking for people and scoring them",
    "counterfactuals": "Neutralising regions and scoring again",
    "fragility": "Recompressing and resizing, and scoring again",
}


class Page:
    """The steps of the page. Each takes the visitor's own session and nothing else of anybody."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def receive(self, session: Session, data: bytes) -> Update:
        """Take a file in; :meth:`measure` does the work."""
        session.empty()
        session.data = data
        keep_file(self.assistant, session, data)
        return {**EMPTY, "verdict": waiting("Looking for faces"), "busy": True}

    def switch(self, session: Session, name: str) -> Update:
        """Have another detector speak, from now on; a file that is kept is measured anew."""
        session.detector = name
        kept = session.kept
        if kept is not None:
            return self.receive(session, kept)
        if session.face is None:
            return {}
        session.empty()
        again = f"The detector {name} speaks from now on."
        return {**EMPTY, "verdict": problem(again, "Give the file again.", title="Once more")}

    def measure(self, session: Session) -> Iterator[Update]:
        """Score and map every face of the file that was taken in."""
        data, session.data = session.data, None
        if data is None:
            return
        run = session.run
        frames: tuple[Image, ...] = ()
        try:
            speaker = speaker_of(self.assistant, session)
        except AssistantError as error:
            yield {**EMPTY, "verdict": _problem(error)}
            return
        events = speaker.analyze(data, explain=False, fragility=False, cancel=session.cancel)
        del data
        for event in safely(events):
            if session.run != run:
                return
            match event:
                case MediaReady():
                    session.media = without_frames(event.media)
                    frames = event.media.frames
                case Progress():
                    if not session.faces:
                        stage = _STAGES.get(event.stage, event.stage.capitalize())
                        yield {"verdict": waiting(f"{stage} ({progress_text(event)})")}
                case FaceFound():
                    if not session.faces:
                        yield {"verdict": waiting("Face found, scoring")}
                case Analyzed():
                    number = event.result.face.frame_index
                    if number is not None and number not in session.wholes:
                        session.wholes[number] = whole_picture(frames[number])
                    yield self._measured(session, event.result)
                case NoFace():
                    session.faces = []
                    hint = " ".join([event.hint, *event.media.warnings])
                    yield {**EMPTY, "verdict": problem(event.message, hint, title="No face")}
                case Failed():
                    session.faces = []
                    yield {**EMPTY, "verdict": _problem(event.error)}
                case Done():
                    session.keep(event.analysis)
                    media, demo = event.analysis.media, self.assistant.demo
                    yield {
                        **self._shown(session, "tabs", "verdict", "time", "fragile", "files"),
                        **self._shown(session, *_FACTS),
                        "player": player_panel(media, session.faces, demo=demo),
                        "export": export_panel(session),
                        "busy": session.talk.explanation is None,
                    }
                case _:
                    pass

    def choose(self, session: Session, index: int) -> Update:
        """Open the tab of another face."""
        if not 0 <= index < len(session.faces):
            return {}
        measuring = session.measuring
        if not measuring:
            session.begin()
        session.question = None
        session.active = index
        talk = session.talk
        written = talk.explanation
        return {
            **self._shown(session, "tabs", *_FACE, "files"),
            "words": explanation_panel(written)
            if written
            else ""
            if measuring
            else draft_panel(""),
            "talk": conversation(talk.turns),
            "busy": written is None,
        }

    def explain(self, session: Session) -> Iterator[Update]:
        """Write the explanation of the open face, unless it has one."""
        face = session.face
        if face is None or session.talk.explanation is not None or session.analysis is None:
            return
        run, talk = session.run, session.talk
        yield {"words": draft_panel(""), "busy": True}
        draft, seen = "", None
        blind = session.blind and self.assistant.can_describe
        events = speaker_of(self.assistant, session).explain(
            face, blind=blind, by_model=session.by_model, cancel=session.cancel
        )
        for event in paced(events):
            if session.run != run:
                return
            match event:
                case Described():
                    seen = event.description
                    yield {"words": draft_panel(draft, seen)}
                case Token():
                    draft += event.text
                    yield {"words": draft_panel(draft, seen)}
                case Explained():
                    talk.explanation = event.explanation
                    words = explanation_panel(event.explanation)
                    yield {"words": words, **self._shown(session, "files"), "busy": False}
                case Failed():
                    yield {"words": stopped_panel(draft, event.error), "busy": False}
                case _:
                    pass

    def steady(self, session: Session) -> Iterator[Update]:
        """Measure how steady the open face's score and regions are, unless that is known."""
        face, index = session.face, session.active
        if face is None or session.analysis is None or not self.assistant.measures_fragility:
            return
        if face.evidence.of_kind(FactKind.FRAGILITY):
            return
        try:
            result = speaker_of(self.assistant, session).probe_fragility(face)
        except AssistantError as error:
            yield {"fragile": problem(error.user_message, error.hint)}
            return
        if index >= len(session.faces) or session.faces[index] is not face:
            return  # another file, or a question that had it measured first
        session.faces[index] = result
        if session.active == index:
            yield self._shown(session, "verdict", *_FACTS, "fragile", "look", "files")

    def question(self, session: Session, question: str) -> Update:
        """Take a question in; :meth:`answer` does the work."""
        if session.face is None:
            return {}
        shown = _shortened(question)
        if session.measuring:
            return {"talk": conversation([], stopped=(shown, "", _STILL_MEASURING))}
        session.begin()
        session.question = question
        update: Update = {
            "talk": conversation(session.talk.turns, question=shown),
            "busy": True,
        }
        if session.talk.explanation is None:
            stopped = Cancelled(
                "The explanation was stopped by a question.", hint="Retry writes it."
            )
            update["words"] = stopped_panel("", stopped)
        return update

    def answer(self, session: Session) -> Iterator[Update]:
        """Answer the question that was taken in, from the evidence of the open face."""
        face, question = session.face, session.question
        if face is None or question is None:
            return
        run, talk = session.run, session.talk
        shown = _shortened(question)
        draft = ""
        events = asked(self.assistant, session, face, question)
        for event in paced(events):
            if session.run != run:
                return
            match event:
                case Analyzed():
                    session.faces[session.active] = event.result
                    yield self._shown(session, *_FACTS, "fragile", "look", "files")
                case Token():
                    draft += event.text
                    yield {"talk": conversation(talk.turns, question=shown, draft=draft)}
                case TurnDone():
                    talk.turns.append(event.turn)
                    said = conversation(talk.turns)
                    yield {"talk": said, **self._shown(session, "files"), "busy": False}
                case Failed():
                    stopped = (shown, draft, event.error)
                    yield {"talk": conversation(talk.turns, stopped=stopped), "busy": False}
                case _:
                    pass

    def rewrite(self, session: Session, by_model: bool) -> Update:
        """Have the model write from now on, or the template, the open explanation first."""
        session.by_model = by_model
        session.question = None
        return self.retry(session)

    def mark(self, session: Session) -> Iterator[Update]:
        """Draw people into the clip that is kept, then give a link to save it."""
        analysis, clip = session.analysis, session.kept
        if analysis is None or clip is None:
            return
        yield {"export": waiting("Drawing boxes into the clip")}
        demo, limits = self.assistant.demo, self.assistant.limits.media
        try:
            made = marked_clip(clip, session.faces, limits, demo=demo, cancel=session.cancel)
        except AssistantError as error:
            yield {"export": _problem(error) + export_panel(session)}
            return
        if session.analysis is analysis:
            yield {"export": export_panel(session, made)}

    def stop(self, session: Session) -> None:
        """Stop what is being written; it says so itself."""
        session.cancel.set()

    def retry(self, session: Session) -> Update:
        """Take back the last words and have them written again."""
        if session.face is None or session.measuring:
            return {}
        if session.question is not None:
            turns = session.talk.turns
            if turns and turns[-1].question.strip() == session.question.strip():
                turns.pop()
            return self.question(session, session.question)
        session.begin()
        session.talk.explanation = None
        return {"words": draft_panel(""), "busy": True}

    def clear(self, session: Session) -> Update:
        """Forget the case."""
        session.empty()
        return dict(EMPTY)

    def _measured(self, session: Session, result: FaceAnalysis) -> Update:
        """Keep a face's result, and show it where its tab is open."""
        index = result.face.index
        known = index < len(session.faces)
        if known:
            session.faces[index] = result
        else:
            session.faces.append(result)
        if index != session.active:
            return self._shown(session, "tabs")
        # with what was measured since, where it is known
        return self._shown(session, *(("verdict", *_FACTS) if known else ("tabs", *_FACE)))

    def _shown(self, session: Session, *names: str) -> Update:
        """The parts of these names as they are for the open face; nothing where there is none."""
        face, media, analysis = session.face, session.media, session.analysis
        if face is None or media is None:
            return {}
        count, demo = len(session.faces), self.assistant.demo
        pending = tuple(VARIATIONS) if self.assistant.measures_fragility else ()
        warnings = analysis.warnings if analysis else ()
        whole = session.wholes.get(face.face.frame_index or 0)
        make: dict[str, Callable[[], str]] = {
            "tabs": lambda: tabs(session.faces, session.active),
            "verdict": lambda: verdict_panel(
                face, count=count, media=media, warnings=warnings, demo=demo
            ),
            "time": lambda: timeline_panel(session.faces, active=session.active),
            "fragile": lambda: fragility_panel(face, pending=pending),
            "look": lambda: look_panel(face, count=count),
            "here": lambda: look_here_panel(face, whole),
            "causes": lambda: causes_panel(face),
            "evidence": lambda: evidence_panel(face),
            "files": lambda: downloads(session, demo=demo),
        }
        return {name: make[name]() for name in names}


def _problem(error: AssistantError) -> str:
    return problem(error.user_message, error.hint)


def _shortened(question: str) -> str:
    """A question as it is shown: an overlong one is cut."""
    question = question.strip()
    return question if len(question) <= 600 else f"{question[:600]} \u2026"
