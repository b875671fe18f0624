"""Clips judged by person and by time: which rule is best, and how well stretches are found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from tqdm import tqdm

from assistant.evaluation.detection_metrics import auroc, bootstrap_interval
from assistant.evaluation.judged import JudgedFile, JudgedPerson
from assistant.evaluation.made_clips import MadeClip, MadePerson, Portrait, make_clip
from assistant.evaluation.reencoding import reencoded
from assistant.evaluation.tables import shown, table
from assistant.interfaces import Calibrator, FaceFinder
from assistant.lanes import motion_of
from assistant.media import MediaLimits, load_media
from assistant.scoring import ScoredFace, Scorer, laid_in_of
from assistant.timeline import CLIP_RULES, HEAD_RULE, StretchRule, TemporalHead, clip_logit
from assistant.tracks import found_tracks
from assistant.types import Media, Verdict

__all__ = [
    "fit_rule",
    "judge_clip",
    "judge_made",
    "judged_lane",
    "made_clips",
    "rule_table",
    "small_clips",
    "stretch_table",
    "video_markdown",
]

_SIZE, _SMALL_SIZE, _CLIP_RATE = (960, 540), (480, 400), 15
_shown = partial(shown, form=".2f")
_CRFS = (18, 23, 28, 35)


def made_clips(portraits: Sequence[Portrait], count: int, seed: int) -> Iterator[MadeClip]:
    """Clips of 6 to 8 seconds with one or two people; half of them have a manipulated person.

    A stretch lasts 1 to 4 seconds; the quality goes round H.264 CRF 18, 23, 28 and 35.
    """
    rng = np.random.default_rng(seed)
    for number in range(count):
        seconds = float(rng.uniform(6, 8))
        chosen = rng.permutation(len(portraits))
        places = [((0.28, 0.5), (0.33, 0.52)), ((0.74, 0.5), (0.68, 0.48))]
        fake = int(rng.integers(2)) if number % 2 == 0 else -1
        people = []
        for i in range(1 + number // 2 % 2):
            length = float(rng.uniform(1, 4))
            begin = float(rng.uniform(0.3, seconds - length - 0.3))
            is_fake = fake >= 0 and i == min(fake, number // 2 % 2)
            people.append(
                MadePerson(
                    portrait=portraits[chosen[i]],
                    path=places[i],
                    stretch=(begin, begin + length) if is_fake else None,
                )
            )
        yield make_clip(
            people,
            seconds,
            _CRFS[number // 4 % len(_CRFS)],
            size=_SIZE,
            rate=_CLIP_RATE,
            seed=seed + number,
        )


def small_clips(portraits: Sequence[Portrait], count: int, seed: int) -> Iterator[MadeClip]:
    """Small clips of one person, quick to judge.

    Of three one has a manipulated stretch of 1 to 4 seconds, one is genuine and one manipulated
    from begin to end; each quality has its turn in each place of three.
    """
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        seconds, length = float(rng.uniform(6, 8)), float(rng.uniform(1, 4))
        begin = float(rng.uniform(0.3, seconds - length - 0.3))
        turn, kind = divmod(number, 3)
        person = MadePerson(
            portrait=portraits[(turn + 5 * kind) % len(portraits)],
            path=((0.45, 0.5), (0.55, 0.5)),
            stretch=((begin, begin + length), None, (0.0, seconds))[kind],
        )
        crf = _CRFS[(turn + kind) % len(_CRFS)]
        yield make_clip(
            [person], seconds, crf, size=_SMALL_SIZE, rate=_CLIP_RATE, seed=seed + number
        )


def judge_clip(media: Media, finder: FaceFinder, scorer: Scorer) -> list[ScoredFace]:
    """The people of a clip, as the product scores them."""
    spec = scorer.detector.crop_spec
    return scorer.score(found_tracks(media, finder, spec, most=8, read=scorer.read).tracks)


def judged_lane(lane: ScoredFace | None, scorer: Scorer, judged: JudgedPerson) -> JudgedPerson:
    """The same with what was measured of the person; as it is where nobody was found."""
    if lane is None or not lane.moments:
        return judged
    known = replace(
        judged,
        moments=lane.moments,
        span=lane.track.media.span,
        laid_in=laid_in_of(lane.track.readings or ()),
        abstained=lane.score.abstained,
    )
    known = replace(known, motion=motion_of(lane, ()))
    return replace(known, motion=motion_of(lane, known.stretches(scorer.calibrator)))


def judge_made(
    clips: Iterator[MadeClip],
    finder: FaceFinder,
    scorer: Scorer,
    limits: MediaLimits,
    *,
    file: JudgedFile,
    source: str,
    series: str,
    again: bool = False,
) -> list[JudgedPerson]:
    """The people of made clips, each with the truth of the one whose place they have.

    Args:
        clips: see :func:`made_clips`.
        finder: finds faces.
        scorer: judges them.
        limits: of the clips.
        file: keeps what was judged.
        source: whose portraits they show.
        series: what else tells these clips from others of the source.
        again: judge each clip a second time, encoded once more.
    """
    judged: list[JudgedPerson] = []
    for number, clip in enumerate(tqdm(clips, "clips")):
        name = f"{source}-{series}-{number}"
        for once_more in (False, True)[: 1 + again]:
            if not file.of(name, again=once_more):
                data = reencoded(clip.data) if once_more else clip.data
                found = judge_clip(load_media(data, limits), finder, scorer)
                file.add(
                    *(
                        judged_lane(
                            _lane_of(person, found),
                            scorer,
                            _truth(person, clip, name=name, source=source, again=once_more),
                        )
                        for person in clip.people
                    )
                )
            judged += file.of(name, again=once_more)
    return judged


def _truth(
    person: MadePerson, clip: MadeClip, *, name: str, source: str, again: bool
) -> JudgedPerson:
    begin, end = person.stretch or (0.0, 0.0)
    whole = person.stretch is not None and end - begin >= clip.seconds
    return JudgedPerson(
        clip=name,
        name=name,
        manipulated=person.stretch is not None,
        stretch=None if whole else person.stretch,
        crf=clip.crf,
        source=source,
        family="whole" if whole else "stretch" if person.stretch else "",
        again=again,
    )


def _lane_of(person: MadePerson, found: Sequence[ScoredFace]) -> ScoredFace | None:
    """The lane that begins nearest to where a made person begins; None where it is far."""

    def miss(scored: ScoredFace) -> float:
        left, _, right, _ = scored.track.faces[0].box_xyxy
        return abs((left + right) / 2 / scored.track.media.width - person.path[0][0])

    nearest = min(found, key=miss, default=None)
    return nearest if nearest is not None and miss(nearest) < 0.15 else None


def rule_table(
    people: Sequence[JudgedPerson], resamples: int = 400, head: TemporalHead | None = None
) -> dict[str, Any]:
    """AUROC of each rule, and of the head, by person; 95 % intervals over clips drawn again."""
    people = [p for p in people if not p.again]
    known = [p for p in people if p.moments]
    labels = np.array([p.manipulated for p in known])
    groups = [p.clip for p in known]
    by_rule = {rule: [clip_logit(p.seconds, p.logits, rule) for p in known] for rule in CLIP_RULES}
    if head is not None:
        by_rule[HEAD_RULE] = [p.logit(head) for p in known]
    table = {}
    for rule, logits in by_rule.items():
        scores = np.array(logits)
        ends = bootstrap_interval(auroc, labels, scores, groups, resamples=resamples)
        low, high = ends or (None, None)
        table[rule] = {"auroc": auroc(labels, scores), "low": low, "high": high}
    return {
        "people": len(known),
        "not_judged": len(people) - len(known),
        "clips": len(set(groups)),
        "rules": table,
    }


def stretch_table(
    people: Sequence[JudgedPerson], calibrator: Calibrator, rule: StretchRule | None = None
) -> dict[str, Any]:
    """How well stretches are found in clips whose truth is known.

    ``iou``: median temporal intersection over union of the truth and the stretch that fits best (0
    where there is none); ``found``: share of 0.7 or more; ``by_crf``: H.264 CRF -> found, of how
    many; ``false``: share of genuine people with a stretch that is likely manipulated, ``told``:
    with any;
    ``right_person``: share of clips of two people in which the
    manipulated one has the stretch of the highest score.
    """
    ious, hits, false, told = [], [], [], []
    by_crf: dict[int, list[bool]] = {}
    by_clip: dict[str, list[tuple[bool, float]]] = {}
    for person in people:
        if person.again:
            continue
        found = person.stretches(calibrator, rule)
        highest = max((s.probability for s in found), default=0.0)
        by_clip.setdefault(person.clip, []).append((person.manipulated, highest))
        if person.manipulated and person.stretch is None:
            continue
        if person.stretch is None:
            false.append(any(s.verdict is Verdict.LIKELY_MANIPULATED for s in found))
            told.append(bool(found))
            continue
        best = max((_iou(person.stretch, (s.begin, s.end)) for s in found), default=0.0)
        ious.append(best)
        hits.append(best >= 0.7)
        by_crf.setdefault(person.crf, []).append(hits[-1])
    pairs = [c for c in by_clip.values() if len(c) == 2 and any(m for m, _ in c)]
    right = [max(c, key=lambda m: m[1])[0] and max(p for _, p in c) > 0 for c in pairs]
    return {
        "stretches": len(ious),
        "iou": float(np.median(ious)) if ious else None,
        "iou_mean": float(np.mean(ious)) if ious else None,
        "found": _share(hits),
        "genuine": len(false),
        "by_crf": {str(crf): [sum(by_crf[crf]), len(by_crf[crf])] for crf in sorted(by_crf)},
        "false": _share(false),
        "told": _share(told),
        "two_people": len(right),
        "right_person": _share(right),
    }


def fit_rule(people: Sequence[JudgedPerson], calibrator: Calibrator) -> tuple[StretchRule, Any]:
    """The constants with the best mean overlap plus share found, less the share of genuine told.

    Among equals the most cautious ones: the largest jump, then rise, then penalty.
    """
    tried = []
    for jump, less, penalty, rise in itertools.product(
        (3.0, 4.0, 5.0), (0.3, 0.5, 0.8), (6.0, 10.0, 20.0), (1.2, 1.6)
    ):
        rule = StretchRule(jump=jump, less=less, penalty=penalty, rise=rise)
        judged = stretch_table(people, calibrator, rule)
        good = (judged["iou_mean"] or 0.0) + (judged["found"] or 0.0)
        cautious = (jump, less, rise, penalty)
        tried.append(((good - (judged["told"] or 0.0), cautious), rule, judged))
    _, rule, judged = max(tried, key=lambda t: t[0])
    return rule, judged


def video_markdown(result: Mapping[str, Any]) -> str:
    """The tables as Markdown."""
    lines = []
    for name, part in result.items():
        if "rules" in part:
            lines += [f"## {name}: {part['people']} people of {part['clips']} clips", ""]
            rows = [
                [rule, _shown(row["auroc"]), f"{_shown(row['low'])} to {_shown(row['high'])}"]
                for rule, row in part["rules"].items()
            ]
            lines.append(table(["rule", "AUROC by video", "95 % interval"], rows))
        if "stretch" in part:
            s = part["stretch"]
            lines += [
                "",
                f"Stretches: median overlap {_shown(s['iou'])}, {_shown(s['found'])} of "
                f"{s['stretches']} at 0.7 or more; false ones in {_shown(s['false'])} of "
                f"{s['genuine']} genuine people; the right person in "
                f"{_shown(s['right_person'])} of {s['two_people']} clips of two.",
            ]
        lines.append("")
    return "\n".join(lines)


def _share(values: Sequence[bool]) -> float | None:
    return float(np.mean(values)) if values else None


def _iou(a: tuple[float, float], b: tuple[float, float]) -> float:
    both = min(a[1], b[1]) - max(a[0], b[0])
    return max(0.0, both) / (max(a[1], b[1]) - min(a[0], b[0]))
