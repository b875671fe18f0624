"""The two steps of a scan, the same on one machine and on many: prepare a file, score a batch.

Faces are found and scored as everywhere else (``assistant.tracks``, ``assistant.scoring``). Maps,
further facts and words are left out: they move no number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits, load_media
from assistant.scoring import ScoredFace, Scorer
from assistant.tracks import Track, found_tracks

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

__all__ = ["Examiner", "Prepared", "build_examiner", "examiner_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A decoded file with its faces, ready to be scored.

    Attributes:
        kind: ``image`` or ``video``.
        tracks: one a face; none where no face was found.
        size: bytes that its pixels take.
    """

    kind: str
    tracks: tuple[Track, ...]
    size: int

    @property
    def faces(self) -> int:
        """Crops to score."""
        return sum(len(track.faces) for track in self.tracks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """What a scan runs a file through.

    Attributes:
        finder: finds faces.
        scorer: scores them.
        media: limits of a file.
        max_faces: of a picture.
        versions: what is written beside the results.
    """

    finder: FaceFinder
    scorer: Scorer
    media: MediaLimits = field(default_factory=MediaLimits)
    max_faces: int = 8
    versions: Mapping[str, str] = field(default_factory=dict)

    def prepare(self, data: bytes) -> Prepared:
        """Decode a file and find its faces.

        Raises:
            AssistantError: it cannot be read, or a face cannot be aligned.
        """
        media = load_media(data, self.media)
        spec = self.scorer.detector.crop_spec
        found = found_tracks(media, self.finder, spec, most=self.max_faces)
        size = sum(frame.nbytes for frame in media.frames)
        return Prepared(kind=media.kind, tracks=found.tracks, size=size)

    def outcomes(self, batch: Sequence[Prepared]) -> list[dict[str, Any] | AssistantError]:
        """Score a batch; for each file its columns after ``ledger.OUTCOME``, or its error.

        The probability is that of the face with the highest; every face is in ``detail``. A file
        without a face has no probability.
        """
        try:
            scored = self.scorer.score([track for one in batch for track in one.tracks])
        except AssistantError as error:
            if len(batch) == 1:
                return [error]
            return [self.outcomes([one])[0] for one in batch]  # only the guilty file is refused
        found: list[dict[str, Any] | AssistantError] = []
        for one in batch:
            own, scored = scored[: len(one.tracks)], scored[len(one.tracks) :]
            found.append(_outcome(one.kind, own))
        return found


def build_examiner(settings: Settings) -> Examiner:
    """What the settings name, without a text model.

    Raises:
        AssistantError: as :func:`assistant.compose.build`.
    """
    from assistant.cases.record import settings_digest
    from assistant.compose import build_finder, build_scorer, pipeline_limits

    finder = build_finder(settings)
    scorer = build_scorer(settings)
    limits = pipeline_limits(settings)
    versions = {"settings_sha256": settings_digest(settings)}
    return _examiner(finder, scorer, limits.media, limits.max_faces, versions)


def examiner_of(assistant: Assistant) -> Examiner:
    """The stages of an assistant."""
    limits = assistant.limits
    return _examiner(assistant.finder, assistant.scorer, limits.media, limits.max_faces, {})


def _examiner(
    finder: FaceFinder, scorer: Scorer, media: MediaLimits, most: int, versions: Mapping[str, str]
) -> Examiner:
    from assistant import __version__

    about = {
        "whyfake": __version__,
        "face_finder": finder.name,
        "detector": scorer.detector.name,
        "weights_sha256": scorer.detector.weights_sha256,
        "calibrator": scorer.calibrator.name,
        **versions,
    }
    return Examiner(finder=finder, scorer=scorer, media=media, max_faces=most, versions=about)


def _outcome(kind: str, faces: Sequence[ScoredFace]) -> dict[str, Any]:
    worst = max((f.score for f in faces), key=lambda s: s.probability, default=None)
    return {
        "status": "analysed" if faces else "no_face",
        "kind": kind,
        "faces": len(faces),
        "probability": worst.probability if worst else None,
        "low": worst.interval[0] if worst else None,
        "high": worst.interval[1] if worst else None,
        "verdict": worst.verdict.value if worst else None,
        "detail": [
            {
                "face": f.face.index,
                "box_xyxy": [round(float(v), 1) for v in f.face.box_xyxy],
                "logit": f.score.logit,
                "probability": f.score.probability,
                "verdict": f.score.verdict.value,
                "abstained": f.score.abstained,
            }
            for f in faces
        ],
    }
