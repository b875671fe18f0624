"""``whyfake train`` of detectors, text tower, domain check and router; ``whyfake adapt``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from assistant.cli.declare import EXISTING_FOLDER, FOLDER, argument, command, option
from assistant.cli.options import (
    base_and_finder,
    finder_and_scorer,
    json_option,
    manifest_option,
    out_option,
    seed_option,
    settings_of,
    work_option,
    write_result,
)

__all__ = [
    "PARTS",
    "ablation",
    "adapt",
    "detector",
    "domain",
    "generated_faces",
    "phone",
    "plugin",
    "router",
    "text_tower",
]

#: Files of the weights' manifest, in the order in which the generator of faces takes them.
PARTS = (
    "mobilestylegan-mapping-xml",
    "mobilestylegan-mapping",
    "mobilestylegan-synthesis-xml",
    "mobilestylegan-synthesis",
)


@command("detector")
def detector(
    context: click.Context,
    config: Path = argument(),
    work: Path = work_option("Caches and checkpoints"),
    out: Path = out_option("The trained detector.", "detector.safetensors"),
    as_json: bool = json_option(),
) -> None:
    """Train a detector as CONFIG (YAML) says, calibrate it, and write one file."""
    from assistant.evaluation.face_manifest import read_manifest, require_both_classes
    from assistant.training.detector_config import DetectorConfig
    from assistant.training.leave_out import leave_out_markdown
    from assistant.training.recipe import Recipe, is_recipe
    from assistant.training.sources_run import train_sources
    from assistant.training.tuning_run import train_layer_norms

    def told_of_sources(report: dict[str, Any]) -> str:
        told = f"Wrote {out}: {report['views']} views of {report['sources']} sources."
        return f"{told}\n{leave_out_markdown(report['leave_out'])}"

    def told_of_faces(report: dict[str, Any]) -> str:
        told = [f"Wrote {out}: trained on {report['trained_on']} faces."]
        for source, numbers in report["test"].items():
            told.append(f"  {source}: AUROC {numbers['auroc']} on {numbers['n']} held-out faces")
        return "\n".join(told)

    where: dict[str, Any] = {"work": work, "output": out}
    if is_recipe(config):
        recipe = Recipe.read(config)
        report = train_sources(recipe, *base_and_finder(context, recipe.base), **where)
        write_result(report, None, as_json=as_json, told=told_of_sources)
        return
    loaded = DetectorConfig.read(config)
    require_both_classes(read_manifest(loaded.manifest))  # before anything is fetched or made
    report = train_layer_norms(loaded, *base_and_finder(context, loaded.base), **where)
    write_result(report, None, as_json=as_json, told=told_of_faces)


@command("ablation")
def ablation(
    context: click.Context,
    config: Path = argument(),
    seeds: int = option("How many.", 3, least=1, most=20),
    work: Path = work_option("Caches and checkpoints"),
    out: Path | None = out_option("Also write JSON here."),
    as_json: bool = json_option("Print JSON instead of a table."),
) -> None:
    """Train the published recipe of CONFIG (YAML) term by term, each with several seeds."""
    from assistant.training.ablation import run_ablation, table
    from assistant.training.detector_config import DetectorConfig

    loaded = DetectorConfig.read(config)
    base, finder = base_and_finder(context, loaded.base)
    result = run_ablation(loaded, base, finder, work=work, seeds=range(seeds))
    write_result(result, out, as_json=as_json, told=table)


@command("text-tower")
def text_tower(
    context: click.Context,
    config: Path = argument(),
    work: Path = work_option("Caches"),
    out: Path = out_option("The trained text tower.", "text-tower.safetensors"),
    as_json: bool = json_option(),
) -> None:
    """Train a text tower against the locked picture tower, as CONFIG (YAML) says."""
    from assistant.training.text_tower import TextTowerConfig, report_text, train_text_tower

    loaded = TextTowerConfig.read(config)
    base, finder = base_and_finder(context, loaded.base)
    report = train_text_tower(loaded, base, finder, work=work, output=out)
    write_result(report, None, as_json=as_json, told=report_text)


@command("generated-faces")
def generated_faces(
    context: click.Context,
    count: int = option("How many faces.", 1200, least=1),
    seed: int = seed_option("Another seed, other faces."),
    side: int = option("Pixels a side.", 256, least=64, most=1024),
    quality: int = option("Of the JPEGs.", 75, least=1, most=100),
    out: Path = option(
        "Folder of the pictures and their manifest; the same command again goes on from there.",
        Path(".work/generated"),
        type=FOLDER,
    ),
    as_json: bool = json_option(),
) -> None:
    """Make faces of people who do not exist, to train or to evaluate on.

    They come from MobileStyleGAN (arXiv 2104.04767), about three a second on two cores. Its four
    files are fetched once: whyfake weights fetch mobilestylegan-mapping-xml mobilestylegan-mapping
    mobilestylegan-synthesis-xml mobilestylegan-synthesis
    """
    from assistant.training.generated import MobileStyleGAN, write_generated
    from assistant.weights import locate

    settings = settings_of(context)
    files = [locate(name, data_dir=settings.data_dir) for name in PARTS]
    generator = MobileStyleGAN((files[0], files[1]), (files[2], files[3]))
    how = {"count": count, "seed": seed, "side": side, "quality": quality}
    manifest = write_generated(generator, out, **how)
    report = {"manifest": str(manifest), "faces": count, "seed": seed}
    write_result(
        report, None, as_json=as_json, told=lambda _: f"Wrote {count} faces and {manifest}."
    )


@command("domain")
def domain(
    context: click.Context,
    manifest: Path = manifest_option("CSV of what the detector knows."),
    limit: int = option("Pictures at most.", 2000, least=400),
    seed: int = seed_option("Of the choice of pictures."),
    out: Path | None = out_option(
        "Write here; default: the data folder, where it is found at once."
    ),
) -> None:
    """Fit the check that tells faces unlike those the detector in use knows."""
    from assistant.compose import DOMAIN_FILES
    from assistant.errors import ConfigError
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.interfaces import ReadingDetector
    from assistant.training.domain import fit_domain
    from assistant.weights.store import data_dir_or_default

    rows = read_manifest(manifest)
    finder, scorer = finder_and_scorer(context, domain=False)
    reading = scorer.detector
    if not isinstance(reading, ReadingDetector):
        raise ConfigError(
            f"The detector {reading.name!r} shows no inside, which the domain check needs.",
            hint="Use clip-ln.",
        )
    model = fit_domain(rows, finder, reading, limit=limit, seed=seed)
    settings = settings_of(context)
    target = out or data_dir_or_default(settings.data_dir) / DOMAIN_FILES[settings.profile]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(model.to_json()), encoding="utf-8")
    click.echo(
        f"Wrote {target}: fitted on {model.fitted_on['faces']} faces, limits from "
        f"{model.fitted_on['held_out']}; outside from {model.outer:.2f} times the limit."
    )
    if model.fitted_on["auroc_left_out"] is not None:
        click.echo(
            "Sources left out of it are told from held-out videos of those it knows with an AUROC "
            f"of {model.fitted_on['auroc_left_out']:.2f} in the mean (0.5: not at all)."
        )


@command("router")
def router(recipe: Path = option(default=Path("configs/router.yaml"), name="--config")) -> None:
    """Fit the classifier of questions on the lists of wordings."""
    from assistant.training.router import RouterConfig, train_router

    log = train_router(RouterConfig.read(recipe))
    click.echo(
        f"{log['wordings']} wordings, {log['held_out']} of them held out, {log['topics']} topics.\n"
        f"{log['size']} bytes, SHA-256 {log['sha256']}: put both into weights/manifest.json."
    )


@command("plugin")
def plugin(
    context: click.Context,
    name: str = argument(),
    manifest: Path = manifest_option(),
    seconds: float = option("Of processor time.", 600, least=1),
    epochs: int | None = option("Default: the plugin's recipe.", least=1),
    seed: int = seed_option("Of all that is drawn."),
    options: str = option("Of the plugin, as a JSON object; see its page.", "{}"),
    calibration_percent: int = option(default=15, least=1, most=50),
    out: Path | None = out_option("Default: the data folder, where it is found by name."),
    work: Path = work_option("Crops and frozen features"),
    as_json: bool = json_option(),
) -> None:
    """Train the detector NAME from a manifest, within a budget.

    A share of the videos is held aside to fit its probabilities. Then analyse with it: `whyfake
    --set detector=NAME analyze photo.jpg`.
    """
    from assistant.compose import build_finder
    from assistant.detectors.frozen import FeatureStore
    from assistant.detectors.plugin import Files
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.face_set import faces_of, split
    from assistant.training.field import Budget, train_plugin, trainable

    settings = settings_of(context)
    cls = trainable(name, plugins=settings.plugins)
    rows = read_manifest(manifest)
    faces = faces_of(rows, build_finder(settings), cls.crop_spec, work=work)
    parts = split(faces, {"calibration": calibration_percent})
    target = out or cls.home(settings)
    report = train_plugin(
        cls,
        parts["train"],
        parts["calibration"],
        Files.of(settings),
        output=target,
        budget=Budget(seconds=seconds, epochs=epochs),
        seed=seed,
        options=json.loads(options),
        store=FeatureStore(work),
    )
    told = (
        f"Wrote {target}: {report['parameters_trained']:,} numbers trained on "
        f"{report['pictures_used']} of {report['pictures']} faces in {report['seconds']} s, "
        f"ended by {report['ended_by']}; loss {report['loss'][0]} to {report['loss'][-1]}."
    )
    if not report["calibrated_on"]:
        told += (
            "\nToo few faces were held aside to fit probabilities (30 of each class): it ranks "
            "faces, but gives no verdict."
        )
    write_result(report, None, as_json=as_json, told=lambda _: told)


@command("phone")
def phone(
    context: click.Context,
    name: str = argument(),
    manifest: Path = manifest_option("Faces to measure the files on."),
    out: Path = option(type=FOLDER, required=True),
    work: Path = work_option("Crops"),
) -> None:
    """Write the convolutional detector NAME as ONNX and in int8, and measure both."""
    from assistant.compose import build_finder
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.face_set import faces_of
    from assistant.training.field import trainable
    from assistant.training.phone import export_phone

    settings = settings_of(context)
    kind = trainable(name, plugins=settings.plugins)
    made = kind.from_settings(settings)
    finder, rows = build_finder(settings), read_manifest(manifest)
    faces = faces_of(rows, finder, kind.crop_spec, work=work)
    click.echo(json.dumps(export_phone(made, faces.crops, faces.labels, out), indent=2))


@command()
def adapt(
    context: click.Context,
    folder: Path = argument(type=EXISTING_FOLDER),
    out: Path = out_option("The adapted detector.", "adapted.safetensors"),
    work: Path = work_option("Caches"),
    as_json: bool = json_option(),
) -> None:
    """Adapt the detector to your own faces in FOLDER/real and FOLDER/fake."""
    from assistant.training.adaptation import adapt_detector, folder_rows
    from assistant.weights import locate

    rows = folder_rows(folder)
    base, finder = base_and_finder(context, "dinov2-vits14")
    delta = locate("clip-ln-vits14", data_dir=settings_of(context).data_dir)
    report = adapt_detector(rows, base, delta, finder, work=work, output=out)
    told = [
        f"{name}: AUROC {report[name]['auroc']:.3f}, ECE {report[name]['ece']:.3f}"
        for name in ("before", "after")
    ]
    told.append(f"on {report['judged']} held-out faces of other groups; wrote {out}")
    if report["recommended"]:
        told.append(f"Use it: ASSISTANT_DETECTOR_WEIGHTS={out} whyfake analyze PICTURE")
    told += [f"Warning: {text}." for text in report["warnings"]]
    write_result(report, None, as_json=as_json, told=lambda _: "\n".join(told))
