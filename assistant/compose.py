"""Settings to an assistant: the only module that knows both settings and concrete classes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import __version__, registry
from assistant.compute import thread_count, torch_device, use_threads
from assistant.errors import PluginError, WeightsError
from assistant.fitted import (
    DOMAIN_FILES,
    build_domain,
    region_baseline,
)

if TYPE_CHECKING:
    from assistant.cues.stage import VisibleCues
    from assistant.interfaces import (
        Attributor,
        Calibrator,
        Detector,
        FaceFinder,
        VlmBackend,
    )
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

__all__ = [
    "DOMAIN_FILES",
    "build",
    "build_cues",
    "build_detector",
    "build_domain",
    "build_finder",
    "build_vlm",
    "region_baseline",
]

_log = logging.getLogger(__name__)

#: Maps that need a read-out which scores patches.
_PATCH_MAPS = frozenset({"patch-evidence", "joint-evidence"})

#: The detector's files by profile: base tower, and what was trained on it.
_DETECTOR_FILES = {
    "embedded": ("dinov2-vits14", "clip-ln-vits14"),
    "full": ("clip-vitl14", "clip-ln-vitl14"),
}


def build(settings: Settings) -> Assistant:
    """Make an assistant from settings, loading every model it needs.

    Raises:
        ConfigError: a setting does not fit.
        PluginError: a name is not registered, or its plugin is broken.
        WeightsError: a model file is missing or was changed; the hint names the command to run.
    """
    from assistant.media import MediaLimits
    from assistant.narrator import Narrator
    from assistant.pipeline import Assistant, PipelineLimits
    from assistant.probes import fragility_facts, region_facts
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir
    from assistant.streaming import StreamLimits
    from assistant.vlm.template import TemplateBackend

    finder = build_finder(settings)
    detector, calibrator = build_detector(settings)
    vlm = build_vlm(settings)
    fallback = vlm if isinstance(vlm, TemplateBackend) else TemplateBackend()
    prompts = PromptLibrary(settings.prompts_dir or resource_dir("prompts"))
    limits = settings.limits
    first = settings.vlm.first_token_timeout
    return Assistant(
        finder=finder,
        detector=detector,
        calibrator=calibrator,
        attributor=_attributor(settings, detector),
        narrator=Narrator(
            vlm=vlm,
            fallback=fallback,
            prompts=prompts,
            limits=StreamLimits(
                first_seconds=first,
                idle_seconds=first,
                total_seconds=settings.vlm.total_timeout,
            ),
        ),
        causal=partial(region_facts, method=settings.counterfactual),
        fragility=fragility_facts,
        domain=build_domain(settings, detector),
        region_baseline=region_baseline(settings, detector),
        cues=build_cues(settings),
        limits=PipelineLimits(
            media=MediaLimits(
                max_image_bytes=limits.max_image_bytes,
                max_video_bytes=limits.max_video_bytes,
                max_pixels=limits.max_pixels,
                max_side=limits.max_side,
                frames=limits.frames,
                max_video_seconds=limits.max_video_seconds,
            ),
            max_faces=limits.max_faces,
            max_question_characters=limits.max_question_characters,
        ),
        versions=_versions(finder, detector, calibrator, vlm),
        demo=settings.vlm_backend == "scripted",
    )


def build_finder(settings: Settings) -> FaceFinder:
    """The face finder that the settings name."""
    name = settings.face_finder
    cls = registry.load("face_finders", name, plugins=settings.plugins)
    made: FaceFinder
    if name == "centerface":
        made = cls(_located("centerface", settings))
    elif name == "retinaface":
        weights = _located("retinaface-resnet50", settings)
        made = cls(weights, network="resnet50", device=_device(settings))
    else:
        made = _third_party("face finder", name, cls, settings)
    return made


def build_cues(settings: Settings) -> VisibleCues | None:
    """The visible cues that the shipped reference lets speak; None where a file is missing."""
    from assistant.cues.reference import load_reference
    from assistant.cues.stage import VisibleCues
    from assistant.faces.dense import DenseLandmarks

    try:
        reference = load_reference(_located("cues", settings))
        dense = DenseLandmarks(_located("face-landmarks", settings))
    except WeightsError as error:
        _log.warning("no visible cue is measured: %s %s", error.user_message, error.hint)
        return None
    names = registry.names("cues", plugins=settings.plugins)
    cues = [
        registry.load("cues", n, plugins=settings.plugins)() for n in names if n in reference.limits
    ]
    return VisibleCues(cues, reference, dense)


def build_detector(settings: Settings) -> tuple[Detector, Calibrator]:
    """The detector that the settings name, with the calibration fitted for it."""
    from assistant.calibration import load_calibrator

    use_threads(settings.threads)
    name = settings.detector
    cls = registry.load("detectors", name, plugins=settings.plugins)
    if name == "gend":
        return _gend(cls, settings)
    if name != "clip-ln":
        detector: Detector = _third_party("detector", name, cls, settings)
        calibrator = getattr(detector, "calibrator", None)
        if calibrator is None:
            raise PluginError(
                f"The detector {name!r} brings no calibrator, so its scores are not probabilities.",
                hint="Give the detector a `calibrator` attribute (see docs/plugins.md).",
            )
        return detector, calibrator
    base_name, delta_name = _DETECTOR_FILES[settings.profile]
    delta = settings.detector_weights or _located(delta_name, settings)
    curve = load_calibrator(settings.calibration or delta)
    return cls.load(_located(base_name, settings), delta, device=_device(settings)), curve


def _located(name: str, settings: Settings) -> Path:
    """A model file of the manifest, as the settings allow it."""
    from assistant.weights import locate

    return locate(name, data_dir=settings.data_dir, accept_unpinned=settings.accept_unpinned)


def _gend(cls: Any, settings: Settings) -> tuple[Detector, Calibrator]:
    from assistant.calibration import CurveCalibrator, load_calibrator
    from assistant.errors import ConfigError

    if settings.detector_weights is None:
        raise ConfigError(
            "The detector gend needs the path of its weights.",
            hint="Fetch model.safetensors of yermandy/GenD_PE_L or yermandy/GenD_DINOv3_L, then "
            "`--set detector_weights=PATH`.",
        )
    detector: Detector = cls.load(
        settings.detector_weights,
        device=_device(settings),
        accept_unpinned=settings.accept_unpinned,
    )
    if settings.calibration is not None:
        return detector, load_calibrator(settings.calibration)
    return detector, CurveCalibrator.from_json(cls.calibration)


def build_vlm(settings: Settings) -> VlmBackend:
    """The text backend that the settings name. Nothing is substituted for a missing one."""
    name = settings.vlm_backend
    cls = registry.load("vlm_backends", name, plugins=settings.plugins)
    makers: Mapping[str, Callable[[Any, Settings], VlmBackend]] = {
        "template": lambda c, _s: c(),
        "scripted": lambda c, _s: c(()),
        "llama-cpp": _llama_cpp,
        "transformers": _transformers,
        "openai": _openai,
    }
    maker = makers.get(name)
    return maker(cls, settings) if maker else _third_party("text backend", name, cls, settings)


def _llama_cpp(cls: Any, settings: Settings) -> VlmBackend:
    vlm = settings.vlm
    if vlm.model:
        model, mmproj = Path(vlm.model), None
    else:
        # Our own adapter is laid into the model; another goes beside the model as it came.
        model = _located("smollm2-135m-q4" if vlm.adapter else "narrator-smollm2-135m", settings)
        mmproj = _located("mmproj-vits14", settings)
    made: VlmBackend = cls(
        model,
        mmproj,
        adapter=vlm.adapter,
        threads=thread_count(settings.threads),
        first_token_timeout=vlm.first_token_timeout,
        total_timeout=vlm.total_timeout,
        structured=vlm.structured,
    )
    return made


def _transformers(cls: Any, settings: Settings) -> VlmBackend:
    vlm = settings.vlm
    made: VlmBackend = cls(
        vlm.model or "llava-hf/llava-1.5-7b-hf",
        revision=vlm.revision,
        quantization=None if vlm.quantization == "none" else vlm.quantization,
        device=_device(settings),
        first_token_timeout=vlm.first_token_timeout,
        total_timeout=vlm.total_timeout,
    )
    return made


def _openai(cls: Any, settings: Settings) -> VlmBackend:
    from assistant.errors import ConfigError

    vlm = settings.vlm
    if not vlm.base_url or not vlm.model:
        raise ConfigError(
            "The openai backend needs an address and a model name.",
            hint="Set vlm.base_url and vlm.model, for example with "
            "`--set vlm.base_url=http://127.0.0.1:8000/v1 --set vlm.model=NAME`.",
        )
    made: VlmBackend = cls(
        vlm.base_url,
        vlm.model,
        api_key_env=vlm.api_key_env,
        first_token_timeout=vlm.first_token_timeout,
        total_timeout=vlm.total_timeout,
    )
    return made


def _attributor(settings: Settings, detector: Detector) -> Attributor:
    """The one in the settings; in place of patch evidence, what the detector can show.

    Weights that score no patches are read by their patch lens; a detector whose inside cannot be
    seen is shown parts of the face covered.
    """
    from assistant.interfaces import TraceableDetector

    name = settings.attributor
    if name in _PATCH_MAPS and not isinstance(detector, TraceableDetector):
        _log.warning("the detector %s shows no inside: the map is that of occlusion", detector.name)
        name = "occlusion"
    elif name in _PATCH_MAPS and not getattr(detector, "scores_patches", True):
        _log.warning("these detector weights score no patches: the map is that of patch-lens")
        name = "patch-lens"
    made: Attributor = registry.load("attributors", name, plugins=settings.plugins)()
    return made


def _third_party(kind: str, name: str, cls: Any, settings: Settings) -> Any:
    """Make a plugin by its ``from_settings(settings)`` where it has one, else without arguments."""
    maker = getattr(cls, "from_settings", None)
    try:
        return maker(settings) if maker else cls()
    except TypeError as error:
        raise PluginError(
            f"The {kind} {name!r} cannot be made: {error}.",
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


def _device(settings: Settings) -> str:
    return torch_device(settings.device)
