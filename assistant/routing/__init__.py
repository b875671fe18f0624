"""What a question asks for, by a small trained classifier; and user text made safe for a prompt."""

from assistant.routing.kinds import ELSEWHERE, HARD_WORDS, REFUSED, QuestionKind, Route
from assistant.routing.moments import named_person, named_times
from assistant.routing.opinions import asks_agreement, named_detector
from assistant.routing.router import Router, route
from assistant.routing.text import clean_user_text, printable, regions_in

__all__ = [
    "ELSEWHERE",
    "HARD_WORDS",
    "REFUSED",
    "QuestionKind",
    "Route",
    "Router",
    "asks_agreement",
    "clean_user_text",
    "named_detector",
    "named_person",
    "named_times",
    "printable",
    "regions_in",
    "route",
]
