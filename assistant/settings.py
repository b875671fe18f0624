"""All settings, typed, from four layers: flag, then ``ASSISTANT_*``, then TOML file, then default.

:func:`load_settings` reads the layers; ``Settings()`` alone gives the defaults of a profile. Nested
names are written with a dot in flags (``vlm.model``), as tables in TOML and with ``__`` in the
environment (``ASSISTANT_VLM__MODEL``).
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError

from assistant.errors import ConfigError

__all__ = [
    "DETECTOR_FILES",
    "PROFILE_DEFAULTS",
    "CaseSettings",
    "Limits",
    "Loaded",
    "Settings",
    "VlmSettings",
    "flat_fields",
    "load_settings",
    "load_with_origins",
]

_PREFIX = "ASSISTANT_"
_MB = 1024 * 1024

#: The detector's files of a profile: base tower, and what was trained on it.
DETECTOR_FILES: dict[str, tuple[str, str]] = {
    "embedded": ("dinov2-vits14", "clip-ln-vits14"),
    "full": ("clip-vitl14", "clip-ln-vitl14"),
}

#: What a profile chooses where nothing else does.
PROFILE_DEFAULTS: dict[str, dict[str, str]] = {
    "embedded": {
        "face_finder": "centerface",
        "vlm_backend": "llama-cpp",
        "written_by": "template",
    },
    "full": {"face_finder": "retinaface", "vlm_backend": "transformers", "written_by": "model"},
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Part):
    """What one file or question may take."""

    max_image_bytes: int = Field(32 * _MB, gt=0, description="Size of a picture file, bytes.")
    max_video_bytes: int = Field(200 * _MB, gt=0, description="Size of a video file, bytes.")
    max_pixels: int = Field(64_000_000, gt=0, description="Width x height, before decoding.")
    max_side: int = Field(20_000, gt=0, description="Longest side of a picture, pixels.")
    frames: int = Field(
        24, gt=0, le=256, description="Frames of a video that are looked at first, evenly spaced."
    )
    max_video_seconds: float = Field(600.0, gt=0, description="Length of a video, seconds.")
    max_faces: int = Field(8, gt=0, le=64, description="Faces analysed in one picture.")
    max_question_characters: int = Field(2000, gt=0, description="Length of a question.")


class VlmSettings(_Part):
    """How the text backend runs. A backend takes the fields that it knows."""

    model: str | None = Field(None, description="Model path or hub id; default: the profile's.")
    revision: str | None = Field(
        None, pattern=r"^[0-9a-f]{40}$", description="Revision of a hub model, 40 hex digits."
    )
    adapter: Path | None = Field(None, description="LoRA adapter file, for llama-cpp.")
    pinned: bool = Field(
        True,
        description="Hold numbers and ids of what llama-cpp and transformers write to the facts.",
    )
    pictures: int = Field(
        3,
        ge=0,
        le=3,
        description="Pictures shown to the text backend at most: the face, the map over it, the "
        "strongest pair.",
    )
    base_url: str | None = Field(None, description="Address of an OpenAI-compatible server.")
    api_key_env: str = Field(
        "OPENAI_API_KEY", description="Name of the environment variable that holds the key."
    )
    quantization: Literal["none", "nf4", "int8"] = Field(
        "none", description="Quantisation of the transformers backend."
    )
    first_token_timeout: float = Field(20.0, gt=0, description="Wait for the first word, seconds.")
    total_timeout: float = Field(60.0, gt=0, description="Wait for the whole text, seconds.")


class CaseSettings(_Part):
    """Where case files are kept."""

    url: str = Field(
        "",
        description="Database of case files, sqlite:///PATH or postgresql://USER@HOST/NAME; "
        "default: cases.db in the data folder.",
    )
    key_file: Path | None = Field(
        None, description="Key that seals kept pictures; default: cases.key in the data folder."
    )
    key_env: str = Field(
        "WHYFAKE_CASES_KEY",
        description="Name of the environment variable that holds the key in place of the file.",
    )
    keep_days: float = Field(30.0, gt=0, le=3650, description="Days a kept picture stays.")


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=_PREFIX, env_nested_delimiter="__"
    )

    profile: Literal["embedded", "full"] = Field(
        "embedded", description="embedded: offline on two cores; full: larger models from the hub."
    )
    data_dir: Path | None = Field(
        None, description="Where fetched model files lie; default: the user's data folder."
    )
    prompts_dir: Path | None = Field(None, description="Prompts used instead of the shipped ones.")
    hub_mirror: str | None = Field(None, description="Address used instead of the model hub's.")
    accept_unpinned: bool = Field(
        False, description="Load files whose SHA-256 was never published."
    )
    plugins: bool = Field(True, description="Use third-party plugins (empty or false: only ours).")
    device: str = Field(
        "cpu", pattern=r"^(cpu|auto|cuda(:\d+)?)$", description="cpu, auto, cuda or cuda:N."
    )
    threads: int = Field(0, ge=0, le=256, description="CPU threads; 0: one a core, at most 8.")
    face_finder: str = Field("", description="Finds faces; default: the profile's.")
    detector: str = Field("clip-ln", description="Scores faces.")
    detector_weights: Path | None = Field(
        None,
        description="A detector of your own (`whyfake adapt`) in the place of the profile's; for "
        "the detector `gend`, GenD's model.safetensors.",
    )
    detector_options: str = Field(
        "", description="What the detector takes beside its weights: a JSON object; see its page."
    )
    calibration: Path | None = Field(
        None, description="A calibration of your own (`whyfake calibrate --out`), as JSON."
    )
    attributor: str = Field("patch-evidence", description="Makes the heat map.")
    counterfactual: Literal["inpaint", "blur", "mean", "mirror"] = Field(
        "inpaint", description="How a region is neutralised before the face is scored again."
    )
    vlm_backend: str = Field("", description="The text backend; default: the profile's.")
    written_by: Literal["", "template", "model"] = Field(
        "",
        description="Who writes unless asked otherwise: the template, or the text backend's model; "
        "default: the profile's, and the model where vlm_backend is chosen.",
    )
    vlm: VlmSettings = Field(VlmSettings(), description="How the text backend runs.")
    limits: Limits = Field(Limits(), description="What one file or question may take.")
    cases: CaseSettings = Field(CaseSettings(), description="Where case files are kept.")
    server_host: str = Field("127.0.0.1", min_length=1, description="Address of the chat page.")
    server_port: int = Field(7860, ge=1, le=65535, description="Port of the chat page.")
    server_root_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="Path under which a proxy offers the page, such as /whyfake; empty: none.",
    )

    @field_validator("plugins", mode="before")
    @classmethod
    def _empty_is_off(cls, value: object) -> object:
        return False if value == "" else value

    @field_validator("data_dir", "prompts_dir", "detector_weights", "calibration", mode="before")
    @classmethod
    def _empty_is_not_set(cls, value: object) -> object:
        """An empty variable means "not set", never the folder that the command runs in."""
        return None if value == "" else value

    @field_validator("detector_options")
    @classmethod
    def _json_object(cls, value: str) -> str:
        if not isinstance(json.loads(value or "{}"), dict):
            raise ValueError("it is no JSON object")  # noqa: TRY004 - pydantic reports this one
        return value

    @field_validator("vlm_backend", "face_finder", "written_by")
    @classmethod
    def _from_profile(cls, value: str, info: Any) -> str:
        if value:
            return value
        # ``profile`` is absent where it was itself wrong; that is then the error to show.
        profile = info.data.get("profile", "embedded")
        return PROFILE_DEFAULTS[profile][info.field_name]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: :func:`load_settings` merges the layers and keeps origins."""
        return (init_settings,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings, and of every value the origin: a flag, a variable, a file, a profile, default."""

    settings: Settings
    origins: Mapping[str, str]
    config_file: Path | None

    def rows(self) -> Iterator[tuple[str, Any, str, str]]:
        """``(dotted name, value, origin, description)`` of every setting."""
        for name, description in flat_fields():
            value: Any = self.settings
            for part in name.split("."):
                value = getattr(value, part)
            yield name, value, self.origins.get(name, "default"), description


def flat_fields(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, str]]:
    """``(dotted name, description)`` of every setting."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from flat_fields(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field.description or ""


def load_settings(config_file: Path | None = None, **flags: Any) -> Settings:
    """Read all layers.

    Args:
        config_file: TOML file; default ``ASSISTANT_CONFIG``, then ``whyfake.toml`` here, then
            ``config.toml`` in the user's configuration folder.
        flags: strongest layer, by dotted name; None is "not given".

    Raises:
        ConfigError: one or more settings are wrong; the message names all of them.
    """
    return load_with_origins(config_file, **flags).settings


def load_with_origins(config_file: Path | None = None, **flags: Any) -> Loaded:
    """As :func:`load_settings`, telling also where each value came from."""
    problems: list[str] = []
    path = _find_file(config_file)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    layers = (
        (_read_toml(path, problems), f"file {path}"),
        (_read_environment(problems), ""),
        (_nested({k: v for k, v in flags.items() if v is not None}), "flag"),
    )
    known = [name for name, _ in flat_fields()]
    for layer, origin in layers:
        for name, value in _leaves(layer):
            if name not in known:
                if origin:  # the environment's unknown names are reported as variables
                    problems.append(f"{name} ({origin}): no such setting{_nearest(name, known)}")
                continue
            _put(values, name, value)
            variable = _PREFIX + name.upper().replace(".", "__")
            origins[name] = origin or f"environment {variable}"
    if values.get("vlm_backend") and not values.get("written_by"):
        values["written_by"] = "model"
        origins["written_by"] = "vlm_backend is chosen"
    try:
        settings = Settings(**values)
    except ValidationError as error:
        for item in error.errors():
            name = ".".join(str(part) for part in item["loc"])
            where = origins.get(name, "default")
            problems.append(f"{name} = {item['input']!r} ({where}): {item['msg']}")
        settings = Settings()
    if problems:
        count = f"{len(problems)} settings are" if len(problems) > 1 else "A setting is"
        raise ConfigError(
            f"{count} wrong: {'; '.join(problems)}.",
            hint="Run `whyfake config show` to see all settings and what they mean.",
        )
    for name in ("face_finder", "vlm_backend", "written_by"):
        origins.setdefault(name, f"profile {settings.profile}")
    return Loaded(settings=settings, origins=origins, config_file=path)


def _find_file(given: Path | None) -> Path | None:
    variable = os.environ.get("ASSISTANT_CONFIG")
    named = given or (Path(variable) if variable else None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(
                f"The settings file {named} does not exist.",
                hint="Check --config or ASSISTANT_CONFIG; without it, defaults are used.",
            )
        return named
    user = Path(platformdirs.user_config_dir("whyfake", appauthor=False)) / "config.toml"
    return next((path for path in (Path("whyfake.toml"), user) if path.is_file()), None)


def _read_toml(path: Path | None, problems: list[str]) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"the file {path} cannot be read: {error}")
        return {}


def _read_environment(problems: list[str]) -> dict[str, Any]:
    """Values of ``ASSISTANT_*``; a variable that means nothing is reported, not passed over."""
    names = {_PREFIX + name.upper().replace(".", "__"): name for name, _ in flat_fields()}
    # Whole parts as JSON, and the two that are read before any setting is.
    whole = {_PREFIX + part for part in ("VLM", "LIMITS", "CASES", "CONFIG", "WEIGHTS_DIR")}
    problems.extend(
        f"{variable}: no such setting{_nearest(variable, list(names))}"
        for variable in sorted(os.environ)
        if variable.startswith(_PREFIX) and variable not in names and variable not in whole
    )
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError as error:
        problems.append(str(error))
        return {}


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in flat.items():
        _put(out, name, value)
    return out


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    *parents, last = name.split(".")
    for part in parents:
        tree = tree.setdefault(part, {})
    tree[last] = value


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
