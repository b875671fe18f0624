"""From a file to the record of a case: what was found, by what, on which machine.

It depends on the events of the pipeline and on ``assistant.report`` alone.
"""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from assistant.cases.database import canonical, digest
from assistant.cases.hashes import perceptual
from assistant.errors import AssistantError
from assistant.events import Done, Failed, MediaReady, NoFace
from assistant.report import analysis_json, failure_json, no_face_json

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.settings import Settings
    from assistant.types import Analysis, Media

__all__ = ["SCHEMA", "Recorded", "environment", "record", "settings_digest"]

SCHEMA = "whyfake.case/1"
_NO_RESULT = ("data_dir", "cases", "api", "server_host", "server_port", "hub_mirror", "plugins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A file's record, ready to be stored.

    Attributes:
        record: the object after ``case-1.json``, without what the store adds.
        analysis: the result in memory, for a conversation; None without a face.
        error: why there is no result; None where there is one or no face was found.
    """

    record: dict[str, Any]
    analysis: Analysis | None
    error: AssistantError | None = None


def record(
    assistant: Assistant, settings: Settings, data: bytes, *, explain: bool = True
) -> Recorded:
    """Analyse a file and make its record; of the settings only a digest is kept."""
    media: Media | None = None
    analysis: Analysis | None = None
    error: AssistantError | None = None
    found: dict[str, Any] = {}
    for event in assistant.analyze(data, explain=explain):
        if isinstance(event, MediaReady):
            media = event.media
        elif isinstance(event, NoFace):
            found = no_face_json("", event)
        elif isinstance(event, Done):
            analysis = event.analysis
            found = analysis_json("", analysis)
        elif isinstance(event, Failed):
            error = event.error
            found = failure_json("", error)
    code, quality = perceptual(media.frames[0]) if media is not None else ("", 0)
    made = {
        "schema": SCHEMA,
        "content_sha256": hashlib.sha256(data).hexdigest(),
        "perceptual": {"hash": code, "quality": quality},
        "bytes": len(data),
        "demo": assistant.demo,
        "explained": explain,
        "analysis": found,
        "versions": dict(assistant.versions),
        "settings_sha256": settings_digest(settings),
        "environment": environment(),
    }
    # As JSON gives it back, so that a record is equal to itself after it was stored.
    return Recorded(record=json.loads(canonical(made)), analysis=analysis, error=error)


def settings_digest(settings: Settings) -> str:
    """SHA-256 of the settings that can move a result; paths and addresses are left out."""
    values = settings.model_dump(mode="json")
    return digest(canonical({k: v for k, v in values.items() if k not in _NO_RESULT}))


def environment() -> dict[str, str]:
    """Machine and packages on which bits can depend."""
    found = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
    }
    for name in ("torch", "numpy", "opencv-python-headless", "pillow", "xllamacpp"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
