"""Readers of the folders in which public deepfake sets are kept, after DeepfakeBench's layout.

DeepfakeBench (arXiv 2307.01426) unpacks each set into ``.../frames/VIDEO/NNN.png``; sets as
published hold ``VIDEO.mp4`` in the same places, or under ``videos``. Both are read. A reader gives
one :class:`Sample` a video; a fake's ``video`` is the real video that it was made from where the
name tells, so that both fall into the same part of a split.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.errors import TrainingError

__all__ = ["LAYOUTS", "Sample", "read_layout"]

_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
_VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".webm"}
_SPLITS = {"train": "train", "val": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One video: its frames as pictures in order, or one video file. ``label`` 1 = manipulated.

    The ``family`` is that of manipulated videos: :func:`read_layout` takes it off the others.
    """

    files: tuple[Path, ...]
    label: int
    source: str
    video: str
    family: str
    split: str = ""


Reader = Callable[[Path, str], Iterator[Sample]]


def read_layout(name: str, root: Path, *, compression: str = "c23") -> list[Sample]:
    """The videos of a set.

    Args:
        name: one of :data:`LAYOUTS`.
        root: the set's own folder (or its parent, or for ``json`` a file of DeepfakeBench's
            ``dataset_json``, whose paths are relative to the folder two above it or absolute).
        compression: of FaceForensics++ and DFD: ``raw``, ``c23`` or ``c40``.

    Raises:
        TrainingError: the name is not known, nothing is there, or a list that the set comes with
            cannot be read.
    """
    if name not in LAYOUTS:
        raise TrainingError(
            f"layout {name!r} is not known.", hint=f"Choose one of {', '.join(LAYOUTS)}."
        )
    read = LAYOUTS[name](root, compression)
    told = [s if s.label else replace(s, family="") for s in read]
    found = sorted(told, key=lambda s: (s.label, s.family, s.files[0]))
    if not found:
        raise TrainingError(
            f"No video of {name} was found under {root}.",
            hint="Give the set's own folder, unpacked as DeepfakeBench does "
            "(see docs/detection-data.md).",
            code="layout",
        )
    return found


def _ffpp(root: Path, compression: str) -> Iterator[Sample]:
    base = _inside(root, "FaceForensics++")
    splits: dict[str, str] = {}
    for split in ("train", "val", "test"):
        path = base / f"{split}.json"
        if path.is_file():
            for pair in _json(path):
                splits |= dict.fromkeys(pair, split)

    for folder, label, family in _ff_folders(base, compression):
        if family in ("DeepFakeDetection", "actors"):
            continue
        for name, files in _videos(folder):
            target = name.split("_")[0]
            yield Sample(files, label, "ffpp", f"ffpp-{target}", family, splits.get(target, ""))


def _dfd(root: Path, compression: str) -> Iterator[Sample]:
    for folder, label, family in _ff_folders(_inside(root, "FaceForensics++"), compression):
        if family not in ("DeepFakeDetection", "actors"):
            continue
        for name, files in _videos(folder):
            # real 01__exit_phone_room, fake 01_02__exit_phone_room__YVGY8LOK
            parts = name.split("__")
            person = parts[0].split("_")[0]
            scene = parts[1] if len(parts) > 1 else ""
            yield Sample(files, label, "dfd", f"dfd-{person}__{scene}", family)


def _ff_folders(base: Path, compression: str) -> Iterator[tuple[Path, int, str]]:
    for kind, label in (("original_sequences", 0), ("manipulated_sequences", 1)):
        for family in _folders(base / kind):
            yield family / compression, label, family.name


def _celeb_df(version: str) -> Reader:
    def read(root: Path, _: str) -> Iterator[Sample]:
        base = _inside(root, f"Celeb-DF-{version}")
        tested = base / "List_of_testing_videos.txt"
        names = set()
        if tested.is_file():
            for line in tested.read_text("utf-8").splitlines():
                if line.strip():
                    names.add(line.split()[-1].removesuffix(".mp4"))
        source = f"celeb-df-{version}"
        for kind, label in (("Celeb-real", 0), ("YouTube-real", 0), ("Celeb-synthesis", 1)):
            for name, files in _videos(base / kind):
                # a fake id0_id16_0000 was made from the real id0_0000
                parts = name.split("_")
                origin = f"{parts[0]}_{parts[2]}" if len(parts) == 3 else name
                known = "test" if f"{kind}/{name}" in names else "train"
                yield Sample(
                    files, label, source, f"{source}-{origin}", "face-swap", known if names else ""
                )

    return read


def _dfdc(root: Path, _: str) -> Iterator[Sample]:
    base = _inside(root, "DFDC")
    test = base / "test"
    if (test / "labels.csv").is_file():
        labels = _table(test / "labels.csv", "filename", "label")
        for name, files in _videos(test):
            if name in labels:
                label = {"0": 0, "1": 1, "REAL": 0, "FAKE": 1}.get(labels[name].upper())
                if label is None:
                    raise _unreadable(test / "labels.csv", f"label {labels[name]!r} of {name}")
                yield Sample(files, label, "dfdc", f"dfdc-{name}", "dfdc", "test")
    for part in [*_folders(base / "train"), *_folders(base)]:
        if not (part / "metadata.json").is_file():
            continue
        known: Mapping[str, Any] = _json(part / "metadata.json")
        for name, files in _videos(part):
            entry = known.get(f"{name}.mp4")
            if entry is None:
                continue
            label = int(str(entry["label"]).upper() == "FAKE")
            origin = str(entry.get("original") or name).removesuffix(".mp4")
            yield Sample(files, label, "dfdc", f"dfdc-{origin}", "dfdc", "train")


def _ffiw(root: Path, _: str) -> Iterator[Sample]:
    # ``source`` holds the untouched videos, ``target`` the swapped ones, under the same names
    for kind, label in (("source", 0), ("target", 1)):
        for folder in sorted(p for p in root.rglob(kind) if p.is_dir()):
            for part in _folders(folder):
                split = _SPLITS.get(part.name.lower())
                for name, files in _videos(part if split else folder):
                    yield Sample(
                        files, label, "ffiw", f"ffiw-{split or ''}-{name}", "face-swap", split or ""
                    )
                if not split:
                    break


def _two_folders(source: str) -> Reader:
    """``[SPLIT/]real`` and ``[SPLIT/]fake[/KIND]``, as DeepSpeak is unpacked and any set may be."""

    def read(root: Path, _: str) -> Iterator[Sample]:
        for kind, label in (("real", 0), ("fake", 1)):
            for folder in sorted(p for p in root.rglob(kind) if p.is_dir()):
                split = _SPLITS.get(folder.parent.name.lower(), "")
                for name, files in _videos(folder):
                    inner = files[0].relative_to(folder).parts
                    above = inner[:-1] if files[0].suffix.lower() in _VIDEOS else inner[:-2]
                    family = above[0] if above else source
                    yield Sample(files, label, source, f"{source}-{name}", family, split)

    return read


def _df40(root: Path, _: str) -> Iterator[Sample]:
    # METHOD/{ff,cdf,...}/[frames/]VIDEO/*.png; reals lie in folders whose name says so
    for method in _folders(_inside(root, "DF40")):
        for domain in _folders(method):
            label = int("real" not in f"{method.name}/{domain.name}".lower())
            for name, files in _videos(domain):
                target = name.split("_")[0] if domain.name == "ff" else name
                yield Sample(
                    files,
                    label,
                    f"df40-{domain.name}",
                    f"{'ffpp' if domain.name == 'ff' else domain.name}-{target}",
                    method.name,
                )


def _wilddeepfake(root: Path, _: str) -> Iterator[Sample]:
    # {real,fake}_{train,test}/GROUP/{real,fake}/VIDEO/*.png: a group is one film
    for part in _folders(root):
        found = re.fullmatch(r"(real|fake)_(train|test)", part.name)
        if not found:
            continue
        label = int(found[1] == "fake")
        for group in _folders(part):
            for name, files in _videos(group):
                yield Sample(
                    files,
                    label,
                    "wilddeepfake",
                    f"wild-{found[1]}-{found[2]}-{group.name}-{name}",
                    "in-the-wild",
                    found[2],
                )


def _dataset_json(path: Path, _: str) -> Iterator[Sample]:
    """A file of DeepfakeBench's ``dataset_json``: SET > LABEL > SPLIT [> COMPRESSION] > VIDEO."""
    known: dict[Path, Sample] = {}
    for source, by_label in _json(path).items():
        for sample in _json_videos(path.parent.parent, source, by_label, ()):
            # some sets list their test videos as training or validation ones too: test counts
            if sample.files[0] not in known or sample.split == "test":
                known[sample.files[0]] = sample
    yield from known.values()


def _json_videos(base: Path, source: str, node: Any, trail: tuple[str, ...]) -> Iterator[Sample]:
    if not isinstance(node, dict):
        return
    if "frames" not in node:
        for key, value in node.items():
            yield from _json_videos(base, source, value, (*trail, str(key)))
        return
    told = str(node.get("label", trail[0]))
    label = int("real" not in told.lower())
    paired = re.fullmatch(r"(\d{3})(_\d{3})?", trail[-1])
    files = tuple(base / str(name).replace("\\", "/") for name in sorted(node["frames"]))
    if files:
        yield Sample(
            files,
            label,
            source,
            f"ffpp-{paired[1]}" if paired else f"{source}-{trail[-1]}",
            told,
            next((_SPLITS[t] for t in trail if t in _SPLITS), ""),
        )


#: Name -> reader.
LAYOUTS: dict[str, Reader] = {
    "ffpp": _ffpp,
    "celeb-df-v1": _celeb_df("v1"),
    "celeb-df-v2": _celeb_df("v2"),
    "dfdc": _dfdc,
    "dfd": _dfd,
    "ffiw": _ffiw,
    "deepspeak": _two_folders("deepspeak"),
    "folders": _two_folders("clips"),
    "df40": _df40,
    "wilddeepfake": _wilddeepfake,
    "json": _dataset_json,
}


def _videos(folder: Path) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """Name and files of each video under a folder: a folder of pictures, or a video file."""
    if not folder.is_dir():
        return
    seen = set()
    below = [folder, *sorted(p for p in folder.rglob("*") if p.is_dir())]
    for inside in below:
        if {"masks", "landmarks"} & set(inside.relative_to(folder).parts):
            continue
        files = sorted(p for p in inside.iterdir() if p.is_file())
        pictures = tuple(p for p in files if p.suffix.lower() in _PICTURES)
        if pictures and inside != folder:
            seen.add(inside.name)
            yield inside.name, pictures
    for inside in below:
        for path in sorted(p for p in inside.iterdir() if p.suffix.lower() in _VIDEOS):
            if path.stem not in seen:
                yield path.stem, (path,)


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _inside(root: Path, name: str) -> Path:
    return root / name if (root / name).is_dir() else root


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error


def _table(path: Path, key: str, value: str) -> dict[str, str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return {Path(row[key]).stem: row[value] for row in csv.DictReader(file)}
    except (OSError, KeyError, TypeError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error


def _unreadable(path: Path, why: str) -> TrainingError:
    return TrainingError(
        f"The list {path} cannot be read: {why}.",
        hint="Unpack the set again, or leave the list out.",
        code="layout",
    )
