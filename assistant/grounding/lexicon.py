"""Words of what is never spoken of, of flaws that nothing measures, and of sentences in general."""

from __future__ import annotations

import re
from functools import cache

from assistant.evidence import KINDS
from assistant.phrases import CLOSED
from assistant.resources import table

__all__ = ["DATE", "FLAW", "FORBIDDEN", "MARKUP", "NUMBER_WORDS", "names_in", "words_in"]


def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


MARKUP = _re(r"!?\[[^\]]*\]\([^)]*\)|https?://|www\.|<[a-z!/][^>]*>|<\||\[/?INST\]")

#: Never spoken of, whatever the evidence.
FORBIDDEN = _re(
    r"\b(?:age[ds]?|years? old|elderly|middle-aged|teen\w*|young\w*|child|children|old(?:er)? "
    r"(?:man|woman|person)|man|men|woman|women|male|female|boy|girl|gender|transgender|lady|gentleman|"
    r"rac(?:e|es|ial\w*)|ethnic\w*|caucasian|asian|african|european|american|black (?:man|woman|person)|"
    r"white (?:man|woman|person)|hispanic|latin[ao]s?|arab\w*|jewish|muslim|christian|hindu|religio\w*|"
    r"nationality|nationalit\w*|skin (?:colou?r|tone)|handsome|beautiful|beauty|attractive\w*|pretty|"
    r"ugly|sexy|gay|lesbian|celebrit\w*|politician|president|actor|actress|singer|influencer|famous|"
    r"identity|identif\w+|recogni[sz]\w+|(?:his|her|person's) name|(?-i:named [A-Z]\w+)|known person|"
    r"someone|somebody|motives?|intent(?:ion)?s?|intended to|in order to deceive|deceiv\w*|mislead\w*|"
    r"malicious\w*|scam\w*|fraud\w*|propaganda|blackmail|revenge|criminal\w*|guilty|lying about|"
    r"(?:is|was) (?:made|created) by|(?:about|around|over|under|in (?:his|her|their)) "
    r"(?:(?:early|mid|late)[- ])?(?:twent|thirt|fort|fift|sixt|sevent)(?:y|ies))\b"
)

#: Flaws that people and models like to see; what measures one takes its words away first.
FLAW = _re(
    r"\b(?:blink\w*|earrings?|jewell?e?ry|glasses|teeth|hair\w*|skin|texture\w*|pores?|wrinkles?|"
    r"asymmetr\w*|symmetr\w*|shadows?|reflections?|lighting|illumination|seams?|boundar\w*|edges?|"
    r"blend\w*|artefacts?|artifacts?|smooth\w*|waxy|plastic|pixelat\w*|noise|noisy|distort\w*|"
    r"warp\w*|halo\w*|mismatch\w*|inconsisten\w*|unnatural\w*|natural(?:ly)?|natural-looking|"
    r"irregular\w*|anomal\w*|abnormal\w*|odd|strange|weird|unusual|suspicious\w*|flicker\w*|"
    r"lip-?sync\w*|expression\w*|gaze|colou?r tone|glitch\w*|geometry|proportion\w*|misalign\w*|"
    r"shape|facial hair|frequency|spectr\w+|detail\w*)\b"
)

_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
#: A measured number written as words: facts have digits, so that such a number cannot be compared.
NUMBER_WORDS = _re(
    rf"\b(?:{_TENS})(?:[- ](?:{_UNITS}))?\b|"
    rf"\b(?:{_UNITS}|{_TEENS}|a|one)[- ](?:hundred|thousand|percent|per cent|point\b|hundredths?|tenths?|"
    r"in (?:a |every )?(?:hundred|ten|five|four|three|two)|out of|times|thirds?|quarters?|fifths?)|"
    r"\b(?:a|one) (?:half|third|quarter|fifth|tenth) of\b|\bhalf (?:of|the time)\b|"
    r"\b(?:twice|thrice) as\b"
)
#: A day or a year: nothing measured has one, but for what the file says of itself.
DATE = _re(
    r"\b(?:january|february|march|april|june|july|august|september|october|november|december)\b|"
    r"\bin may\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:1[89]|20)\d\d\b(?!\s*(?:px|pixels))|"
    r"\b(?:yesterday|today|last (?:week|month|year))\b"
)

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SMALL = frozenset(table("grounding/small_words.yaml")["words"].split())


@cache
def _told() -> frozenset[str]:
    """The words of all patterns of facts and of all sentences that claim nothing."""
    patterns = [said for kind in KINDS for told in kind.wordings.values() for said in told]
    closed = [said for told in CLOSED.values() for said in told]
    return frozenset(
        word
        for text in (*patterns, *closed)
        for word in _WORD.findall(re.sub(r"\{\w+\}", " ", text).lower())
    )


def words_in(text: str, known: frozenset[str]) -> list[str]:
    """Words of ``text`` that no fact of any case has in its patterns, none of ``known``, in order."""
    told = _told() | _SMALL | known
    return [w for w in _WORD.findall(text.lower()) if w.removesuffix("'s") not in told]


def names_in(text: str, known: frozenset[str]) -> list[str]:
    """Words with a capital within a sentence that are not told of anywhere: names, as a rule."""
    found = re.findall(r"(?<![.!?:\"*(-] )(?<!^)(?<![\w\"*(])[A-Z][a-z]{2,}\b", text)
    return [w for w in found if words_in(w, known)]
