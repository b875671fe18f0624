"""Whatever way a file comes in, it gets the same probability and verdict."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner
from skimage import data

from assistant.cli.main import main

VERDICTS = {"likely_manipulated", "uncertain", "no_sign"}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A portrait: as it came, worn and small, with a second smaller face; and none at all."""
    portrait = PIL.Image.fromarray(data.astronaut()).convert("RGB")
    portrait.save(tmp_path / "plain.png")
    portrait.resize((180, 180)).save(tmp_path / "worn.jpg", quality=30)
    pair = PIL.Image.new("RGB", (900, 512), (90, 110, 120))
    pair.paste(portrait.resize((300, 300)), (0, 100))
    pair.paste(portrait, (388, 0))
    pair.save(tmp_path / "pair.png")
    PIL.Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(tmp_path / "none.png")
    rows = [f"{path.name},0,own,{path.stem}" for path in sorted(tmp_path.iterdir())]
    (tmp_path / "m.csv").write_text("\n".join(["path,label,source,video", *rows]) + "\n")
    return tmp_path


@pytest.mark.usefixtures("model_files")
def test_analyze_and_eval_detection_say_the_same_of_a_file(pictures: Path) -> None:
    files = [str(path) for path in sorted(pictures.glob("*.[pj]*g"))]
    analysed = CliRunner().invoke(
        main, ["analyze", "--json", "--no-explain", "--vlm", "template", *files]
    )
    told = {}
    for line in analysed.stdout.splitlines():
        result = json.loads(line)
        told[Path(result["file"]).name] = result["faces"][0] if result["faces"] else None
    scores = pictures / "scores.csv"
    manifest = str(pictures / "m.csv")
    evaluated = CliRunner().invoke(
        main, ["eval", "detection", "--manifest", manifest, "--scores", str(scores)]
    )
    assert evaluated.exit_code == 0, evaluated.output
    with scores.open() as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(told) == {"plain.png", "worn.jpg", "pair.png", "none.png"}
    for name, row in rows.items():
        face = told[name]
        if face is None:
            assert (name, row["face"], row["probability"]) == ("none.png", "none", "")
            continue
        assert float(row["probability"]) == pytest.approx(face["probability"], abs=1e-5)
        assert [float(row["low"]), float(row["high"])] == pytest.approx(face["interval"], abs=1e-5)
        assert row["verdict"] == face["verdict"] in VERDICTS
        assert row["domain"] == face["domain"]["status"]
