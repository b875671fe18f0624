"""Settings to an assistant. Every stage, ours or a third party's, is made through the registry."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from assistant import __version__, registry
from assistant.compute import use_threads
from assistant.errors import PluginError, WeightsError
from assistant.fitted import DOMAIN_FILES, build_domain, build_head, region_baseline

if TYPE_CHECKING:
    from assistant.cues.stage import VisibleCues
    from assistant.interfaces import (
        Attributor,
        Calibrator,
        Detector,
        FaceFinder,
        VlmBackend,
    )
    from assistant.pipeline import Assistant, PipelineLimits
    from assistant.scoring import Scorer
    from assistant.settings import Settings

__all__ = [
    "DOMAIN_FILES",
    "build",
    "build_cues",
    "build_detector",
    "build_finder",
    "build_scorer",
    "build_vlm",
    "pipeline_limits",
    "region_baseline",
]

_log = logging.getLogger(__name__)


def build(settings: Settings, *, words_soon: bool = False) -> Assistant:
    """Make an assistant from settings, loading every model it needs.

    Args:
        settings: what to make it of.
        words_soon: have the text backend load its model at once, beside the others; else that
            waits for the first face.

    Raises:
        ConfigError: a setting does not fit.
        PluginError: a name is not registered, or its plugin is broken.
        WeightsError: a model file is missing or was changed; the hint names the command to run.
    """
    from assistant.narrator import Narrator
    from assistant.pipeline import Assistant
    from assistant.probes import fragility_facts, region_facts
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir
    from assistant.speakers import Speakers
    from assistant.streaming import StreamLimits
    from assistant.vlm.template import TemplateBackend

    vlm = build_vlm(settings)
    fallback = vlm if isinstance(vlm, TemplateBackend) else TemplateBackend()
    prompts = PromptLibrary(settings.prompts_dir or resource_dir("prompts"))
    narrator = Narrator(
        vlm=vlm,
        fallback=fallback,
        prompts=prompts,
        limits=StreamLimits.of(settings.vlm.first_token_timeout, settings.vlm.total_timeout),
        pictures=settings.vlm.pictures,
        model_writes=settings.written_by == "model",
    )
    if words_soon:
        narrator.warm_up()
    finder, cues = build_finder(settings), build_cues(settings)

    def speaking(own: Settings) -> Assistant:
        scorer = build_scorer(own)
        baseline = region_baseline(own, scorer.detector)
        return Assistant(
            finder=finder,
            scorer=scorer,
            attributor=_attributor(own, scorer.detector),
            narrator=narrator,
            causal=partial(region_facts, method=own.counterfactual),
            fragility=fragility_facts,
            region_baseline=None if baseline is None else baseline.limits,
            map_share=None if baseline is None else baseline.map_share,
            cues=cues,
            limits=pipeline_limits(own),
            versions=_versions(finder, scorer.detector, scorer.calibrator, vlm),
            speakers=speakers,
            demo=bool(getattr(vlm, "demo", False)),
        )

    speakers = Speakers(settings, speaking)
    return speakers.speaker(settings.detector)


def pipeline_limits(settings: Settings) -> PipelineLimits:
    """What one call may take."""
    from assistant.media import MediaLimits
    from assistant.pipeline import PipelineLimits

    limits = settings.limits.model_dump()
    own = {name: limits.pop(name) for name in ("max_faces", "max_question_characters")}
    return PipelineLimits(media=MediaLimits(**limits), **own)


def build_finder(settings: Settings) -> FaceFinder:
    """The face finder that the settings name."""
    made: FaceFinder = _made("face_finders", settings.face_finder, settings)
    return made


def build_scorer(settings: Settings, *, domain: bool = True) -> Scorer:
    """The detector that the settings name, with its calibration and what was fitted to it.

    ``domain``: with the check that tells faces unlike those it knows.
    """
    from assistant.scoring import Scorer

    detector, calibrator = build_detector(settings)
    return Scorer(
        detector=detector,
        calibrator=calibrator,
        domain=build_domain(settings, detector) if domain else None,
        head=build_head(settings, detector),
    )


def build_cues(settings: Settings) -> VisibleCues | None:
    """The visible cues that the shipped reference lets speak; None where a file is missing."""
    from assistant.cues.reference import load_reference
    from assistant.cues.stage import VisibleCues
    from assistant.faces.dense import DenseLandmarks
    from assistant.resources import resource_dir
    from assistant.weights import locate

    try:
        reference = load_reference(
            locate("cues", data_dir=settings.data_dir, accept_unpinned=settings.accept_unpinned)
        )
        over_time = load_reference(resource_dir("weights") / "motion.json")
        dense = DenseLandmarks(locate("face-landmarks", data_dir=settings.data_dir))
    except WeightsError as error:
        _log.warning("no visible cue is measured: %s %s", error.user_message, error.hint)
        return None
    names = registry.names("cues", plugins=settings.plugins)
    cues = [
        registry.load("cues", n, plugins=settings.plugins)() for n in names if n in reference.limits
    ]
    return VisibleCues(cues, reference, dense, over_time)


def build_detector(settings: Settings) -> tuple[Detector, Calibrator]:
    """The detector that the settings name, with the calibration fitted for it.

    That is the file in the settings, or what the detector brings: a ``calibrator``, or the JSON
    values of one as ``calibration``. The scores of one that brings none are no probabilities and
    give no verdict.
    """
    from assistant.calibration import CurveCalibrator, load_calibrator

    use_threads(settings.threads)
    name = settings.detector
    detector: Detector = _made("detectors", name, settings)
    if settings.calibration is not None:
        own = load_calibrator(settings.calibration)
        made_for = own.fitted_on.get("weights_sha256")
        if made_for and made_for != detector.weights_sha256:
            raise WeightsError(
                f"The calibration {settings.calibration} was made for other detector weights "
                f"({made_for[:12]}, not {detector.weights_sha256[:12]}).",
                hint="Run `whyfake calibrate` again with these weights.",
                code="calibration-mismatch",
            )
        return detector, own
    calibrator: Calibrator | None = getattr(detector, "calibrator", None)
    values = getattr(detector, "calibration", None)
    if calibrator is None and values is not None:
        calibrator = CurveCalibrator.from_json(values)
    if calibrator is None:
        calibrator = CurveCalibrator.unfitted()
    return detector, calibrator


def build_vlm(settings: Settings) -> VlmBackend:
    """The text backend that the settings name. Nothing is substituted for a missing one."""
    made: VlmBackend = _made("vlm_backends", settings.vlm_backend, settings)
    return made


def _attributor(settings: Settings, detector: Detector) -> Attributor:
    """The one in the settings; where that needs patch scores and there are none, the best map."""
    from assistant.attribution.choice import best_map

    name, best = settings.attributor, best_map(detector)
    cls = registry.load("attributors", name, plugins=settings.plugins)
    if getattr(cls, "needs_patch_scores", False) and best != "patch-evidence":
        name = best
    made: Attributor = _made("attributors", name, settings)
    return made


def _made(kind: str, name: str, settings: Settings) -> Any:
    """What is registered under a name, ours or a third party's, made the same way.

    By its classmethod ``from_settings(settings)`` where it has one, else without arguments.
    """
    cls = registry.load(kind, name, plugins=settings.plugins)
    maker = getattr(cls, "from_settings", None)
    try:
        return maker(settings) if maker else cls()
    except TypeError as error:
        raise PluginError(
            f"The {registry.KINDS[kind]} {name!r} cannot be made: {error}.",
            hint="A plugin needs a classmethod from_settings(settings), or no arguments.",
        ) from error


def _versions(
    finder: FaceFinder, detector: Detector, calibrator: Calibrator, vlm: VlmBackend
) -> dict[str, str]:
    return {
        "whyfake": __version__,
        "face_finder": finder.name,
        "detector": detector.name,
        "weights_sha256": detector.weights_sha256,
        "calibrator": calibrator.name,
        "vlm": vlm.name,
    }
