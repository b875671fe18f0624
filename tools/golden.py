"""Golden figures of the shipped detector: five logits and an AUROC, on pictures made here.

    python tools/golden.py --write     after new weights: writes tests/golden/detector.json
    python tools/golden.py             compares, and fails where they differ

The faces are the portraits that scikit-image and matplotlib ship; the manipulated ones have a part
of one laid into the other, or are blended with themselves. They are scored by ``eval detection``.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

GOLDEN = Path(__file__).resolve().parents[1] / "tests/golden/detector.json"
#: How far a logit may lie from the golden one, on another processor too.
TOLERANCE = 1e-3
#: How far the AUROC may fall below the golden one: five pairs in a hundred turned.
SLACK = 0.05


def measured() -> dict[str, object]:
    """What the weights in use give: ``weights_sha256``, ``logits`` by face, and ``auroc``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make(folder)
        return _scored(folder)


def differences(now: dict, golden: dict) -> list[str]:
    """What is not as it was, one line each."""
    wrong = []
    if now["weights_sha256"] != golden["weights_sha256"]:
        wrong.append("other weights than the golden figures are of; run: tools/golden.py --write")
    for name, logit in golden["logits"].items():
        if abs(now["logits"][name] - logit) > TOLERANCE:
            wrong.append(f"{name}: logit {now['logits'][name]:.5f}, golden {logit:.5f}")
    if now["auroc"] < golden["auroc"] - SLACK:
        wrong.append(f"AUROC {now['auroc']:.3f}, golden {golden['auroc']:.3f}")
    return wrong


def _make(folder: Path) -> None:
    from assistant.compose import build_finder
    from assistant.evaluation.known_masks import known_masks
    from assistant.evaluation.map_faces import aligned_faces, shipped_pictures
    from assistant.settings import load_settings
    from assistant.types import CropSpec

    pictures = dict(shipped_pictures())
    astronaut = pictures["skimage astronaut"]
    hopper = pictures["matplotlib grace_hopper"]
    rows = []
    for name, picture in {
        "astronaut": astronaut,
        "astronaut, mirrored": astronaut[:, ::-1],
        "astronaut, half size": astronaut[::2, ::2],
        "hopper": hopper,
        "hopper, darker": (hopper * 0.5).astype(np.uint8),
    }.items():
        rows.append(_kept(folder, name, picture, label=0, crop=0))
    finder = build_finder(load_settings())
    faces = aligned_faces(list(pictures.items()), finder, CropSpec(size=336))
    for number, sample in enumerate(known_masks(faces)):
        if sample.kind != "untouched":
            rows.append(_kept(folder, f"{sample.kind} {number}", sample.crop, label=1, crop=1))
    for number, face in enumerate(faces):
        for gain in (1.0, 0.75):
            for turned in (False, True):
                crop = (face.crop[:, ::-1] if turned else face.crop) * gain
                name = f"genuine {number} {gain} {turned}"
                rows.append(_kept(folder, name, crop.astype(np.uint8), label=0, crop=1))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "crop"))
        writer.writerows(rows)


def _kept(folder: Path, name: str, picture: np.ndarray, *, label: int, crop: int) -> tuple:
    file = f"{name.replace(', ', '-').replace(' ', '-')}.png"
    Image.fromarray(np.ascontiguousarray(picture)).save(folder / file)
    return file, label, crop


def _scored(folder: Path) -> dict[str, object]:
    from assistant.cli.main import main

    scores = folder / "scores.csv"
    command = ["eval", "detection", "--manifest", str(folder / "manifest.csv"), "--json"]
    done = CliRunner().invoke(main, [*command, "--resamples", "10", "--scores", str(scores)])
    if done.exit_code:
        raise SystemExit(f"eval detection failed: {done.output}")
    result = json.loads(done.stdout)
    with scores.open(newline="", encoding="utf-8") as file:
        logits = {row["path"]: row["logit"] for row in csv.DictReader(file)}
    faces = [name for name in logits if name.startswith(("astronaut", "hopper"))]
    return {
        "weights_sha256": result["versions"]["detector"]["weights_sha256"],
        "logits": {name.removesuffix(".png"): round(float(logits[name]), 5) for name in faces},
        "auroc": round(result["overall"]["auroc"], 4),
    }


def main() -> int:
    """Compare or write; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="make them anew")
    write = parser.parse_args().write
    now = measured()
    if write:
        GOLDEN.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        print(f"written: {GOLDEN}")
        return 0
    wrong = differences(now, json.loads(GOLDEN.read_text(encoding="utf-8")))
    print("\n".join(wrong) or "as golden")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
