"""The narrator's training: texts, packing, learning, going on, and export; tiny and real."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.errors import TrainingError, WeightsError
from assistant.fakes import SkinFaceFinder
from assistant.grounding import check
from assistant.prompting import PromptLibrary
from assistant.resources import resource_dir
from assistant.routing import HARD_WORDS
from assistant.training.narrator_cases import made_up_evidence
from assistant.training.narrator_dialogue import (
    PICTURE,
    answered,
    caption_dialogue,
    case_dialogues,
    packed,
)
from assistant.training.narrator_pictures import LABELLED, Seen, caption, changed
from assistant.training.router import Wording
from assistant.types import FactKind, Message, SentenceStatus, Verdict
from tests.drawn import drawn_faces
from tests.tiny_models import WIDTH, write_tiny_gguf, write_tiny_projector, write_tiny_tower

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny matrices: threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


POINTS = np.array([[0.38, 0.4], [0.62, 0.4], [0.5, 0.55], [0.4, 0.7], [0.6, 0.7]])
QUESTIONS = tuple(
    Wording(text=text, label=label, language="en", held_out=False, weight=1.0, list="made")
    for text, label in (
        ("Why?", "why"),
        ("How sure are you?", "how sure"),
        ("Is it fake?", "verdict"),
        ("What looks wrong?", "cues"),
        ("Who is this?", "person/identity"),
        ("What about the mouth?", "where"),
    )
)


class Words:
    """A tokenizer for the tiny model: words by their checksum."""

    def encode(self, text: str, add_special_tokens: bool = False) -> list[int]:
        assert not add_special_tokens
        special = {"<|im_start|>": 1, "<|im_end|>": 2}
        words = re.findall(r"<\|\w+\|>|\s|[^\s<]+|<", text)
        return [special.get(word) or 4 + zlib.crc32(word.encode()) % 256 for word in words]


@pytest.fixture(scope="module")
def prompts() -> PromptLibrary:
    return PromptLibrary(resource_dir("prompts"))


def test_made_up_cases_cover_all_bands_and_kinds() -> None:
    cases = [made_up_evidence(random.Random(seed)) for seed in range(150)]
    assert {case.verdict for case in cases} == set(Verdict)
    kinds = {fact.kind for case in cases for fact in case.facts}
    assert kinds == set(FactKind) - {FactKind.TIME, FactKind.OPINION}
    assert made_up_evidence(random.Random(3)) == made_up_evidence(random.Random(3))


def test_every_training_sentence_stands_up_to_the_check(prompts: PromptLibrary) -> None:
    found, explanations = [], []
    for seed in range(10):
        rng = random.Random(seed)
        evidence = made_up_evidence(rng)
        dialogues = case_dialogues(evidence, prompts, rng, QUESTIONS)
        explanations.append(dialogues[0][-1].content)
        for dialogue in dialogues:
            found += check(dialogue[-1].content, evidence)
            shown = dialogue[-2].content
            cited = set(re.findall(r"\[([A-Z]\d+)\]", dialogue[-1].content))
            assert all(f"[{fact}]" in shown for fact in cited), "only facts that were shown"
    held = sum(s.status is SentenceStatus.SUPPORTED for s in found)
    assert len(found) > 80
    assert held / len(found) > 0.995
    assert len(set(explanations)) == len(explanations)


def test_an_answer_keeps_to_one_sentence_and_to_simple_words_where_asked() -> None:
    one, simple = 0, 0
    evidence = made_up_evidence(random.Random(1))
    for seed in range(40):
        asked, _, text = answered(evidence, random.Random(seed), QUESTIONS[:3])
        if "one sentence" in asked:
            one += 1
            assert len(re.findall(r"\]\.", text)) == 1, text
        if re.search(r"simpl[ey]|plain words", asked):
            simple += 1
            assert not HARD_WORDS.search(text), text
    assert one > 1
    assert simple > 1


def seen(crop: np.ndarray, **known: Any) -> Seen:
    return Seen(crop=crop, points=POINTS * len(crop), **known)


def test_captions_say_what_was_measured_and_labelled_and_nothing_else() -> None:
    dark = np.full((32, 32, 3), 30, np.uint8)
    light = np.full((32, 32, 3), 220, np.uint8)
    halves = dark.copy()
    halves[:, :16] = 200
    assert "dark" in caption(seen(dark))
    assert "bright" in caption(seen(light))
    assert "left side is brighter" in caption(seen(halves))
    assert "without colour" in caption(seen(light))
    assert "glasses" not in caption(seen(light))
    assert "There are glasses." in caption(seen(light, shows={"glasses": True}))
    assert "The eyes are bare." in caption(seen(light, shows={"glasses": False}))
    assert "upright" in caption(seen(light))


def test_what_is_drawn_in_or_turned_is_known() -> None:
    face = drawn_faces(size=(160, 160))
    told = set()
    for number in range(60):
        before = seen(face)
        before.points[2] -= (40, 0)
        assert before.direction == "left"
        after = changed(before, random.Random(number))
        text = caption(after)
        told |= {name for name, there in after.shows.items() if there}
        assert after.crop.shape == face.shape
        assert ("tilted" in text) == (after.direction == "tilted")
        mirror = after.points[2][0] > 80
        assert ("turned to the right" in text) == (mirror and not after.tilt)
        assert ("There is a beard" in text) == bool(after.shows.get("beard"))
    assert told == set(LABELLED)


def test_a_branch_sees_the_prefix_and_itself_alone() -> None:
    dialogues = [
        [Message(role="user", content=f"Shared facts. {q}"), Message(role="assistant", content=a)]
        for q, a in (("Why?", "Because."), ("Where?", "There and then."))
    ]
    sample = packed(dialogues, Words(), picture_tokens=5)
    mask = sample.mask()
    assert (sample.tokens == PICTURE).sum() == 5
    assert set(sample.branch) == {0, 1, 2}
    for branch in (1, 2):
        rows = sample.branch == branch
        other = sample.branch == 3 - branch
        assert not mask[np.ix_(rows, other)].any()
        assert mask[np.ix_(rows, sample.branch == 0)].all()
        assert np.array_equal(np.diff(sample.positions[rows]), np.ones(rows.sum() - 1))
        assert sample.positions[rows][0] == (sample.branch == 0).sum()
    # One word and its end; three words, two spaces and the end.
    assert sample.target.sum() == 2 + 6


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("narrator")
    write_tiny_gguf(folder / "model.gguf")
    write_tiny_tower(folder / "tower.safetensors")
    write_tiny_projector(folder / "projector.safetensors")
    return folder


def tiny_model(files: Path) -> Any:
    from assistant.training.narrator_model import NarratorModel

    return NarratorModel(
        files / "model.gguf", files / "projector.safetensors", rank=4, dtype=torch.float32
    )


def test_packing_gives_the_loss_of_separate_dialogues(files: Path, prompts: PromptLibrary) -> None:
    model = tiny_model(files)
    features = torch.randn(256, WIDTH, generator=torch.Generator().manual_seed(0))
    rng = random.Random(5)
    dialogues = case_dialogues(made_up_evidence(rng), prompts, rng, QUESTIONS, answers=2)
    together = packed(dialogues, Words())
    apart = [packed([dialogue], Words()) for dialogue in dialogues]
    assert len(together.tokens) < 0.9 * sum(len(sample.tokens) for sample in apart)
    with torch.no_grad():
        one = model.loss(together, features).item()
        each = [(model.loss(s, features).item(), int(s.target.sum())) for s in apart]
    mean = sum(loss * count for loss, count in each) / sum(count for _, count in each)
    assert one == pytest.approx(mean, abs=1e-4)


@pytest.fixture(scope="module")
def config(files: Path) -> Any:
    import PIL.Image

    from assistant.training.narrator import NarratorConfig

    for number in range(3):
        image = drawn_faces(size=(160, 160), skin=(230, 160 - 10 * number, 120))
        PIL.Image.fromarray(image).save(files / f"{number}.png")
    (files / "list.csv").write_text(
        "path,split,glasses\n0.png,train,0\n1.png,train,\n2.png,heldout,1\n"
    )
    return NarratorConfig(
        data=files,
        pictures=files / "list.csv",
        projector=files / "projector.safetensors",
        output=files / "run",
        steps=6,
        answers=1,
        caption_share=0.5,
        learning_rate=0.01,
        checkpoint_every=2,
        dtype="float32",
        rank=4,
        alpha=8,
    )


def train(config: Any, files: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Any:
    from assistant.training import narrator

    monkeypatch.setattr(narrator, "tokenizer_from_gguf", lambda path: Words())
    told: list[str] = []
    path = narrator.train_narrator(
        config.model_copy(update=changes),
        language_model=files / "model.gguf",
        tower=files / "tower.safetensors",
        finder=SkinFaceFinder(),
        progress=told.append,
    )
    return torch.load(path, weights_only=True), told, path


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    config: Any, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, told, _ = train(config, files, monkeypatch, output=files / "whole", minutes=9e9)
    assert any("min left" in line for line in told)
    long = {"minutes": 9e9, "output": files / "parts"}
    first, _, _ = train(config, files, monkeypatch, **long, steps=6)
    assert first["step"] == 6
    _, told, _ = train(config, files, monkeypatch, **long, steps=8)
    assert "going on from sequence 6" in told
    for name, weight in whole["weights"].items():
        assert torch.equal(weight, first["weights"][name]), name
    changed = [n for n, w in whole["weights"].items() if "lora_B" in n and w.abs().max() > 0]
    assert len(changed) == 14
    assert not np.array_equal(
        whole["weights"]["linear_2.weight"].numpy(),
        tiny_model(files).linear_2.weight.detach().numpy(),
    )


def test_the_projector_first_learns_to_point_to_the_words_of_what_is_seen(files: Path) -> None:
    from assistant.training.narrator_model import picture_features
    from assistant.training.narrator_words import towards_words, values_of
    from assistant.vlm.llava import vision_tower

    assert values_of("The head is tilted. The light is bright.")[:3] == [0, 1, -1]
    model, eye = tiny_model(files), vision_tower(files / "tower.safetensors")
    grey = seen(np.full((64, 64, 3), 128, np.uint8), shows={"glasses": False, "beard": False})
    told: list[str] = []
    towards_words(model, eye, Words(), [grey], pictures=240, seed=1, progress=told.append)
    assert "points to words" in told[-1]
    words = model.word_embeddings()
    dark, even = (
        words[torch.tensor(Words().encode(f" {word}"))].mean(0) for word in ("dark", "even")
    )

    def leans(level: int) -> float:
        picture = np.full((64, 64, 3), level, np.uint8)
        mean = model.projected(picture_features(eye, picture)).mean(0)
        return (mean @ (dark - even)).item()

    assert leans(20) > leans(128)


def test_a_checkpoint_of_another_rank_is_refused(
    config: Any, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = files / "ranked"
    train(config, files, monkeypatch, output=out, steps=1)
    with pytest.raises(TrainingError, match="rank"):
        train(config, files, monkeypatch, output=out, steps=2, rank=2)


def test_a_loss_that_is_not_finite_ends_the_run(
    config: Any, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainingError, match="finite"):
        train(
            config, files, monkeypatch, output=files / "nan", learning_rate=1e9, warmup=0, steps=9
        )


def test_the_export_is_what_was_trained(
    config: Any, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gguf import GGUFReader
    from safetensors.numpy import load_file

    from assistant.training.narrator_export import export_narrator
    from assistant.vlm.mmproj import load_projector

    state, _, path = train(config, files, monkeypatch, output=files / "exported", steps=3)
    export_narrator(
        path,
        lora=files / "lora.safetensors",
        projector=files / "trained.safetensors",
        adapter=files / "lora.gguf",
        alpha=8,
        heads=(2, 1),
    )
    lora = load_file(files / "lora.safetensors")
    assert len(lora) == 2 * 2 * 7
    assert lora["layers.0.mlp.up_proj.lora_A"].dtype == np.float16
    mlp = load_projector(files / "trained.safetensors", WIDTH)
    assert np.array_equal(mlp["linear_2.bias"], state["weights"]["linear_2.bias"].numpy())
    names = {tensor.name for tensor in GGUFReader(files / "lora.gguf").tensors}
    assert "blk.1.attn_q.weight.lora_b" in names
    assert len(names) == len(lora)


def test_a_run_may_begin_at_a_committed_adapter(
    config: Any, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.training.narrator_export import export_narrator

    first, _, path = train(config, files, monkeypatch, output=files / "before", steps=3)
    export_narrator(
        path,
        lora=files / "start.safetensors",
        projector=files / "start-projector.safetensors",
        adapter=files / "start.gguf",
        alpha=8,
        heads=(2, 1),
    )
    begun, _, _ = train(
        config,
        files,
        monkeypatch,
        output=files / "after",
        adapter=files / "start.safetensors",
        steps=1,
        learning_rate=1e-9,
    )
    for name, weight in first["weights"].items():
        if "lora_B" in name:
            assert torch.allclose(weight, begun["weights"][name], atol=2e-3), name


def test_the_dialogues_of_a_run_can_be_read(config: Any, files: Path) -> None:
    from assistant.training.narrator import write_dialogues

    count, words = write_dialogues(config, files / "dialogues.jsonl")

    lines = (files / "dialogues.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == count >= config.steps
    assert words > 5
    assert '"role": "assistant"' in lines[0]


def test_a_foreign_checkpoint_is_not_exported(tmp_path: Path) -> None:
    from assistant.training.narrator_export import export_narrator

    torch.save({"weights": {"other": torch.zeros(2)}}, tmp_path / "x.pt")
    with pytest.raises(WeightsError):
        export_narrator(
            tmp_path / "x.pt",
            lora=tmp_path / "a",
            projector=tmp_path / "b",
            adapter=tmp_path / "c",
            alpha=8,
        )
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("text", ["", "data: [", "steps: 3", "data: a\npictures: b\nstep: 1\n"])
def test_a_wrong_config_is_a_typed_error(tmp_path: Path, text: str) -> None:
    from assistant.training.narrator import load_config

    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(TrainingError):
        load_config(tmp_path / "c.yaml")


def test_the_shipped_config_is_valid() -> None:
    from assistant.training.narrator import load_config

    root = Path(__file__).parents[3]
    config = load_config(root / "configs" / "narrator.yaml")
    assert (root / config.pictures).is_file()


def test_a_missing_picture_is_a_typed_error(config: Any, tmp_path: Path) -> None:
    from assistant.training.narrator import read_pictures

    with pytest.raises(TrainingError, match="picture"):
        read_pictures(config.model_copy(update={"data": tmp_path}), "train", SkinFaceFinder())
    with pytest.raises(TrainingError, match="split"):
        read_pictures(config, "nosuch", SkinFaceFinder())


def test_a_caption_dialogue_knows_no_score(prompts: PromptLibrary) -> None:
    image = np.full((32, 32, 3), 30, np.uint8)
    text = " ".join(m.content for m in caption_dialogue(seen(image), prompts))
    assert "probability" not in text
    assert "verdict" not in text
