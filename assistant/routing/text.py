"""User text made safe to hand to a language model, and the face regions that it names. Pure."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["MAX_CHARACTERS", "clean_user_text", "has_markup", "printable", "regions_in"]

#: The longest question that is read; the rest is left out by :func:`clean_user_text`.
MAX_CHARACTERS = 2000

_REGION_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"left eyes?|linke[ns]? auge|ojo izquierdo", ("left eye",)),
    (r"right eyes?|rechte[ns]? auge|ojo derecho", ("right eye",)),
    (r"left cheeks?|linke wange|mejilla izquierda", ("left cheek",)),
    (r"right cheeks?|rechte wange|mejilla derecha", ("right cheek",)),
    (r"eyes?|eyelids?|pupils?|iris|augen?|ojos?", ("left eye", "right eye")),
    (r"cheeks?|wangen?|mejillas?", ("left cheek", "right cheek")),
    (r"nose|nostrils?|nase|nariz", ("nose",)),
    (r"mouth|lips?|teeth|smile|mund|lippen?|zähne|boca|labios?|dientes", ("mouth",)),
    (r"forehead|brows?|eyebrows?|hairline|stirn|frente|cejas?", ("forehead",)),
    (r"jaw\w*|chin|kiefer|kinn|mandíbula|barbilla", ("jaw",)),
    (r"background|backdrop|hintergrund|fondo", ("background",)),
)
_REGION = tuple((re.compile(rf"\b(?:{p})\b", re.IGNORECASE), names) for p, names in _REGION_WORDS)

# Role markers of chat templates, image placeholders and control tokens of the usual model families.
_MARKUP = re.compile(
    r"<\|[^<>|]{0,40}\|?>|<\|?/?(?:im_start|im_end|s|bos|eos|pad|unk|system|user|assistant|image|video|"
    r"audio|img|tool|tool_call|tool_response|think|start_of_turn|end_of_turn|start_of_image|"
    r"image_soft_token|fake_token_around_image|end_of_utterance|row_\d+_col_\d+|global-img|"
    r"eot_id|start_header_id|end_header_id|begin_of_text|end_of_text|endoftext)\|?\s*/?>|"
    r"\[/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|IMG|IMG_BREAK|IMG_END)\]|<</?SYS>>|"
    r"<__media__>|<__image__>|\[img-\d+\]|<begin▁of▁sentence>|<\uff5c[^\uff5c]{0,40}\uff5c>",
    re.IGNORECASE,
)
_ROLE_LINE = re.compile(
    r"(?im)^\s*#{0,3}\s*(?:system|assistant|user|human|ai|instruction|response)\s*:"
)
_MARKDOWN_LINK = re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LOOK_ALIKES = str.maketrans("<>{}|", "\u2039\u203a()/")
_FENCE = re.compile(r"`{3,}|~{3,}|={5,}|-{5,}")


def clean_user_text(text: str, *, limit: int = MAX_CHARACTERS) -> str:
    """User text as it may stand in a prompt: one paragraph, no control characters, no chat markup.

    Chat-template markers are taken out (again and again, so that none is left by nesting), links
    keep their words, angle and curly brackets become look-alikes. At most
    ``limit`` characters are kept.
    """
    text = printable(unicodedata.normalize("NFKC", text[: 4 * limit]))
    for _ in range(8):
        cleaned = _MARKUP.sub(" ", text)
        if cleaned == text:
            break
        text = cleaned
    text = _ROLE_LINE.sub(" ", text)
    text = _MARKDOWN_LINK.sub(r"\1", text)
    text = _FENCE.sub(" ", text)
    text = text.translate(_LOOK_ALIKES)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit].rstrip() + "…"


def printable(text: str) -> str:
    """Text without terminal codes, control and invisible characters; line breaks stay."""
    return "".join(
        c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"} or c in "\n\t" else ""
        for c in _TERMINAL.sub("", text)
    )


def has_markup(text: str) -> bool:
    """Whether a text holds role markers, image placeholders or control tokens of chat templates."""
    return bool(_MARKUP.search(text[: 4 * MAX_CHARACTERS]))


def regions_in(question: str) -> tuple[str, ...]:
    """The face regions a question names (viewer's side); "eyes" names both."""
    found: list[str] = []
    rest = question[:MAX_CHARACTERS]
    for pattern, names in _REGION:
        if pattern.search(rest):
            found += [n for n in names if n not in found]
            rest = pattern.sub(" ", rest)
    return tuple(found)
