"""Every detector on the same faces: trained where it must be, scored as the product scores.

The manifest is split by the hash of the video's name into train, calibration, stack (the
ensemble's own) and test. A detector that is done is kept as ``NAME-KEY.row.json``, so a run goes on
where it ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from assistant import registry
from assistant.calibration import CurveCalibrator
from assistant.compute import use_threads
from assistant.detectors.frozen import FeatureStore
from assistant.detectors.plugin import Files, TrainedDetector
from assistant.detectors.published import unfitted_softmax
from assistant.errors import AssistantError, InferenceError
from assistant.evaluation.detection import summarise
from assistant.evaluation.face_manifest import ManifestRow, require_both_classes
from assistant.evaluation.scoring import FoundFaces, ScoredRow, found_in, score_found, write_scores
from assistant.interfaces import Detector, FaceFinder
from assistant.media import MediaLimits
from assistant.scoring import Scorer
from assistant.settings import Settings
from assistant.training.face_set import FaceSet, faces_of, split_rows
from assistant.training.field import Budget, train_plugin
from assistant.training.footprint import memory_of, open_detector
from assistant.types import CropSpec

__all__ = ["SHARES", "Comparison", "compare_detectors"]

SCHEMA = "whyfake.compare/1"
#: Percent of the videos; the rest trains. The first 15 are the test part of the shipped weights and
#: of the small text tower too (the same hash), so that nobody has seen these faces.
SHARES: Mapping[str, int] = {"test": 15, "calibration": 20, "stack": 10}
_BATCH = 16
_TIMED = 8
_LAST = "ensemble"

Progress = Callable[[str], None]


@dataclass(kw_only=True)
class Comparison:
    """A run over one manifest.

    Attributes:
        rows: of the manifest.
        settings: of everything that is loaded by name.
        finder: finds the faces.
        work: folder of crops, features, trained files and finished rows.
        seconds: of training for each detector.
        seed: of everything that is drawn.
        given: files of detectors that are not trained here, by name.
        most: test faces at most of slow detectors, by name: those with the lowest hash.
        resamples: draws of the bootstrap.
        files: where models lie that detectors are built on; default: as the settings say.
        tell: told a line of progress.
    """

    rows: Sequence[ManifestRow]
    settings: Settings
    finder: FaceFinder
    work: Path
    seconds: float
    seed: int = 0
    given: Mapping[str, Path] | None = None
    most: Mapping[str, int] = field(default_factory=dict)
    resamples: int = 200
    files: Files | None = None
    tell: Progress = lambda _: None

    def __post_init__(self) -> None:
        require_both_classes(self.rows)
        self.work.mkdir(parents=True, exist_ok=True)
        self.parts = split_rows(self.rows, SHARES)
        self.store = FeatureStore(self.work)
        self._faces: dict[tuple[str, CropSpec], FaceSet] = {}
        self._found: dict[CropSpec, list[tuple[ManifestRow, FoundFaces]]] = {}
        told = json.dumps([[r.name, r.label, r.video] for r in self.rows]) + str(self.seconds)
        self.key = sha256(f"{told}{self.seed}".encode()).hexdigest()[:12]

    def run(self, names: Sequence[str]) -> dict[str, Any]:
        """All rows, the ensemble last; one that fails has its reason and never a number."""
        use_threads(self.settings.threads)
        order = sorted(names, key=lambda name: (name == _LAST, name))
        rows: dict[str, dict[str, Any]] = {}
        began, made = time.monotonic(), 0
        for place, name in enumerate(order):
            path = self.work / f"{name}-{self.key}.row.json"
            if path.is_file():
                rows[name] = json.loads(path.read_text("utf-8"))
                continue
            each = (time.monotonic() - began) / made if made else 2 * self.seconds
            left = each * (len(order) - place)
            self.tell(f"{name}: {place + 1} of {len(order)}, about {left / 60:.0f} min left")
            try:
                rows[name] = self._row(name)
            except AssistantError as error:
                rows[name] = {"error": error.user_message, "code": error.code}
                self.tell(f"{name}: {error.user_message}")
                continue  # not kept: what was missing may be there next time
            made += 1
            path.write_text(json.dumps(rows[name], indent=1) + "\n", "utf-8")
        return {
            "schema": SCHEMA,
            "budget_seconds": self.seconds,
            "seed": self.seed,
            "pictures": {name: len(part) for name, part in self.parts.items()},
            "detectors": rows,
        }

    def _row(self, name: str) -> dict[str, Any]:
        detector, trained = self._detector(name)
        found = self._test(detector.crop_spec, self.most.get(name))
        if isinstance(detector, TrainedDetector):
            detector.store = None  # the time is that of the whole network
        crops = [c for _, faces in found for c in faces.crops][: _TIMED + 1]
        _quietly(detector, crops[0])
        start = time.process_time()
        for crop in crops[1:]:
            _quietly(detector, crop)
        milliseconds = 1000 * (time.process_time() - start) / max(1, len(crops) - 1)
        memory = None
        if self.files is None:  # another process knows the settings' own alone
            memory = memory_of(self.settings, name, self._paths(), crops[0])
        if isinstance(detector, TrainedDetector):
            detector.store = self.store
        scored, silent = _scored(detector, found)
        write_scores(scored, self.work / f"{name}.scores.csv")
        numbers = summarise(scored, resamples=self.resamples)
        cross = [
            v
            for real, against in numbers["cross_auc"].items()
            for fake, v in against.items()
            if real != fake and v is not None
        ]
        network = getattr(detector, "network", None)
        parameters = sum(p.numel() for p in network.parameters()) if network is not None else None
        return {
            "citation": getattr(detector, "citation", ""),
            "reported": getattr(detector, "reported", ""),
            "calibrated": getattr(detector, "calibration", None) is not None,
            "faces": len(scored),
            "overall": numbers["overall"],
            "sources": numbers["sources"],
            "families": numbers["families"],
            "cross_auc": round(float(np.mean(cross)), 4) if cross else None,
            "training": trained,
            "parameters": parameters,
            "bytes": _size(self._paths().get(name)),
            "ms_a_face": round(milliseconds, 1),
            "memory_mb": None if memory is None else round(memory / 2**20),
            "no_answers": silent,
        }

    def _path(self, name: str) -> Path:
        return self.work / f"{name}-{self.key}.safetensors"

    def _paths(self) -> dict[str, Path]:
        """The files that are there, by the detector's name."""
        names = registry.names("detectors", plugins=self.settings.plugins)
        trained = {name: self._path(name) for name in names if self._path(name).is_file()}
        return {**trained, **(self.given or {})}

    def _detector(self, name: str) -> tuple[Detector, dict[str, Any]]:
        """A detector by name, trained where there is no file of it; and what its training was."""
        kind = registry.load("detectors", name, plugins=self.settings.plugins)
        given = name in (self.given or {})
        if given or not (isinstance(kind, type) and issubclass(kind, TrainedDetector)):
            return open_detector(self.settings, name, self._paths(), self.files), {}
        if not self._path(name).is_file():
            part = "stack" if name == _LAST else "train"
            held = self._part("calibration", kind.crop_spec)
            self.tell(f"{name}: training, {self.seconds:.0f} s at most")
            train_plugin(
                kind,
                self._part(part, kind.crop_spec),
                held,
                replace(
                    self.files or Files.of(self.settings),
                    member=lambda member: self._detector(member)[0],
                ),
                output=self._path(name),
                budget=Budget(seconds=self.seconds, features=False),
                seed=self.seed,
                store=self.store,
            )
        made = open_detector(self.settings, name, self._paths(), self.files)
        if isinstance(made, TrainedDetector):
            made.store = self.store
            return made, made.card
        return made, {}

    def _part(self, part: str, spec: CropSpec) -> FaceSet:
        if (part, spec) not in self._faces:
            self.tell(f"faces of the part {part}: {len(self.parts[part])} pictures")
            self._faces[part, spec] = faces_of(self.parts[part], self.finder, spec, work=self.work)
        return self._faces[part, spec]

    def _test(
        self, spec: CropSpec, most: int | None = None
    ) -> list[tuple[ManifestRow, FoundFaces]]:
        if spec not in self._found:
            self.tell(f"faces of the part test: {len(self.parts['test'])} pictures")
            rows = self.parts["test"]
            self._found[spec] = list(found_in(rows, self.finder, spec, MediaLimits(frames=1)))
        found = self._found[spec]
        if most is None:
            return found
        return sorted(found, key=lambda one: sha256(one[0].name.encode()).digest())[:most]


def compare_detectors(names: str, *, plugins: bool = True) -> list[str]:
    """Names from a comma-separated list; ``all`` is every registered one.

    Raises:
        PluginError: one of them is not registered.
    """
    known = registry.names("detectors", plugins=plugins)
    if names == "all":
        return list(known)
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in known:
            registry.load("detectors", name, plugins=plugins)
    return chosen


def _size(path: Path | None) -> int | None:
    """Bytes of a file, or of all files in a folder."""
    if path is None:
        return None
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.stat().st_size for f in files if f.is_file())


def _quietly(detector: Detector, crop: Any) -> None:
    try:
        detector.logits([crop])
    except InferenceError as error:
        if error.code != "no-answer":
            raise


def _scored(
    detector: Detector, found: Sequence[tuple[ManifestRow, FoundFaces]]
) -> tuple[list[ScoredRow], int]:
    """The test rows as the product scores them, and how many got no answer."""
    values = getattr(detector, "calibration", None) or unfitted_softmax()
    calibrator = getattr(detector, "calibrator", None) or CurveCalibrator.from_json(values)
    scorer = Scorer(detector=detector, calibrator=calibrator)
    scored: list[ScoredRow] = []
    silent = 0
    for start in range(0, len(found), _BATCH):
        batch = found[start : start + _BATCH]
        try:
            scored += score_found(batch, scorer)
        except InferenceError as error:
            if error.code != "no-answer":
                raise
            for one in batch:
                try:
                    scored += score_found([one], scorer)
                except InferenceError as again:
                    if again.code != "no-answer":
                        raise
                    silent += 1
                    scored.append(ScoredRow(row=one[0], face="none"))
    return scored, silent
