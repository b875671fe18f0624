"""Finding, aligning and judging faces. The only package that knows BGR."""

from assistant.faces.crops import make_face
from assistant.faces.quality import MIN_FACE_SIDE, domain_measures, is_too_small
from assistant.faces.upright import is_lying

__all__ = ["MIN_FACE_SIDE", "domain_measures", "is_lying", "is_too_small", "make_face"]
