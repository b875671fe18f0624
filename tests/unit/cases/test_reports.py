"""Reports, replay, statistics, statements and the commands, over working fakes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

import assistant
from assistant.cases import dsa, pages
from assistant.cases.hashes import bits_apart, match_limit, perceptual, phash
from assistant.cases.keeping import keep
from assistant.cases.replay import compare, replay
from assistant.cases.statistics import agreement, cohen_kappa, false_alarms, golden
from assistant.cases.store import CaseStore
from assistant.cli.main import main
from assistant.errors import CaseError
from assistant.fakes import demo_assistant
from assistant.settings import Settings
from tests.drawn import drawn_faces, png

SCHEMAS = Path(assistant.__file__).parent / "schema"
REASONS = {
    "decision_visibility": ["DECISION_VISIBILITY_CONTENT_LABELLED"],
    "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
    "incompatible_content_ground": "Rule 4, synthetic media",
    "incompatible_content_explanation": "A manipulated face was shown without a label.",
    "category_specification": ["KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE"],
}


def validate(name: str, value: Any) -> None:
    Draft202012Validator(json.loads((SCHEMAS / name).read_text())).validate(value)


@pytest.fixture
def kept(light: CaseStore) -> str:
    """A case of a drawn face with its picture kept."""
    return keep(
        light,
        demo_assistant(),
        Settings(),
        png(drawn_faces()),
        actor="ann",
        subject="<script>alert(1)</script>",
        keep_picture=True,
    )


def test_the_json_of_a_case_follows_both_schemas(light: CaseStore, kept: str) -> None:
    light.decide(kept, actor="ann", outcome="confirm", reason="edges")
    light.appeal(kept, actor="author", reason="no")
    told = json.loads(json.dumps(pages.case_json(light.get(kept), light.anchor())))
    validate("case-1.json", told)
    validate("analysis-1.json", told["analysis"])
    assert told["demo"] is True


def test_the_page_shows_the_case_and_runs_nothing(light: CaseStore, kept: str) -> None:
    light.note(kept, actor="ann", text="<img src=x onerror=alert(1)>")
    page = pages.html_report(light.get(kept), light.anchor(), light.picture(kept, "card"))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "Demo, not an analysis" in page
    assert light.get(kept).record["content_sha256"] in page
    assert "data:image/png;base64," in page
    facts = light.get(kept).record["analysis"]["faces"][0]["evidence"]
    assert facts
    assert page.count("<td>S1</td>") == 1


def test_the_pdf_is_the_same_file_for_the_same_case(light: CaseStore, kept: str) -> None:
    light.note(kept, actor="ann", text="a < b & c " + "w" * 300)
    case, anchor = light.get(kept), light.anchor()
    first = pages.pdf_report(case, anchor, light.picture(kept, "card"))
    assert first.startswith(b"%PDF-")
    assert first == pages.pdf_report(case, anchor, light.picture(kept, "card"))


def test_the_pdf_opened_as_a_picture_shows_card_words_and_hashes(
    light: CaseStore, kept: str
) -> None:
    import pypdfium2

    light.decide(kept, actor="ann", outcome="confirm", reason="The mouth was exchanged.")
    case = light.get(kept)
    pdf = pypdfium2.PdfDocument(pages.pdf_report(case, light.anchor(), light.picture(kept, "card")))
    words, drawn = "", []
    for page in pdf:
        text = page.get_textpage()
        words += text.get_text_range()
        text.close()
        drawn.append(page.render(scale=1).to_numpy().astype(int))
        page.close()
    pdf.close()
    assert "The mouth was exchanged." in words
    assert case.record["content_sha256"] in words.replace("\r\n", "")
    skin = (drawn[0][..., 2] > 200) & (drawn[0][..., 0] < 150)  # BGR: the drawn face in its card
    assert skin.sum() > 2000
    for page in drawn:  # ink keeps off the margins, so nothing runs over the edge
        dark = page.min(axis=2) < 128
        assert dark.sum() > 200
        assert not dark[:, :30].any()
        assert not dark[:, -30:].any()


def test_a_replay_with_nothing_changed_is_the_same_bit_for_bit(light: CaseStore, kept: str) -> None:
    found = replay(light.get(kept), light.picture(kept), demo_assistant(), Settings())
    assert found.differences == {}
    assert {"faces", "explanation"} <= set(found.same)
    assert found.reasons == {}


def test_a_replay_tells_what_is_another_and_why(made: dict[str, Any]) -> None:
    anew = json.loads(json.dumps(made))
    anew["analysis"]["faces"][0]["logit"] += 1e-12
    anew["versions"]["weights_sha256"] = "f" * 64
    anew["settings_sha256"] = "0" * 64
    anew["analysis"]["seconds"]["total"] = 99.0
    found = compare(made, anew)
    assert list(found.differences) == ["analysis.faces[0].logit"]
    assert set(found.reasons) == {"versions.weights_sha256", "settings"}
    assert "explanation" in found.same


def test_a_picture_of_another_size_and_quality_keeps_its_perceptual_hash() -> None:
    from PIL import Image
    from skimage import data

    photo = data.astronaut()
    buffer = io.BytesIO()
    Image.fromarray(photo).resize((300, 300)).save(buffer, "JPEG", quality=60)
    import numpy as np

    small = np.asarray(Image.open(buffer))
    for make in (perceptual, phash):
        (one, quality), (other, _) = make(photo), make(small)
        bits = bits_apart(one, other)
        assert quality > 0
        assert bits is not None
        assert bits <= match_limit(one)
        unlike = bits_apart(one, make(data.coffee())[0])
        assert unlike is not None
        assert unlike > match_limit(one)
    assert phash(np.full((64, 64, 3), 90, np.uint8))[1] == 0


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("c", "c")] * 20 + [("c", "r")] * 5 + [("r", "c")] * 10 + [("r", "r")] * 15, 0.4),
        ([("c", "c"), ("r", "r")], 1.0),
        ([("c", "r"), ("r", "c")], -1.0),
        ([("c", "c")], None),
        ([], None),
    ],
)
def test_kappa_is_cohens(pairs: list[tuple[str, str]], expected: float | None) -> None:
    found = cohen_kappa(pairs)
    assert found is None if expected is None else found == pytest.approx(expected)


def test_statistics_of_people_and_of_the_detector(light: CaseStore, made: dict[str, Any]) -> None:
    made["analysis"]["faces"][0]["verdict"] = "likely_manipulated"
    made["analysis"]["faces"][0]["probability"] = 0.99
    for i, outcome in enumerate(("confirm", "reject", "reject")):
        truth = "untouched" if i else "manipulated"
        case_id = light.create(made, actor="x", source="forum", truth=truth)
        light.decide(case_id, actor="ann", outcome=outcome, reason="seen")
        light.decide(case_id, actor="bob", outcome="confirm", reason="seen", kind="opinion")
    (pair,) = agreement(light.engine)
    assert (pair.people, pair.cases, pair.agreed) == (("ann", "bob"), 3, 1)
    (alarm,) = false_alarms(light.engine)
    assert (alarm.name, alarm.count, alarm.total) == ("forum", 2, 3)
    assert {r.name: r.count for r in golden(light.engine)} == {"ann": 3, "bob": 1}


def test_a_statement_is_drafted_of_a_confirmed_case_alone(light: CaseStore, kept: str) -> None:
    with pytest.raises(CaseError, match="is open"):
        dsa.draft(light.get(kept), **REASONS)
    light.decide(
        kept, actor="ann.smith@example.org", outcome="confirm", reason="call +49 30 1234567"
    )
    made = dsa.draft(light.get(kept), **REASONS)
    assert made["decision_facts"]
    assert len(made["decision_facts"]) <= dsa.DECISION_FACTS
    assert "ann.smith" not in json.dumps(made)
    assert "script" not in json.dumps(made)
    assert made["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"decision_visibility": []}, "decision_visibility"),
        ({"decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT"}, "illegal_content_legal_ground"),
        ({"incompatible_content_explanation": "x" * 2001}, "2000"),
        ({"incompatible_content_explanation": "by @some_body"}, "an account name"),
        ({"incompatible_content_ground": "ann@example.org"}, "an e-mail address"),
        ({"content_language": "german"}, "content_language"),
        ({"nonsense": "x"}, "nonsense"),
    ],
)
def test_a_statement_that_does_not_fit_is_refused(
    light: CaseStore, kept: str, change: dict[str, Any], told: str
) -> None:
    light.decide(kept, actor="ann", outcome="confirm", reason="edges")
    with pytest.raises(CaseError) as caught:
        dsa.draft(light.get(kept), **{**REASONS, **change})
    assert caught.value.code == "bad-statement"
    assert told in caught.value.user_message


def test_facts_of_many_faces_are_cut_between_sentences(
    light: CaseStore, made: dict[str, Any]
) -> None:
    face = made["analysis"]["faces"][0]
    made["analysis"]["faces"] = [{**face, "index": i} for i in range(40)]
    facts = dsa.decision_facts(light.get(light.create(made, actor="ann")))
    assert 4000 < len(facts) <= dsa.DECISION_FACTS
    assert facts.endswith(".")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr("assistant.compose.build", lambda _settings: demo_assistant())
    monkeypatch.setenv("ASSISTANT_CASES__URL", f"sqlite:///{tmp_path / 'c.db'}")
    monkeypatch.setenv("ASSISTANT_CASES__KEY_FILE", str(tmp_path / "key"))

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(main, ["cases", *[str(w) for w in words]])

    (tmp_path / "key").write_text(invoke("key").stdout)
    return invoke


def test_a_case_from_the_command_line_to_the_appeal(run: Any, tmp_path: Path) -> None:
    face = tmp_path / "face.png"
    face.write_bytes(png(drawn_faces()))
    done = run("add", face, "--keep-picture", "--by", "ann", "--source", "forum")
    assert done.exit_code == 0, done.output
    short = done.stdout.strip()[:8]
    assert run("decide", short, "confirm", "--reason", "edges", "--by", "ann").stdout == (
        "confirmed\n"
    )
    assert run("appeal", short, "--reason", "no", "--by", "author").exit_code == 0
    refused = run("decide", short, "reject", "--reason", "x", "--by", "Ann")
    assert refused.exit_code == 1
    assert "cannot decide its appeal" in refused.stderr
    assert run("decide", short, "reject", "--reason", "x", "--by", "bob").exit_code == 0
    assert run("list", "--state", "rejected").stdout.count("\n") == 1
    assert run("list", "--state", "open").stdout == ""
    assert "mouth" in run("show", short).stdout
    validate("case-1.json", json.loads(run("show", short, "--json").stdout))
    assert "bit for bit: status, media, faces" in run("replay", short).stdout
    kept = tmp_path / "anchor.json"
    assert run("anchor", "--out", kept).exit_code == 0
    assert "whole: 4 entries" in run("verify", "--anchor", kept).stdout
    for kind, begins in (("html", b"<!doctype"), ("pdf", b"%PDF"), ("json", b"{")):
        out = tmp_path / f"case.{kind}"
        assert run("export", short, "--format", kind, "--out", out).exit_code == 0
        assert out.read_bytes().startswith(begins)
    draft = run("export", short, "--format", "dsa", "--out", tmp_path / "dsa.json")
    assert draft.exit_code == 1
    (alarm,) = json.loads(run("stats").stdout)["false_alarms"]
    assert (alarm["name"], alarm["count"], alarm["total"]) == ("forum", 1, 1)
    assert run("purge").stdout == "Pictures of 0 cases were removed.\n"


def test_a_wrong_anchor_or_id_ends_in_a_typed_error(run: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    assert "is no anchor" in run("verify", "--anchor", tmp_path / "bad.json").stderr
    assert "No case begins" in run("show", "feedfeed").stderr
