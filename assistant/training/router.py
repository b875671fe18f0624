"""``whyfake train router``: fit the classifier of questions on the lists of wordings."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from assistant.errors import TrainingError
from assistant.evaluation.config_file import ConfigFile
from assistant.evaluation.face_manifest import hashed as name_hash
from assistant.routing.features import BINS, english, hashed
from assistant.routing.kinds import QuestionKind

__all__ = ["RouterConfig", "Wording", "read_wordings", "train_router"]

_LANGUAGES = {"de": "de", "es": "es", "other": "other"}
_SLOT = re.compile(r"(\([^()]*\))")


class RouterConfig(ConfigFile):
    """What ``configs/router.yaml`` holds; paths are relative to the folder the command runs in."""

    example: ClassVar[str] = "configs/router.yaml"

    questions: Path
    output: Path
    log: Path
    wordings: int = Field(24, ge=1)
    manners: int = Field(900, ge=0)
    strength: float = Field(10.0, gt=0)
    held_out: int = Field(5, ge=2)
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One way to ask.

    Attributes:
        label: ``kind/topic`` (or ``kind`` where it has no topics).
        language: ``en``, ``de``, ``es`` or ``other``.
        held_out: its group is kept from training.
        weight: less for one of many alternatives of a line.
        list: the file it stands in.
    """

    text: str
    label: str
    language: str
    held_out: bool
    weight: float
    list: str

    @property
    def kind(self) -> QuestionKind:
        """What it asks for."""
        return QuestionKind(self.label.partition("/")[0])


def read_wordings(config: RouterConfig) -> list[Wording]:
    """All wordings of the lists, each with the part its group belongs to.

    A line ``a | b`` is one group of wordings. A line with ``(a|b)`` stands for its sentences; there
    a group is one alternative of the slot that has most.

    Raises:
        TrainingError: a list cannot be read, or names a kind that there is not.
    """
    found: list[Wording] = []
    for path in _lists(config.questions):
        label = ""
        for line in _lines(path):
            if line.startswith("[") and line.endswith("]"):
                label = line[1:-1]
                if label.partition("/")[0] not in set(QuestionKind):
                    known = ", ".join(QuestionKind)
                    raise TrainingError(
                        f"{path.name}: {label!r} is no kind of question.",
                        hint=f"There are {known}.",
                        code="config",
                    )
                continue
            texts = _wordings(line, config)
            found += [
                Wording(
                    text=text,
                    label=label,
                    language=_LANGUAGES.get(path.stem, "en"),
                    held_out=held_out,
                    weight=len(texts) ** -0.5,
                    list=path.stem,
                )
                for text, held_out in texts
            ]
    return found


def train_router(config: RouterConfig) -> dict[str, Any]:
    """Fit on what is not held out and write the file and a log of what it is made from.

    Returns:
        The log: counts, seconds are not in it, so that the same lists give the same log.

    Raises:
        TrainingError: a list cannot be read.
    """
    wordings = read_wordings(config)
    learned = [w for w in wordings if not w.held_out]
    rng = random.Random(config.seed)  # noqa: S311 - draws wordings
    dressed = _dressed(learned, config, rng)
    texts = [english(w.text, w.language) for w in [*learned, *(w for w, _ in dressed)]]
    idf = _idf(texts)
    vectors = _matrix(texts, idf)
    labels = [w.label for w in [*learned, *(w for w, _ in dressed)]]
    weights = [w.weight for w in learned] + [w.weight for w, _ in dressed]
    tensors: dict[str, NDArray[Any]] = {"idf": idf.astype(np.float16)}
    names: dict[str, list[str]] = {}
    kinds = [label.partition("/")[0] for label in labels]
    _fit(tensors, names, "kinds", vectors, kinds, weights, config)
    _fit(tensors, names, "topics", vectors, labels, weights, config)
    spoken = [w.language for w in learned]
    plain = _matrix([w.text for w in learned], None)
    _fit(tensors, names, "languages", plain, spoken, [1.0] * len(spoken), config)
    # A request for a summary may or may not say how short: it teaches nothing of manners.
    rows = [i for i, w in enumerate(learned) if w.kind is not QuestionKind.SUMMARY]
    rows += range(len(learned), len(texts))
    told: list[frozenset[str]] = [frozenset()] * len(learned) + [manner for _, manner in dressed]
    for name in ("sentence", "simple"):
        said = ["yes" if name in told[i] else "no" for i in rows]
        _fit(tensors, names, name, vectors[rows], said, [1.0] * len(rows), config)
    return _written(config, tensors, names, wordings)


def _lists(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("*.txt") if path.stem != "manners")
    if not found:
        raise TrainingError(
            f"{folder} holds no lists of questions (*.txt).",
            hint="Run it from the project's folder, or set `questions`.",
            code="config",
        )
    return found


def _lines(path: Path) -> list[str]:
    lines = path.read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _kept_out(group: str, config: RouterConfig) -> bool:
    return name_hash(group) % config.held_out == 0


def _wordings(line: str, config: RouterConfig) -> list[tuple[str, bool]]:
    """The sentences of a line, each with whether it is held out."""
    slots = [p[1:-1].split("|") if p.startswith("(") else [p] for p in _SLOT.split(line)]
    if len(slots) == 1:
        held_out = _kept_out(line, config)
        return [(text.strip(), held_out) for text in line.split(" | ")]
    longest = max(range(len(slots)), key=lambda place: len(slots[place]))
    rng = random.Random(line)  # noqa: S311 - the same sentences on every machine
    found = set()
    for number in range(config.wordings):
        chosen = [slot[(number + rng.randrange(len(slot))) % len(slot)] for slot in slots]
        text = " ".join("".join(chosen).split())
        found.add((text, _kept_out(line + chosen[longest], config)))
    return sorted(found)


def _dressed(
    learned: Sequence[Wording], config: RouterConfig, rng: random.Random
) -> list[tuple[Wording, frozenset[str]]]:
    """Questions with a wish for a short or a plain answer, and such wishes alone."""
    phrases: dict[tuple[str, str], list[str]] = {}
    key = ("", "")
    for line in _lines(config.questions / "manners.txt"):
        if line.startswith("["):
            manner, _, language = line[1:-1].partition("/")
            key = (manner, language)
        elif not _kept_out(line, config):
            phrases.setdefault(key, []).extend(text.strip() for text in line.split("|"))
    out: list[tuple[Wording, frozenset[str]]] = []
    askable = [
        w
        for w in learned
        if w.kind is not QuestionKind.SUMMARY and ("sentence", w.language) in phrases
    ]
    for number in range(config.manners):
        asked = rng.choice(askable)
        wanted = ("sentence",) if number % 5 < 2 else ("simple",) if number % 5 < 4 else None
        manners = wanted or ("sentence", "simple")
        said = " ".join(rng.choice(phrases[m, asked.language]) for m in manners)
        text = f"{said}, {asked.text}" if rng.random() < 0.25 else f"{asked.text} {said}"
        wording = replace(asked, text=text, weight=0.3, list="manners")
        out.append((wording, frozenset(manners)))
    for (manner, language), texts in phrases.items():
        for text in texts:
            bare = Wording(
                text=text,
                label=QuestionKind.SUMMARY.value,
                language=language,
                held_out=False,
                weight=1.0,
                list="manners",
            )
            out.append((bare, frozenset({manner})))
    return out


def _idf(texts: Sequence[str]) -> NDArray[np.float32]:
    counts = np.zeros(BINS, np.int64)
    for text in texts:
        counts[hashed(text)[0]] += 1
    return (np.log((1 + len(texts)) / (1 + counts)) + 1).astype(np.float32)


def _matrix(texts: Sequence[str], idf: NDArray[np.float32] | None) -> Any:
    """Texts x :data:`BINS`, sparse."""
    from scipy.sparse import csr_matrix

    rows = [hashed(text, idf) for text in texts]
    ends = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.concatenate([p for p, _ in rows])
    values = np.concatenate([v for _, v in rows])
    return csr_matrix((values, places, ends), shape=(len(texts), BINS))


def _fit(
    tensors: dict[str, NDArray[Any]],
    names: dict[str, list[str]],
    name: str,
    vectors: Any,
    labels: Sequence[str],
    weights: Sequence[float],
    config: RouterConfig,
) -> None:
    """Fit one head and add its int8 weights to ``tensors``, its labels to ``names``."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=config.strength, class_weight="balanced", max_iter=400)
    model.fit(vectors, labels, sample_weight=weights)
    names[name] = [str(label) for label in model.classes_]
    kept, biases = model.coef_, model.intercept_
    if len(names[name]) == 2:  # one row stands for both
        kept, biases = np.concatenate([-kept, kept]) / 2, np.concatenate([-biases, biases]) / 2
    scales = np.abs(kept).max(axis=1) / 127
    whole = np.round(kept / scales[:, None]).astype(np.int8)
    tensors[f"{name}.weights"] = np.ascontiguousarray(whole)
    tensors[f"{name}.scales"] = scales.astype(np.float32)
    tensors[f"{name}.biases"] = biases.astype(np.float32)


def _written(
    config: RouterConfig,
    tensors: Mapping[str, NDArray[Any]],
    names: Mapping[str, list[str]],
    wordings: Sequence[Wording],
) -> dict[str, Any]:
    from safetensors.numpy import save_file

    config.output.parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(tensors), config.output, metadata={"labels": json.dumps(names)})
    log = {
        "recipe": config.model_dump(mode="json"),
        "wordings": len(wordings),
        "held_out": sum(w.held_out for w in wordings),
        "by_list": {
            name: sum(w.list == name for w in wordings)
            for name in sorted({w.list for w in wordings})
        },
        "topics": len(names["topics"]),
        "size": config.output.stat().st_size,
        "sha256": hashlib.sha256(config.output.read_bytes()).hexdigest(),
    }
    config.log.write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
    return log
