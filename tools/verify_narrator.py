"""Check that the shipped GGUF files say what the trained model says, on 20 cases.

    .venv/bin/python tools/verify_narrator.py [--cases 20] [--words 24] [--files KIND] [--out FILE]

llama.cpp writes greedily with files of one kind:

- ``used``: the 8-bit model (adapter laid in) and the fp16 picture side that are in use;
- ``adapter``: the adapter beside the 4-bit model;
- ``exact``: the same model and picture side written in float32, made for this run: what is left
  to differ is the export itself, not the rounding of a kind of file.

Torch then reads the same picture,
prompt and words with the same model (its 4-bit weights dequantised to float32), the same LoRA and
projector, and names its own first choice at each word. Where both choose the same word throughout,
both write the same text. Prints and writes what was found; exit code 1 where the log-probabilities
differ by more than the tolerance: that of 4 bit, or of float32 where the files are exact.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

#: Mean difference of the chosen words' log-probabilities, by the kind of files.
TOLERANCES = {"used": 0.15, "adapter": 0.15, "exact": 0.001}


def main() -> int:
    """Write with llama.cpp, read with torch, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--words", type=int, default=24, help="tokens a case")
    parser.add_argument("--files", choices=sorted(TOLERANCES), default="used")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()

    import httpx
    import numpy as np

    from assistant.settings import load_settings
    from assistant.training.narrator_dialogue import packed
    from assistant.training.narrator_model import NarratorModel, picture_features
    from assistant.types import Message
    from assistant.vlm.chat import chat_messages
    from assistant.vlm.llama_cpp import LlamaCppBackend
    from assistant.vlm.llava import tokenizer_from_gguf, vision_tower
    from assistant.vlm.mmproj import IMAGE_SIZE
    from assistant.weights import locate

    where: dict[str, Any] = {"data_dir": load_settings().data_dir, "accept_unpinned": False}
    gguf, lora = locate("smollm2-135m-q4", **where), locate("narrator-lora-peft", **where)
    model = NarratorModel.trained(gguf, locate("projector-vits14", **where), lora)
    eye, tokenizer = vision_tower(locate("dinov2-vits14", **where)), tokenizer_from_gguf(gguf)
    folder = tempfile.TemporaryDirectory()
    backend = LlamaCppBackend(
        **_files(args.files, where, Path(folder.name)),
        threads=1,
        first_token_timeout=300,
        full_precision=args.files == "exact",
    )
    backend.start()
    rows = []
    for number, asked in enumerate(_requests(args.cases)):
        process = backend._process
        body = {
            "messages": chat_messages(asked, side=IMAGE_SIZE),
            "max_tokens": args.words,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": 2,
        }
        url = process.url + "/v1/chat/completions"
        headers = {"Authorization": f"Bearer {process.key}"}
        reply = httpx.post(url, json=body, headers=headers, timeout=600)
        theirs = reply.json()["choices"][0]["logprobs"]["content"]
        ids = np.array([entry["id"] for entry in theirs])
        sample = packed([[*asked.messages, Message(role="assistant", content="")]], tokenizer)
        start = len(sample.tokens) - 1  # without the end mark that stands for the answer
        tokens = np.concatenate([sample.tokens[:start], ids[:-1]])
        whole = replace(
            sample,
            tokens=tokens,
            positions=np.arange(len(tokens)),
            branch=np.zeros(len(tokens), np.int64),
            target=np.zeros(len(tokens), bool),
        )
        ours = model.last_logits(whole, picture_features(eye, asked.images[0]), len(ids))
        ours = ours.log_softmax(-1)
        chosen = ours.argmax(-1).numpy()
        differ = np.flatnonzero(chosen != ids)
        gaps = [abs(float(ours[i, ids[i]]) - e["logprob"]) for i, e in enumerate(theirs)]
        row: dict[str, Any] = {
            "case": number,
            "prompt": "describe" if number % 2 else "explain",
            "words": len(ids),
            "same": len(differ) == 0,
            "logprob_gap": round(float(np.mean(gaps)), 4),
            "text": tokenizer.decode(ids),
        }
        if len(differ):
            at = int(differ[0])
            best, second = ours[at].topk(2).values.tolist()
            row |= {
                "first_difference_at": at,
                "llama_cpp": tokenizer.decode([ids[at]]),
                "torch": tokenizer.decode([chosen[at]]),
                "margin_in_torch": round(best - second, 4),
            }
        rows.append(row)
        print(json.dumps(row), flush=True)
    backend.close()
    folder.cleanup()
    gap = float(np.mean([row["logprob_gap"] for row in rows]))
    found = {
        "schema": "whyfake.narrator-parity/1",
        "files": args.files,
        "same_text": sum(row["same"] for row in rows),
        "cases": len(rows),
        "same_words": round(
            sum(row["words"] if row["same"] else row["first_difference_at"] for row in rows)
            / sum(row["words"] for row in rows),
            4,
        ),
        "mean_logprob_gap": round(gap, 4),
        "tolerance": TOLERANCES[args.files],
        "rows": rows,
    }
    print(f"{found['same_text']} of {len(rows)} texts the same, log-probabilities {gap:.4f} apart")
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0 if gap <= TOLERANCES[args.files] else 1


def _files(kind: str, where: dict[str, Any], folder: Path) -> dict[str, Path | None]:
    """The model files of one kind for llama.cpp; those that are made lie in ``folder``."""
    from assistant.vlm.merging import write_merged
    from assistant.vlm.mmproj import write_mmproj
    from assistant.weights import locate

    base, eye = locate("smollm2-135m-q4", **where), locate("mmproj-vits14", **where)
    if kind == "used":
        return {"model": locate("narrator-smollm2-135m", **where), "mmproj": eye, "adapter": None}
    adapter = locate("narrator-lora", **where)
    if kind == "adapter":
        return {"model": base, "mmproj": eye, "adapter": adapter}
    model, eye = folder / "model.gguf", folder / "mmproj.gguf"
    write_merged(base, adapter, model, kind="F32")
    write_mmproj(
        locate("dinov2-vits14", **where), locate("projector-vits14", **where), eye, half=False
    )
    return {"model": model, "mmproj": eye, "adapter": None}


def _requests(count: int) -> list[Any]:
    """Explanations of made-up evidence and descriptions, in turn, each with another picture."""
    import cv2
    import numpy as np

    from assistant.evaluation.map_faces import shipped_pictures
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir
    from assistant.training.narrator_cases import made_up_evidence
    from assistant.types import VlmRequest
    from assistant.vlm.composition import to_the_point
    from assistant.vlm.composition.pictures import ONE_PICTURE

    rng = random.Random(20)  # noqa: S311 - makes cases, keeps no secret
    prompts = PromptLibrary(resource_dir("prompts"))
    portraits = [picture for _, picture in shipped_pictures()]
    out = []
    for number in range(count):
        portrait = portraits[number % len(portraits)]
        side = rng.randrange(160, 320)
        top = rng.randrange(0, portrait.shape[0] - side)
        left = rng.randrange(0, portrait.shape[1] - side)
        cut = portrait[top : top + side, left : left + side].astype(np.float32)
        cut = np.clip(cut * rng.uniform(0.4, 1.4), 0, 255).astype(np.uint8)
        picture = cv2.resize(cut, (224, 224), interpolation=cv2.INTER_AREA)
        evidence = made_up_evidence(rng)
        messages = (
            prompts.get("describe").render()
            if number % 2
            else prompts.get("explain").render(
                facts=to_the_point(evidence, None).to_prompt(), pictures=ONE_PICTURE
            )
        )
        out.append(VlmRequest(messages=messages, evidence=evidence, images=(picture,)))
    return out


if __name__ == "__main__":
    sys.exit(main())
