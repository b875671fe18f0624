"""What single plugins promise: counts at full size, labels, answers, prompts, maps, agreement."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch

from assistant import registry
from assistant.detectors.clad import ClAdDetector
from assistant.detectors.clip_coop import ClipCoopDetector, CoopOptions, _Prompts
from assistant.detectors.clip_pair import FULL_MODEL, ClipOptions, full_pair, load_pair
from assistant.detectors.effort import Residual
from assistant.detectors.ensemble import EnsembleDetector
from assistant.detectors.hf_vit import HfVitDetector, sides_of
from assistant.detectors.repdfd import RepDfdDetector, RepDfdOptions, _Reprogrammed, border_size
from assistant.detectors.vlm_zero_shot import VlmZeroShotDetector, parse_answer
from assistant.errors import ConfigError, InferenceError, WeightsError
from assistant.settings import Settings
from assistant.vlm.scripted import ScriptedBackend
from tests.field import crops, hub_classifier, tiny_files

TINY_CLIP = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {
        "image_size": 224,
        "layers": 2,
        "width": 64,
        "head_width": 32,
        "patch_size": 14,
    },
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def full_on_paper():
    """ViT-L/14 with its text tower, shapes without numbers."""
    with torch.device("meta"):
        model = open_clip.create_model(FULL_MODEL, device="meta", force_custom_text=True)
        return full_pair(model, FULL_MODEL)


def trained_numbers(network) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_the_border_of_repdfd_has_77520_numbers(full_on_paper):
    assert border_size(224, 156) == 77_520
    full_on_paper.words = lambda texts: (torch.zeros(len(texts), 77, 768), torch.zeros(len(texts)))
    full_on_paper.encode_texts = lambda texts: torch.zeros(len(texts), 768)
    network = _Reprogrammed(full_on_paper, RepDfdOptions())
    assert trained_numbers(network) == 77_520


def test_prompt_tuning_at_full_size_learns_sixteen_words_of_768(full_on_paper):
    assert (full_on_paper.feature_width, full_on_paper.joint_width) == (1024, 768)
    full_on_paper.words = lambda texts: (torch.zeros(2, 77, 768), torch.zeros(2))
    assert trained_numbers(_Prompts(full_on_paper, CoopOptions())) == 16 * 768


def test_effort_tunes_one_direction_of_each_matrix_at_full_size():
    weight = torch.randn(3 * 1024, 1024, generator=torch.Generator().manual_seed(0))
    part = Residual(weight, 3, 1)
    assert trained_numbers(part) == 3 * (1024 + 1 + 1024)
    assert torch.allclose(part(weight), weight, atol=1e-3)
    assert float(part.strain().detach()) < 1e-4


def test_the_full_side_runs_open_clips_own_model_with_the_same_code(tmp_path: Path):
    (tmp_path / "tiny-field-clip.json").write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(tmp_path / "tiny-field-clip.json")
    torch.manual_seed(0)
    model = open_clip.create_model("tiny-field-clip", force_custom_text=True).eval()
    path = tmp_path / "tiny.pt"
    torch.save(model.state_dict(), path)
    options = ClipOptions(model="tiny-field-clip", weights=path)
    pair = load_pair(options, tiny_files(tmp_path))
    pixels = torch.rand(2, 3, 224, 224)
    texts = ["a real photo", "a fake photo of a person"]
    with torch.no_grad():
        expected = model.encode_image((pixels - pair.mean) / pair.std, normalize=True)
        found = pair.joint(pair.feature(pixels))
        told = model.encode_text(open_clip.get_tokenizer("tiny-field-clip")(texts), normalize=True)
        assert torch.allclose(pair.encode_texts(texts), told, atol=1e-4)
    assert torch.allclose(found, expected, atol=1e-4)
    detector = ClipCoopDetector.create(
        {"model": "tiny-field-clip", "weights": str(path)}, tiny_files(tmp_path)
    )
    assert np.isfinite(detector.logits(crops(2))).all()
    with pytest.raises(WeightsError) as caught:
        load_pair(ClipOptions(model=FULL_MODEL, weights=tmp_path / "gone.pt"), tiny_files(tmp_path))
    assert caught.value.code == "weights-missing"
    bent = {k: v[:1] if k == "visual.class_embedding" else v for k, v in model.state_dict().items()}
    torch.save(bent, path)
    with pytest.raises(WeightsError) as caught:
        load_pair(options, tiny_files(tmp_path))
    assert caught.value.code == "weights-shape"


def test_small_text_tower_gives_words_and_texts_the_same_vector(tmp_path: Path):
    pair = load_pair(ClipOptions(), tiny_files(tmp_path))
    with torch.no_grad():
        numbers = pair.tokenize(["a real photo of a person"])
        told = torch.nn.functional.normalize(pair.text(numbers), dim=-1)
        assert torch.allclose(pair.encode_texts(["a real photo of a person"]), told, atol=1e-5)


def test_dynamic_prompts_need_an_identity_encoder(tmp_path: Path):
    files = tiny_files(tmp_path)
    with pytest.raises(WeightsError) as caught:
        RepDfdDetector.create({"prompts": "dynamic"}, files)
    assert caught.value.code == "no-identity-encoder"
    (tmp_path / "id.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError) as caught:
        RepDfdDetector.create({"prompts": "dynamic", "identity": str(tmp_path / "id.onnx")}, files)
    assert caught.value.code == "no-identity-encoder"


def test_a_dynamic_prompt_depends_on_the_face_and_a_random_one_does_not(tmp_path: Path):
    torch.manual_seed(0)
    encoder = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 56, 56), torch.nn.Flatten(), torch.nn.Linear(32, 16)
    )
    path = tmp_path / "id.onnx"
    write_onnx(encoder, path)
    options = {"prompts": "dynamic", "identity": str(path), "identity_width": 16}
    files = tiny_files(tmp_path)
    dynamic = RepDfdDetector.create(options, files)
    fixed = RepDfdDetector.create({"prompts": "random"}, files)
    with torch.no_grad():
        told = dynamic.network._fake_texts(dynamic.pixels(crops(2)))
        assert not torch.allclose(told[0], told[1], atol=1e-5)
        assert fixed.network._fake_texts(fixed.pixels(crops(2))).shape[0] == 1
    assert np.isfinite(dynamic.logits(crops(2))).all()


def write_onnx(encoder: torch.nn.Sequential, path: Path) -> None:
    """The three layers as an ONNX file."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    conv, _, linear = encoder
    values = {"w": conv.weight, "b": conv.bias, "m": linear.weight.T, "c": linear.bias}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w", "b"], ["y"], strides=[56, 56]),
            helper.make_node("Flatten", ["y"], ["z"]),
            helper.make_node("Gemm", ["z", "m", "c"], ["out"]),
        ],
        "identity",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 16])],
        [numpy_helper.from_array(v.detach().numpy().copy(), n) for n, v in values.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), str(path))


@pytest.mark.parametrize(
    ("labels", "real", "fake"),
    [
        ({0: "Deepfake", 1: "Realism"}, [1], [0]),
        ({0: "real", 1: "fake"}, [0], [1]),
        ({0: "artificial", 1: "human"}, [1], [0]),
        ({0: "AI_generated", 1: "Natural-photo", 2: "diffusion"}, [1], [0, 2]),
    ],
)
def test_a_label_means_what_its_words_say_wherever_it_stands(labels, real, fake):
    assert sides_of(labels) == (real, fake)


@pytest.mark.parametrize(
    "labels",
    [
        {0: "LABEL_0", 1: "LABEL_1"},
        {0: "fake"},
        {},
        {0: "fake", 1: "synthetic"},
        {0: "real", 1: "not_real"},
        {0: "fake", 1: "real", 2: "cat"},
    ],
)
def test_labels_that_do_not_say_which_side_is_manipulated_are_refused(labels):
    with pytest.raises(WeightsError) as caught:
        sides_of(labels)
    assert caught.value.code == "labels"


def test_a_named_label_decides_and_an_unknown_one_is_refused():
    assert sides_of({0: "LABEL_0", 1: "LABEL_1"}, "label_1") == ([0], [1])
    with pytest.raises(WeightsError, match="none is 'gan'"):
        sides_of({0: "LABEL_0", 1: "LABEL_1"}, "gan")


def test_swapped_labels_swap_the_sign(tmp_path: Path):
    one = HfVitDetector.load(hub_classifier(tmp_path, {0: "fake", 1: "real"})).logits(crops(2))
    (tmp_path / "b").mkdir()
    other = hub_classifier(tmp_path / "b", {0: "real", 1: "fake"})
    assert np.allclose(one, -HfVitDetector.load(other).logits(crops(2)), atol=1e-5)


def test_a_classifier_that_lacks_tensors_is_refused(tmp_path: Path):
    from safetensors.torch import load_file, save_file

    folder = hub_classifier(tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("classifier.weight")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError) as caught:
        HfVitDetector.load(folder)
    assert caught.value.code == "weights-shape"


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("deepfake", 1),
        ("It is natural.", 0),
        ("The image is computer-generated.", 1),
        ("", None),
        ("I cannot say whether it is fake.", None),
        ("It could be real or fake", None),
        ("It is not a deepfake.", None),
        ("A woman with glasses.", None),
    ],
)
def test_an_answer_is_parsed_strictly(text, side):
    assert parse_answer(text) == side


def test_a_non_answer_is_never_a_score():
    detector = VlmZeroShotDetector(ScriptedBackend(["natural", "Hard to tell."]))
    assert detector.logits(crops(1)).tolist() == [-2.0]
    with pytest.raises(InferenceError) as caught:
        detector.logits(crops(1))
    assert caught.value.code == "no-answer"


def test_a_backend_that_sees_nothing_is_refused():
    with pytest.raises(ConfigError) as caught:
        VlmZeroShotDetector.from_settings(Settings(vlm_backend="template"))
    assert caught.value.code == "no-pictures"


def test_an_ensemble_tells_who_said_what_and_takes_no_other_crops(tmp_path: Path):
    files = tiny_files(tmp_path)
    made = EnsembleDetector.create({"members": ["clip-probe", "clip-adapter"]}, files)
    told = made.read(crops(2))
    assert [o.detector for o in told[0].opinions] == ["clip-probe", "clip-adapter"]
    assert not any(o.calibrated for o in told[0].opinions)
    assert [reading.logit for reading in told] == pytest.approx(made.logits(crops(2)), abs=1e-5)
    with pytest.raises(ConfigError) as caught:
        EnsembleDetector.create({"members": ["ensemble", "clip-probe"]}, files)
    assert caught.value.code == "ensemble-members"
    with pytest.raises(ConfigError, match="at least 2"):
        EnsembleDetector.create({"members": ["clip-probe"]}, files)


def test_the_anomaly_map_is_the_score_and_one_per_patch(tmp_path: Path):
    made = ClAdDetector.create({}, tiny_files(tmp_path))
    maps = made.maps(crops(2))
    assert maps.shape == (2, 16, 16)
    top = np.sort(maps.reshape(2, -1), axis=1)[:, -12:].mean(1)
    assert np.abs(top - made.logits(crops(2))).max() < 1e-4


def test_every_plugin_of_the_issue_is_registered():
    wanted = {
        "clad", "clip-adapter", "clip-coop", "clip-finetune", "clip-probe", "effort",
        "efficientnet-b4", "efficientnet-lite0", "ensemble", "forensics-adapter", "hf-vit",
        "mesonet", "repdfd", "sbi", "squeezenet", "vlm-zero-shot", "xception",
    }  # fmt: skip
    assert wanted <= set(registry.names("detectors"))
    assert all(not p.error for p in registry.listing("detectors"))
