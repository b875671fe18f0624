"""``whyfake``: the tables of commands. A command's module is imported only when it runs."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from assistant import __version__
from assistant.cli.declare import LazyGroup
from assistant.errors import AssistantError

__all__ = ["COMMANDS", "EVAL_COMMANDS", "TRAIN_COMMANDS", "eval_", "main", "train"]

#: Command name -> (module of this folder, one line for --help). The command is called as it is
#: named, else "module:attribute". Adding a command is adding a line.
COMMANDS: dict[str, tuple[str, str]] = {
    "analyze": ("analyze", "Analyse photos or videos."),
    "ask": ("analyze", "Analyse a photo once and answer questions about it."),
    "scan": ("scan", "Score every file of a folder or a list."),
    "api": ("api", "Serve the HTTP API; make and revoke its keys."),
    "cases": ("cases", "Case files: keep, decide, appeal, report, verify."),
    "serve": ("serve", "Start the chat page on this machine."),
    "doctor": ("doctor", "Tell what is there, what is missing, what to type."),
    "weights": ("weights", "List, fetch and verify model files."),
    "prompts": ("prompts", "List, show, render and check prompts."),
    "plugins": ("plugins", "List the implementations of every stage."),
    "detectors": ("detectors", "List the detectors: which can run here, and what others need."),
    "config": ("config", "Show every setting and where it came from."),
    "bench": ("bench", "Measure speed on this machine."),
    "calibrate": ("calibrate", "Fit probabilities on your own pictures."),
    "adapt": ("train", "Adapt the detector to your own faces."),
    "manifest": ("manifest", "List public deepfake sets; look for leaks between the parts."),
    "compare": ("eval_detection", "Train and score detectors side by side."),
    "train": ("main", "Train a detector or a narrator."),
    "eval": ("main:eval_", "Evaluate detectors, maps and explanations."),
}


#: Commands under ``whyfake train`` and ``whyfake eval``.
TRAIN_COMMANDS: dict[str, tuple[str, str]] = {
    "text-tower": ("train", "Train a text tower against the locked picture tower."),
    "detector": ("train", "Train a detector from a manifest."),
    "generated-faces": ("train", "Make faces of people who do not exist, to train on."),
    "ablation": ("train", "Train the published recipe term by term, with several seeds."),
    "domain": ("train", "Fit the check that tells faces unlike those the detector knows."),
    "temporal": (
        "train_temporal",
        "Measure what genuine and manipulated people of clips show over time.",
    ),
    "cues": (
        "cues:train_cues",
        "Measure what genuine and manipulated faces show, for the visible cues.",
    ),
    "narrator": ("train_narrator", "Train the embedded text model."),
    "router": ("train", "Fit the classifier of questions."),
    "phone": ("train", "Write a small detector as ONNX and in int8."),
    "plugin": ("train", "Train any detector of `whyfake plugins list`."),
}
EVAL_COMMANDS: dict[str, tuple[str, str]] = {
    "router": ("eval_words", "Measure the classifier of questions on wordings it never saw."),
    "questions": (
        "eval_words",
        "Ask forty questions as people put them; count the answers that fit.",
    ),
    "detection": ("eval_detection", "Score a manifest: AUROC, calibration, Cross-AUC."),
    "video": ("eval_video", "Judge clips by person and by time: rules, stretches."),
    "robustness": ("eval_detection", "AUROC after JPEG, resizing, blur, noise, flip and shifts."),
    "framing": (
        "eval_detection",
        "Scores of whole pictures beside those of their own tight crops.",
    ),
    "cross-dataset": (
        "eval_detection",
        "Video AUROC on sets never trained on, beside the published numbers.",
    ),
    "zero-shot": ("eval_detection", "AUROC of text prompts alone."),
    "shortcuts": ("eval_detection", "Can the classes be told apart without looking at the face?"),
    "false-alarms": ("eval_detection", "How often genuine photos are flagged, by kind of photo."),
    "cues": ("cues:eval_cues", "Which visible cues hold up on faces that they were not fitted on."),
    "anomalies": (
        "eval_detection",
        "Train clad on drawn textures and measure it on known defects.",
    ),
    "leave-out": ("eval_detection", "Judge a recipe on sources that were left out."),
    "maps": ("eval_maps", "Measure heat maps against known masks."),
    "grounding": ("eval_words", "Check a table of true and false sentences on known cases."),
    "explanations": (
        "eval_explanations",
        "Measure how true explanations are, narrator by narrator.",
    ),
    "described": (
        "eval_explanations",
        "What the text model sees of a face, before and after known changes.",
    ),
    "region-baseline": ("eval_maps", "Measure what untouched faces show in each region."),
}


#: What the wheel does not install by itself: module -> extra.
EXTRAS: dict[str, str] = {
    **dict.fromkeys(
        (
            *("alembic", "cryptography", "fsspec", "imagehash", "psycopg", "pyarrow"),
            *("reportlab", "sqlalchemy"),
        ),
        "cases",
    ),
    **dict.fromkeys(
        ("fastapi", "limits", "prometheus_client", "pwdlib", "standardwebhooks", "uvicorn"), "api"
    ),
    **dict.fromkeys(("atproto", "atproto_client"), "ozone"),
    "ray": "ray",
    "pdqhash": "pdq",
    **dict.fromkeys(("gradio", "skimage"), "page"),
    **dict.fromkeys(("accelerate", "bitsandbytes", "torchvision", "transformers"), "full"),
    **dict.fromkeys(("jinja2", "open_clip", "peft", "scipy", "sklearn", "venn_abers"), "fit"),
    **dict.fromkeys(
        ("h5py", "matplotlib", "onnxruntime", "openvino", "pandas", "tensorboard"), "train"
    ),
    "mcp": "mcp",
}


class _Main(LazyGroup):
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a typed error or a missing extra ends it with two lines and code 1."""
        try:
            return super().invoke(ctx)
        except AssistantError as error:
            if ctx.meta.get("whyfake.verbose"):
                logging.getLogger(__name__).exception("The command failed")
            click.echo(f"Error: {error.user_message}", err=True)
            if error.hint:
                click.echo(error.hint, err=True)
            ctx.exit(1)
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in EXTRAS:
                raise
            click.echo(f"Error: this command needs {missing}, which is not installed.", err=True)
            click.echo(f"Run: pip install 'whyfake[{EXTRAS[missing]}]' (or: make setup)", err=True)
            ctx.exit(1)


@click.group("train", cls=LazyGroup, table=TRAIN_COMMANDS)
def train() -> None:
    """Train a detector or a narrator."""


@click.group("eval", cls=LazyGroup, table=EVAL_COMMANDS)
def eval_() -> None:
    """Evaluate detectors, maps and explanations."""


@click.group(
    cls=_Main,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__, prog_name="whyfake")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file (TOML); default: whyfake.toml here, then the user's own.",
)
@click.option(
    "--profile", type=click.Choice(["embedded", "full"]), help="Which set of models to use."
)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Model files.")
@click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any setting: vlm_backend=template"
)
@click.option(
    "--accept-unpinned", is_flag=True, help="Load files whose SHA-256 was never published."
)
@click.option("-v", "--verbose", is_flag=True, help="Log what goes on, to stderr.")
@click.pass_context
def main(
    context: click.Context,
    config_file: Path | None,
    profile: str | None,
    data_dir: Path | None,
    pairs: tuple[str, ...],
    accept_unpinned: bool,
    verbose: bool,
) -> None:
    """Whyfake: is this face manipulated, why does it look so, and how sure is that?

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no face.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        stream=sys.stderr,
        format="%(levelname)s %(name)s: %(message)s",
    )
    if not sys.stderr.isatty():  # bars that nobody watches fill a log
        os.environ.setdefault("TQDM_MININTERVAL", "10")
    # What the commands hand to load_settings(**context.obj).
    overrides: dict[str, Any] = {"config_file": config_file, "profile": profile}
    overrides["data_dir"] = data_dir
    overrides["accept_unpinned"] = True if accept_unpinned else None
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise click.UsageError(f"--set {pair!r}: expected KEY=VALUE, such as vlm.model=PATH.")
        overrides[key.strip()] = value
    context.obj = {key: value for key, value in overrides.items() if value is not None}
    context.meta["whyfake.verbose"] = verbose


if __name__ == "__main__":
    main()
