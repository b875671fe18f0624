import csv

import numpy as np
from PIL import Image

from assistant.training.generated import write_generated


class Drawn:
    """Stands for the generator: rows of numbers, drawn large."""

    width = 48

    def __init__(self):
        self.asked = []

    def __call__(self, noise, truncation):
        self.asked.append((float(noise[0]), truncation))
        cells = np.clip(128 + 60 * truncation * noise.reshape(4, 4, 3), 0, 255)
        return cells.astype(np.uint8).repeat(80, 0).repeat(80, 1)


def read(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_faces_and_their_manifest_go_on_where_they_ended(tmp_path):
    first = Drawn()
    made = write_generated(first, tmp_path, count=3, seed=4, side=64)
    assert [row["path"] for row in read(made)] == [f"faces/4-0000{i}.jpg" for i in range(3)]
    before = (tmp_path / "faces" / "4-00000.jpg").read_bytes()
    with Image.open(tmp_path / "faces" / "4-00000.jpg") as picture:
        assert picture.size == (64, 64)
    second = Drawn()
    rows = read(write_generated(second, tmp_path, count=5, seed=4, side=64))
    assert len(second.asked) == 2
    assert (tmp_path / "faces" / "4-00000.jpg").read_bytes() == before
    assert {(r["label"], r["family"], r["source"]) for r in rows} == {
        ("1", "whole-face-gan", "mobilestylegan")
    }
    assert len({r["video"] for r in rows}) == 5
    assert all(0.7 <= truncation <= 1.0 for _, truncation in first.asked + second.asked)


def test_a_face_is_made_of_its_number_and_the_seed_alone(tmp_path):
    write_generated(Drawn(), tmp_path / "a", count=2, side=64)
    write_generated(Drawn(), tmp_path / "b", count=1, side=64)
    write_generated(Drawn(), tmp_path / "c", count=1, seed=1, side=64)
    first = (tmp_path / "a" / "faces" / "0-00000.jpg").read_bytes()
    assert (tmp_path / "b" / "faces" / "0-00000.jpg").read_bytes() == first
    assert (tmp_path / "c" / "faces" / "1-00000.jpg").read_bytes() != first
