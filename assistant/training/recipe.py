"""The recipe of the embedded detector: one file that says all of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

import yaml
from pydantic import Field, model_validator

from assistant.detectors.tower import TOWERS, TowerLayout
from assistant.errors import ConfigError
from assistant.evaluation.config_file import ConfigFile, Strict
from assistant.evaluation.face_manifest import ManifestRow, read_manifest
from assistant.training.detector_config import CropConfig
from assistant.training.patches import PatchConfig
from assistant.training.tower_stage import TowerConfig
from assistant.training.two_heads import HeadConfig

__all__ = ["FakeShares", "Recipe", "is_recipe"]


class FakeShares(Strict):
    """How the manipulated half of the loss is shared between the real fakes and the made ones."""

    listed: float = Field(default=0.5, ge=0, description="manipulated pictures of the manifests")
    laid_in: float = Field(default=0.33, ge=0, description="blends made of genuine faces")
    redrawn: float = Field(default=0.17, ge=0, description="genuine faces drawn by a decoder")


class Recipe(ConfigFile):
    """A whole run: sources, views, read-out, folds of the leave-out table, calibration.

    ``start`` is a detector's file whose LayerNorms and low-rank updates tune the tower; None reads
    the base as it is. ``tuning`` says how the tower is tuned on from there. ``home`` names sources
    whose test part (``test_percent`` of the videos) is kept out of everything. ``views`` counts the
    views of each kind
    (:data:`assistant.training.views.KINDS`). ``folds`` name the sources that are left out together,
    those of one family above all; a source that no fold names is never left out.
    """

    example: ClassVar[str] = "configs/detector-vits14.yaml"
    places: ClassVar[tuple[str, ...]] = ("manifest", "more_manifests", "start")

    recipe: Literal["sources"]
    manifest: Path
    more_manifests: tuple[Path, ...] = ()
    base: str = "dinov2-vits14"
    tower: Literal["vit-s14"] = "vit-s14"
    start: Path | None = None
    crop: CropConfig = CropConfig(size=168, scale=0.7125, shift_y=-0.173333333)
    wide: CropConfig = CropConfig(size=224, scale=0.95, shift_y=-0.13)
    most: int = Field(default=1000, ge=10, description="pictures of one class of one source")
    home: tuple[str, ...] = ()
    test_percent: int = Field(default=15, ge=1, le=50)
    views: dict[str, float] = Field(default={"plain": 1, "worn": 1, "laid-in": 2, "redrawn": 1})
    tuning: TowerConfig = TowerConfig()
    redraw_steps: int = Field(default=350, ge=1)
    shares: FakeShares = FakeShares()
    patches: PatchConfig = PatchConfig()
    heads: HeadConfig = HeadConfig()
    folds: dict[str, tuple[str, ...]] = Field(default={})
    own_reals: tuple[str, ...] = Field(
        default=(), description="sources whose fakes are told from their own genuine pictures"
    )
    flagged: float = Field(
        default=0.05, gt=0, lt=0.5, description="most genuine flagged of any source left out"
    )
    mirror: bool = True
    seed: int = 0
    threads: int = Field(default=2, ge=1)

    @model_validator(mode="after")
    def _wide_holds_crop(self) -> Self:
        if self.wide.size < self.crop.size or (self.wide.size - self.crop.size) % 2:
            raise ValueError("wide must be larger than crop, by an even number of pixels")
        return self

    @property
    def layout(self) -> TowerLayout:
        """The tower as this run builds it."""
        return TOWERS[self.tower].sized(self.crop.size)

    def rows(self) -> list[ManifestRow]:
        """The rows of all manifests, in the order in which they are named.

        Raises:
            TrainingError: a manifest cannot be read or has wrong rows; all are named.
        """
        return [row for m in (self.manifest, *self.more_manifests) for row in read_manifest(m)]

    def check_folds(self, sources: Sequence[str]) -> None:
        """Raise a ConfigError where a fold names a source that no manifest has."""
        known = set(sources)
        named = {s for fold in (*self.folds.values(), self.tuning.without) for s in fold}
        unknown = sorted(named - known)
        if unknown:
            raise ConfigError(
                f"The folds, or `tuning.without`, name sources that no manifest has: "
                f"{', '.join(unknown)}.",
                hint=f"The manifests have {', '.join(sorted(known))}.",
            )


def is_recipe(path: Path) -> bool:
    """Whether a configuration is one of these (``recipe: sources``)."""
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False
    return isinstance(values, Mapping) and values.get("recipe") == "sources"
