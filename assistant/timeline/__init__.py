"""Time: where to look again, which stretches stand out, and one logit for a person's clip. Pure."""

from assistant.timeline.head import FEATURES, HEAD_RULE, TemporalHead, clip_features
from assistant.timeline.people import Sighting, link_people
from assistant.timeline.rules import CLIP_RULES, DEFAULT_RULE, clip_logit
from assistant.timeline.sampling import LOOKS, colour_shares, denser, is_cut, movement
from assistant.timeline.stretches import StretchRule, raised_parts

__all__ = [
    "CLIP_RULES",
    "DEFAULT_RULE",
    "FEATURES",
    "HEAD_RULE",
    "LOOKS",
    "Sighting",
    "StretchRule",
    "TemporalHead",
    "clip_features",
    "clip_logit",
    "colour_shares",
    "denser",
    "is_cut",
    "link_people",
    "movement",
    "raised_parts",
]
