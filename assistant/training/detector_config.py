"""The configuration of ``whyfake train detector``: every choice is a field."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.detectors.tower import TOWERS, TowerLayout
from assistant.errors import ConfigError
from assistant.evaluation.face_manifest import ManifestRow, read_manifest
from assistant.training.augmentation import Augmentation
from assistant.training.degradation import Degradation
from assistant.training.partial import Partial
from assistant.types import CropSpec

__all__ = [
    "CropConfig",
    "DetectorConfig",
    "ExpertConfig",
    "JointConfig",
    "ReadOutConfig",
    "SurroundingsConfig",
    "TuningConfig",
    "load_config",
    "manifest_rows",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CropConfig(_Strict):
    """How faces are laid into crops; see :class:`assistant.types.CropSpec`."""

    size: int = Field(default=224, ge=28, le=1024)
    scale: float = Field(default=0.95, gt=0.2, le=4.0)
    shift_y: float = Field(default=-0.13, ge=-1.0, le=1.0)

    @property
    def spec(self) -> CropSpec:
        """As the stages take it."""
        return CropSpec(size=self.size, scale=self.scale, shift_y=self.shift_y)


class ExpertConfig(_Strict):
    """A network that learns from one kind of material alone."""

    sources: tuple[str, ...] = Field(min_length=1)
    hidden: int = Field(default=128, ge=1, le=4096)
    epochs: int = Field(default=80, ge=1, le=1000)
    batch: int = Field(default=64, ge=2)
    blends: bool = Field(default=True, description="learn from blends of these sources too")


class ReadOutConfig(_Strict):
    """The network over the block statistics. ``members`` are trained apart and averaged.

    ``experts`` are trained beside them, each on its own sources, with a gate that tells these
    apart; ``expert_share`` is the share of their logit.
    """

    blocks: tuple[int, ...] = (3, 5, 6, 8)
    hidden: int = Field(default=192, ge=1, le=4096)
    members: int = Field(default=2, ge=0, le=16, description="0: the experts alone")
    epochs: int = Field(default=14, ge=1, le=1000)
    batch: int = Field(default=256, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1.0, ge=0)
    label_smoothing: float = Field(default=0.04, ge=0, lt=0.5)
    both_sides: bool = Field(
        default=False, description="learn from every face and from its mirror image, not from one"
    )
    degraded_share: float = Field(
        default=0.0, ge=0, le=1, description="of the draws: the face in a worse quality"
    )
    degradation: Degradation = Degradation()
    partial: Partial = Partial()
    experts: tuple[ExpertConfig, ...] = ()
    expert_share: float = Field(default=0.6, gt=0, le=1)
    gate_epochs: int = Field(default=8, ge=1, le=1000)

    @model_validator(mode="after")
    def _experts_differ(self) -> Self:
        named = [source for expert in self.experts for source in expert.sources]
        if len(self.experts) == 1:
            raise ValueError("experts are two or more, or none")
        if len(set(named)) < len(named):
            raise ValueError("a source belongs to one expert")
        if not self.members and not self.experts:
            raise ValueError("there must be members or experts")
        return self


class TuningConfig(_Strict):
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
    average: float = Field(default=0.0, ge=0, lt=1, description="decay of the weights' average")
    patience: int = Field(default=0, ge=0, description="epochs without progress; 0: never stop")
    checkpoint_steps: int = Field(default=50, ge=1)
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False

    @model_validator(mode="after")
    def _kept_tokens_never_change(self) -> Self:
        if self.keep_tokens and (self.augment or self.lowest_block == 0):
            raise ValueError("keep_tokens needs augment: false and a lowest_block of at least 1")
        return self


class JointConfig(_Strict):
    """LayerNorms, low-rank updates and read-outs trained together, from a trained read-out on."""

    steps: int = Field(default=1500, ge=1)
    batch: int = Field(default=32, ge=2)
    lowest_block: int = Field(default=2, ge=0, description="blocks below stay as they are")
    rank: int = Field(default=8, ge=0, le=128, description="of the updates; 0: only LayerNorms")
    hidden: int = Field(default=96, ge=1, le=1024, description="of the patch evidence")
    share: float = Field(default=0.5, ge=0, le=1, description="of the statistics in the logit")
    norm_rate: float = Field(default=2e-4, gt=0)
    low_rank_rate: float = Field(default=4e-4, gt=0)
    statistics_rate: float = Field(default=1e-4, gt=0)
    evidence_rate: float = Field(default=1.5e-3, gt=0)
    weight_decay: float = Field(default=0.02, ge=0)
    label_smoothing: float = Field(default=0.04, ge=0, lt=0.5)
    part_weight: float = Field(default=0.5, ge=0, description="of each read-out's own loss")
    mask_weight: float = Field(default=1.0, ge=0)
    clip: float = Field(default=1.0, gt=0, description="norm of the gradient")
    warm_up: int = Field(default=60, ge=1)
    average: float = Field(default=0.99, ge=0, lt=1)
    period: int = Field(default=200, ge=1, description="steps between validations")
    validation: int = Field(default=400, ge=10, description="most pictures of a source")
    patience: int = Field(default=0, ge=0)
    checkpoint_steps: int = Field(default=50, ge=1)
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    pair_shares: dict[str, float] = {"blended": 1.0}
    blended_shares: dict[str, float] = {}
    self_blended: float = Field(default=0.6, ge=0, le=1)
    generated_donors: float = Field(
        default=0.0, ge=0, le=1, description="of the exchanges: parts of a generated face"
    )
    augmentation: Augmentation = Augmentation()
    keep: Literal["best", "last"] = Field(
        default="best", description="which average: of the best validation, or of the last step"
    )
    stop_after: int | None = Field(
        default=None, ge=1, description="steps that are made; the rates fall as if it were `steps`"
    )
    refit: bool = Field(
        default=False, description="train the statistics read-out anew over the tuned tower"
    )
    interpolation: float = Field(
        default=1.0, ge=0, le=1, description="0: the start, 1: the tuned weights (arXiv 2109.01903)"
    )
    final_share: float | None = Field(
        default=None, ge=0, le=1, description="of the statistics after training; None: share"
    )
    views: int = Field(default=1, ge=1, le=8, description="changed copies of a picture in a batch")
    consistency: float = Field(
        default=0.0, ge=0, description="weight of the squared difference of two views' logits"
    )

    @property
    def steps_made(self) -> int:
        """How many of ``steps`` are made."""
        return min(self.steps, self.stop_after or self.steps)

    @model_validator(mode="after")
    def _consistency_needs_views(self) -> Self:
        if self.consistency and self.views < 2:
            raise ValueError("consistency compares views: set views to 2 or more")
        if self.batch % (2 * self.views):
            raise ValueError("batch must be a multiple of two times views")
        return self


class SurroundingsConfig(_Strict):
    """What learns to tell generated pictures from the surroundings of a face.

    ``generated`` names the sources whose manipulated pictures come whole from a generator, each of
    which a network of its own learns; all other pictures are examples of the contrary.
    """

    generated: tuple[str, ...] = ()
    shares: dict[str, float] = Field(
        default={}, description="of a source's training pictures that are looked at; else all"
    )
    hidden: dict[str, int] = Field(
        default={}, description="units of a source's network; else those of read_out"
    )
    looks: dict[str, int] = Field(
        default={}, description="changed looks at a source's picture beside the first; else 1"
    )
    first_weight: float = Field(
        default=1.0, gt=0, description="of a first look, which is unchanged, beside another"
    )
    cut: float = Field(default=0.6, ge=0, le=1, description="share of looks cut tighter")
    shrunk: float = Field(default=0.3, ge=0, le=1, description="share of looks made smaller")
    degraded: float = Field(default=0.4, ge=0, le=1, description="share in a worse quality")
    start: float = Field(default=-0.5, description="the evidence from which on it is added")
    sharpness: float = Field(default=4.0, gt=0, description="of that start")


class DetectorConfig(_Strict):
    """A whole training run.

    ``recipe``: ``read-out`` trains a network over the frozen tower's statistics; ``joint`` goes on
    from there, or from the trained detector ``start``, and tunes LayerNorms and low-rank updates
    with it; ``layer-norms`` tunes LayerNorms and a class-token head, as published; ``texture``
    gives the trained detector ``start`` a read-out of the texture (``read_out`` without blocks),
    whose logit counts ``texture_share``; ``surroundings`` gives it a read-out of the picture around
    the face, whose lift is added.
    ``test_percent`` and ``calibration_percent`` are shares of the source videos.
    ``more_manifests`` list further pictures, such as those of ``whyfake train generated-faces``;
    a source of manipulated faces alone stands beside the real ones of the sources that
    ``borrowed_reals`` names, in pairs and in what is measured.
    ``source_weights`` multiply a source's share of the loss; ``self_blended`` says how many
    blended faces are made of each real face of a source.
    """

    recipe: Literal["read-out", "joint", "layer-norms", "texture", "surroundings"]
    manifest: Path
    more_manifests: tuple[Path, ...] = ()
    borrowed_reals: dict[str, tuple[str, ...]] = {}
    base: str = "dinov2-vits14"
    tower: Literal["vit-s14", "vit-l14"] = "vit-s14"
    image_size: int | None = Field(
        default=None, ge=28, description="side that the tower reads, in pixels; None: its own"
    )
    start: Path | None = None
    crop: CropConfig = CropConfig()
    limit: int | None = Field(default=None, ge=10)
    test_percent: int = Field(default=15, ge=1, le=50)
    calibration_percent: int = Field(default=7, ge=1, le=50)
    calibration_sources: tuple[str, ...] = ()
    source_weights: dict[str, float] = {}
    self_blended: dict[str, float] = {}
    self_blended_weight: float = Field(default=0.5, ge=0)
    flip: bool = True
    mirror: bool = Field(
        default=False, description="score a crop and its mirror image, and take the mean logit"
    )
    texture_base: str = "efficientnet-lite0-stages"
    texture_share: float = Field(default=0.3, gt=0, lt=1, description="of the texture's logit")
    surroundings: SurroundingsConfig = SurroundingsConfig()
    read_out: ReadOutConfig = ReadOutConfig()
    tuning: TuningConfig = TuningConfig()
    joint: JointConfig = JointConfig()
    seed: int = 0
    threads: int = Field(default=2, ge=1)

    @property
    def statistics_shape(self) -> tuple[int, int, int]:
        """Of the statistics of one face: blocks x 3 x width."""
        return (len(self.read_out.blocks), 3, self.layout.width)

    @property
    def layout(self) -> TowerLayout:
        """The tower as this run builds it."""
        layout = TOWERS[self.tower]
        return layout if self.image_size is None else layout.sized(self.image_size)


def load_config(path: Path) -> DetectorConfig:
    """Read a YAML configuration; paths in it are relative to the file.

    Raises:
        ConfigError: the file cannot be read; every wrong field is named, all at once.
    """
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
        config = DetectorConfig.model_validate(values)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"The training configuration {path} cannot be read: {error}.",
            hint="Start from one in configs/.",
        ) from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'file'}: {e['msg']}"
            for e in error.errors()
        )
        raise ConfigError(
            f"The training configuration {path} is wrong: {wrong}.",
            hint="Start from one in configs/.",
        ) from error
    start = None if config.start is None else path.parent / config.start
    more = tuple(path.parent / manifest for manifest in config.more_manifests)
    places = {"manifest": path.parent / config.manifest, "more_manifests": more, "start": start}
    return config.model_copy(update=places)


def manifest_rows(config: DetectorConfig) -> list[ManifestRow]:
    """The rows of all manifests of a run, in the order in which they are named.

    Raises:
        TrainingError: a manifest cannot be read or has wrong rows; all are named.
    """
    manifests = (config.manifest, *config.more_manifests)
    return [row for manifest in manifests for row in read_manifest(manifest)]
