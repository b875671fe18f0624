"""The narrator's model in several kinds of file: how fast llama.cpp is, and what the kind costs.

    .venv/bin/python bench/narrator_files.py [--rounds 2] [--out docs/results/narrator-files.json]

Speed is that of `whyfake bench` (first word on an unseen picture, tokens a second of four answers);
the loss is that of torch with the file's weights on dialogues of made-up cases that were never
trained on. Takes five minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from pathlib import Path

TOKENS = 64
CASES = 9


def main() -> int:
    """Measure and print a line for each kind of file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()

    from assistant.vlm.merging import write_merged
    from assistant.weights import locate

    base, adapter = locate("smollm2-135m-q4"), locate("narrator-lora")
    with tempfile.TemporaryDirectory() as folder:
        merged = {kind: Path(folder) / f"{kind}.gguf" for kind in ("Q8_0", "Q4_0")}
        for kind, path in merged.items():
            write_merged(base, adapter, path, kind=kind)
        kinds: dict[str, tuple[Path, Path | None]] = {
            "Q4_1, no adapter": (base, None),
            "Q4_1, adapter beside it": (base, adapter),
            **{f"{kind}, adapter laid in": (path, None) for kind, path in merged.items()},
        }
        speeds: dict[str, list[dict[str, float]]] = {name: [] for name in kinds}
        for _ in range(args.rounds):  # in turn, so that the machine's moods meet all of them
            for name, (model, beside) in kinds.items():
                speeds[name].append(_speed(model, beside))
        rows = {}
        for name, (model, beside) in kinds.items():
            rows[name] = {
                key: [min(s[key] for s in speeds[name]), max(s[key] for s in speeds[name])]
                for key in ("first_word_seconds", "tokens_per_second")
            } | {"loss": _loss(model, beside), "megabytes": round(model.stat().st_size / 1e6)}
            print(json.dumps({"file": name, **rows[name]}), flush=True)
    if args.out:
        found = {"schema": "whyfake.narrator-files/1", "rounds": args.rounds, "files": rows}
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def _speed(model: Path, adapter: Path | None) -> dict[str, float]:
    import cv2

    from assistant.evaluation.bench_vlm import conversation_speed
    from assistant.evaluation.map_faces import shipped_pictures
    from assistant.training.narrator_cases import made_up_evidence
    from assistant.vlm.llama_cpp import LlamaCppBackend
    from assistant.weights import locate

    backend = LlamaCppBackend(
        model,
        locate("mmproj-vits14"),
        adapter=adapter,
        first_token_timeout=120,
        total_timeout=600,
    )
    try:
        backend.start()
        evidence = made_up_evidence(random.Random(0))
        picture = cv2.resize(shipped_pictures()[0][1], (224, 224))
        found = conversation_speed(backend, evidence, picture, tokens=TOKENS)
    finally:
        backend.close()
    return {
        "first_word_seconds": round(found["vlm_first_token"], 2),
        "tokens_per_second": round(found["tokens_per_second"], 1),
    }


def _loss(model: Path, adapter: Path | None) -> float:
    """Mean loss a word, with the file's weights in float32."""
    import cv2
    import torch

    from assistant.evaluation.map_faces import shipped_pictures
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir
    from assistant.training.narrator_cases import made_up_evidence
    from assistant.training.narrator_dialogue import case_dialogues, packed
    from assistant.training.narrator_model import NarratorModel, picture_features
    from assistant.vlm.llava import tokenizer_from_gguf, vision_tower
    from assistant.weights import locate

    projector = locate("projector-vits14")
    if adapter is None:
        narrator = NarratorModel(model, projector, dtype=torch.float32)
    else:
        narrator = NarratorModel.trained(model, projector, locate("narrator-lora-peft"))
    tokenizer, prompts = tokenizer_from_gguf(model), PromptLibrary(resource_dir("prompts"))
    eye = vision_tower(locate("dinov2-vits14"))
    pictures = [cv2.resize(picture, (224, 224)) for _, picture in shipped_pictures()]
    losses = []
    for number in range(CASES):
        rng = random.Random(9000 + number)  # training counts from 0
        dialogues = case_dialogues(made_up_evidence(rng), prompts, rng, answers=2)
        with torch.inference_mode():
            seen = picture_features(eye, pictures[number % len(pictures)])
            losses.append(float(narrator.loss(packed(dialogues, tokenizer), seen)))
    return round(statistics.fmean(losses), 4)


if __name__ == "__main__":
    raise SystemExit(main())
