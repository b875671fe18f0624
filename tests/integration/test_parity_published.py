"""Published layouts, built by their own libraries, give the same logits through our tower."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from assistant.detectors.clip_ln import ClipLnDetector, _resize
from assistant.detectors.delta_file import DeltaHeader
from assistant.detectors.published import map_published, read_checkpoint
from assistant.detectors.read_out import ClassTokenReadOut
from assistant.detectors.tower import TOWERS, TowerLayout, build_tower
from assistant.errors import WeightsError
from assistant.faces.alignment import align
from assistant.types import CropSpec
from tests.unit.faces.scenes import POINTS, astronaut

pytestmark = [
    pytest.mark.filterwarnings("ignore:Unsupported layer type:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning"),
]

SMALL = {"width": 64, "layers": 2, "heads": 4, "image": 56, "patch": 14}
FULL = {"width": 1024, "layers": 24, "heads": 16, "image": 224, "patch": 14}


def reference_clip(shape: dict[str, int]) -> torch.nn.Module:
    """transformers' own CLIP vision tower at random weights, LayerNorms included."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=shape["width"],
        intermediate_size=4 * shape["width"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        image_size=shape["image"],
        patch_size=shape["patch"],
        hidden_act="quick_gelu",
        attn_implementation="eager",
    )
    model = CLIPVisionModel(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def with_prefix(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """transformers 5 may leave ``vision_model.`` out; the published files have it."""
    return {
        k if k.startswith("vision_model.") else f"vision_model.{k}": v for k, v in state.items()
    }


def head(width: int) -> torch.nn.Linear:
    torch.manual_seed(1)
    return torch.nn.Linear(width, 2)


def gend_layout(clip: torch.nn.Module, linear: torch.nn.Linear) -> dict[str, torch.Tensor]:
    state = {f"feature_extractor.{k}": v for k, v in with_prefix(clip.state_dict()).items()}
    state["feature_extractor.visual_projection.weight"] = torch.randn(8, linear.in_features)
    state["model.linear.weight"], state["model.linear.bias"] = linear.weight, linear.bias
    return {k: v.detach().clone() for k, v in state.items()}


def peft_layout(clip: torch.nn.Module, linear: torch.nn.Linear) -> dict[str, torch.Tensor]:
    """The Lightning checkpoint's names, made by peft's own LayerNorm tuning."""
    from peft import LNTuningConfig, get_peft_model

    tuned = get_peft_model(
        clip,
        LNTuningConfig(
            target_modules=["pre_layrnorm", "layer_norm1", "layer_norm2", "post_layernorm"]
        ),
    )
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "ln_tuning_layers" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))
    state = {}
    for key, value in tuned.state_dict().items():
        inner = key.removeprefix("base_model.model.")
        state[f"feature_extractor.base_model.model.{next(iter(with_prefix({inner: value})))}"] = (
            value
        )
    state["model.linear.weight"], state["model.linear.bias"] = linear.weight, linear.bias
    return {k: v.detach().clone() for k, v in state.items()}


def our_tower(shape: dict[str, int], *, quick_gelu: bool = True) -> torch.nn.Module:
    from open_clip.transformer import LayerNorm, QuickGELU, VisionTransformer

    tower = VisionTransformer(
        image_size=shape["image"],
        patch_size=shape["patch"],
        width=shape["width"],
        layers=shape["layers"],
        heads=shape["heads"],
        mlp_ratio=4.0,
        pool_type="tok",
        output_dim=shape["width"],
        act_layer=QuickGELU if quick_gelu else torch.nn.GELU,
        norm_layer=partial(LayerNorm, eps=1e-5),
    )
    tower.proj = None
    return tower.eval()


def our_logits(
    tower: torch.nn.Module, linear: dict[str, torch.Tensor], pixels: torch.Tensor
) -> torch.Tensor:
    feature = torch.nn.functional.normalize(tower(pixels), dim=-1)
    return feature @ linear["weight"].T + linear["bias"]


def their_logits(
    clip: torch.nn.Module, linear: torch.nn.Linear, pixels: torch.Tensor
) -> torch.Tensor:
    feature = torch.nn.functional.normalize(clip(pixels).pooler_output, dim=-1)
    return linear(feature)


@pytest.mark.parametrize("shape", [SMALL, FULL], ids=["small", "full-size"])
@torch.inference_mode()
def test_parity_of_logits_in_both_layouts(shape: dict[str, int]) -> None:
    clip, linear = reference_clip(shape), head(shape["width"])
    pixels = torch.randn(2, 3, shape["image"], shape["image"])
    tower = our_tower(shape)
    for layout in (gend_layout, peft_layout):  # peft wraps the model in place: it comes last
        visual, ours = map_published(layout(clip, linear))
        tower.load_state_dict(visual, strict=True)
        expected = their_logits(clip, linear, pixels)
        assert torch.allclose(our_logits(tower, ours, pixels), expected, atol=1e-4)
        tuned = [k for k in visual if ".ln_" in k or k.startswith("ln_")]
        assert len(tuned) == 2 * (2 * shape["layers"] + 2)  # 50 LayerNorms at full size


@pytest.mark.parametrize("kind", ["safetensors", "ckpt"])
def test_parity_of_tensors_through_files(kind: str, tmp_path: Path) -> None:
    state = gend_layout(reference_clip(SMALL), head(64))
    path = tmp_path / f"model.{kind}"
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state, "epoch": 3}, path)
    read = read_checkpoint(path)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[k], state[k]) for k in state)


def published_crop(photo: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    """The released crop, step by step as its recipe says, nothing shared with our code."""
    template = np.array(
        [[0.34, 0.46], [0.66, 0.46], [0.5, 0.64], [0.37, 0.82], [0.63, 0.82]], np.float32
    )
    margin = 0.3 * size / 2
    target = (template * size + margin) * (size / (size + 2 * margin))
    matrix, _ = cv2.estimateAffinePartial2D(
        points.astype(np.float32), target.astype(np.float32), method=cv2.LMEDS
    )
    return cv2.warpAffine(photo, matrix, (size, size), flags=cv2.INTER_LINEAR)


@pytest.mark.parametrize("shift", [0, -150], ids=["inside", "over the edge"])
def test_parity_of_the_crop_to_one_level(shift: int) -> None:
    photo, points = astronaut(), POINTS + np.array([0, shift], np.float32)
    ours, matrix = align(photo, points, CropSpec(published=True))
    theirs = published_crop(photo, points, 256)
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert np.abs(points @ matrix[:, :2].T + matrix[:, 2]).max() < 256
    plain, _ = align(photo, points, CropSpec())
    assert np.abs(plain.astype(int) - theirs).max() > 1, "the two kinds of crop do differ"


@pytest.mark.parametrize("shape", [(256, 256), (311, 256), (224, 260), (97, 97)])
def test_parity_of_the_resizing_to_one_level(shape: tuple[int, int]) -> None:
    """Against torchvision's own steps on a Pillow picture and transformers' own processor."""
    from torchvision.transforms import InterpolationMode, functional
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    crop = cv2.resize(astronaut(), shape[::-1])
    picture = Image.fromarray(crop)
    step = functional.resize(picture, 224, InterpolationMode.BICUBIC)
    theirs = np.asarray(functional.center_crop(step, [224, 224])).astype(int)
    ours = _resize(crop, 224)
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    plain = CLIPImageProcessorPil(do_rescale=False, do_normalize=False)
    again = np.asarray(plain(picture)["pixel_values"][0]).transpose(1, 2, 0)
    assert np.abs(ours.astype(int) - again).max() <= 1


def detector_of(state: dict[str, torch.Tensor]) -> ClipLnDetector:
    """The small published network as the detector that the full profile runs."""
    tower_state, linear = map_published(state)
    layout = TowerLayout(
        image_size=56,
        width=64,
        layers=2,
        heads=4,
        layer_scale=False,
        pre_norm=True,
        quick_gelu=True,
        norm_eps=1e-5,
        mean=TOWERS["vit-l14"].mean,
        std=TOWERS["vit-l14"].std,
    )
    tower = build_tower(layout)
    tower.load_state_dict(tower_state, strict=True)
    read_out = ClassTokenReadOut(width=64, last_block=1)
    read_out.linear.load_state_dict(linear)
    header = DeltaHeader(
        tower=layout, base_sha256="", read_out=read_out.options(), crop=CropSpec(published=True)
    )
    return ClipLnDetector(tower, read_out, header, weights_sha256="")


def some_crops() -> list[np.ndarray]:
    photo = astronaut()
    return [cv2.resize(photo[y : y + 200, 120:320], (256, 256)) for y in (0, 60, 120)]


@torch.inference_mode()
def test_parity_of_scores_from_pixels_and_of_the_fake_index() -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    clip, linear = reference_clip(SMALL), head(64)
    crops = some_crops()
    ours = detector_of(gend_layout(clip, linear)).logits(crops)
    process = CLIPImageProcessorPil(
        size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}
    )
    pixels = process([Image.fromarray(crop) for crop in crops], return_tensors="pt")
    real, fake = their_logits(clip, linear, pixels["pixel_values"]).T.double().numpy()
    assert np.abs(ours - (fake - real)).max() < 1e-4
    assert np.abs(ours - (real - fake)).max() > 1e-2, "the other index would be seen"


def test_every_tuned_norm_is_needed_and_counts() -> None:
    state = peft_layout(reference_clip(SMALL), head(64))
    tuned = [key for key in state if ".ln_tuning_layers." in key]
    assert len(tuned) == 2 * (2 * SMALL["layers"] + 2)
    crops = some_crops()[:1]
    whole = detector_of(state).logits(crops)
    for key in tuned:
        changed = {**state, key: state[key] + 0.5 * torch.randn_like(state[key])}
        assert np.abs(detector_of(changed).logits(crops) - whole).max() > 1e-6, key
        short = {k: v for k, v in state.items() if k != key}
        with pytest.raises(WeightsError, match="tuned twin"):
            map_published(short)


@torch.inference_mode()
def test_parity_breaks_with_the_wrong_activation() -> None:
    clip, linear = reference_clip(SMALL), head(64)
    visual, ours = map_published(gend_layout(clip, linear))
    wrong = our_tower(SMALL, quick_gelu=False)
    wrong.load_state_dict(visual, strict=True)
    pixels = torch.randn(2, 3, 56, 56)
    assert not torch.allclose(
        our_logits(wrong, ours, pixels), their_logits(clip, linear, pixels), atol=1e-4
    )


@torch.inference_mode()
def test_parity_breaks_when_an_untuned_norm_is_taken() -> None:
    clip, linear = reference_clip(SMALL), head(64)
    state = peft_layout(clip, linear)
    stem = next(k for k in state if "layers.0.layer_norm1.ln_tuning_layers" in k and "weight" in k)
    untuned = stem[: stem.index(".ln_tuning_layers")] + ".base_layer.weight"
    visual, _ = map_published(state)
    assert torch.equal(visual["transformer.resblocks.0.ln_1.weight"], state[stem])
    assert not torch.equal(state[stem], state[untuned])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("model.linear.bias"), "head"),
        (lambda s: s.update({"model.strange": torch.zeros(1)}), "model.strange"),
        (
            lambda s: s.pop(
                "feature_extractor.vision_model.encoder.layers.1.self_attn.k_proj.weight"
            ),
            "k projection",
        ),
        (lambda s: s.update({"model.linear.weight": torch.zeros(3, 64)}), "head"),
    ],
)
def test_a_broken_layout_is_refused_by_name(change: object, says: str) -> None:
    state = gend_layout(reference_clip(SMALL), head(64))
    change(state)  # type: ignore[operator]
    with pytest.raises(WeightsError, match=says):
        map_published(state)


class Exploit:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("owned"),))


def test_a_checkpoint_with_code_in_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "x": Exploit()}, tmp_path / "model.ckpt")
    with pytest.raises(WeightsError, match="code"):
        read_checkpoint(tmp_path / "model.ckpt")
    assert not (tmp_path / "owned").exists()


def _whole(path: Path) -> bytes:
    save_file({"a": torch.zeros(100)}, path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-50],
        lambda whole: b"",
        lambda whole: whole[:5],
        lambda whole: b"not a checkpoint",
        lambda whole: b"\xff" * 8 + whole[8:],
        lambda whole: whole[:8] + b"{]" + whole[10:],
        lambda whole: whole.replace(b"F32", b"F99"),
        lambda whole: b"<html>Not found</html>" * 20,
    ],
)
def test_a_damaged_file_is_refused(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(damage(_whole(path)))
    with pytest.raises(WeightsError, match="complete") as caught:
        read_checkpoint(path)
    assert "weights fetch" in caught.value.hint


def test_a_parser_that_fails_in_another_way_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.torch

    def fails(*_: object, **__: object) -> None:
        raise type("SafetensorError", (Exception,), {})("of another build")

    _whole(tmp_path / "m.safetensors")
    monkeypatch.setattr(safetensors.torch, "load_file", fails)
    with pytest.raises(WeightsError, match="complete"):
        read_checkpoint(tmp_path / "m.safetensors")
