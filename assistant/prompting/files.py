"""One prompt file: its schema and its rendering."""

from __future__ import annotations

import hashlib
import re
from string import Formatter
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.errors import PromptError
from assistant.types import Message, PromptRef

__all__ = ["Prompt", "parse"]

#: Inputs that hold text of a user or a model: they stand only between the delimiters of a turn.
USER_INPUTS = frozenset({"question", "sentence"})
OPEN, CLOSE = "<<<", ">>>"
_NAME = re.compile(r"[a-z][a-z0-9-]*\Z")


class _File(BaseModel):
    """The schema of ``prompts/<name>/v<N>.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: int = Field(ge=1)
    summary: str = Field(min_length=1)
    inputs: dict[str, str]
    system: str
    case: str = ""
    ready: str = ""
    user: str
    output: str = Field(min_length=1)
    max_new_tokens: int = Field(ge=1, le=2048)
    changelog: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> _File:
        if not _NAME.match(self.name):
            raise ValueError(f"name {self.name!r}: expected lower-case words joined by '-'")
        if bool(self.case) != bool(self.ready):
            raise ValueError("'case' (a first user turn) and 'ready' (its reply) come together")
        used = set[str]()
        for part in ("system", "case", "ready", "user"):
            fields = _fields(part, getattr(self, part))
            if part != "user" and fields & USER_INPUTS:
                raise ValueError(f"{part}: user text may stand only in 'user'")
            used |= fields
        if used != set(self.inputs):
            raise ValueError(
                f"declared inputs {sorted(self.inputs)} differ from used variables {sorted(used)}"
            )
        for name in used & USER_INPUTS:
            if not re.search(rf"{OPEN}\s*\{{{name}\}}\s*{CLOSE}", self.user):
                raise ValueError(f"'{{{name}}}' must stand between {OPEN} and {CLOSE}")
        return self


def _fields(part: str, template: str) -> set[str]:
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{part}: {error}") from error
    fields = set[str]()
    for _, name, spec, conversion in parsed:
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(
                f"{part}: only plain fields such as {{facts}} are allowed, got {{{name}}}"
            )
        fields.add(name)
    return fields


class Prompt:
    """A parsed prompt.

    Attributes:
        ref: name, version and SHA-256 of the file.
        summary: one line on what it is for.
        inputs: names of the values it needs, in the file's order.
        max_new_tokens: how long the answer may get.
        output: what the answer looks like.
        changelog: one line a version, newest first.
    """

    def __init__(self, file: _File, sha256: str) -> None:
        self.ref = PromptRef(name=file.name, version=file.version, sha256=sha256)
        self.summary = file.summary
        self.inputs: tuple[str, ...] = tuple(file.inputs)
        self.max_new_tokens = file.max_new_tokens
        self.output = file.output
        self.changelog = tuple(file.changelog)
        turns: tuple[tuple[Literal["system", "user", "assistant"], str], ...] = (
            ("system", file.system),
            ("user", file.case),
            ("assistant", file.ready),
            ("user", file.user),
        )
        self.turns = tuple((role, text.strip()) for role, text in turns if text.strip())

    def render(self, **values: str) -> tuple[Message, ...]:
        """The messages with ``values`` filled in; a value is never read as a template.

        Raises:
            PromptError: a value is missing, or one is not an input of this prompt.
        """
        missing = sorted(set(self.inputs) - set(values))
        foreign = sorted(set(values) - set(self.inputs))
        if missing or foreign:
            raise PromptError(
                f"prompt {self.ref.name}/v{self.ref.version} takes {list(self.inputs)}; "
                f"missing {missing}, not known {foreign}.",
                hint=f"Try: whyfake prompts show {self.ref.name}",
                code="prompt-inputs",
            )
        filled = {k: _no_delimiter(v) if k in USER_INPUTS else v for k, v in values.items()}
        # What ChatPromptTemplate fills f-strings with; importing that takes most of a second.
        from langchain_core.utils.formatting import formatter

        return tuple(
            Message(role=role, content=formatter.format(text, **filled))
            for role, text in self.turns
        )


def _no_delimiter(text: str) -> str:
    return text.replace(OPEN, "\u2039" * 3).replace(CLOSE, "\u203a" * 3)


def parse(raw: bytes, where: str) -> Prompt:
    """A prompt from the bytes of its file; ``where`` names the file in errors.

    Raises:
        PromptError: not UTF-8 YAML, or not of the schema.
    """
    try:
        data = yaml.safe_load(raw.decode("utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise PromptError(
            f"prompt file {where} is not UTF-8 YAML: {reason}", code="prompt-malformed"
        ) from error
    if not isinstance(data, dict):
        raise PromptError(
            f"prompt file {where} holds {type(data).__name__}, expected a mapping.",
            code="prompt-malformed",
        )
    try:
        file = _File.model_validate(data)
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()
        )
        raise PromptError(
            f"prompt file {where} is malformed: {reasons}.",
            hint="docs/prompts.md describes the schema.",
            code="prompt-malformed",
        ) from error
    return Prompt(file, hashlib.sha256(raw).hexdigest())
