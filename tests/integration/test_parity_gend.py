"""GenD on PE-L and DINOv3-L, as timm and transformers build it, scores the same in ours."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import assistant.detectors.gend
from assistant.compose import _attributor, build, build_detector
from assistant.detectors.gend import GEND_TOWERS, GendDetector, build_gend_tower, map_gend
from assistant.errors import ConfigError, InferenceError, WeightsError
from assistant.events import Analyzed
from assistant.settings import Settings
from tests.unit.faces.scenes import astronaut

WIDTH = 64
SMALL = {"embed_dim": WIDTH, "depth": 2, "num_heads": 4}
SMALL_PE = {**SMALL, "attn_pool_num_heads": 4}


def small_tower(spec: Any) -> torch.nn.Module:
    return build_gend_tower(spec, **(SMALL_PE if spec.name == "PE-L" else SMALL))


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """None of its weights is zero or one any more, as fresh biases and norms are."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


@cache
def reference_pe() -> tuple[torch.nn.Module, Callable[[np.ndarray], torch.Tensor]]:
    """As GenD makes it: timm's model, its head cut off, timm's own transform at 224 px."""
    import timm

    torch.manual_seed(0)
    model = timm.create_model(
        "vit_pe_core_large_patch14_336", pretrained=False, dynamic_img_size=True, **SMALL_PE
    )
    config = timm.data.resolve_model_data_config(model)
    transform = timm.data.create_transform(**config | {"input_size": (3, 224, 224)})
    model.head = torch.nn.Identity()
    return shaken(model), lambda crop: transform(Image.fromarray(crop))


@cache
def reference_dino() -> tuple[torch.nn.Module, Callable[[np.ndarray], torch.Tensor]]:
    """As GenD makes it: transformers' model and its image processor."""
    from transformers import DINOv3ViTConfig, DINOv3ViTImageProcessor, DINOv3ViTModel

    torch.manual_seed(0)
    config = DINOv3ViTConfig(
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_register_tokens=4,
    )
    process = DINOv3ViTImageProcessor()
    model = shaken(DINOv3ViTModel(config))
    return model, lambda crop: process(images=Image.fromarray(crop), return_tensors="pt")[
        "pixel_values"
    ][0]


REFERENCES = {"PE-L": reference_pe, "DINOv3-L": reference_dino}


def published(model: torch.nn.Module, linear: torch.nn.Linear) -> dict[str, torch.Tensor]:
    """The file's names; transformers 4 (with which they were saved) has no ``model.`` in them."""
    state = {
        f"feature_extractor.backbone.{k.removeprefix('model.')}": v
        for k, v in model.state_dict().items()
    }
    state["model.linear.weight"], state["model.linear.bias"] = linear.weight, linear.bias
    return {k: v.detach().clone() for k, v in state.items()}


def head() -> torch.nn.Linear:
    torch.manual_seed(1)
    return torch.nn.Linear(WIDTH, 2)


def crops() -> list[np.ndarray]:
    photo = astronaut()
    return [cv2.resize(photo[y : y + 200, 120:320], (256, 256)) for y in (0, 60, 120)]


def saved(name: str, folder: Path, **changes: torch.Tensor) -> Path:
    path = folder / "model.safetensors"
    save_file({**published(REFERENCES[name]()[0], head()), **changes}, path)
    return path


@pytest.mark.parametrize("name", REFERENCES)
@torch.inference_mode()
def test_parity_of_scores_from_pixels(name: str, tmp_path: Path) -> None:
    model, process = REFERENCES[name]()
    linear = head()
    pixels = torch.stack([process(crop) for crop in crops()])
    out = model(pixels)
    feature = out if isinstance(out, torch.Tensor) else out.last_hidden_state[:, 0]
    real, fake = linear(torch.nn.functional.normalize(feature)).T.double().numpy()
    detector = GendDetector.load(saved(name, tmp_path), accept_unpinned=True, build=small_tower)
    ours = detector.logits(crops())
    assert np.abs(ours - (fake - real)).max() < 1e-4
    assert np.abs(ours - (real - fake)).max() > 1e-2, "the other index would be seen"
    assert np.ptp(ours) > 1e-3, "the crops do differ"
    assert name in detector.provenance()["base"]


@pytest.mark.parametrize("name", REFERENCES)
def test_parity_of_pixels_to_one_level(name: str, tmp_path: Path) -> None:
    _, process = REFERENCES[name]()
    detector = GendDetector.load(saved(name, tmp_path), accept_unpinned=True, build=small_tower)
    spec = GEND_TOWERS[name]
    for side in (224, 256, 311):
        crop = cv2.resize(crops()[1], (side, side))
        level = torch.tensor(spec.std).view(3, 1, 1) * 255
        difference = (detector._pixels(crop) - process(crop)) * level
        assert difference.abs().max() <= 1


def test_parity_of_names_and_shapes_at_the_published_size() -> None:
    """Transformers' DINOv3-L has exactly the tensors that timm's wants, once mapped."""
    from transformers import DINOv3ViTConfig, DINOv3ViTModel

    config = DINOv3ViTConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_register_tokens=4,
    )
    with torch.device("meta"):
        state = published(DINOv3ViTModel(config), torch.nn.Linear(1024, 2))
        spec, mapped, _ = map_gend(state)
        wanted = build_gend_tower(spec).state_dict()
    assert {k: v.shape for k, v in mapped.items()} == {k: v.shape for k, v in wanted.items()}
    assert sum(v.numel() for v in wanted.values()) == 303_128_576  # of 303.1 M, as published


def test_transformers_5_names_are_read_too() -> None:
    model = reference_dino()[0]
    state = {f"feature_extractor.backbone.{k}": v for k, v in model.state_dict().items()}
    assert any(".backbone.model.layer." in key for key in state)
    linear = {f"model.linear.{k}": v for k, v in head().state_dict().items()}
    _, new, _ = map_gend({**state, **linear})
    _, old, _ = map_gend(published(model, head()))
    assert new.keys() == old.keys()


@pytest.mark.parametrize("name", REFERENCES)
def test_every_norm_counts(name: str, tmp_path: Path) -> None:
    """What GenD tuned is what is loaded: each LayerNorm changed alone changes the score."""
    state = published(REFERENCES[name]()[0], head())
    norms = [k for k in state if "norm" in k and k.endswith("weight")]
    assert len(norms) >= 5
    path = tmp_path / "model.safetensors"

    def score(changed: dict[str, torch.Tensor]) -> float:
        save_file(changed, path)
        made = GendDetector.load(path, accept_unpinned=True, build=small_tower)
        return float(made.logits(crops()[:1])[0])

    whole = score(state)
    torch.manual_seed(2)
    for key in norms:
        other = {**state, key: state[key] + 0.5 * torch.randn_like(state[key])}
        assert abs(score(other) - whole) > 1e-6, key


K = "feature_extractor.backbone.layer.1.attention.k_proj.weight"


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("DINOv3-L", lambda s: s.pop(K), "the k projection is missing"),
        ("DINOv3-L", lambda s: s.update({K[:-6] + "bias": torch.zeros(64)}), "k_proj.bias"),
        ("DINOv3-L", lambda s: s.update({"model.strange": torch.zeros(1)}), "model.strange"),
        ("PE-L", lambda s: s.pop("model.linear.bias"), "linear head"),
        ("PE-L", lambda s: s.update({"model.linear.weight": torch.zeros(3, 64)}), "linear head"),
        ("PE-L", lambda s: s.pop("feature_extractor.backbone.cls_token"), "no GenD file"),
        (
            "PE-L",
            lambda s: s.update({"feature_extractor.vision_model.x": torch.zeros(1)}),
            "CLIP ViT-L/14",
        ),
    ],
)
def test_a_broken_layout_is_refused_by_name(name: str, change: Any, says: str) -> None:
    state = published(REFERENCES[name]()[0], head())
    change(state)
    with pytest.raises(WeightsError, match=says) as caught:
        map_gend(state)
    assert caught.value.hint


@pytest.mark.parametrize("name", REFERENCES)
def test_a_missing_tensor_and_another_size_are_refused(name: str, tmp_path: Path) -> None:
    short = published(REFERENCES[name]()[0], head())
    short.pop("feature_extractor.backbone.norm.weight")
    path = tmp_path / "model.safetensors"
    save_file(short, path)
    with pytest.raises(WeightsError, match=f"does not hold GenD's {name}") as caught:
        GendDetector.load(path, accept_unpinned=True, build=small_tower)
    assert caught.value.code == "weights-shape"
    with pytest.raises(WeightsError, match="does not hold"):
        GendDetector.load(
            saved(name, tmp_path),
            accept_unpinned=True,
            build=lambda spec: build_gend_tower(spec, **{**SMALL_PE, "depth": 3}),
        )


def test_files_that_are_absent_damaged_or_not_accepted_are_refused(tmp_path: Path) -> None:
    path = saved("PE-L", tmp_path)
    with pytest.raises(WeightsError, match="no published SHA-256") as caught:
        GendDetector.load(path, build=small_tower)
    assert caught.value.code == "weights-unpinned"
    assert "accept-unpinned" in caught.value.hint
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="not a complete safetensors"):
        GendDetector.load(path, accept_unpinned=True, build=small_tower)
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        GendDetector.load(tmp_path / "no", accept_unpinned=True, build=small_tower)
    assert caught.value.code == "weights-missing"


def test_a_score_that_is_no_number_is_an_error(tmp_path: Path) -> None:
    bias = torch.tensor([0.0, float("nan")])
    path = saved("PE-L", tmp_path, **{"model.linear.bias": bias})
    detector = GendDetector.load(path, accept_unpinned=True, build=small_tower)
    with pytest.raises(InferenceError, match="no number"):
        detector.logits(crops()[:1])


def test_the_settings_choose_it_and_its_map_is_that_of_occlusion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="path of its weights") as caught:
        build_detector(Settings(detector="gend"))
    assert "--weights" in caught.value.hint
    monkeypatch.setattr(assistant.detectors.gend, "build_gend_tower", small_tower)
    settings = Settings(
        detector="gend", detector_weights=saved("PE-L", tmp_path), accept_unpinned=True
    )
    detector, calibrator = build_detector(settings)
    whole = calibrator.calibrate(float(detector.logits(crops()[:1])[0]))
    assert 0 < whole.probability < 1
    assert whole.interval == (0, 1), "nothing was fitted, and it says so"
    assert _attributor(settings, detector).name == "occlusion"


def test_a_photo_is_analysed_with_it(
    tmp_path: Path, model_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistant.detectors.gend, "build_gend_tower", small_tower)
    settings = Settings(
        detector="gend",
        detector_weights=saved("DINOv3-L", tmp_path),
        accept_unpinned=True,
        data_dir=model_files,
        vlm_backend="template",
    )
    with contextlib.closing(build(settings)) as made:
        buffer = io.BytesIO()
        Image.fromarray(astronaut()).save(buffer, "PNG")
        events = made.analyze(buffer.getvalue(), explain=False)
        face = next(event.result for event in events if isinstance(event, Analyzed))
        events.close()
    assert face.score.detector == "gend"
    assert face.attribution.method == "occlusion"
    assert face.score.interval == (0, 1)
