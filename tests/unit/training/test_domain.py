"""How well the domain check tells sources that it was not fitted on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import FoundFaces
from assistant.tracks import Track
from assistant.training import domain
from assistant.training.domain import fit_domain, sources_told
from assistant.types import Reading


def faces(shift: float, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (count, 12))


def test_a_source_far_from_the_others_is_told_and_one_like_them_is_not():
    names = ["a"] * 300 + ["b"] * 300 + ["far"] * 40
    first, second = (
        np.concatenate([faces(0, 300, s), faces(0, 300, s + 1), faces(9, 40, s + 2)])
        for s in (1, 11)
    )
    told = sources_told(first, names, second, names)
    assert told["far"] > 0.99
    assert 0.4 < told["a"] < 0.6


def test_a_source_too_small_or_without_enough_others_is_not_judged():
    values = np.concatenate([faces(0, 210, 1), faces(0, 5, 2)])
    names = ["a"] * 210 + ["tiny"] * 5
    assert sources_told(values, names, values, names) == {}


def test_the_check_is_fitted_on_faces_and_on_what_is_measured_of_their_pictures(
    monkeypatch: pytest.MonkeyPatch,
):
    rng = np.random.default_rng(0)

    def found(rows: list[ManifestRow], *_: object) -> Iterator[tuple[ManifestRow, FoundFaces]]:
        face = SimpleNamespace(crop=None)
        for row in rows:
            measured = () if row.crop else ({"face_side": 100.0 + row.line % 50, "sharpness": 5.0},)
            yield row, FoundFaces(track=Track(media=None, faces=(face,), measured=measured))

    def read(crops: list[None]) -> tuple[Reading, ...]:
        return tuple(
            Reading(logit=0.0, statistics=rng.normal(size=(1, 3, 6)).astype(np.float32))
            for _ in crops
        )

    monkeypatch.setattr(domain, "found_in", found)
    rows = [
        ManifestRow(
            line=line,
            name=f"{line}.png",
            path=Path(f"{line}.png"),
            label=0,
            source="ab"[line % 2],
            video=f"v{line}",
            family="",
            split="",
            crop=line % 5 == 0,
        )
        for line in range(600)
    ]
    detector = SimpleNamespace(read=read, crop_spec=None, weights_sha256="0" * 64)
    model = fit_domain(rows, None, detector)
    assert model.weights_sha256 == "0" * 64
    assert model.fitted_on["pictures"] == 600
    small = {"face_side": 10.0, "sharpness": 5.0}
    reading = read([None])[0]
    assert "the face is smaller than those it knows" in model.judge(reading, small).reasons
    assert "the face is smaller than those it knows" not in model.judge(reading, {}).reasons
