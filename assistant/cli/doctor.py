"""``whyfake doctor``: what is there, what is missing, what to type. Imports no heavy library."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
import psutil

from assistant import __version__, registry
from assistant.cli.declare import command, option
from assistant.cli.in_use import in_use
from assistant.settings import Loaded, load_with_origins
from assistant.weights import State, data_dir_or_default, inspect_entry, manifest

__all__ = ["RECOMMENDED", "Check", "Recommendation", "doctor"]

_GB = 1e9


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: ``remedy`` is what to type where it is not well."""

    part: str
    name: str
    well: bool
    found: str
    remedy: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A text model for a machine: it needs ``memory_gb`` of ``where`` with these options."""

    model: str
    backend: str
    where: str
    memory_gb: float
    options: str = ""


_NF4 = "vlm.quantization=nf4"
#: By memory, smallest first. nf4 rows: 4-bit weights and about 2 GB for picture and text.
RECOMMENDED: tuple[Recommendation, ...] = (
    Recommendation("no model: measured facts as text", "template", "cpu", 0.1),
    Recommendation("SmolLM2-135M with our projector (shipped)", "llama-cpp", "cpu", 0.6),
    Recommendation("HuggingFaceTB/SmolVLM2-500M-Video-Instruct", "transformers", "cpu", 3),
    Recommendation("llava-hf/llava-onevision-qwen2-0.5b-ov-hf", "transformers", "cpu", 5),
    Recommendation("Qwen/Qwen3-VL-4B-Instruct", "transformers", "gpu", 6, _NF4),
    Recommendation("llava-hf/llava-1.5-7b-hf", "transformers", "gpu", 7, _NF4),
    Recommendation("lingcco/fakeVLM", "transformers", "gpu", 7, _NF4),
    Recommendation("Qwen/Qwen3-VL-8B-Instruct", "transformers", "gpu", 20),
)

#: Distribution -> what it is for, by what needs it.
_PACKAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "core": (
        ("torch", "runs the detector"),
        ("opencv-python-headless", "finds and aligns faces"),
        ("pillow", "reads pictures"),
        ("av", "reads videos"),
        ("langchain-core", "renders prompts"),
    ),
    "page": (("gradio", "the chat page"), ("scikit-image", "the example photo")),
    "centerface": (),
    "retinaface": (("facexlib", "the RetinaFace finder"),),
    "llama-cpp": (("xllamacpp", "runs GGUF models"), ("gguf", "writes the picture projector")),
    "transformers": (
        ("transformers", "runs hub models"),
        ("accelerate", "places hub models in memory"),
        ("bitsandbytes", "4-bit and 8-bit models"),
    ),
    "openai": (("openai", "talks to a server"),),
}


@command()
def doctor(context: click.Context, as_json: bool = option("Print JSON.", name="--json")) -> None:
    """Tell what is there, what is missing and what to type.

    Exit code 0: ready, 1: something is missing.
    """
    loaded = load_with_origins(**dict(context.obj or {}))
    checks = [*_machine(loaded), *_packages(loaded), *_files(loaded), *_choices(loaded)]
    checks += [
        Check("In use", name, well, found, needed=False) for name, found, well in in_use(loaded)
    ]
    broken = [check for check in checks if check.needed and not check.well]
    if as_json:
        out = {
            "version": __version__,
            "profile": loaded.settings.profile,
            "profile_origin": loaded.origins.get("profile", "default"),
            "ready": not broken,
            "checks": [asdict(check) for check in checks],
            "recommended": [{**asdict(row), "fits": fits} for row, fits in _recommended()],
        }
        click.echo(json.dumps(out, indent=1))
    else:
        _print(loaded, checks, broken)
    context.exit(1 if broken else 0)


def _print(loaded: Loaded, checks: list[Check], broken: list[Check]) -> None:
    origin = loaded.origins.get("profile", "default")
    click.echo(f"whyfake {__version__}, profile {loaded.settings.profile} ({origin})")
    part = ""
    for check in checks:
        if check.part != part:
            part = check.part
            click.echo(f"\n{part}")
        mark = "ok     " if check.well else ("MISSING" if check.needed else "no     ")
        click.echo(f"  {mark} {check.name:26} {check.found}")
    click.echo("\nText models by memory (choose one with vlm_backend and vlm.model)")
    for row, fits in _recommended():
        mark = "fits   " if fits else "too big"
        options = f"  {row.options}" if row.options else ""
        need = f"{row.memory_gb:g} GB {row.where}"
        click.echo(f"  {mark} {need:10} {row.backend:13} {row.model}{options}")
    click.echo("\nWhat to type")
    if not broken:
        click.echo("  whyfake analyze PHOTO     or     whyfake serve")
    for remedy in dict.fromkeys(check.remedy for check in broken if check.remedy):
        click.echo(f"  {remedy}")


def _machine(loaded: Loaded) -> list[Check]:
    memory = psutil.virtual_memory()
    cores = len(psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else [0])
    gpu = _gpu_memory_gb()
    root = data_dir_or_default(loaded.settings.data_dir)
    wants_gpu = loaded.settings.device.startswith("cuda")
    free = _free_gb(root)
    left, total = memory.available / _GB, memory.total / _GB
    python = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return [
        Check(
            "Machine",
            "Python",
            sys.version_info >= (3, 11),
            python,
            "Install Python 3.11 or newer, then: make setup",
        ),
        Check(
            "Machine",
            "processor and memory",
            memory.available > 1.5 * _GB,
            f"{cores} cores, {left:.1f} of {total:.1f} GB free",
            "Close other programs: 1.5 GB of free memory are needed.",
        ),
        Check(
            "Machine",
            "GPU",
            gpu is not None,
            f"{gpu:.0f} GB" if gpu is not None else "none found (not needed)",
            "whyfake --set device=cpu ...   (there is no CUDA device)",
            needed=wants_gpu,
        ),
        Check(
            "Machine",
            "disk",
            free > 0.5,
            f"{free:.0f} GB free at {root}",
            "Free 0.5 GB, or set ASSISTANT_DATA_DIR to another disk.",
        ),
    ]


def _free_gb(folder: Path) -> float:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / _GB


def _gpu_memory_gb() -> float | None:
    """Memory of the largest NVIDIA GPU; None without one. Asks the driver's tool, not torch."""
    tool = shutil.which("nvidia-smi")
    if tool is None or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a fixed command
            [tool, "--query-gpu=memory.total", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=1.0,
            check=True,
        )
        return max(float(line) for line in answer.stdout.split()) * 1.048576e6 / _GB
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _packages(loaded: Loaded) -> list[Check]:
    settings = loaded.settings
    used = ("core", settings.face_finder, settings.vlm_backend)
    rows = []
    for group, packages in _PACKAGES.items():
        for name, purpose in packages:
            try:
                found, well = version(name), True
            except PackageNotFoundError:
                found, well = "not installed", False
            told = f"{found} ({purpose})"
            rows.append(Check("Packages", name, well, told, "make setup", needed=group in used))
    return rows


def _files(loaded: Loaded) -> list[Check]:
    profile = loaded.settings.profile
    rows = []
    for entry in manifest().entries:
        state = inspect_entry(entry, loaded.settings.data_dir)
        allowed = state.status == "unpinned" and loaded.settings.accept_unpinned
        rows.append(
            Check(
                "Model files",
                entry.name,
                state.ready or allowed,
                _file_text(state),
                "whyfake weights fetch" + (" --profile full" if profile == "full" else ""),
                needed=entry in manifest().of_profile(profile),
            )
        )
    return rows


def _file_text(state: State) -> str:
    entry = state.entry
    size = f"{entry.size / 1e6:.1f} MB, " if entry.size else ""
    kind = "shipped" if entry.source.kind == "repo" else entry.source.kind
    return f"{state.status} ({size}{kind}, {entry.profile} profile, {entry.licence})"


def _choices(loaded: Loaded) -> list[Check]:
    settings = loaded.settings
    rows = []
    for kind, name in (
        ("face_finders", settings.face_finder),
        ("detectors", settings.detector),
        ("attributors", settings.attributor),
        ("vlm_backends", settings.vlm_backend),
    ):
        found = {each.name: each.error for each in registry.listing(kind, plugins=settings.plugins)}
        error = found.get(name, f"not known; there are {', '.join(found)}")
        field = {"face_finders": "face_finder", "detectors": "detector"}.get(kind, kind[:-1])
        origin = loaded.origins.get(field, "default")
        told = f"{name} ({origin})" + (f": {error}" if error else "")
        rows.append(Check("Chosen", registry.KINDS[kind], not error, told, "whyfake plugins list"))
    return rows


def _recommended() -> list[tuple[Recommendation, bool]]:
    memory = psutil.virtual_memory().total / _GB
    gpu = _gpu_memory_gb() or 0.0
    return [(row, row.memory_gb <= (gpu if row.where == "gpu" else memory)) for row in RECOMMENDED]
