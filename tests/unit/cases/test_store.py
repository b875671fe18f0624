"""The case store on SQLite and PostgreSQL: states, appeals, pictures, lists."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from assistant.cases.database import later, now, writing
from assistant.cases.store import CaseFilter, CaseStore
from assistant.cases.tables import decisions
from assistant.errors import AssistantError, ConfigError


def code_of(act: Any, *words: Any, **named: Any) -> str:
    with pytest.raises(AssistantError) as caught:
        act(*words, **named)
    return caught.value.code


def test_a_case_comes_back_as_it_was_stored(store: CaseStore, made: dict[str, Any]) -> None:
    case = store.get(store.create(made, actor="Ann", source="forum", subject="post/7"))
    assert case.record == made
    assert (case.row.source, case.row.subject, case.row.state) == ("forum", "post/7", "open")
    assert case.row.probability == max(f["probability"] for f in made["analysis"]["faces"])
    assert [entry["action"] for entry in case.log] == ["created"]


def test_a_file_without_a_face_has_no_probability(store: CaseStore, made: dict[str, Any]) -> None:
    made["analysis"] = {"status": "no_face", "faces": [], "explanation": None}
    row = store.get(store.create(made, actor="ann")).row
    assert (row.status, row.probability, row.verdict) == ("no_face", None, None)


@pytest.mark.parametrize(
    ("first", "then", "code"),
    [
        ("confirm", "reject", "case-conflict"),
        ("reject", "escalate", "case-conflict"),
        ("destroy", None, "bad-value"),
    ],
)
def test_what_is_decided_stays_until_an_appeal(
    light: CaseStore, made: dict[str, Any], first: str, then: str | None, code: str
) -> None:
    case_id = light.create(made, actor="ann")
    outcomes = [first, then] if then else [first]
    for outcome in outcomes[:-1]:
        light.decide(case_id, actor="ann", outcome=outcome, reason="seen")
    assert code_of(light.decide, case_id, actor="bob", outcome=outcomes[-1], reason="seen") == code


@pytest.mark.parametrize("name", ["Ann", " ann ", "ANN", "\uff21nn"])
def test_the_first_decider_cannot_decide_the_appeal_whatever_the_spelling(
    store: CaseStore, made: dict[str, Any], name: str
) -> None:
    case_id = store.create(made, actor="uploader")
    store.decide(case_id, actor="Ann", outcome="confirm", reason="edges")
    store.appeal(case_id, actor="author", reason="it is me")
    assert code_of(store.decide, case_id, actor=name, outcome="reject", reason="x") == "same-person"
    assert store.get(case_id).row.state == "appealed"
    assert store.decide(case_id, actor="Bob", outcome="reject", reason="camera file") == "rejected"
    assert store.verify().whole


def test_the_database_itself_refuses_the_first_decider(
    store: CaseStore, made: dict[str, Any]
) -> None:
    case_id = store.create(made, actor="uploader")
    store.decide(case_id, actor="ann", outcome="confirm", reason="edges")
    store.appeal(case_id, actor="author", reason="it is me")
    row = {"case_id": case_id, "step": 2, "kind": "decision", "outcome": "confirm"}
    with pytest.raises(IntegrityError), writing(store.engine) as connection:
        connection.execute(
            insert(decisions).values(**row, reason="r", actor="ann", at=now(), log_seq=99)
        )


def test_everybody_who_decided_before_is_barred_from_a_second_appeal(
    light: CaseStore, made: dict[str, Any]
) -> None:
    case_id = light.create(made, actor="uploader")
    for who in ("ann", "bob"):
        light.decide(case_id, actor=who, outcome="confirm", reason="edges")
        light.appeal(case_id, actor="author", reason="no")
    for who in ("ann", "bob"):
        assert code_of(light.decide, case_id, actor=who, outcome="reject", reason="x") == (
            "same-person"
        )
    assert light.decide(case_id, actor="cy", outcome="confirm", reason="x") == "confirmed"


def test_an_open_case_cannot_be_appealed(light: CaseStore, made: dict[str, Any]) -> None:
    case_id = light.create(made, actor="ann")
    assert code_of(light.appeal, case_id, actor="author", reason="no") == "case-conflict"


@pytest.mark.parametrize(
    ("actor", "reason"), [("", "r"), ("a" * 101, "r"), ("ann", " "), ("ann", "x\x00y")]
)
def test_values_that_do_not_fit_are_refused(
    store: CaseStore, made: dict[str, Any], actor: str, reason: str
) -> None:
    case_id = store.create(made, actor="ann")
    assert (
        code_of(store.decide, case_id, actor=actor, outcome="confirm", reason=reason) == "bad-value"
    )
    assert len(store.get(case_id).log) == 1


def test_a_kept_picture_is_sealed_and_gone_after_its_time(
    store: CaseStore, made: dict[str, Any]
) -> None:
    case_id = store.create(made, actor="ann", picture={"original": b"face bytes"}, keep_days=2)
    assert store.picture(case_id) == b"face bytes"
    assert store.purge() == 0
    assert store.purge(at=later(3 * 86400)) == 1
    assert code_of(store.picture, case_id) == "no-picture"
    case = store.get(case_id)
    assert case.record == made
    assert case.log[-1]["action"] == "picture-removed"
    assert store.verify().whole


def test_no_byte_of_the_picture_lies_open_in_the_file(
    light: CaseStore, made: dict[str, Any]
) -> None:
    light.create(made, actor="ann", picture={"original": b"a face nobody may see"})
    files = [p for p in (light.engine.url.database and _files(light)) or []]
    assert files
    assert not any(b"a face nobody may see" in data for data in files)


def _files(store: CaseStore) -> list[bytes]:
    from pathlib import Path

    path = Path(str(store.engine.url.database))
    return [p.read_bytes() for p in path.parent.glob(f"{path.name}*")]


def test_another_key_opens_nothing(light: CaseStore, made: dict[str, Any]) -> None:
    from assistant.cases.vault import Vault, new_key

    case_id = light.create(made, actor="ann", picture={"original": b"x"})
    light.vault = Vault(new_key())
    with pytest.raises(ConfigError, match="another key"):
        light.picture(case_id)


def test_lists_filter_and_page_without_gaps(store: CaseStore, made: dict[str, Any]) -> None:
    ids = [store.create(made, actor="ann", source=f"s{i % 2}") for i in range(7)]
    store.decide(ids[0], actor="ann", outcome="confirm", reason="seen")
    assert [r.id for r in store.list(CaseFilter(source="s1"))] == [ids[5], ids[3], ids[1]]
    assert [r.id for r in store.list(CaseFilter(state="confirmed"))] == [ids[0]]
    first = store.list(limit=4)
    assert [r.id for r in first + store.list(limit=4, after=first[-1].id)] == ids[::-1]
    assert code_of(store.list, CaseFilter(state="lost")) == "bad-value"
    assert store.find(ids[2][:12]) == ids[2]
    assert code_of(store.find, "zzzz") == "no-such-case"


def test_nearly_the_same_picture_is_found_and_another_kind_of_hash_is_not(
    store: CaseStore, made: dict[str, Any]
) -> None:
    def with_hash(code: str, quality: int = 100) -> str:
        made["perceptual"] = {"hash": code, "quality": quality}
        return store.create(made, actor="ann")

    own = with_hash("phash:ffffffffffffffff")
    close = with_hash("phash:fffffffffffffff0")
    with_hash("phash:00000000ffffffff")
    with_hash("pdq:" + "f" * 64)
    with_hash("phash:ffffffffffffffff", quality=0)
    assert [(row.id, bits) for row, bits in store.near(own)] == [(close, 4)]


def test_many_writers_at_once_leave_one_whole_chain(store: CaseStore, made: dict[str, Any]) -> None:
    failed: list[BaseException] = []

    def write(who: str) -> None:
        try:
            for i in range(5):
                case_id = store.create(made, actor=who, subject=f"{who}/{i}")
                store.note(case_id, actor=who, text="seen")
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=write, args=(f"w{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    found = store.verify()
    assert (found.whole, found.entries, len(store.list())) == (True, 40, 20)


def test_a_record_is_hashed_as_it_is_stored(light: CaseStore, made: dict[str, Any]) -> None:
    from assistant.cases.database import canonical

    case = light.get(light.create(made, actor="ann"))
    assert case.record_sha256 == hashlib.sha256(canonical(made).encode()).hexdigest()
    assert case.log[0]["detail"]["record_sha256"] == case.record_sha256
