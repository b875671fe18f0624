"""Speed, measured: every ratio compares two things in one run on one machine."""

from __future__ import annotations

import functools
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from assistant.compute import use_threads
from assistant.edits import mirrored
from assistant.events import Analyzed, Done, Explained, Token
from assistant.examples import example_bytes
from assistant.media import load_media
from assistant.overlay import png_bytes

if TYPE_CHECKING:
    from assistant.cues.stage import VisibleCues
    from assistant.interfaces import FaceFinder
    from assistant.pipeline import Assistant

__all__ = [
    "bench_busy",
    "bench_cold_start",
    "bench_cues",
    "bench_evidence",
    "bench_pipeline",
    "interleaved",
    "machine",
]

_NOTHING = "the benchmark's photo gave no"


def machine() -> dict[str, str | int | None]:
    """What the figures were measured on."""
    import torch

    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_average": f"{os.getloadavg()[0]:.1f}",
    }


def interleaved(jobs: Mapping[str, Callable[[], object]], *, rounds: int = 7) -> dict[str, float]:
    """Median seconds of each job; the jobs take turns, so that a busy machine slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for i in range(1 + rounds):
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            if i:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


def bench_pipeline(assistant: Assistant, *, rounds: int = 7) -> dict[str, Any]:
    """Photo to verdict, score with map over score alone, and the time to the first words.

    Returns:
        ``seconds.photo_to_verdict`` (decoding, face, score, map and evidence; models loaded),
        ``seconds.verdict_to_first_words`` (of a picture not seen before, model loaded; the causal
        card and the checks of everyday changes come first), ``seconds.photo_to_first_words`` (the
        wish is 4 on two cores), ``seconds.explanation`` (from its prompt to its last checked
        sentence), ``seconds.photo_to_checked_explanation``, ``seconds.photo_to_all`` (nearly the
        same; the wish is 6) and ``ratios.map_over_score``.
    """
    photo = example_bytes("astronaut")
    crop = _first_face(assistant, photo).face.crop
    detector = assistant.detector

    def score_with_map() -> None:
        trace = detector.trace(crop) if hasattr(detector, "trace") else None
        assistant.attributor.attribute(detector, crop, trace)

    medians = interleaved(
        {
            "photo_to_verdict": lambda: _first_face(assistant, photo),
            "score": lambda: detector.logits([crop]),
            "score_with_map": score_with_map,
        },
        rounds=rounds,
    )
    _told(assistant, photo)  # the model's first answer also loads it
    told = _told(assistant, png_bytes(mirrored(load_media(photo).frames[0])))
    return {
        "seconds": {
            **{k: round(v, 4) for k, v in medians.items()},
            **{k: round(v, 3) for k, v in told.items()},
        },
        "ratios": {"map_over_score": round(medians["score_with_map"] / medians["score"], 3)},
        "rounds": rounds,
    }


def bench_evidence(assistant: Assistant, *, rounds: int = 3) -> dict[str, Any]:
    """The whole card of one face: every region with its controls, the minimal set, the fragility.

    Returns:
        ``seconds.counterfactual_card`` and, of it, ``seconds.fragility_card`` (measured alone, in
        turn), ``scores_per_card`` and ``ratios.card_over_score`` (scores of one crop alone that the
        card costs). The wish is a card within 6 seconds on two cores.
    """
    from assistant.attribution.counterfactual import probe

    face = _first_face(assistant, example_bytes("astronaut")).face
    detector, calibrator, points = assistant.detector, assistant.calibrator, face.crop_landmarks
    card = probe(detector, calibrator, face.crop, points)
    medians = interleaved(
        {
            "counterfactual_card": lambda: probe(detector, calibrator, face.crop, points),
            "fragility_card": lambda: probe(
                detector, calibrator, face.crop, points, regions=(), controls=1
            ),
            "score": lambda: detector.logits([face.crop]),
        },
        rounds=rounds,
    )
    return {
        "seconds": {
            name: round(medians[name], 3) for name in ("counterfactual_card", "fragility_card")
        },
        "ratios": {"card_over_score": round(medians["counterfactual_card"] / medians["score"], 1)},
        "scores_per_card": card.scored,
    }


def bench_cues(cues: VisibleCues, finder: FaceFinder, *, rounds: int = 7) -> dict[str, Any]:
    """``seconds.cues``: all visible cues of one face, with its points and enlarged pictures.

    The wish is 0.5 on two cores.
    """
    frame = load_media(example_bytes("astronaut")).frames[0]
    points = finder.find(frame)[0].landmarks
    medians = interleaved({"cues": lambda: cues.look(frame, points)}, rounds=rounds)
    return {"seconds": {"cues": round(medians["cues"], 3)}}


def bench_cold_start(*, rounds: int = 5) -> dict[str, Any]:
    """Seconds of ``import assistant`` and ``whyfake --help`` in fresh interpreters (median)."""
    words = {
        "python": ("-c", "pass"),
        "import_assistant": ("-c", "import assistant"),
        "help": ("-m", "assistant.cli.main", "--help"),
    }
    jobs = {
        name: functools.partial(
            subprocess.run, [sys.executable, *arguments], check=True, capture_output=True
        )
        for name, arguments in words.items()
    }
    medians = interleaved(jobs, rounds=rounds)
    return {
        "seconds": {
            "python_itself": round(medians["python"], 3),
            "import_assistant": round(medians["import_assistant"] - medians["python"], 3),
            "help": round(medians["help"], 3),
        }
    }


def bench_busy(assistant: Assistant, *, rounds: int = 3, others: int = 2) -> dict[str, Any]:
    """One photo beside ``others`` programs that never rest: with the usual threads, and with one.

    Returns:
        ``seconds.busy_usual_threads`` and ``seconds.busy_one_thread`` (a photo to its last fact,
        without words, models loaded) and their ``ratios.busy_usual_over_one_thread``: threads that
        wait for each other must not make a busy machine crawl. The wish is at most 1.3.
    """
    photo = example_bytes("astronaut")

    def analysed(threads: int) -> None:
        use_threads(threads)
        list(assistant.analyze(photo, explain=False))

    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(others)]
    try:
        jobs = {"usual": lambda: analysed(0), "one": lambda: analysed(1)}
        medians = interleaved(jobs, rounds=rounds)
    finally:
        for program in busy:
            program.kill()
            program.wait()
        use_threads()
    return {
        "seconds": {
            "busy_usual_threads": round(medians["usual"], 3),
            "busy_one_thread": round(medians["one"], 3),
        },
        "ratios": {"busy_usual_over_one_thread": round(medians["usual"] / medians["one"], 3)},
    }


def _first_face(assistant: Assistant, photo: bytes) -> Any:
    for event in assistant.analyze(photo, explain=False, fragility=False):
        if isinstance(event, Analyzed):
            return event.result
    raise RuntimeError(f"{_NOTHING} analysis: run `whyfake analyze` on it to see why")


def _told(assistant: Assistant, photo: bytes) -> dict[str, float]:
    """Seconds until a photo's explanation begins, has been checked, and all else has been told."""
    began = time.perf_counter()
    at: dict[type, float] = {}
    explanation = 0.0
    for event in assistant.analyze(photo):
        at.setdefault(type(event), time.perf_counter())
        if isinstance(event, Explained):
            explanation = event.explanation.seconds
    if not {Analyzed, Explained, Done} <= set(at):
        raise RuntimeError(f"{_NOTHING} words: run `whyfake analyze` on it to see why")
    words = at.get(Token, at[Explained])  # the template's text comes whole
    return {
        "verdict_to_first_words": words - at[Analyzed],
        "photo_to_first_words": words - began,
        "explanation": explanation,
        "photo_to_checked_explanation": at[Explained] - began,
        "photo_to_all": at[Done] - began,
    }
