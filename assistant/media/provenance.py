"""What a file says of its own origin: C2PA records, editors, image generators, cameras.

None of it is proof: anyone can write or remove it, and who signed a C2PA record is not checked. The
texts are untrusted and stay inert: no control or invisible characters, at most 120 characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Literal

from assistant.media.c2pa import read_manifest
from assistant.resources import table
from assistant.types import ProvenanceNote

__all__ = ["clean_text", "read_provenance"]

LONGEST = 120
Kind = Literal["c2pa", "editor", "generator", "camera", "none"]

# name as shown -> pattern over the fields that name a program
_GENERATORS: Mapping[str, str] = table("media/programs.yaml")["generators"]
_EDITORS = "|".join(table("media/programs.yaml")["editors"])
#: Fields in which programs name themselves. Titles and descriptions are left out: there "flux" or
#: "runway" is what the picture shows.
_PROGRAM_TAGS = (
    "xmp:CreatorTool",
    "software",
    "text:Software",
    "xmp:AISystemUsed",
    "xmp:Credit",
    "text:Source",
    "text:generation_data",
    "encoder",
)
#: Tags that name a program even where the name is not known here.
_SURE_PROGRAM_TAGS = ("xmp:CreatorTool", "software", "text:Software")
_AI_SOURCES = r"trainedAlgorithmicMedia|compositeWithTrainedAlgorithmicMedia|algorithmicMedia"


def clean_text(text: str, longest: int = LONGEST) -> str:
    """One line of printable text: control and invisible characters gone, cut to length."""
    text = unicodedata.normalize("NFKC", text[:4000])
    kept = "".join(
        " " if c in "\t\r\n\x0b\x0c\x85\u2028\u2029" else c
        for c in text
        if c in "\t\r\n\x0b\x0c\x85\u2028\u2029" or unicodedata.category(c)[0] != "C"
    )
    line = " ".join(kept.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "\u2026"


def read_provenance(data: bytes, tags: Mapping[str, str]) -> tuple[ProvenanceNote, ...]:
    """What the file says of its origin, the most telling first.

    Args:
        data: the file.
        tags: the texts found in it.

    Returns:
        Notes without repeats; a single ``none`` note where the file says nothing.
    """
    notes: list[ProvenanceNote] = []
    for note in (*_c2pa(data), *_generators(tags), *_editors(tags), *_camera(tags)):
        if note not in notes:
            notes.append(note)
    return tuple(notes) or (ProvenanceNote(kind="none", value=""),)


def _note(kind: Kind, value: str) -> ProvenanceNote:
    return ProvenanceNote(kind=kind, value=clean_text(value))


def _c2pa(data: bytes) -> Iterator[ProvenanceNote]:
    manifest = read_manifest(data)
    if manifest is None:
        return
    yield ProvenanceNote(
        kind="c2pa", value=clean_text(manifest.generator), signature=manifest.signature
    )
    # only the known term is passed on, never the text around it
    for found in re.findall(_AI_SOURCES, " ".join(manifest.sources))[:1]:
        yield _note("generator", f"C2PA {found}")


def _generators(tags: Mapping[str, str]) -> Iterator[ProvenanceNote]:
    parameters = tags.get("text:parameters", "") or tags.get("comment", "")
    if re.search(r"\bSteps: \d+", parameters) and re.search(r"\bSampler: |CFG scale: ", parameters):
        yield _note("generator", "Stable Diffusion parameters")
    if "text:prompt" in tags and "class_type" in tags["text:prompt"]:
        yield _note("generator", "ComfyUI workflow")
    if any(f"text:{key}" in tags for key in ("invokeai_metadata", "sd-metadata", "dream")):
        yield _note("generator", "InvokeAI")
    for tag in ("text:Description", "description"):
        if re.search(r"Job ID: [0-9a-f]{8}-[0-9a-f-]{27}", tags.get(tag, "")):
            yield _note("generator", "Midjourney")
    for tag in _PROGRAM_TAGS:
        for name, pattern in _GENERATORS.items():
            if re.search(pattern, tags.get(tag, ""), re.IGNORECASE):
                yield _note("generator", name)
    if re.search(_AI_SOURCES, tags.get("xmp:DigitalSourceType", "")):
        yield _note("generator", "IPTC digital source type: made by a trained model")


def _editors(tags: Mapping[str, str]) -> Iterator[ProvenanceNote]:
    generators = "|".join(_GENERATORS.values())
    for tag in _SURE_PROGRAM_TAGS:
        text = tags.get(tag, "")
        known = re.search(_EDITORS, text, re.IGNORECASE)
        # a camera writes its firmware's number here: only text with a known program's name is one
        if known and not re.search(generators, text, re.IGNORECASE):
            yield _note("editor", text)


def _camera(tags: Mapping[str, str]) -> Iterator[ProvenanceNote]:
    make, model = tags.get("make", ""), tags.get("model", "")
    if make or model:
        words = model if model.lower().startswith(make.lower()) else f"{make} {model}"
        yield _note("camera", words)
