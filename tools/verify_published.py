"""Check our loading of the published detectors against their own files. Needs a connection.

    .venv/bin/python tools/verify_published.py [--mirror URL]

Fetches ``yermandy/GenD_CLIP_L_14`` (safetensors, 1.2 GB) and ``model.torchscript`` (0.6 GB) of
``yermandy/deepfake-detection``, scores crops of the shipped portrait with both through our code and
with the authors' TorchScript, and says what it found. Exit code 0: equal within 1e-3, 1: not equal.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

GEND = ("yermandy/GenD_CLIP_L_14", "model.safetensors", "891ce014a0308386c4d7d25b3dcf436a22db5504")
PAPER = ("yermandy/deepfake-detection", "model.ckpt", None)
SCRIPT = ("yermandy/deepfake-detection", "model.torchscript", None)
TOLERANCE = 1e-3


def main() -> int:
    """Fetch, score, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--mirror", help="address used instead of the hub's")
    mirror = parser.parse_args().mirror
    if mirror:
        os.environ["HF_ENDPOINT"] = mirror

    import numpy as np
    import torch
    from huggingface_hub import hf_hub_download

    from assistant.detectors.clip_ln import ClipLnDetector
    from assistant.detectors.published import write_full_base, write_full_delta

    crops = portrait_crops(4)
    logits: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder:
        for repository, file, revision in (GEND, PAPER):
            path = Path(hf_hub_download(repository, file, revision=revision))
            base, delta = Path(folder) / f"{file}.base", Path(folder) / f"{file}.delta"
            write_full_base(path, base)
            write_full_delta(path, delta)
            logits[repository] = ClipLnDetector.load(base, delta).logits(crops)
            say(
                f"{repository} loads strictly; delta {delta.stat().st_size / 1e6:.2f} MB",
                logits[repository],
            )
    script = torch.jit.load(hf_hub_download(SCRIPT[0], SCRIPT[1]), map_location="cpu").eval()
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)
    pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255.0
    with torch.inference_mode():
        out = script((pixels - mean) / std)
    values = (out[0] if isinstance(out, tuple) else out).float()
    probability = (
        values if values.sum(1).allclose(torch.ones(len(values)), atol=1e-3) else values.softmax(1)
    )
    theirs = torch.logit(probability[:, 1].double(), eps=1e-9).numpy()
    say("the authors' TorchScript", theirs)
    difference = float(
        np.abs(1 / (1 + np.exp(-theirs)) - 1 / (1 + np.exp(-logits[PAPER[0]]))).max()
    )
    print(f"largest change of probability: {difference:.2e} (allowed: {TOLERANCE:.0e})")
    return 0 if difference <= TOLERANCE else 1


def portrait_crops(count: int) -> list:
    """Crops of the shipped portrait at several places and sizes, 224 x 224 RGB uint8."""
    import cv2
    from skimage import data

    photo = data.astronaut()
    out = []
    for i in range(count):
        side = 160 + 24 * i
        top, left = 8 * i, 120 - 10 * i
        left = max(left, 0)
        out.append(cv2.resize(photo[top : top + side, left : left + side], (224, 224)))
    return out


def say(name: str, logits: object) -> None:
    """One line of the report."""
    print(f"{name}: logits {logits}")


if __name__ == "__main__":
    sys.exit(main())
