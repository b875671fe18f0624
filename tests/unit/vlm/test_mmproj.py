"""The picture side's file: what is in it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader
from safetensors.numpy import load_file, save_file

from assistant.errors import WeightsError
from assistant.vlm.mmproj import PROJECTOR_KEYS, load_projector, untrained_projector, write_mmproj
from tests.tiny_models import WIDTH, write_tiny_projector, write_tiny_tower


@pytest.fixture
def tower(tmp_path: Path) -> Path:
    return write_tiny_tower(tmp_path / "tower.safetensors")


@pytest.fixture
def projector(tmp_path: Path) -> Path:
    return write_tiny_projector(tmp_path / "projector.safetensors")


def read(path: Path) -> tuple[GGUFReader, dict[str, np.ndarray]]:
    reader = GGUFReader(path)
    return reader, {
        t.name: np.asarray(t.data, np.float32).reshape([int(n) for n in reversed(t.shape)])
        for t in reader.tensors
    }


def test_the_file_says_how_the_picture_is_to_be_read(
    tower: Path, projector: Path, tmp_path: Path
) -> None:
    write_mmproj(tower, projector, tmp_path / "out.gguf")
    reader, _ = read(tmp_path / "out.gguf")

    def value(name: str) -> object:
        return reader.fields[name].contents()

    assert value("general.architecture") == "clip"
    assert value("clip.projector_type") == "mlp"
    assert value("clip.vision.image_size") == 224
    assert value("clip.vision.patch_size") == 14
    assert value("clip.vision.block_count") == 3
    assert np.allclose(value("clip.vision.image_mean"), (0.485, 0.456, 0.406))
    assert np.allclose(value("clip.vision.image_std"), (0.229, 0.224, 0.225))


def test_layer_scale_is_multiplied_into_the_weights(
    tower: Path, projector: Path, tmp_path: Path
) -> None:
    write_mmproj(tower, projector, tmp_path / "out.gguf")
    _, got = read(tmp_path / "out.gguf")
    source = load_file(tower)
    name = "transformer.resblocks.1"
    gamma = source[f"{name}.ls_2.gamma"]
    expected = source[f"{name}.mlp.c_proj.weight"] * gamma[:, None]
    assert np.allclose(got["v.blk.1.ffn_down.weight"], expected, atol=1e-3)
    assert np.allclose(
        got["v.blk.1.ffn_down.bias"], source[f"{name}.mlp.c_proj.bias"] * gamma, atol=1e-6
    )


def test_the_class_tokens_position_comes_last_as_llama_cpp_wants_it(
    tower: Path, projector: Path, tmp_path: Path
) -> None:
    write_mmproj(tower, projector, tmp_path / "out.gguf")
    _, got = read(tmp_path / "out.gguf")
    positions = load_file(tower)["positional_embedding"]
    assert np.array_equal(got["v.position_embd.weight"][-1], positions[0])
    assert np.array_equal(got["v.position_embd.weight"][0], positions[1])


def test_the_same_inputs_give_the_same_bytes(tower: Path, projector: Path, tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        write_mmproj(tower, projector, tmp_path / name)
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()


def test_without_a_projector_the_untrained_one_is_written(tower: Path, tmp_path: Path) -> None:
    write_mmproj(tower, None, tmp_path / "out.gguf")
    _, got = read(tmp_path / "out.gguf")
    assert np.allclose(got["mm.0.weight"], untrained_projector(WIDTH)["linear_1.weight"], atol=1e-4)


def test_the_untrained_projector_is_quiet_and_always_the_same() -> None:
    first, second = untrained_projector(), untrained_projector()
    assert set(first) == set(PROJECTOR_KEYS)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    features = np.random.default_rng(0).normal(size=(50, 384)).astype(np.float32)
    hidden = np.maximum(features @ first["linear_1.weight"].T, 0)
    assert np.linalg.norm(hidden @ first["linear_2.weight"].T, axis=1).max() < 1


def broken(tmp_path: Path, **changes: np.ndarray | None) -> Path:
    arrays = load_file(write_tiny_projector(tmp_path / "good.safetensors"))
    for name, array in changes.items():
        key = name.replace("__", ".")
        arrays.pop(key)
        if array is not None:
            arrays[key] = array
    save_file(arrays, tmp_path / "bad.safetensors")
    return tmp_path / "bad.safetensors"


@pytest.mark.parametrize(
    "changes",
    [
        {"linear_1__bias": None},
        {"linear_1__bias": np.zeros(3, np.float32)},
        {"linear_2__weight": np.zeros((4, 5), np.float32)},
        {"linear_1__weight": np.full((WIDTH, WIDTH), np.nan, np.float32)},
    ],
)
def test_a_projector_of_another_shape_is_refused(
    tmp_path: Path, changes: dict[str, np.ndarray | None]
) -> None:
    with pytest.raises(WeightsError):
        load_projector(broken(tmp_path, **changes), WIDTH)


def test_what_is_not_a_tower_is_refused_and_leaves_nothing(tmp_path: Path, projector: Path) -> None:
    bad = tmp_path / "bad"
    target = tmp_path / "out.gguf"
    for content in (b"", b"not safetensors", b"\xff" * 100):
        bad.write_bytes(content)
        with pytest.raises(WeightsError):
            write_mmproj(bad, projector, target)
    with pytest.raises(WeightsError):
        write_mmproj(projector, projector, target)
    with pytest.raises(WeightsError):
        write_mmproj(tmp_path / "absent", projector, target)
    assert not target.exists()
    assert not target.with_name("out.gguf.part").exists()
