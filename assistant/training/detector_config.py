"""The configuration of ``whyfake train detector``: every choice is a field."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from assistant.detectors.tower import TOWERS, TowerLayout
from assistant.evaluation.config_file import ConfigFile, Strict
from assistant.types import CropSpec

__all__ = ["CropConfig", "DetectorConfig", "TuningConfig"]


class CropConfig(Strict):
    """How faces are laid into crops; see :class:`assistant.types.CropSpec`."""

    size: int = Field(default=224, ge=28, le=1024)
    scale: float = Field(default=0.95, gt=0.2, le=4.0)
    shift_y: float = Field(default=-0.13, ge=-1.0, le=1.0)

    @property
    def spec(self) -> CropSpec:
        """As the stages take it."""
        return CropSpec(size=self.size, scale=self.scale, shift_y=self.shift_y)


class TuningConfig(Strict):
    """LayerNorm tuning as published (arXiv 2503.19683, 2508.06248); each term is a switch."""

    layer_norms: bool = Field(default=True, description="False: the head alone, a linear probe")
    lowest_block: int = Field(default=0, ge=0, description="blocks below keep their LayerNorms")
    keep_tokens: bool = Field(
        default=False, description="compute the blocks below once; without augmentation only"
    )
    start: Literal["random", "logistic"] = Field(
        default="random", description="the head's first values; logistic: a regression's"
    )
    epochs: int = Field(default=10, ge=1)
    batch: int = Field(default=128, ge=2)
    learning_rate: float = Field(default=3e-4, gt=0)
    last_learning_rate: float = Field(default=1e-5, ge=0)
    warm_up_epochs: float = Field(default=1.0, ge=0)
    restart_epochs: int = Field(default=10, ge=1)
    weight_decay: float = Field(default=0.0, ge=0)
    normalise: bool = True
    uniformity: float = Field(default=0.5, ge=0)
    alignment: float = Field(default=0.1, ge=0)
    slerp: bool = False
    paired: bool = True
    augment: bool = True
    checkpoint_steps: int = Field(default=50, ge=1)
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False

    @model_validator(mode="after")
    def _kept_tokens_never_change(self) -> Self:
        if self.keep_tokens and (self.augment or self.lowest_block == 0):
            raise ValueError("keep_tokens needs augment: false and a lowest_block of at least 1")
        return self


class DetectorConfig(ConfigFile):
    """A run of the published recipe: LayerNorms and a class-token head are tuned.

    ``test_percent`` and ``calibration_percent`` are shares of the source videos. ``self_blended``
    says how many blended faces are made of each real face of a source. The recipe of the embedded
    detector is :class:`assistant.training.recipe.Recipe`.
    """

    example: ClassVar[str] = "configs/ablation-vits14.yaml"
    places: ClassVar[tuple[str, ...]] = ("manifest",)

    recipe: Literal["layer-norms"]
    manifest: Path
    base: str = "dinov2-vits14"
    tower: Literal["vit-s14", "vit-l14"] = "vit-s14"
    image_size: int | None = Field(
        default=None, ge=28, description="side that the tower reads, in pixels; None: its own"
    )
    crop: CropConfig = CropConfig()
    limit: int | None = Field(default=None, ge=10)
    test_percent: int = Field(default=15, ge=1, le=50)
    calibration_percent: int = Field(default=7, ge=1, le=50)
    self_blended: dict[str, float] = Field(default={})
    tuning: TuningConfig = TuningConfig()
    seed: int = 0
    threads: int = Field(default=2, ge=1)

    @property
    def layout(self) -> TowerLayout:
        """The tower as this run builds it."""
        layout = TOWERS[self.tower]
        return layout if self.image_size is None else layout.sized(self.image_size)
