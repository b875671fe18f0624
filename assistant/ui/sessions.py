"""What the page remembers of each visitor: in memory, apart from the others, for a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

import numpy as np

from assistant.types import Analysis, Explanation, FaceAnalysis, Media, Turn
from assistant.ui.look_here import WholePicture

__all__ = ["Session", "Sessions", "Talk", "without_frames"]


#: Bytes of the files of all visitors together that are kept.
_MOST_KEPT = 512 * 2**20


@dataclass(slots=True)
class Talk:
    """The words on one face: its explanation and the questions asked since."""

    explanation: Explanation | None = None
    turns: list[Turn] = field(default_factory=list)


@dataclass(slots=True)
class Session:
    """One visitor's case; ``media`` is without its frames, ``wholes`` has small ones by number.

    ``run`` counts what was started: an older run must no longer write. ``blind``: the model is to
    describe a face before it is told the score; ``by_model``: it is to write, not the template.
    ``detector``: the one that was chosen; empty: the usual one. ``kept``: the file, in memory,
    where another detector could be asked of it, or it is a clip.
    """

    data: bytes | None = None
    kept: bytes | None = None
    detector: str = ""
    media: Media | None = None
    analysis: Analysis | None = None
    faces: list[FaceAnalysis] = field(default_factory=list)
    talks: dict[int, Talk] = field(default_factory=dict)
    wholes: dict[int, WholePicture] = field(default_factory=dict)
    active: int = 0
    question: str | None = None
    blind: bool = False
    by_model: bool | None = None
    run: int = 0
    cancel: threading.Event = field(default_factory=threading.Event)
    used: float = field(default_factory=time.monotonic)

    @property
    def face(self) -> FaceAnalysis | None:
        """The face whose tab is open."""
        return self.faces[self.active] if self.active < len(self.faces) else None

    @property
    def talk(self) -> Talk:
        """The words on the open face."""
        return self.talks.setdefault(self.active, Talk())

    @property
    def measuring(self) -> bool:
        """Whether faces are being measured still: such a run must not be ended by a click."""
        return bool(self.faces) and self.analysis is None

    def begin(self) -> int:
        """Stop whatever runs and return the number of the run that starts now."""
        self.cancel.set()
        self.cancel = threading.Event()
        self.run += 1
        return self.run

    def keep(self, analysis: Analysis) -> None:
        """Remember a finished analysis, without its frames."""
        self.media = without_frames(analysis.media)
        self.analysis = replace(analysis, media=self.media)
        self.faces = list(analysis.faces)
        if analysis.explanation is not None:
            self.talks.setdefault(0, Talk()).explanation = analysis.explanation

    def empty(self) -> None:
        """Stop whatever runs and forget the case."""
        self.begin()
        self.data = None
        self.kept = None
        self.media = None
        self.analysis = None
        self.faces = []
        self.talks = {}
        self.wholes = {}
        self.active = 0
        self.question = None


class Sessions:
    """All visitors, by their session's hash. The least recently used go first beyond ``most``.

    Args:
        most: how many sessions are kept.
        idle_seconds: a session unused for so long is forgotten when the next one comes.
    """

    def __init__(self, *, most: int = 256, idle_seconds: float = 1800.0) -> None:
        self._most = most
        self._idle = idle_seconds
        self._lock = threading.Lock()
        self._kept: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, key: str) -> Session:
        """The session of a visitor, made where there is none."""
        now = time.monotonic()
        with self._lock:
            session = self._kept.pop(key, None) or Session()
            session.used = now
            self._kept[key] = session
            gone = [k for k, s in self._kept.items() if now - s.used > self._idle]
            gone += list(self._kept)[: max(0, len(self._kept) - len(gone) - self._most)]
            dropped = [self._kept.pop(k) for k in dict.fromkeys(gone) if k != key]
            room = _MOST_KEPT
            for each in reversed(self._kept.values()):  # the last used first
                room -= len(each.kept or b"")
                if room < 0:
                    each.kept = None
        for old in dropped:
            old.empty()
        return session

    def drop(self, key: str) -> None:
        """Forget a visitor and stop what runs for them."""
        with self._lock:
            session = self._kept.pop(key, None)
        if session is not None:
            session.empty()


def without_frames(media: Media) -> Media:
    """The same media with its pictures blacked out to one pixel each: only the numbers are kept."""
    dot = np.zeros((1, 1, 3), np.uint8)
    return replace(media, frames=(dot,) * len(media.frames), further=None)
