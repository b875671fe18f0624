"""Fitting the cues' limits, and which of them stay, on planted measurements."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from assistant.cues.reference import load_reference
from assistant.errors import ConfigError
from assistant.evaluation.cue_table import cues_json, cues_markdown, spoken_for
from assistant.evaluation.face_manifest import ManifestRow
from assistant.training.cue_faces import pick_rows
from assistant.training.cue_fit import (
    Comparison,
    CueConfig,
    choose,
    compare,
    fit_limits,
    held_out,
    reference,
)
from assistant.training.cue_values import LOOKS, FaceValues

CONFIG = CueConfig(
    manifest="x.csv",
    most=10,
    test_percent=40,
    least_faces=20,
    false_alarms=0.05,
    all_false_alarms=0.04,
    kinds={"swapped faces": ("b/swap",)},
    comparisons=(Comparison(name="swaps", fake=("b/swap",), real=("a", "b")),),
)


@cache
def faces(odd: float = 0.0):
    """400 genuine faces of two sources and 200 swaps, whose mouths read lower."""
    rng = np.random.default_rng(0)
    out = []
    for i in range(600):
        label = int(i >= 400)
        source = "b" if i % 2 or label else "a"
        for look in LOOKS:
            mouth = (
                rng.normal(3.0, 0.3) - 0.9 * label - (odd if source == "a" and i % 8 == 0 else 0)
            )
            values = {"mouth-detail": mouth, "rim-colour": rng.normal(2.0, 0.3)}
            out.append(
                FaceValues(
                    name=f"{i}.jpg",
                    label=label,
                    source=source,
                    family="swap" if label else "real",
                    video=str(i),
                    look=look,
                    test=i % 5 < 2,
                    eyes=float(rng.uniform(40, 80)),
                    fineness=float(rng.normal(-1, 0.2)),
                    values=values,
                )
            )
    return out


@cache
def compared(odd: float = 0.0):
    return compare(faces(odd), held_out=False)


@cache
def limits_of(odd: float = 0.0):
    return fit_limits(compared(odd), CONFIG)


def by_name(tables):
    return {t.cue: t for t in tables}


def test_a_cue_that_parts_a_family_stays_and_one_that_does_not_falls(tmp_path):
    made = faces()
    tables = choose(compared(), limits_of(), CONFIG)
    found = by_name(tables)
    assert found["mouth-detail"].why == ""
    assert found["mouth-detail"].auroc["swaps"]["compressed"][0] > 0.9
    assert found["rim-colour"].why.startswith("AUROC at most 0.")
    assert found["edge-colour"].why

    path = tmp_path / "cues.json"
    path.write_text(json.dumps(reference(made, tables, "0" * 64, CONFIG)))
    known = load_reference(path)
    assert set(known.limits) == {"mouth-detail"}
    assert known.sources == {"a": (120, 0), "b": (120, 120)}
    assert len(known.genuine.eyes) == 2 * 240

    spoken = spoken_for(made, known, CONFIG)
    assert spoken["swaps"]["manipulated"] > 0.5
    assert spoken["swaps"]["genuine"] < 0.05
    after = held_out(compare(made, held_out=True), tables, CONFIG)
    table = cues_markdown(tables, after, spoken, CONFIG)
    assert table.splitlines()[2].startswith("| mouth-detail | yes |")
    assert "fell: AUROC" in table
    told = cues_json(tables, after, spoken, made, "0" * 64)
    assert (told["faces"], told["held_out"]) == (600, 240)
    assert told["cues"]["rim-colour"]["stays"] is False


def test_what_is_held_out_changes_neither_limits_nor_the_choice():
    """Cues that would fall on the held-out faces are told of, and stay as they were chosen."""
    made = [replace(f, values={**f.values, "mouth-detail": 9.0}) if f.test else f for f in faces()]
    beside = compare(made, held_out=False)
    assert fit_limits(beside, CONFIG) == limits_of()
    chosen = choose(beside, limits_of(), CONFIG)
    assert chosen == choose(compared(), limits_of(), CONFIG)
    after = held_out(compare(made, held_out=True), chosen, CONFIG)
    assert by_name(after)["mouth-detail"].why.startswith("AUROC at most 0.50")
    assert "stays, speaks; on the held-out faces it would fall: AUROC" in cues_markdown(
        chosen, after, {}, CONFIG
    )


def test_a_cue_that_alarms_on_one_genuine_source_gets_a_stricter_limit_or_falls():
    plain, odd = limits_of(), limits_of(1.5)
    assert odd["mouth-detail"] < plain["mouth-detail"]
    found = by_name(choose(compared(1.5), {**odd, "mouth-detail": 0.04}, CONFIG))
    assert "of the genuine faces of a lie beyond its limit" in found["mouth-detail"].why


def row(name, label, source, video):
    return ManifestRow(
        line=1, name=name, path=name, label=label, source=source, video=video,
        family="f", split="", crop=False,
    )  # fmt: skip


def test_genuine_faces_come_with_the_fakes_made_of_them():
    rows = [row(f"{kind}{i}", kind, "s", f"v{i}") for i in range(50) for kind in (0, 1)]
    picked = pick_rows(rows, 5, {"s": 8})
    assert len(picked) == 16
    assert {r.video for r in picked if r.label} == {r.video for r in picked if not r.label}
    assert picked == pick_rows(list(reversed(rows)), 5, {"s": 8})


@pytest.mark.parametrize("text", ["[", "most: 1", "manifest: x\nmost: 0"])
def test_a_wrong_configuration_is_refused(tmp_path, text):
    path = tmp_path / "cues.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"cannot be read|is wrong"):
        CueConfig.read(path)
