import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from assistant.detectors.text_tower import VisionLanguageModel, Vocabulary, contrastive_loss
from assistant.errors import ConfigError, InferenceError, TrainingError, WeightsError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.training.captions import HELD_OUT, all_captions, captions_of, read_annotations
from assistant.training.text_tower import (
    TextTowerConfig,
    fit_text_tower,
    zero_shot,
)

CONFIG = TextTowerConfig(
    manifest=Path("m.csv"),
    per_source={"dfdc": 10},
    blocks=(0, 1),
    width=32,
    heads=2,
    layers=1,
    context=16,
    epochs=12,
    batch=32,
    threads=1,
)


def row(number, label):
    return ManifestRow(
        line=number,
        name=f"{number}.jpg",
        path=Path(f"{number}.jpg"),
        label=label,
        source="dfdc",
        video=f"v{number // 2}",
        family="face-swap" if label else "real",
        split="",
        crop=True,
    )


def faces(count, seed):
    """Statistics in which manipulated faces differ along one direction."""
    rng = np.random.default_rng(seed)
    rows = [row(i, i % 2) for i in range(count)]
    values = rng.normal(size=(count, 2, 3, 8))
    values[1::2, 1, 2] += 1.5
    return values.astype(np.float16), rows


@pytest.fixture(scope="module")
def model():
    values, rows = faces(256, 0)
    return fit_text_tower(values, rows, {}, CONFIG)


def test_prompts_tell_planted_classes_apart_even_in_words_that_no_caption_joined(model):
    values, rows = faces(200, 1)
    for real, fake in (("a real face", "a fake face"), HELD_OUT):
        found = zero_shot(model, values, rows, real=[real], fake=[fake])
        assert found["overall"] > 0.85
        turned = zero_shot(model, values, rows, real=[fake], fake=[real])
        assert turned["overall"] == pytest.approx(1 - found["overall"], abs=1e-3)


def test_the_same_seed_gives_the_same_tower():
    values, rows = faces(64, 0)
    short = CONFIG.model_copy(update={"epochs": 2})
    first, again = (fit_text_tower(values, rows, {}, short).state_dict() for _ in range(2))
    for name, tensor in first.items():
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=1e-6)


def test_saved_and_loaded_it_says_the_same_and_refuses_another_base(model, tmp_path):
    path = tmp_path / "t.safetensors"
    model.save(path, base_sha256="a" * 64, card={"n": 1})
    loaded = VisionLanguageModel.load(path, base_sha256="a" * 64)
    values, _ = faces(20, 2)
    prompts = {"real": ["a real face"], "fake": ["a fake face"]}
    np.testing.assert_allclose(
        loaded.prompt_logits(values, **prompts), model.prompt_logits(values, **prompts), atol=0.05
    )
    with pytest.raises(WeightsError, match="trained on the base"):
        VisionLanguageModel.load(path, base_sha256="b" * 64)
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="not a text tower"):
        VisionLanguageModel.load(path, base_sha256="a" * 64)


def test_texts_are_of_length_one_and_unknown_ones_are_refused(model):
    found = model.encode_texts(["a real face", "A FAKE FACE!"])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    with pytest.raises(InferenceError, match="no word"):
        model.encode_texts(["xyzzy plugh"])


def test_a_vocabulary_marks_ends_and_cuts_what_is_too_long():
    words = Vocabulary.of(["a fake face", "a real face"], least=1)
    numbers = words.encode(["a strange face", "a face " * 30], 8)
    assert numbers.shape == (2, 8)
    assert numbers[0, 0] == 1
    assert numbers[0, 2] == 3
    assert (numbers == 2).sum(1).tolist() == [1, 1]
    assert numbers[1, -1] == 2
    assert words.unknown("a strange face") == ["strange"]


def test_several_right_answers_share_the_loss():
    ends = torch.eye(2)
    matches = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    scale = torch.tensor(20.0)
    right = contrastive_loss(ends, ends, matches, scale)
    wrong = contrastive_loss(ends, ends.flip(0), matches, scale)
    assert right < 1e-6 < wrong


def test_captions_fit_their_face_and_annotations_are_used(tmp_path):
    folder = tmp_path / "train_by_method" / "Deepfakes"
    folder.mkdir(parents=True)
    answers = {"0": {"question": "?", "answer": ["The eyes look fake. They are too large. No"]}}
    (folder / "Deepfakes.json").write_text(json.dumps({"7": answers}))
    annotations = read_annotations(tmp_path)
    assert annotations == {"7": ["The eyes look fake", "They are too large"]}
    rng = np.random.default_rng(0)
    drawn = [captions_of(row(7, 1), annotations, rng) for _ in range(200)]
    texts = {caption.text for caption in drawn}
    assert "They are too large" in texts
    assert all(caption.fits(row(7, 1)) and not caption.fits(row(8, 0)) for caption in drawn)
    assert texts <= set(all_captions(annotations))
    assert not texts & set(HELD_OUT)
    (folder / "Deepfakes.json").write_text("[1]")
    with pytest.raises(TrainingError, match=r"Deepfakes\.json"):
        read_annotations(tmp_path)


def test_one_class_or_a_loss_that_is_no_number_stops_it():
    values, rows = faces(64, 0)
    with pytest.raises(TrainingError, match="one class"):
        fit_text_tower(values, [dataclasses.replace(r, label=0) for r in rows], {}, CONFIG)
    values[3] = np.nan
    with pytest.raises(TrainingError, match="epoch 1, step 1"):
        fit_text_tower(values, rows, {}, CONFIG.model_copy(update={"batch": 64}))


def test_a_wrong_configuration_names_every_field(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("manifest: m.csv\nlayers: 0\nwords: 3\n")
    with pytest.raises(ConfigError, match=r"(?s)per_source.*layers.*words|layers.*"):
        TextTowerConfig.read(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        TextTowerConfig.read(tmp_path / "absent.yaml")
