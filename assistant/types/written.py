"""What is asked and written: Explanation -> Turn, and the whole result of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from assistant.types.cues import CuesLooked
from assistant.types.facts import Evidence, Fact
from assistant.types.measured import (
    Attribution,
    Face,
    Image,
    Media,
    RegionFinding,
    Score,
)
from assistant.types.said import SentenceStatus
from assistant.types.time import Timeline

__all__ = [
    "Analysis",
    "Description",
    "Disagreement",
    "Explanation",
    "FaceAnalysis",
    "FaceScore",
    "Message",
    "PromptRef",
    "Scores",
    "Sentence",
    "Turn",
    "VlmRequest",
    "checked_how",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One checked sentence: the ids it rests on (``cites``) and why it has its status.

    ``replacement`` is shown instead of one that is not supported: written again by the model and
    then supported (``rewritten``), or the evidence's own sentence.
    """

    text: str
    status: SentenceStatus
    cites: tuple[str, ...] = ()
    reason: str = ""
    replacement: str = ""
    rewritten: bool = False

    @property
    def struck(self) -> bool:
        """Whether it was checked and did not stand up."""
        return self.status not in {SentenceStatus.SUPPORTED, SentenceStatus.NOT_CHECKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRef:
    """A prompt by name, version and SHA-256 of its file."""

    name: str
    version: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.name}/v{self.version}@{self.sha256[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Where a blind description and what was measured do not fit, each in its own words."""

    said: str
    measured: str
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a model saw in a crop before it was told anything of the score.

    Attributes:
        text: what may be shown; nobody measured it.
        struck: sentences left out: on who a person is, a verdict that was not asked for, markup.
        disagreements: what does not fit the measurements or the verdict; shown, never hidden.
        problem: why there is no description.
    """

    text: str
    struck: tuple[str, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    backend: str = ""
    prompt: PromptRef | None = None
    seconds: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Generated text after checking.

    Attributes:
        text: what may be shown as fact: the supported sentences, contradicted ones replaced.
        sentences: every sentence with its status, struck ones too.
        raw_text: what the model wrote.
        backend: the backend that wrote the shown text.
        fell_back: True where the template's text is shown instead of the model's;
            ``fallback_reason`` says why.
        seconds: wall time of the generation; ``first_token_seconds`` to the first word.
        blind: what the model saw before it was told the score, where that was asked for.
        pictures: what the model was shown, by name; ``left_out`` what its backend cannot take.
    """

    text: str
    sentences: tuple[Sentence, ...]
    raw_text: str
    backend: str
    prompt: PromptRef
    fell_back: bool = False
    fallback_reason: str = ""
    seconds: float = 0.0
    first_token_seconds: float = 0.0
    blind: Description | None = None
    pictures: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question and its checked answer."""

    question: str
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceAnalysis:
    """Everything measured on one face or one person of a clip, before any text."""

    face: Face
    score: Score
    attribution: Attribution
    regions: tuple[RegionFinding, ...]
    evidence: Evidence
    cues: CuesLooked = field(default_factory=CuesLooked)
    timeline: Timeline | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The whole result for one file."""

    media: Media
    faces: tuple[FaceAnalysis, ...]
    explanation: Explanation | None
    versions: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceScore:
    """A face with its score alone."""

    face: Face
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The scores of one file's faces, with nothing that explains them."""

    media: Media
    faces: tuple[FaceScore, ...]
    versions: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A chat message for a language model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VlmRequest:
    """What a text backend is asked.

    ``images`` go in as image tokens before the first user message's text where the backend supports
    them. ``evidence`` and ``question`` (empty: explain) serve backends that need no model.
    ``facts`` are those that the messages tell, in their order: a backend that can holds the numbers
    and ids of its text to them, and to one sentence where ``one_sentence`` is set.
    """

    messages: tuple[Message, ...]
    evidence: Evidence
    question: str = ""
    images: tuple[Image, ...] = ()
    facts: tuple[Fact, ...] = ()
    one_sentence: bool = False
    max_new_tokens: int = 220


def checked_how(explanation: Explanation) -> str:
    """How much of a text was checked and what its model was shown, in words that fit beside it."""
    loose = sum(s.status is SentenceStatus.NOT_CHECKED for s in explanation.sentences)
    saw = ""
    if explanation.pictures and not explanation.fell_back:
        saw = f"; the model was shown {', '.join(explanation.pictures)}"
        saw += f", not {', '.join(explanation.left_out)}" if explanation.left_out else ""
    if not loose:
        return f"each sentence checked against the facts{saw}"
    count = "1 sentence" if loose == 1 else f"{loose} sentences"
    return f"checked against the facts but for {count} that no fact speaks of{saw}"
