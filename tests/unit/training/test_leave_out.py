"""What a calibration on sources left out says of families and kinds."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from assistant.evaluation.face_manifest import ManifestRow
from assistant.training.leave_out import LeftOut, calibrated

FAMILIES = {"swaps": "face-swap", "gans": "whole-face-gan", "real": ""}


def left_out(made_heads, n=60):
    """Swaps that are laid in (head 0), GANs whose heads are given, and genuine pictures."""
    rows, heads = [], []
    rng = np.random.default_rng(0)
    for source, family in FAMILIES.items():
        for i in range(n):
            rows.append(
                ManifestRow(
                    line=len(rows) + 2,
                    path=Path(f"{source}{i}.png"),
                    split="",
                    name=f"{source}{i}.png",
                    label=int(bool(family)),
                    source=source,
                    video=f"{source}{i}",
                    family=family,
                    crop=True,
                )
            )
            heads.append(
                {"swaps": (3.0, -3.0), "gans": made_heads(i), "real": (-3.0, -3.0)}[source]
                + rng.normal(0, 0.3, 2)
            )
    found = LeftOut(
        rows=np.arange(len(rows)),
        heads=np.array(heads),
        folds=np.full(len(rows), "all"),
        blends=np.zeros((0, 2)),
        patches=np.zeros(len(rows)),
    )
    recipe = SimpleNamespace(flagged=0.05, seed=0)
    return calibrated(recipe, SimpleNamespace(manifest=rows), found)


def test_the_record_holds_what_is_missed_and_caught_by_family_with_intervals():
    record = left_out(lambda i: (-3.0, 3.0) if i % 2 else (-6.0, -6.0)).record
    misses = {one.family: one for one in record.misses}

    assert record.unseen
    assert set(misses) == {"face swaps", "portraits by GANs"}
    assert misses["face swaps"].missed == 0.0
    assert misses["face swaps"].caught == 1.0
    gans = misses["portraits by GANs"]
    assert 0.1 <= gans.missed <= 0.5
    assert gans.low < gans.missed < gans.high
    assert gans.caught == 0.5
    assert (gans.pictures, gans.sources) == (60, 1)


def test_a_kind_that_is_named_rightly_always_and_one_that_is_guessed():
    sure = {t.kind: t for t in left_out(lambda i: (-3.0, 3.0)).record.told}
    guess = {t.kind: t for t in left_out(lambda i: (3.0, -3.0)).record.told}

    assert sure["made"].right == sure["laid-in"].right == 1.0
    assert sure["made"].pictures == 60
    assert "made" not in guess  # it is never named
    assert guess["laid-in"].right == 0.5
    assert guess["laid-in"].pictures == 120
