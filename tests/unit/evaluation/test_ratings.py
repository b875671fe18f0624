"""Ratings of readers, summed up. Every rating here is made up to test the sums."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import TrainingError
from assistant.evaluation.ratings import COLUMNS, krippendorff_alpha, preference_words, rated

HEAD = ",".join(COLUMNS) + "\n"


def saved(path: Path, rater: str, choices: str) -> Path:
    """A file as the page saves it: ``choices`` names the preferred narrator of each case.

    a: the template, b: tuned, =: no difference, a dot: not answered. Tuned stands first on the odd
    cases.
    """
    lines = []
    for number, choice in enumerate(choices, 1):
        order = ("tuned", "template") if number % 2 else ("template", "tuned")
        for place, narrator in enumerate(order, 1):
            mine = "a" if narrator == "template" else "b"
            word = {"=": "same", ".": "", mine: "yes"}.get(choice, "no")
            lines.append(f"{rater},c{number},{place},{narrator},{word},,,")
    path.write_text(HEAD + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("choices", "share", "interval", "better"),
    [
        # Wilson's interval of 25 of 50, 40 of 50, 0 of 10, by hand.
        ("ab" * 25, 0.5, (0.366, 0.634), "open"),
        ("a" * 40 + "b" * 10, 0.8, (0.670, 0.888), "first"),
        ("b" * 10, 0.0, (0.0, 0.278), "second"),
        ("=" * 10, 0.5, (0.237, 0.763), "open"),
        ("a", 1.0, (0.207, 1.0), "open"),
    ],
)
def test_preference_with_its_interval(
    tmp_path: Path, choices: str, share: float, interval: tuple[float, float], better: str
) -> None:
    found = rated([saved(tmp_path / "r.csv", "ab", choices)])["preference"]

    assert (found["first"], found["second"]) == ("template", "tuned")
    assert found["share"] == pytest.approx(share)
    assert (found["low"], found["high"]) == pytest.approx(interval, abs=0.001)
    assert found["better"] == better
    assert found["wins"] + found["ties"] + found["losses"] == found["cases"] == len(choices)


def test_a_case_counts_once_however_many_rate_it(tmp_path: Path) -> None:
    files = [saved(tmp_path / f"{who}.csv", who, "abab") for who in ("x", "y", "z")]
    result = rated(files)

    assert result["raters"] == 3
    assert result["preference"]["cases"] == 4
    assert result["agreement"]["preferred"] == 1.0
    split = rated([saved(tmp_path / "p.csv", "p", "aa"), saved(tmp_path / "q.csv", "q", "bb")])
    assert split["preference"]["ties"] == 2
    assert split["agreement"]["preferred"] < 0


def test_a_reader_who_always_takes_the_first_is_seen(tmp_path: Path) -> None:
    found = rated([saved(tmp_path / "r.csv", "r", "ba" * 10)])["preference"]

    assert found["share"] == 0.5
    assert found["first_place_preferred"] == 1.0


def test_the_sign_test(tmp_path: Path) -> None:
    found = rated([saved(tmp_path / "r.csv", "r", "aaaaa==")])["preference"]

    assert found["p"] == pytest.approx(2 / 2**5)
    assert found["share"] == pytest.approx(6 / 7, abs=1e-4)


def test_preference_in_words(tmp_path: Path) -> None:
    words = preference_words(rated([saved(tmp_path / "r.csv", "r", "a" * 40 + "b" * 10)]))
    none = rated([saved(tmp_path / "n.csv", "r", "...")])

    assert "template was preferred to tuned in 80% of 50 cases (interval 67% to 89%" in words
    assert words.endswith("template is shown to be better.")
    assert none["preference"] is None
    assert preference_words(none) == "No preference was given."


def test_scales_by_narrator(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + "a,c1,1,template,yes,5,4,\na,c1,2,tuned,no,3,3,3\n")
    (tmp_path / "b.csv").write_text(HEAD + "b,c1,1,template,no,5,2,4\nb,c1,2,tuned,yes,3,3,3\n")
    found = rated([tmp_path / "a.csv", tmp_path / "b.csv"])

    assert found["narrators"]["template"] == {"true": 5, "clear": 3, "useful": 4}
    assert found["agreement"]["true"] == 1.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + "a,c1,1,template,yes,9,4,1\n", "not 1 to 5"),
        (HEAD + "a,c1,1,template,perhaps,,,\n", "not yes, no or same"),
        (HEAD + "a,c1,1,template,yes\n" * 2, "twice"),
        (HEAD + "a,c1,1,p,yes,,,\na,c1,2,q,no,,,\na,c2,1,r,no,,,\n", "between two narrators"),
        ("rater\na\n", "lacks the columns"),
        ("", "lacks the columns"),
        (HEAD.encode() + b"\xff\xfe", "cannot be read"),
    ],
)
def test_files_that_cannot_be_summed_up(tmp_path: Path, text: str | bytes, says: str) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(TrainingError, match=says):
        rated([path])


@pytest.mark.parametrize(
    ("units", "alpha"),
    [
        ([[5, 5], [1, 1], [3, 3]], 1.0),
        ([[4, 4], [4, 4]], 1.0),
        ([[5], [1]], None),
        ([], None),
    ],
)
def test_agreement(units: list[list[int]], alpha: float | None) -> None:
    assert krippendorff_alpha(units) == alpha


def test_disagreement_is_below_chance() -> None:
    value = krippendorff_alpha([[1, 5], [5, 1]])

    assert value is not None
    assert value < 0
