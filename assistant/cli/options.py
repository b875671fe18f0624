"""What commands share: the settings they run with, and the options of those that train."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.declare import EXISTING_FILE, FOLDER, PATH, option

if TYPE_CHECKING:
    from assistant.cases.store import CaseStore
    from assistant.interfaces import FaceFinder
    from assistant.scoring import Scorer
    from assistant.settings import Settings

__all__ = [
    "DETECTOR",
    "DETECTOR_FILE",
    "base_and_finder",
    "finder_and_scorer",
    "json_option",
    "manifest_option",
    "opened_store",
    "out_option",
    "pictures_option",
    "seed_option",
    "settings_of",
    "work_option",
    "write_compact",
    "write_result",
]

DETECTOR = option("The detector that scores; see `whyfake detectors`.")
DETECTOR_FILE = option(
    "File of that detector; default: what `whyfake train plugin` left in the data folder.",
    type=PATH,
)


def settings_of(context: click.Context, **flags: Any) -> Settings:
    """Settings from all layers; ``flags`` that are None were not given."""
    from assistant.settings import load_settings

    own = {name: value for name, value in flags.items() if value is not None}
    return load_settings(**{**dict(context.obj or {}), **own})


def finder_and_scorer(context: click.Context, *, domain: bool = True) -> tuple[FaceFinder, Scorer]:
    """The face finder and the scorer of the settings, with or without a ``domain`` check."""
    from assistant.compose import build_finder, build_scorer

    settings = settings_of(context)
    return build_finder(settings), build_scorer(settings, domain=domain)


def base_and_finder(context: click.Context, name: str) -> tuple[Path, FaceFinder]:
    """The file of the tower ``name`` that training starts from, and the face finder."""
    from assistant.compose import build_finder
    from assistant.weights import locate

    settings = settings_of(context)
    return locate(name, data_dir=settings.data_dir), build_finder(settings)


def manifest_option(
    text: str = "CSV: path,label[,source,video,...]; paths are relative to it.",
) -> Any:
    """``manifest``: the list of labelled pictures that a command needs."""
    return option(text, required=True)


def seed_option(text: str) -> Any:
    """``seed`` of what ``text`` says, from 0 on."""
    return option(text, 0)


@contextlib.contextmanager
def opened_store(
    context: click.Context, *, key: bool = False, check_guards: bool = True
) -> Iterator[CaseStore]:
    """The case store of the settings (:func:`assistant.cases.opening.open_store`), then closed."""
    from assistant.cases.opening import open_store

    store = open_store(settings_of(context), key=key, check_guards=check_guards)
    with contextlib.closing(store):
        yield store


def work_option(kept: str) -> Any:
    """``work``: a folder that holds ``kept``, so that a run can go on where it ended."""
    return option(f"{kept}; the same command again goes on from there.", Path(".work"), type=FOLDER)


def out_option(text: str, default: str | None = None) -> Any:
    """``out``: the file that is written; without ``default``, only where it is given."""
    return option(text, None if default is None else Path(default))


def pictures_option(text: str, *, required: bool = False) -> Any:
    """``manifest``: a list of pictures, as ``text`` says."""
    return option(text, required=required, type=EXISTING_FILE)


def json_option(text: str = "Print the report as JSON.") -> Any:
    """``as_json``: ``--json``."""
    return option(text, name="--json")


def write_result(
    result: Any, out: Path | None, *, as_json: bool, told: Callable[[Any], str]
) -> None:
    """Write a result as JSON where ``out`` says, and tell it: as JSON, or as ``told`` puts it."""
    text = json.dumps(result, indent=2, ensure_ascii=False)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
    click.echo(text if as_json else told(result))


def write_compact(made: Any, out: Path) -> None:
    """Write a fitted file, such as ``weights/cues.json``, without blanks; its folder is made."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")
