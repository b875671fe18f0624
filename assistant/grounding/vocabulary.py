"""The words that may stand in a sentence about a case; others say what no fact measured.

The list is closed on purpose: what cannot be checked is not shown. Face regions, verdict words,
numbers, quality and origin words are checked one by one on top of it.
"""

from __future__ import annotations

import re

__all__ = ["unknown_words"]

_WORDS = frozenset(
    """
    a an and are as at be because been being but by can cannot could did do does done either else
    even every few for from had has have here how however i if in into is it its itself just less
    let me more most much my neither no none nor not nothing now of off on once one only or other
    others our out over own per rather s she than that the their them then there therefore these
    they this those though through thus to too under until up upon upwards us very was we were
    what when where whereas whether which while who whole why will with within without would yet
    you your also alone already although always among around away back before after again against
    all any anything both each further instead like likewise mainly mostly namely otherwise quite
    same since so some still such together two three well above below between during except n't
    don't doesn't isn't wasn't aren't can't couldn't won't wouldn't it's that's there's i'm you're
    didn't haven't about
    account accounts actual add adds additional agree alike amount amounts analysis
    another answer appear appears ask assess assessed assessment assigned assigns attention
    average band bands based basis began begin begins behind belong belongs best better beyond bit
    bring brings bound bounds calibrated calibration came care carefully carried carries carry
    case caution cautious caveat chance change changed changes changing check checked checks chief
    chiefly classed classified clear close closely come comes coming common compare compared
    conclude concluded concludes conclusion consider considered consistent contain contains copied
    copy copies count counted counts covered covering cross crosses crossing data decide decided
    decides decision depend depends describe described detail details detector detector's
    determine determined differ differs different do doubt draw drawing drawn draws drop drops due
    effect end ended ends equal equally especially estimate estimated estimates everyday evidence
    exact exactly example examined expect expected explain explained explaining explains
    explanation extent face face's faces fact facts fall falling falls far fell file file's final
    finding findings finds fine first flag flagged flags focus focused focuses focusing follow
    following follows form found frame frames full gave general gets get give given gives giving go
    goes going good great greater group half hand happen harmless hardly barely little scarcely heat
    heatmap heavily heavy help helps hence hide hidden high higher highest highlight highlighted
    highlights hold holds i include included includes increase increased increases indicate
    indicated indicates indication influence information intervals interval job judge judged
    judgement keep keeps kept kind know known label labelled large larger largest last lead
    leading leads lean leans least leave leaves left lend level lie lies lift light likelihood
    limit limited limits line listed located look looked looking looks lose loss lost lot low
    lower lowered lowering lowers lowest lying made main make makes making map map's mark marked
    mass matter matters mean meaning means measure measured measurement measurements measures
    mention mentioned middle mild moderate moderator move moved moves moving name named names
    narrow near nearly need needs neutralise neutralised neutralises neutralising neutralize
    neutralized neutralizing next note noted notes noteworthy number numbers object obtained occur
    offers often open order outside overall part particular particularly parts patch patches
    person person's photo picture picture's place placed places point pointed pointing points
    portion possible presence present probability probable probably problem problems process
    produce produced program programs provide provided provides put puts question raise raised
    raises raising random range ranges ranging rate rated rates rating reach reached reaches read
    reading reads reason reasons receive received receives recorded reduce reduced reduces
    reducing region regions regions' relative remain remained remains removed removing report
    reported rest rests result results review right rise rises rising role run runs said say
    saying says score score's scored scores scoring second section see seen set share shared
    shares shift show showing shown shows side sides sign signs similar simply single size sized
    slightly small smaller smallest somewhat source space span spans speak speaks stand standing
    stands state stated states stay stays strong stronger strongest strongly suggest suggested
    suggesting suggests sum summary supplied support supported supports take taken takes taking tell
    tells tested think threshold thresholds tip told took top total towards toward traces tried
    true trust turn turned turns typical unchanged unlike untouched upper use used uses usual
    value values verdict verdict's video view viewer viewer's want weigh weighed weighs weight
    went wide within word words worth write written wrong yes zone area areas image image's system
    tool model cause caused effects percent percentage point's accordingly additionally
    furthermore moreover finally first firstly secondly lastly specifically similarly meanwhile
    apart aside beside besides plus including regarding concerning least-wise overall respectively
    """.split()  # noqa: SIM905
)
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?(?:-[^\W\d_]+)*")


def unknown_words(text: str, known: frozenset[str]) -> list[str]:
    """Words of ``text`` that are neither on the list nor among ``known``, lower case."""
    unknown = []
    for token in _TOKEN.findall(text.lower()):
        parts = token.split("-")
        if all(p in _WORDS or p in known or p.removesuffix("'s") in known for p in parts if p):
            continue
        unknown.append(token)
    return unknown
