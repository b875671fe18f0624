"""`whyfake index`: built of labelled cases, shown, and refused where it would mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from assistant.calibration.examples import load_examples


def cases(folder, *, people=3, labels=(0, 1)):
    rng = np.random.default_rng(1)
    lines = ["path,label,video"]
    for person in range(people):
        for label in labels:
            for take in range(2):
                crop = rng.normal(110 + 10 * person, 15, (224, 224, 3)).clip(0, 255)
                if label:
                    crop[140:182, 84:140] = (225, 60, 60)
                name = f"{person}-{label}-{take}.png"
                Image.fromarray(crop.astype(np.uint8)).save(folder / name)
                lines.append(f"{name},{label},person {person}")
    path = folder / "cases.csv"
    path.write_text("\n".join(lines))
    return path


def test_own_cases_are_kept_as_features_and_outcomes(run, tmp_path):
    out = tmp_path / "index.safetensors"
    result = run("index", "build", "--manifest", cases(tmp_path), "--out", out)
    assert result.exit_code == 0, result.output
    made = load_examples(out)
    assert len(made.examples) == 12
    assert made.people == 3
    assert sum(e.manipulated for e in made.examples) == 6
    assert b"person 1" not in out.read_bytes()
    assert "12 examples of 3 people" in result.stdout


@pytest.mark.parametrize("wrong", [{"people": 1}, {"labels": (1,)}])
def test_cases_that_would_mean_nothing_are_a_typed_error(run, tmp_path, wrong):
    out = tmp_path / "index.safetensors"
    result = run("index", "build", "--manifest", cases(tmp_path, **wrong), "--out", out)
    assert result.exit_code != 0
    assert "index needs" in result.output
    assert not out.exists()
