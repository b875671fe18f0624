"""What runs here, and why: profile, weights, threads, device, text model, extras."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from assistant.compute import thread_count, thread_reason
from assistant.settings import DETECTOR_FILES, Loaded

__all__ = ["in_use"]

#: What each extra is for; the others (dev, pdq) are for those who build Whyfake.
_EXTRAS = {
    "page": "whyfake serve",
    "api": "whyfake api serve",
    "cases": "whyfake cases, whyfake scan",
    "fit": "calibrate, adapt, eval",
    "full": "hub models through transformers",
    "train": "the rest of whyfake train and eval",
    "mcp": "whyfake serve --mcp",
}
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def in_use(loaded: Loaded) -> Iterator[tuple[str, str, bool]]:
    """``(name, what and why, whether it is there)``; nothing heavy is imported."""
    settings = loaded.settings

    def why(setting: str) -> str:
        return loaded.origins.get(setting, "default")

    yield "profile", f"{settings.profile} ({why('profile')})", True
    yield "detector weights", _weights(loaded), True
    if settings.calibration is not None:
        yield "calibration", f"{settings.calibration} ({why('calibration')})", True
    yield "device", f"{settings.device} ({why('device')})", True
    yield "threads", f"{thread_count(settings.threads)} ({thread_reason(settings.threads)})", True
    if settings.vlm.model:
        yield "text model", f"{settings.vlm.model} ({why('vlm.model')})", True
    elif settings.vlm_backend == "llama-cpp":
        name = "smollm2-135m-q4" if settings.vlm.adapter else "narrator-smollm2-135m"
        yield "text model", f"{name} (shipped with the backend llama-cpp)", True
    for extra, missing in _extras().items():
        state = f"not installed: {', '.join(missing)}" if missing else "installed"
        yield f"extra {extra}", f"{state} (for {_EXTRAS[extra]})", not missing


def _weights(loaded: Loaded) -> str:
    settings = loaded.settings
    if settings.detector_weights is not None:
        return f"{settings.detector_weights} ({loaded.origins.get('detector_weights', 'default')})"
    if settings.detector != "clip-ln":
        return f"those of the detector {settings.detector}"
    base, delta = DETECTOR_FILES[settings.profile]
    return f"{delta} on {base} (profile {settings.profile})"


def _extras() -> dict[str, list[str]]:
    """The extras that Whyfake names, each with the packages of it that are not installed."""
    needs: dict[str, list[str]] = defaultdict(list)
    try:
        lines = requires("whyfake") or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        return {}
    for line in lines:
        extra = re.search(r"extra == ['\"]([a-z]+)['\"]", line)
        if extra and extra[1] in _EXTRAS:
            needs[extra[1]].append(_NAME.match(line)[0])  # type: ignore[index]
    return {
        extra: [name for name in needs[extra] if not _is_there(name)]
        for extra in _EXTRAS
        if needs[extra]
    }


def _is_there(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
