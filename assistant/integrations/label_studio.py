"""The machine learning backend protocol of Label Studio: ``/health``, ``/setup``, ``/predict``.

Tasks name their pictures by address. Only what a task carries itself is read here (a data URI):
an address is never fetched, so nobody can point the server at another machine through a task.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.errors import CaseError
from assistant.media.files import from_base64

__all__ = ["Controls", "controls_of", "picture_of", "prediction"]

_MOST_CONFIG = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """The names in a labelling configuration: picture, its field in a task, choices, boxes."""

    image: str
    field: str
    choices: str | None
    labels: tuple[str, ...]
    rectangles: str | None


def controls_of(config: str) -> Controls:
    """Read a labelling configuration.

    Raises:
        CaseError: it is no XML, has a document type, or has no ``Image``.
    """
    if len(config) > _MOST_CONFIG or "<!" in config:
        raise CaseError(
            "The labelling configuration is too long or declares a document type.",
            hint="Send the project's configuration as it is.",
            code="bad-value",
        )
    try:
        root = ET.fromstring(config)  # noqa: S314 - entities cannot be declared, see above
    except ET.ParseError as error:
        raise CaseError("The labelling configuration is not XML.", code="bad-value") from error
    image, choices = root.find(".//Image"), root.find(".//Choices")
    if image is None or not image.get("value", "").startswith("$"):
        raise CaseError(
            "The labelling configuration has no Image with a value such as $image.",
            hint="Use a project that labels pictures.",
            code="bad-value",
        )
    rectangles = root.find(".//RectangleLabels")
    return Controls(
        image=image.get("name", ""),
        field=image.get("value", "")[1:],
        choices=None if choices is None else choices.get("name"),
        labels=tuple(c.get("value", "") for c in root.findall(".//Choices/Choice")),
        rectangles=None if rectangles is None else rectangles.get("name"),
    )


def picture_of(task: Mapping[str, Any], controls: Controls) -> bytes:
    """The bytes of a task's picture.

    Raises:
        AssistantError: the task carries no picture; an address is not fetched.
    """
    data = task.get("data")
    value = data.get(controls.field) if isinstance(data, Mapping) else None
    if not isinstance(value, str) or not value.startswith("data:"):
        raise CaseError(
            f"The task's field {controls.field!r} is no data URI; addresses are not fetched.",
            hint="Import pictures into Label Studio as data URIs.",
            code="not-base64",
        )
    return from_base64(value)


def prediction(record: Mapping[str, Any], controls: Controls) -> dict[str, Any]:
    """One task's prediction: a choice for the file, a box for each face, the score.

    No face gives no result and no score.
    """
    analysis = record["analysis"]
    version = record["versions"].get("weights_sha256", "")[:12]
    faces = analysis["faces"]
    if not faces:
        return {"result": [], "model_version": version}
    worst = max(faces, key=lambda face: face["probability"])
    result: list[dict[str, Any]] = []
    if controls.choices and worst["verdict"] in controls.labels:
        result.append(
            {
                "from_name": controls.choices,
                "to_name": controls.image,
                "type": "choices",
                "value": {"choices": [worst["verdict"]]},
                "score": worst["probability"],
            }
        )
    if controls.rectangles:
        width, height = analysis["media"]["width"], analysis["media"]["height"]
        result += [_box(face, controls, width, height) for face in faces]
    return {"result": result, "score": worst["probability"], "model_version": version}


def _box(face: Mapping[str, Any], controls: Controls, width: int, height: int) -> dict[str, Any]:
    left, top, right, bottom = face["box_xyxy"]
    return {
        "from_name": controls.rectangles,
        "to_name": controls.image,
        "type": "rectanglelabels",
        "original_width": width,
        "original_height": height,
        "value": {  # per cent of the picture
            "x": 100 * left / width,
            "y": 100 * top / height,
            "width": 100 * (right - left) / width,
            "height": 100 * (bottom - top) / height,
            "rotation": 0,
            "rectanglelabels": [face["verdict"]],
        },
        "score": face["probability"],
    }
