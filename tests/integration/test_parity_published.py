"""Published layouts, built by their own libraries, give the same logits through our tower."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from assistant.detectors.published import map_published, read_checkpoint
from assistant.errors import WeightsError

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


def test_a_cut_short_file_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(100)}, tmp_path / "m.safetensors")
    whole = (tmp_path / "m.safetensors").read_bytes()
    (tmp_path / "m.safetensors").write_bytes(whole[:-50])
    with pytest.raises(WeightsError, match="complete"):
        read_checkpoint(tmp_path / "m.safetensors")
