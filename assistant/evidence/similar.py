"""E1: how the detector behaved on the examples that are nearest to a face."""

from __future__ import annotations

from assistant.types import Fact, FactKind, SimilarCases

__all__ = ["similar_fact"]


def similar_fact(number: int, found: SimilarCases) -> Fact:
    """E: of the nearest examples, how many are manipulated, and how many the detector called right.

    Args:
        number: of the fact's id.
        found: what the index found.
    """
    near = found.nearest
    few = found.few
    right = sum(case.right is True for case in near)
    wrong = sum(case.right is False for case in near)
    manipulated = sum(case.manipulated for case in near)
    if not near:
        of = f" (of {found.people} people)" if few else ""
        text = (
            f"None of the {found.examples} examples in the index{of} is near this face, so nothing "
            "can be said of similar cases."
        )
    else:
        which = f"{len(near)} nearest examples" if len(near) > 1 else "nearest example"
        undecided = len(near) - right - wrong
        called = [f"called {right} right"] if right or not undecided else []
        called += [f"called {wrong} wrong"] if wrong else []
        called += [f"gave no verdict on {undecided}"] if undecided else []
        text = (
            f"Of the {which} in the index, {manipulated} {'is' if manipulated == 1 else 'are'} "
            f"manipulated; the detector {' and '.join(called)}"
        )
        text += (
            f", but the index holds only {found.examples} examples of {found.people} people, so "
            "this says little."
            if few
            else "."
        )
    return Fact(
        id=f"E{number}",
        kind=FactKind.EXAMPLES,
        text=text,
        values={
            "near": len(near),
            "manipulated": manipulated,
            "right": right,
            "wrong": wrong,
            "examples": found.examples,
            "people": found.people,
            "few": few,
            "distance": found.distance,
            "cases": tuple(
                {
                    "name": case.name,
                    "manipulated": case.manipulated,
                    "probability": case.probability,
                    "verdict": case.verdict.value,
                    "distance": case.distance,
                }
                for case in near
            ),
        },
    )
