"""Does taking out what was exchanged undo its effect on the score, and another part not?

    .venv/bin/python bench/taken_out.py --manifest FILE [--limit 60] [--weights FILE] [--out FILE]

Of each untouched face of the manifest a part is exchanged, half of it, all of it, and it is blended
with itself (as `whyfake eval maps` does). Then what was exchanged is taken out (inpainted, as the
counterfactuals of the page do), or another part of the face as large; and the same is done to the
untouched face, where it should do nothing. ``--weights`` measures another detector on that base.
Raw scores (log-odds before calibration); two minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("mouth", "eye", "nose", "half", "whole", "self-blend")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True, help="pictures of untouched faces")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--weights", type=Path, help="another delta; default: the one in use")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()

    from assistant.compose import build_detector, build_finder
    from assistant.evaluation.known_masks import known_masks
    from assistant.evaluation.map_faces import aligned_faces, manifest_pictures
    from assistant.settings import load_settings

    settings = load_settings()
    if args.weights:
        settings = settings.model_copy(update={"detector_weights": args.weights})
    detector, calibrator = build_detector(settings)
    pictures = manifest_pictures(args.manifest, limit=args.limit)
    faces = aligned_faces(pictures, build_finder(settings), detector.crop_spec)
    before = {face.name: float(detector.logits([face.crop])[0]) for face in faces}
    rows = []
    for number, sample in enumerate(known_masks(faces, kinds=KINDS)):
        face = next(face for face in faces if face.name == sample.name)
        rng = np.random.default_rng(number)
        looks = _looks(face.crop, sample, rng)
        if looks is None:
            continue
        logits = detector.logits(list(looks.values()))
        row: dict[str, Any] = {"kind": sample.kind, "untouched": before[face.name]}
        rows.append(row | dict(zip(looks, map(float, logits), strict=True)))
    flag = calibrator.thresholds[1]
    for row in rows:
        shown = calibrator.calibrate(row["exchanged"]).probability
        plain = calibrator.calibrate(row["untouched"]).probability
        row["through"] = shown >= flag > plain
    found = {
        "schema": "whyfake.taken-out/1",
        "faces": len(faces),
        "weights_sha256": detector.weights_sha256,
        "all": _sums(rows),
        "flagged_through_exchange": _sums([row for row in rows if row["through"]]),
    }
    text = json.dumps(found, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")
    return 0


def _looks(untouched: Any, sample: Any, rng: np.random.Generator) -> dict[str, Any] | None:
    """The exchanged face, and both faces with a part out; None where no other part is left."""
    from assistant.attribution.neutralise import neutralise, random_patch

    mask = sample.mask
    if not mask.any():
        return None
    for _ in range(50):
        other = random_patch(mask.shape, min(float(mask.mean()), 0.5), rng) & ~mask
        if other.mean() > 0.5 * min(float(mask.mean()), 0.4):
            break
    else:
        return None
    return {
        "exchanged": sample.crop,
        "that_part_out": neutralise(sample.crop, mask),
        "another_part_out": neutralise(sample.crop, other),
        "untouched_part_out": neutralise(untouched, mask),
    }


def _sums(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        return {"n": 0}
    names = ("untouched", "exchanged", "that_part_out", "another_part_out", "untouched_part_out")
    value = {name: np.array([row[name] for row in rows]) for name in names}
    lower = value["that_part_out"] < value["another_part_out"]
    return {
        "n": len(rows),
        **{name: round(float(values.mean()), 3) for name, values in value.items()},
        "that_part_lowers_more": round(float(lower.mean()), 3),
    }


if __name__ == "__main__":
    raise SystemExit(main())
