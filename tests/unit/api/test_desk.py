"""The case page: who may what, sessions that end with a role, forms of others, appeals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from assistant.api import people
from assistant.cli.main import main
from assistant.errors import CaseError
from tests.unit.api.conftest import Api

PASSWORD = "four words of no kin"
pytestmark = pytest.mark.usefixtures("quick_passwords")


@dataclass
class Visitor:
    """A browser of one person, without scripts."""

    client: TestClient
    token: str = ""

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        found = re.search(r'name="token" value="([^"]+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, **fields: str) -> Any:
        return self.client.post(path, data={"token": self.token, **fields})


@pytest.fixture
def enter(api: Api) -> Any:
    def log_in(name: str, role: str | None = None) -> Visitor:
        if role is not None:
            people.add_person(api.store.engine, name, role, PASSWORD, actor="root")
        visitor = Visitor(TestClient(api.client.app, raise_server_exceptions=False))
        form = {"name": name, "password": PASSWORD}
        assert "Cases" in visitor.client.post("/desk/login", data=form).text
        visitor.get("/desk")
        return visitor

    return log_in


def test_nobody_sees_a_page_before_logging_in(api: Api) -> None:
    case = api.analyze(keep_picture="true").json()["case"]
    for place in ("", f"/cases/{case}", f"/cases/{case}/pictures/original", "/people"):
        answer = api.client.get(f"/desk{place}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login"), place
    sent = api.client.post(f"/desk/cases/{case}/decide", data={"token": "x"})
    assert "Log in" in sent.text
    assert api.store.get(case).row.state == "open"


def test_a_wrong_password_and_an_unknown_name_look_the_same(api: Api) -> None:
    people.add_person(api.store.engine, "ann", "viewer", PASSWORD, actor="root")
    told = {
        api.client.post("/desk/login", data={"name": name, "password": word}).text
        for name, word in (("ann", "wrong words here"), ("eve", PASSWORD), (" ", "x"))
    }
    (page,) = told
    assert "Name or password is wrong." in page
    answers = [
        api.client.post("/desk/login", data={"name": "eve", "password": "x"}).status_code
        for _ in range(11)
    ]
    assert answers[-1] == 429


def test_passwords_are_kept_as_argon2_and_sessions_as_hashes(api: Api, enter: Any) -> None:
    visitor = enter("ann", "viewer")
    from sqlalchemy import select

    from assistant.cases.database import reading
    from assistant.cases.tables import people as table
    from assistant.cases.tables import sessions

    with reading(api.store.engine) as connection:
        assert connection.execute(select(table.c.password)).scalar_one().startswith("$argon2id$")
        kept = connection.execute(select(sessions.c.sha256)).scalar_one()
    (cookie,) = visitor.client.cookies.jar
    assert cookie.value not in kept
    assert cookie.has_nonstandard_attr("HttpOnly")
    with pytest.raises(CaseError, match="10 to 1,000"):
        people.add_person(api.store.engine, "bob", "viewer", "short", actor="root")


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("viewer", set()),
        ("moderator", {"note", "ask", "decide"}),
        ("reviewer", {"note", "ask", "decide"}),
        ("admin", {"note", "ask", "decide", "people"}),
    ],
)
def test_a_role_may_what_it_may(api: Api, enter: Any, role: str, may: set[str]) -> None:
    case = api.analyze().json()["case"]
    visitor = enter("cy", role)
    page = visitor.get(f"/desk/cases/{case}")
    assert page.status_code == 200
    place = f"/desk/cases/{case}"
    done = {
        "note": visitor.post(f"{place}/note", text="seen"),
        "ask": visitor.post(f"{place}/ask", question="How sure is that?"),
        "decide": visitor.post(f"{place}/decide", outcome="confirm", reason="edges"),
        "people": visitor.get("/desk/people"),
    }
    assert {name for name, answer in done.items() if answer.status_code == 200} == may
    assert all(a.status_code in (200, 403) for a in done.values())


@pytest.mark.parametrize("change", ["role", "password", "end"])
def test_no_session_survives_a_change(api: Api, enter: Any, change: str) -> None:
    visitor = enter("ann", "admin")
    engine = api.store.engine
    if change == "role":
        people.change_role(engine, "ann", "viewer", actor="root")
    elif change == "password":
        people.change_password(engine, "ann", PASSWORD + "!", actor="root")
    else:
        people.end_person(engine, "ann", actor="root")
    assert "Log in" in visitor.get("/desk/people").text
    assert "Log in" in visitor.post("/desk/people/ann/role", role="admin").text
    roles = {row["name"]: row["role"] for row in people.all_people(engine)}
    assert roles["ann"] == ("viewer" if change == "role" else "admin")


def test_an_admin_changes_a_role_on_the_page(api: Api, enter: Any) -> None:
    admin, bob = enter("root", "admin"), enter("bob", "reviewer")
    admin.get("/desk/people")
    assert admin.post("/desk/people/bob/role", role="viewer").status_code == 200
    assert "Log in" in bob.get("/desk").text
    assert admin.post("/desk/people/bob/role", role="king").status_code == 422
    assert admin.post("/desk/people/nobody/role", role="viewer").status_code == 404
    assert "role-changed" in {entry["action"] for entry in _log(api)}
    assert api.store.verify().whole


def _log(api: Api) -> list[Any]:
    from sqlalchemy import select

    from assistant.cases.database import reading
    from assistant.cases.tables import log

    with reading(api.store.engine) as connection:
        return list(connection.execute(select(log)).mappings())


def test_an_appeal_is_refused_to_the_first_decider_and_decided_by_another(
    api: Api, enter: Any
) -> None:
    case = api.analyze().json()["case"]
    place = f"/desk/cases/{case}"
    ann, moderator, bob = (
        enter("Ann", "reviewer"),
        enter("mo", "moderator"),
        enter("bob", "reviewer"),
    )
    for visitor in (ann, moderator, bob):
        visitor.get(place)
    ann.post(f"{place}/decide", outcome="confirm", reason="edges")
    ann.post(f"{place}/appeal", text="The author says it is a filter.")
    assert "decided by somebody else" in ann.get(place).text
    refused = ann.post(f"{place}/decide", outcome="reject", reason="x")
    assert refused.status_code == 403
    assert "cannot decide its appeal" in refused.text
    assert moderator.post(f"{place}/decide", outcome="reject", reason="x").status_code == 403
    assert bob.post(f"{place}/decide", outcome="reject", reason="camera file").status_code == 200
    assert api.store.get(case).row.state == "rejected"
    assert api.store.verify().whole


def test_a_form_of_another_session_does_nothing(api: Api, enter: Any) -> None:
    case = api.analyze().json()["case"]
    ann, eve = enter("ann", "moderator"), enter("eve", "moderator")
    eve.get(f"/desk/cases/{case}")
    ann.token = eve.token
    answer = ann.post(f"/desk/cases/{case}/decide", outcome="confirm", reason="edges")
    assert answer.status_code == 403
    assert api.store.get(case).row.state == "open"


def test_what_people_wrote_is_shown_as_text(api: Api, enter: Any) -> None:
    case = api.analyze(subject="<script>alert(1)</script>", keep_picture="true").json()["case"]
    visitor = enter("ann", "moderator")
    place = f"/desk/cases/{case}"
    visitor.get(place)
    visitor.post(f"{place}/note", text="<img src=x onerror=alert(2)>")
    page = visitor.get(place)
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    picture = visitor.get(f"{place}/pictures/original")
    assert picture.headers["content-type"] == "image/png"
    assert visitor.get(f"{place}/pictures/other").status_code == 409
    assert visitor.get("/desk/cases/" + "0" * 32).status_code == 404
    assert visitor.get("/desk/files/..%2froutes.py").status_code == 404
    assert visitor.get(f"{place}/report.pdf").content.startswith(b"%PDF")
    assert visitor.post("/desk/logout").status_code == 200
    assert "Log in" in visitor.get(place).text


def test_people_are_kept_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("ASSISTANT_CASES__URL", f"sqlite:///{tmp_path / 'c.db'}")

    def run(*words: str, given: str | None = None) -> Any:
        return CliRunner().invoke(main, ["api", "people", *words], input=given)

    assert run("add", "ann", given=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    assert run("role", "ann", "reviewer").stdout == "reviewer\n"
    assert run("role", "ann", "king").exit_code == 1
    assert run("password", "ann", "--password", PASSWORD + "2").exit_code == 0
    assert run("end", "ann").exit_code == 0
    listed = run("list").stdout
    assert '"reviewer"' in listed
    assert "argon2" not in listed
