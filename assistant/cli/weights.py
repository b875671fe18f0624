"""``whyfake weights``: list, fetch and verify model files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant import weights as store
from assistant.cli.declare import EXISTING_FILE, argument, command, option
from assistant.errors import AssistantError
from assistant.settings import Settings, load_settings
from assistant.weights import State
from assistant.weights.manifest import manifest_path
from assistant.weights.store import file_sha256, write_atomically

__all__ = ["weights"]


@click.group()
def weights() -> None:
    """List, fetch and verify the model files."""


def _settings(context: click.Context, profile: str | None = None) -> Settings:
    overrides = dict(context.obj or {})
    if profile is not None:
        overrides["profile"] = profile
    return load_settings(**overrides)


def _size(count: int | None) -> str:
    return "       ?" if count is None else f"{count / 1e6:5.1f} MB"


_PROFILE = option("full takes in the embedded files too.", type=click.Choice(["embedded", "full"]))
_JSON = option("Print JSON.", name="--json")


def _row(state: State) -> dict[str, object]:
    entry = state.entry
    return {
        "name": entry.name,
        "profile": entry.profile,
        "status": state.status,
        "size": entry.size,
        "source": entry.source.kind,
        "licence": entry.licence,
        "used_by": list(entry.used_by),
        "note": entry.note,
        "sha256": entry.sha256 or state.sha256,
        "path": str(state.path),
    }


def _print(rows: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        size = row["size"]
        shown = _size(size if isinstance(size, int) else None)
        click.echo(
            f"{row['status']!s:9} {shown}  {row['name']!s:26} "
            f"{row['profile']!s:9} {row['source']!s:8} {row['licence']}"
        )


@command("list", of=weights)
def list_(context: click.Context, profile: str | None = _PROFILE, as_json: bool = _JSON) -> None:
    """Show every model file: there or missing, size, source, licence."""
    data_dir = _settings(context).data_dir
    listed = store.manifest()
    wanted = listed.of_profile("full" if profile == "full" else "embedded")
    if profile is None:
        wanted = listed.entries
    _print([_row(store.inspect_entry(entry, data_dir)) for entry in wanted], as_json)
    if not as_json:
        click.echo(f"\nFetched files lie in {store.data_dir_or_default(data_dir)}")


@command(of=weights)
def fetch(
    context: click.Context,
    names: tuple[str, ...] = argument(),
    profile: str | None = _PROFILE,
    mirror: str | None = option("Address used instead of the model hub's own."),
    force: bool = option("Fetch again what is there."),
    quiet: bool = option("Say nothing of what is there already."),
) -> None:
    """Download, check and build the model files (all of the profile, or only NAMES)."""
    settings = _settings(context, profile)
    for done in store.fetch(
        settings.profile,
        names=names,
        data_dir=settings.data_dir,
        mirror=mirror or settings.hub_mirror,
        force=force,
        accept_unpinned=settings.accept_unpinned,
    ):
        if quiet and done.action == "kept":
            continue
        click.echo(f"{done.action:10} {done.name:26} {done.seconds:5.1f} s  {done.path}")


@command(of=weights)
def verify(context: click.Context, profile: str | None = _PROFILE, as_json: bool = _JSON) -> None:
    """Hash every file again; exit code 1 unless all of the profile are right."""
    settings = _settings(context, profile)
    wanted = store.manifest().of_profile(settings.profile)
    states = [store.inspect_entry(entry, settings.data_dir, fresh=True) for entry in wanted]
    _print([_row(state) for state in states], as_json)
    problems = [state for state in states if not state.ready]
    for state in problems:
        try:
            store.locate(state.entry.name, data_dir=settings.data_dir)
        except AssistantError as error:
            click.echo(f"{error.user_message} {error.hint}", err=True)
    context.exit(1 if problems else 0)


@command(of=weights)
def pin(context: click.Context) -> None:
    """Write size and SHA-256 of the files trained here into the manifest, after training."""
    path = manifest_path()
    raw = json.loads(path.read_text(encoding="utf-8"))
    for entry in raw["entries"]:
        if entry["source"]["kind"] != "repo":
            continue
        file = path.parent / entry["source"]["path"]
        if not file.is_file():
            click.echo(f"{file} is not there.", err=True)
            context.exit(1)
        sha256, size = file_sha256(file), file.stat().st_size
        state = "unchanged" if entry["sha256"] == sha256 else "pinned"
        entry["sha256"], entry["size"] = sha256, size
        click.echo(f"{state:10} {entry['name']:26} {sha256[:12]}")
    write_atomically(path, (json.dumps(raw, indent=2, ensure_ascii=False) + "\n").encode())


@command(of=weights)
def convert(checkpoint: Path = argument(type=EXISTING_FILE), target: Path = argument()) -> None:
    """Write what was trained of a published detector (LayerNorms and head, 0.42 MB) to TARGET.

    CHECKPOINT is the published file, safetensors or Lightning; it is read without running code.
    """
    from assistant.detectors.published import write_full_delta

    draft = target.with_name(f".{target.name}.draft")
    try:
        write_full_delta(checkpoint, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"{target}: {target.stat().st_size / 1e6:.2f} MB, SHA-256 {file_sha256(target)}")
