"""Words of verdicts, regions and movements in a text, shared by what the kinds of facts check."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.evidence.amounts import Amount, amounts, matches
from assistant.types import Clause, Verdict

__all__ = [
    "FAKE",
    "FLIPS",
    "NEGATION",
    "QUIET",
    "REAL",
    "SAME",
    "UNSURE",
    "clear",
    "find_regions",
    "fit",
    "label_of",
    "labels",
    "named",
    "negated",
    "shares",
]


def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


NEGATION = _re(
    r"\b(?:not|no|never|nothing|none|neither|nor|without|cannot|unlikely|hardly|rather than|"
    r"instead of|far from|lacks?|absence of|\w+n't)\b"
)
#: Verdict words by what they say.
FAKE = _re(
    r"\b(?:manipulat\w+|fakes?|faked|fakery|deep ?-?fakes?|forge[dry]+|forgery|synthetic\w*|doctored|"
    r"tamper\w+|altered|alterations?|edited|photoshopped|artificial\w*|(?:ai|computer|machine)[- ]"
    r"(?:generated|made|created|synthesi[sz]ed)|(?:generated|made|created|produced) (?:by|with|using) (?:an? )?(?:ai|computer|"
    r"(?:\w+ )?(?:model|network))|"
    r"face[- ]swap\w*|swapped|pasted|spliced|composited?|morphed|airbrushed|fabricated|counterfeit|"
    r"inauthentic|unreal|bogus|phon(?:e)?y|hoax|modified|retouched|not (?:real|authentic|genuine|"
    r"original))\b"
)
#: Stands in a clause for the quiet verdict's name, which would else read as a denial.
QUIET = "quietverdict"
REAL = _re(
    rf"\b(?:{QUIET}|real|authentic\w*|genuine\w*|untouched|unaltered|unmanipulated|unedited|"
    r"unmodified|"
    r"unretouched|legit\w*|(?:is|looks|seems|appears)(?: an?| the)? original|true photo|actual photo\w*|bona fide|trustworthy|"
    r"natural(?= photo| image| picture|\W*$)|(?:not|isn't|wasn't) (?:a |been )?"
    r"(?:fake|faked|manipulated|deep ?-?fake|altered|edited|forged|tampered(?: with)?))\b"
)
UNSURE = _re(
    r"\b(?:uncertain\w*|inconclusive|undecided|unclear|indeterminate|ambiguous|undetermined|"
    r"neither side|no clear verdict|cannot (?:be )?(?:tell|told|decided?)|not clear)\b"
)
SAME = _re(
    r"\b(?:verdict )?(?:stay(?:s|ed)?|remain(?:s|ed)?|keeps?|is|was|would (?:be|stay|remain)) "
    r"(?:the same|unchanged)\b|"
    r"\b(?:does|do|did|would) not (?:change|flip)(?: the verdict)?\b|\bno change of the verdict\b"
)
FLIPS = _re(
    r"\bverdict (?:(?:also |then )?(?:changes|changed|flips|flipped|switche[sd]|turns|turned)|"
    r"would (?:change|flip))\b|\b(?:change[sd]?|changing|flip(?:s|ped)?|turn(?:s|ed)?) the verdict\b"
)

_OWNER = (
    r"(?P<owner>(?:the )?(?:person|subject|man|woman|speaker)'s (?:own )?|"
    r"(?:their|his|her)(?: own)? )?"
)
#: (pattern, regions); a group ``owner`` says that the side is the person's own.
_REGIONS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    *(
        (_re(rf"{_OWNER}\b{side}[- ](?:{words})\b"), (f"{side} {part}",))
        for side in ("left", "right")
        for part, words in (
            ("eye", r"eyes?|eyelid|eyebrow|eye (?:area|region)"),
            ("cheek", r"cheeks?|cheekbones?"),
        )
    ),
    (_re(r"\bleft and right eyes?\b"), ("left eye", "right eye")),
    (_re(r"\b(?:eyes|eyelids|eye (?:area|region)s?|pupils|irises)\b"), ("left eye", "right eye")),
    (_re(r"\b(?:cheeks|cheekbones|cheek (?:area|region)s?)\b"), ("left cheek", "right cheek")),
    (_re(r"\b(?:mouth|lips?|smile|teeth)\b"), ("mouth",)),
    (_re(r"\b(?:nose|nostrils?|nasal (?:area|region))\b"), ("nose",)),
    (_re(r"\b(?:forehead|brows?|hairline)\b"), ("forehead",)),
    (_re(r"\b(?:jaw|jawline|jaw line|chin)\b"), ("jaw",)),
    (_re(r"\b(?:background|backdrop|surroundings)\b"), ("background",)),
)
_FLIP = {"left eye": "right eye", "left cheek": "right cheek"}
_FLIP |= {right: left for left, right in _FLIP.items()}


def find_regions(text: str) -> list[tuple[str, ...]]:
    """The regions ``text`` names, in order; the person's own sides are turned to the viewer's.

    A plural ("the eyes") gives both sides in one entry.
    """
    spans: list[tuple[int, tuple[str, ...]]] = []
    taken = [False] * len(text)
    for pattern, names in _REGIONS:
        for match in pattern.finditer(text):
            if any(taken[match.start() : match.end()]):
                continue
            taken[match.start() : match.end()] = [True] * (match.end() - match.start())
            own = "owner" in pattern.groupindex and match["owner"]
            spans.append((match.start(), tuple(_FLIP[n] if own else n for n in names)))
    return [names for _, names in sorted(spans)]


def named(names: Sequence[str]) -> str:
    """Regions as a reason names them."""
    return " and ".join(f"the {n}" for n in names) or "a region"


def negated(clause: Clause) -> bool:
    """Whether the clause denies what it says."""
    return NEGATION.search(clause.text) is not None


def labels(text: str) -> list[tuple[Verdict, re.Match[str]]]:
    """The verdict words of ``text`` in order; "not fake" counts as one word, not as "fake"."""
    found = [(Verdict.LIKELY_MANIPULATED, m) for m in FAKE.finditer(text)]
    found += [(Verdict.NO_SIGN, m) for m in REAL.finditer(text)]

    def inside(a: re.Match[str], b: re.Match[str]) -> bool:
        return b.start() <= a.start() and a.end() <= b.end() and a.span() != b.span()

    kept = [(v, m) for v, m in found if not any(inside(m, other) for _, other in found)]
    return sorted(kept, key=lambda pair: pair[1].start())


def label_of(text: str) -> Verdict | None:
    """The verdict that verdict words alone name, or None."""
    if UNSURE.search(text):
        return Verdict.UNCERTAIN
    sides = {verdict for verdict, _ in labels(text)}
    return sides.pop() if len(sides) == 1 else None


def shares(text: str) -> list[Amount]:
    """Amounts written as percent, or as a decimal in [0, 1]."""
    return [a for a in amounts(text) if a.unit == "%" or (not a.unit and a.digits and a.value <= 1)]


def fit(found: Sequence[Amount], wanted: Sequence[float]) -> bool:
    """Whether the amounts, if any, are the last of those wanted, in their order."""
    last = wanted[len(wanted) - len(found) :]
    return len(found) <= len(wanted) and all(map(matches, found, last))


def clear(clause: Clause) -> None:
    """Take out the numbers and the verdict words of a clause that was checked as a whole."""
    for amount in amounts(clause.text):
        clause.blank(amount.start, amount.end)
    clause.take(SAME, FLIPS, FAKE, REAL, UNSURE)
