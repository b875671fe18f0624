"""Which implementations of each stage there are, by name, built-in and third-party.

Built-ins are "module:attribute" strings, so that nothing heavy is imported to list them. Other
packages add theirs through entry points of the group ``assistant.<kind>``, such as
``assistant.detectors``; ``ASSISTANT_PLUGINS=`` turns those off. A plugin that does not import is
listed as broken with its error, and the others still work.
"""

from __future__ import annotations

import difflib
import importlib
import os
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assistant.errors import PluginError

__all__ = ["BUILT_IN", "KINDS", "Plugin", "listing", "load", "names", "plugins_enabled"]

#: The kinds: what each is called in messages. Entry-point groups are ``assistant.<kind>``.
KINDS = MappingProxyType(
    {
        "face_finders": "face finder",
        "detectors": "detector",
        "calibrators": "calibrator",
        "attributors": "attributor",
        "cues": "visible cue",
        "vlm_backends": "text backend",
    }
)

BUILT_IN: MappingProxyType[str, dict[str, str]] = MappingProxyType(
    {
        "face_finders": {
            "centerface": "assistant.faces.centerface:CenterFaceFinder",
            "retinaface": "assistant.faces.retinaface:RetinaFaceFinder",
        },
        "detectors": {
            "clad": "assistant.detectors.clad:ClAdDetector",
            "clip-adapter": "assistant.detectors.clip_adapter:ClipAdapterDetector",
            "clip-coop": "assistant.detectors.clip_coop:ClipCoopDetector",
            "clip-finetune": "assistant.detectors.clip_finetune:ClipFinetuneDetector",
            "clip-ln": "assistant.detectors.clip_ln:ClipLnDetector",
            "clip-probe": "assistant.detectors.clip_probe:ClipProbeDetector",
            "efficientnet-b4": "assistant.detectors.efficientnet_b4:EfficientNetB4Detector",
            "efficientnet-lite0": "assistant.detectors.efficientnet_lite0:EfficientLite0Detector",
            "effort": "assistant.detectors.effort:EffortDetector",
            "ensemble": "assistant.detectors.ensemble:EnsembleDetector",
            "forensics-adapter": "assistant.detectors.forensics_adapter:ForensicsAdapterDetector",
            "gend": "assistant.detectors.gend:GendDetector",
            "hf-vit": "assistant.detectors.hf_vit:HfVitDetector",
            "mesonet": "assistant.detectors.mesonet:MesoNetDetector",
            "repdfd": "assistant.detectors.repdfd:RepDfdDetector",
            "sbi": "assistant.detectors.sbi:SbiDetector",
            "squeezenet": "assistant.detectors.squeezenet:SqueezeNetDetector",
            "vlm-zero-shot": "assistant.detectors.vlm_zero_shot:VlmZeroShotDetector",
            "xception": "assistant.detectors.xception:XceptionDetector",
        },
        "calibrators": {},
        "attributors": {
            "legrad": "assistant.attribution.attention:LeGrad",
            "gradient-attention": "assistant.attribution.attention:GradientAttention",
            "raw-attention": "assistant.attribution.attention:RawAttention",
            "attention-rollout": "assistant.attribution.attention:AttentionRollout",
            "grad-cam": "assistant.attribution.patches:GradCam",
            "patch-evidence": "assistant.attribution.patches:PatchEvidence",
            "joint-evidence": "assistant.attribution.patches:JointEvidence",
            "patch-lens": "assistant.attribution.patches:PatchLens",
            "occlusion": "assistant.attribution.occlusion:Occlusion",
            "rise": "assistant.attribution.rise:Rise",
            "random": "assistant.attribution.random_map:RandomMap",
        },
        "cues": {
            "cheek-colour": "assistant.cues.cheek_colour:CheekColour",
            "colour-noise": "assistant.cues.colour_noise:ColourNoise",
            "edge-colour": "assistant.cues.edge_colour:EdgeColour",
            "edge-detail": "assistant.cues.edge_detail:EdgeDetail",
            "eye-detail": "assistant.cues.eye_detail:EyeDetail",
            "feature-detail": "assistant.cues.feature_detail:FeatureDetail",
            "mouth-detail": "assistant.cues.mouth_detail:MouthDetail",
            "rim-colour": "assistant.cues.rim_colour:RimColour",
            "skin-detail": "assistant.cues.skin_detail:SkinDetail",
            "skin-noise": "assistant.cues.skin_noise:SkinNoise",
            "spectrum": "assistant.cues.spectrum:Spectrum",
        },
        "vlm_backends": {
            "llama-cpp": "assistant.vlm.llama_cpp:LlamaCppBackend",
            "transformers": "assistant.vlm.transformers:TransformersBackend",
            "openai": "assistant.vlm.openai:OpenAIBackend",
            "template": "assistant.vlm.template:TemplateBackend",
            "scripted": "assistant.vlm.scripted:ScriptedBackend",
        },
    }
)

_OFF = {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One implementation; ``origin`` is ``built-in`` or a distribution, ``error`` why it fails."""

    kind: str
    name: str
    target: str
    origin: str
    error: str = ""


def plugins_enabled() -> bool:
    """Whether third parties' are used: not where ``ASSISTANT_PLUGINS`` is empty or false."""
    return os.environ.get("ASSISTANT_PLUGINS", "on").strip().lower() not in _OFF


def _third_party(kind: str, plugins: bool | None) -> dict[str, EntryPoint]:
    if not (plugins_enabled() if plugins is None else plugins and plugins_enabled()):
        return {}
    built_in = BUILT_IN[kind]
    # A third party may not take a built-in's name: settings would silently mean something else.
    return {e.name: e for e in entry_points(group=f"assistant.{kind}") if e.name not in built_in}


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise PluginError(f"Unknown kind of plugin {kind!r}; there are {', '.join(KINDS)}.")


def names(kind: str, *, plugins: bool | None = None) -> tuple[str, ...]:
    """All names of a kind, sorted; ``plugins=False`` leaves out third parties."""
    _check_kind(kind)
    return tuple(sorted({*BUILT_IN[kind], *_third_party(kind, plugins)}))


def load(kind: str, name: str, *, plugins: bool | None = None) -> Any:
    """The class (or function) behind a name.

    Raises:
        PluginError: there is no such name, or it does not import.
    """
    _check_kind(kind)
    target = BUILT_IN[kind].get(name)
    third = {} if target else _third_party(kind, plugins)
    if target is None and name not in third:
        known = names(kind, plugins=plugins)
        near = difflib.get_close_matches(name, known, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else "."
        raise PluginError(
            f"Unknown {KINDS[kind]} {name!r}{guess} Installed: {', '.join(known) or 'none'}.",
            hint="Run `whyfake plugins list`.",
            code="plugin-unknown",
        )
    try:
        return _import(target) if target is not None else third[name].load()
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"The {KINDS[kind]} {name!r} cannot be imported: {type(error).__name__}: {error}.",
            hint="Install what it needs (`make setup` for ours), or choose another: "
            "`whyfake plugins list`.",
            code="plugin-broken",
        ) from error
    except Exception as error:  # a third party's module may raise anything when imported
        raise PluginError(
            f"The {KINDS[kind]} {name!r} fails on import: {type(error).__name__}: {error}.",
            hint="Update or remove that plugin, or set ASSISTANT_PLUGINS= to leave all out.",
            code="plugin-broken",
        ) from error


def _import(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def listing(
    kind: str | None = None, *, check: bool = False, plugins: bool | None = None
) -> tuple[Plugin, ...]:
    """Every implementation of one or all kinds, broken ones with their error.

    Args:
        kind: one of :data:`KINDS`; None for all.
        check: import built-ins too (slow: torch); else only look whether their module is there.
            Third parties are always imported: there is no other way to tell.
        plugins: False leaves out third parties.
    """
    out = []
    for each in KINDS if kind is None else (kind,):
        third = _third_party(each, plugins)
        for name in names(each, plugins=plugins):
            target = BUILT_IN[each].get(name)
            if target is None:
                entry = third[name]
                origin = entry.dist.name if entry.dist is not None else "unknown"
                shown = entry.value
            else:
                origin, shown = "built-in", target
            error = _why_broken(each, name, plugins, check or target is None, shown)
            out.append(Plugin(kind=each, name=name, target=shown, origin=origin, error=error))
    return tuple(out)


def _is_there(module: str) -> bool:
    """Whether a module of ours exists; ``find_spec`` would import its parents, and torch."""
    path = Path(__file__).parent.joinpath(*module.split(".")[1:])
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _why_broken(kind: str, name: str, plugins: bool | None, check: bool, target: str) -> str:
    if not check:
        module = target.partition(":")[0]
        return "" if _is_there(module) else f"no module {module}"
    try:
        load(kind, name, plugins=plugins)
    except PluginError as error:
        return error.user_message
    return ""
