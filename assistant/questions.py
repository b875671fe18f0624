"""What a question asks for, by rules; and user text made safe to hand to a language model. Pure."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

__all__ = [
    "FIXED_ANSWER",
    "QuestionKind",
    "classify",
    "clean_user_text",
    "language_of",
    "printable",
    "regions_in",
]

#: The longest question that is read; the rest is left out by :func:`clean_user_text`.
MAX_CHARACTERS = 2000


class QuestionKind(StrEnum):
    """What a question asks for."""

    VERDICT = "verdict"  # is it real?
    WHY = "why"
    WHERE = "where"  # which part; also questions on one named region
    HOW_SURE = "how sure"
    WHAT_IF = "what if"  # recompressed, resized, without a region
    COULD_BE_WRONG = "what could be wrong"
    QUALITY = "quality"
    PROVENANCE = "provenance"
    METHOD = "method"  # how does this work?
    ACTION = "what can I do"
    IDENTITY = "identity"  # who, age, ethnicity, gender, looks, motive: never answered
    PRESSURE = "pressure"  # say something else than was measured; instructions to the system
    OTHER_LANGUAGE = "other language"
    EMPTY = "empty"
    OUT_OF_SCOPE = "out of scope"


#: What must never depend on a model: these get the fixed answers of the fallback.
FIXED_ANSWER = frozenset(
    {
        QuestionKind.IDENTITY,
        QuestionKind.PRESSURE,
        QuestionKind.OTHER_LANGUAGE,
        QuestionKind.OUT_OF_SCOPE,
    }
)


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_LABEL = (
    r"(?:real|fake|genuine|authentic|manipulated|original|edited|untouched|a deepfake|legit\w*)"
)

# In this order: what must never be answered or obeyed is looked for first.
_RULES: tuple[tuple[QuestionKind, re.Pattern[str]], ...] = (
    (
        QuestionKind.PRESSURE,
        _words(
            r"\b(ignore|disregard|forget|override|bypass|jailbreak|developer mode|system prompt|"
            r"pretend|role-?play|act as|new (?:rule|instruction|task)s?|from now on|"
            r"repeat after me|(?:previous|prior|above|your) (?:instruction|rule|prompt|order|score)s?|"
            r"(?:change|lower|raise|flip|reverse|update|edit|correct|rescore|set) (?:the|your|its|this) "
            r"(?:score|verdict|probability|answer|result|rating)|rescore|"
            r"i (?:already )?(?:know|am sure|swear|promise|took|was there)|i'm (?:sure|certain)|"
            r"trust me|believe me|everyone (?:knows|says|agrees)|admit|"
            rf"(?:just|please|only|simply|must|should|to|can you|could you|will you) "
            rf"(?:\w+ ){{0,3}}?(?:say|tell|write|answer|confirm|call|agree|reply|state|declare)\b.{{0,40}}\b{_LABEL}|"
            rf"(?:^|[.!] ?)(?:say|write|answer|confirm|call|reply|state|declare|agree)\b.{{0,40}}\b{_LABEL}|"
            r"(?:are|you're|you are|youre) (?:\w+ )?wrong\b(?!\?)|i (?:disagree|don'?t believe)|"
            r"agree with me|you (?:said|told me)\b|(?:my|the) (?:boss|lawyer|expert|friend|client|"
            r"professor|police|judge)\b.{0,30}\b(?:says?|said|insists?|claims?|needs?|wants?)|"
            r"(?:i'?ll|i will) (?:lose|sue|pay|report|fire|be fired|tip))"
        ),
    ),
    (
        QuestionKind.IDENTITY,
        _words(
            r"\b(who(?:'s| is| are| was)? (?:this|that|it|he|she|they|the (?:person|man|woman|guy|"
            r"girl|boy|one|face|celebrity|actor|politician)|in|on|shown|pictured|made|did|created|posted|took|shared|sent|uploaded)|"
            r"whose\b|(?:his|her|their|this person'?s|the person'?s) (?:name|age|race|ethnicity|"
            r"nationality|gender|sex|religion|job|identity)|what(?:'s| is) (?:the )?name|"
            r"name (?:of )?(?:the|this|that) (?:person|man|woman)|identify|recogni[sz]e|"
            r"how old|what age|\bage\b|race\b|ethnic\w*|nationality|which country|where (?:is|are) "
            r"(?:he|she|they) from|skin colou?r|gender|male or female|(?:a )?man or (?:a )?woman|"
            r"religio\w*|jewish|muslim|christian|attractive|beautiful|pretty\b(?! sure)|handsome|"
            r"ugly|\bhot\b|sexy|gay|sexual\w*|criminal|motive|why (?:did|would) (?:someone|somebody|"
            r"they|he|she|anyone)|who (?:would|could|might)|mood|emotion\w*|feeling|personality|"
            r"(?:is|are) (?:he|she|they) (?:black|white|asian|african|arab|latin\w*|foreign|rich|poor)|"
            r"is (?:this|that|it|he|she) (?:really )?(?:(?-i:[A-Z]\w+ [A-Z]\w+)|the president))"
        ),
    ),
    (
        QuestionKind.WHAT_IF,
        _words(
            r"\b(what (?:if|happens? (?:if|when|after)|would (?:happen|change))|(?:if|when|after|were) "
            r"(?:\w+ ){0,4}(?:re-?compress\w*|compress\w*|resiz\w*|crop\w*|blur\w*|mirror\w*|flip\w*|"
            r"shrunk|shrink\w*|scaled|downscal\w*|screenshot\w*|share[ds]?|upload\w*|re-?sav\w*|sent|"
            r"saved|cover\w*|remov\w*|neutrali[sz]\w*|hid\w*)|re-?compress\w*|robust\w*|fragil\w*|"
            r"screenshot|whatsapp|without the (?:mouth|nose|eyes?|jaw|forehead|cheeks?|background)|"
            r"neutrali[sz]\w*|counterfactual\w*|(?:cover|hide|hiding|remov)\w* the \w+)"
        ),
    ),
    (
        QuestionKind.COULD_BE_WRONG,
        _words(
            r"\b(what (?:could|can|might|may) (?:be|go|have gone) wrong|(?:could|can|might|may|is|are) "
            r"(?:it|this|that|you|the (?:detector|tool|verdict|score|result|system)) (?:be )?"
            r"(?:wrong|mistaken|in error|a mistake|incorrect)|false (?:positive|alarm|negative)s?|"
            r"mistake|limits?|limitations?|weakness\w*|caveats?|doubts?|fooled|what (?:can't|cannot) "
            r"(?:it|you))"
        ),
    ),
    (
        QuestionKind.HOW_SURE,
        _words(
            r"\b(how (?:sure|certain|confident|reliable|accurate|trustworthy|strong|likely|probable|"
            r"much (?:can|should) i (?:trust|rely))|confidence|certainty|(?:are|re) you (?:\w+ )?"
            r"(?:sure|certain|confident|positive)|(?:can|should) i (?:trust|rely|believe)|interval|"
            r"probability|percent\w*|chance|odds|margin|what (?:is|'s|was|does) (?:the|its|this) score|"
            r"threshold\w*|reliab\w*|what does (?:the )?\d+)"
        ),
    ),
    (
        QuestionKind.ACTION,
        _words(
            r"\b(what (?:can|should|could|do|must) (?:i|we) (?:\w+ )?do|next steps?|what now|"
            r"should (?:i|we) (?:\w+ )?(?:report|delete|remove|share|post|publish|block|ban|approve|"
            r"reject|keep|take|escalate|use|pay|send)|can (?:i|we) (?:\w+ )?(?:report|delete|remove|"
            r"share|post|publish|block|ban|approve|reject|keep|use)|how (?:can|do|should|could) (?:i|we) "
            r"(?:\w+ )?(?:check|verify|report|proceed|confirm|handle|protect|find out|prove|respond|"
            r"react|get)|advice|recommend\w*|help me|what would you do|how to (?:proceed|report|verify))"
        ),
    ),
    (
        QuestionKind.QUALITY,
        _words(
            r"\b(quality|blur\w*|resolution|sharp\w*|too (?:small|dark|bright)|lighting|compress\w*|"
            r"jpeg|pixels?|better (?:photo|picture|image)|good enough|grainy|dark|cut off|cropped)"
        ),
    ),
    (
        QuestionKind.PROVENANCE,
        _words(
            r"\b(metadata|meta data|exif|c2pa|provenance|content credentials?|photoshop|editor|"
            r"origin|where (?:does|did|is) (?:it|this|the (?:photo|picture|image|file)) "
            r"(?:come|came|from|taken)|come from|source|camera|which (?:program|software|app|tool|"
            r"generator)|generated (?:by|with)|made with|signed|signature|watermark)"
        ),
    ),
    (
        QuestionKind.METHOD,
        _words(
            r"\b(how (?:do|does|did|are|is) (?:you|it|this|the (?:detector|tool|system|model|map|"
            r"score|assistant)) (?:\w+ )?(?:work|tell|know|decide|made|trained|calculated|computed|"
            r"detect|measured|judge|figure)|what (?:model|detector|algorithm|method|data|are you|"
            r"is this tool|can you do|do you do)|how were you|explain how you|who (?:built|trained) you|"
            r"trained on|your (?:model|training|method))"
        ),
    ),
    (
        QuestionKind.WHERE,
        _words(
            r"\b(where|which (?:part|region|area|feature|side|bit|place)s?|what (?:part|region|area|"
            r"feature|spot)s?|point (?:to|at|out)|show me|highlight\w*|heat ?-?map|\bmap\b|stand(?:s|ing)? out|"
            r"eyes?|nose|mouth|lips?|cheeks?|forehead|brows?|jaw|chin|background|hair|teeth|ears?|"
            r"face swap)"
        ),
    ),
    (
        QuestionKind.WHY,
        _words(
            r"\b(why|reasons?|explain|explanation|how come|because|what makes|what (?:gave|gives) it away|"
            r"what(?:'s| is) (?:the )?(?:evidence|basis|suspicious|wrong with)|based on|justify|"
            r"tell me more|more detail|elaborate|summar\w*|in short|details?|evidence|go on|clues?|signs?)"
        ),
    ),
    (
        QuestionKind.VERDICT,
        _words(
            rf"\b((?:is|was|are|isn'?t|looks?|does|so) .{{0,40}}\b{_LABEL}|{_LABEL} or \w+|deep ?-?fake\w*|"
            r"verdict|fake|manipulat\w*|photoshopped|ai[- ]generated|result|conclusion|"
            r"real (?:photo|picture|image|person|face)|authentic\w*)"
        ),
    ),
)

_ENGLISH = frozenset(
    """
    the a an is are was were be do does did what why where who how which when can could should
    would will i you it this that he she they we me my your its of in on at to for from with and
    or not no if so if just please tell say face photo picture image real fake about more
    """.split()  # noqa: SIM905
)
_ABROAD = {
    "de": frozenset(
        """
        der die das ist sind ein eine einen warum wieso weshalb wo wer wie was wann welche welcher sicher
        echt falsch bild foto gesicht und nicht kann ich es dieses diese dieser mit dem den wenn wäre auf
        zu sie du mir soll sollte tun alt mund auge nase qualität gut genug woher kommt gefälscht
        """.split()  # noqa: SIM905
    ),
    "es": frozenset(
        """
        el la los las es son por qué que porque dónde donde quién quien cómo como cuál seguro segura está
        esta este esto foto imagen cara real falso falsa verdad puedo hacer debo si y de del una se qué
        tan calidad boca ojo nariz pasa viene años tiene manipulada manipulado auténtica
        """.split()  # noqa: SIM905
    ),
    "": frozenset(
        """
        le les est sont un une pourquoi où qui comment sûr vrai faux cette ce image visage photo que si
        il lo gli è perché dove chi come sicuro vero falso questa o os são onde quem é não por
        это почему где кто как hoe waarom waar wie deze is het jest dlaczego gdzie kto
        """.split()  # noqa: SIM905
    ),
}
_FOREIGN = frozenset[str]().union(*_ABROAD.values())

_REGION_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"left eyes?", ("left eye",)),
    (r"right eyes?", ("right eye",)),
    (r"left cheeks?", ("left cheek",)),
    (r"right cheeks?", ("right cheek",)),
    (r"eyes?|eyelids?|pupils?|iris", ("left eye", "right eye")),
    (r"cheeks?", ("left cheek", "right cheek")),
    (r"nose|nostrils?", ("nose",)),
    (r"mouth|lips?|teeth|smile", ("mouth",)),
    (r"forehead|brows?|eyebrows?|hairline", ("forehead",)),
    (r"jaw\w*|chin", ("jaw",)),
    (r"background|backdrop", ("background",)),
)
_REGION = tuple((_words(rf"\b(?:{p})\b"), names) for p, names in _REGION_WORDS)

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

    Chat-template markers are taken out (again and again, so that none is left by nesting), links keep
    their words, angle and curly brackets become look-alikes. At most ``limit`` characters are kept.
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


def classify(question: str) -> QuestionKind:
    """What ``question`` asks for; never fails, whatever it holds.

    Attempts to steer the system come first (``PRESSURE``), then what is never answered (``IDENTITY``).
    """
    markup = bool(_MARKUP.search(question[:8000]))
    text = clean_user_text(question)
    words = _letters(text)
    if not words:
        return QuestionKind.PRESSURE if markup else QuestionKind.EMPTY
    if markup:
        return QuestionKind.PRESSURE
    if _is_foreign(text, words):
        return QuestionKind.OTHER_LANGUAGE
    text = text.replace("\u2019", "'")
    for kind, pattern in _RULES:
        if pattern.search(text):
            return kind
    return QuestionKind.OUT_OF_SCOPE


def language_of(question: str) -> str:
    """``en``, ``de`` or ``es``; empty for any other language and for a question without words."""
    text = clean_user_text(question)
    words = _letters(text)
    if not words:
        return ""
    if not _is_foreign(text, words):
        return "en"
    counts = {name: sum(w in known for w in words) for name, known in _ABROAD.items()}
    best = max(counts, key=lambda name: counts[name])
    rest = max(n for name, n in counts.items() if name != best)
    return best if counts[best] > rest and best in {"de", "es"} else ""


def _letters(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())


def regions_in(question: str) -> tuple[str, ...]:
    """The face regions a question names (viewer's side); "eyes" names both."""
    found: list[str] = []
    rest = question[:MAX_CHARACTERS]
    for pattern, names in _REGION:
        if pattern.search(rest):
            found += [n for n in names if n not in found]
            rest = pattern.sub(" ", rest)
    return tuple(found)


def _is_foreign(text: str, words: list[str]) -> bool:
    letters = "".join(words)
    latin = sum(1 for c in letters if "LATIN" in unicodedata.name(c, ""))
    if latin < 0.6 * len(letters) or "\u00bf" in text or "\u00a1" in text:
        return True
    english = sum(w in _ENGLISH for w in words)
    foreign = sum(w in _FOREIGN and w not in _ENGLISH for w in words)
    return (foreign > english and foreign >= 2) or (
        foreign >= 1 and english == 0 and len(words) <= 4
    )
