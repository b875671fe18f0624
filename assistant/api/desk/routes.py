"""The pages, rendered here and working without scripts; keyboard shortcuts are one, if wanted."""

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import jinja2
from fastapi import APIRouter, Depends, FastAPI, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from assistant.api import people
from assistant.api.people import Visitor
from assistant.api.problems import ApiError, status_of
from assistant.cases.pages import exported
from assistant.cases.rules import STATES
from assistant.cases.sections import sections
from assistant.cases.store import CaseFilter
from assistant.errors import AssistantError
from assistant.media.sniff import sniff

if TYPE_CHECKING:
    from assistant.api.service import Service
    from assistant.cases.reader import Case

__all__ = ["add_desk"]

_COOKIE = "whyfake_desk"
_HERE = Path(__file__).parent
_TRIES = RateLimitItemPerMinute(10)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FILES = {"desk.css": "text/css", "desk.js": "text/javascript"}
_PICTURES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}
_KINDS = {"html": "text/html", "pdf": "application/pdf", "json": "application/json"}
_WAITING = ("open", "appealed", "escalated")


def add_desk(app: FastAPI, service: "Service") -> None:
    """Add the pages under ``/desk``."""
    desk = _Desk(service)
    router = APIRouter(prefix="/desk", include_in_schema=False, route_class=desk.route_class())
    desk.entry(router)
    desk.cases(router)
    desk.people(router)
    app.include_router(router)


class _Desk:
    def __init__(self, service: "Service") -> None:
        self._service, self._store = service, service.store
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._templates = jinja2.Environment(
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            loader=jinja2.FileSystemLoader(_HERE / "pages"),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(
        self, name: str, visitor: Visitor | None, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A rendered page with the headers that every answer has."""
        template = self._templates.get_template(f"{name}.html.j2")
        demo = self._service.assistant.demo
        text = template.render(visitor=visitor, demo=demo, **values)
        return HTMLResponse(text, status, headers=_HEADERS)

    def route_class(self) -> type[APIRoute]:
        """Routes whose typed errors are pages; who is not logged in is sent to log in."""
        desk = self

        class Route(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handler = super().get_route_handler()

                async def handle(request: Request) -> Response:
                    try:
                        return await handler(request)
                    except AssistantError as error:
                        if error.code == "not-logged-in":
                            return RedirectResponse("/desk/login", 303)
                        return desk.page(
                            "error",
                            None,
                            status_of(error),
                            message=error.user_message,
                            hint=error.hint,
                        )
                    except RequestValidationError:
                        told = "Something in the form is missing or does not fit."
                        return desk.page("error", None, 422, message=told, hint="Go back.")

                return handle

        return Route

    def _visitor(self, request: Request) -> Visitor:
        text = request.cookies.get(_COOKIE, "")
        found = people.find_session(self._store.engine, text) if text else None
        if found is None:
            raise ApiError("Log in first.", code="not-logged-in")
        return found

    def may(self, what: str) -> Any:
        """A dependency: the visitor, where the role allows it."""

        def check(request: Request) -> Visitor:
            return self._allowed(self._visitor(request), what)

        return Depends(check)

    def form(self, what: str) -> Any:
        """As :meth:`may`, for a form: its token must be the session's."""

        def check(request: Request, token: Annotated[str, Form(max_length=64)]) -> Visitor:
            visitor = self._visitor(request)
            if token != visitor.token:
                raise ApiError("This form is of another session.", code="wrong-scope")
            return self._allowed(visitor, what)

        return Depends(check)

    def _allowed(self, visitor: Visitor, what: str) -> Visitor:
        if not visitor.may(what):
            raise ApiError(
                f"A {visitor.role} may not do this.",
                hint="Ask somebody with another role.",
                code="wrong-scope",
            )
        return visitor

    def entry(self, router: APIRouter) -> None:
        """Logging in and out; style and script."""

        @router.get("/login")
        def ask() -> HTMLResponse:
            return self.page("login", None, message="")

        @router.post("/login")
        def enter(
            request: Request,
            name: Annotated[str, Form(max_length=100)],
            password: Annotated[str, Form(max_length=1000)],
        ) -> Response:
            if not self._limiter.hit(_TRIES, "login", name.casefold()):
                raise ApiError(
                    "This name was tried too often.",
                    hint="Wait a minute.",
                    code="too-many-requests",
                )
            text = people.log_in(self._store.engine, name, password)
            if text is None:
                return self.page("login", None, 401, message="Name or password is wrong.")
            answer = RedirectResponse("/desk", 303)
            answer.set_cookie(
                _COOKIE,
                text,
                path="/desk",
                httponly=True,
                samesite="strict",
                secure=request.url.scheme == "https",
            )
            return answer

        @router.post("/logout")
        def leave(request: Request, _visitor: Annotated[Visitor, self.form("read")]) -> Response:
            people.end_session(self._store.engine, request.cookies[_COOKIE])
            answer = RedirectResponse("/desk/login", 303)
            answer.delete_cookie(_COOKIE, path="/desk")
            return answer

        @router.get("/files/{name}")
        def file(name: str) -> Response:
            if name not in _FILES:
                raise ApiError("There is no such page.", code="no-such-page")
            data = (_HERE / "pages" / name).read_bytes()
            return Response(data, media_type=_FILES[name], headers=_HEADERS)

    def cases(self, router: APIRouter) -> None:
        """The queue and the case."""
        store = self._store

        @router.get("")
        def queue(visitor: Annotated[Visitor, self.may("read")], state: str = "") -> HTMLResponse:
            wanted = (state,) if state in STATES else _WAITING
            rows = [row for one in wanted for row in store.list(CaseFilter(state=one), limit=50)]
            return self.page("queue", visitor, rows=rows, state=state, states=STATES)

        @router.get("/cases/{case_id}")
        def case(case_id: str, visitor: Annotated[Visitor, self.may("read")]) -> HTMLResponse:
            return self._case(store.get(case_id), visitor)

        @router.get("/cases/{case_id}/pictures/{name}")
        def picture(
            case_id: str, name: str, _visitor: Annotated[Visitor, self.may("read")]
        ) -> Response:
            data = store.picture(case_id, name)
            kind = _PICTURES.get(sniff(data), "application/octet-stream")
            return Response(data, media_type=kind, headers=_HEADERS)

        @router.get("/cases/{case_id}/report.{kind}")
        def report(
            case_id: str, kind: str, _visitor: Annotated[Visitor, self.may("read")]
        ) -> Response:
            if kind not in _KINDS:
                raise ApiError("There is no such page.", code="no-such-page")
            data = exported(store, case_id, kind)
            return Response(data, media_type=_KINDS[kind], headers={"Cache-Control": "no-store"})

        @router.post("/cases/{case_id}/decide")
        def decide(
            case_id: str,
            outcome: Annotated[str, Form(max_length=10)],
            reason: Annotated[str, Form(max_length=20_000)],
            visitor: Annotated[Visitor, self.form("decide")],
        ) -> Response:
            if store.get(case_id).row.state == "appealed":
                self._allowed(visitor, "decide-appeal")
            self._service.decide(case_id, visitor.name, outcome, reason, "decision")
            return RedirectResponse(self._next(case_id), 303)

        @router.post("/cases/{case_id}/appeal")
        def appeal(
            case_id: str,
            text: Annotated[str, Form(max_length=20_000)],
            visitor: Annotated[Visitor, self.form("appeal")],
        ) -> Response:
            self._service.appeal(case_id, visitor.name, text)
            return RedirectResponse(f"/desk/cases/{case_id}", 303)

        @router.post("/cases/{case_id}/note")
        def note(
            case_id: str,
            text: Annotated[str, Form(max_length=20_000)],
            visitor: Annotated[Visitor, self.form("note")],
        ) -> Response:
            store.note(case_id, actor=visitor.name, text=text)
            return RedirectResponse(f"/desk/cases/{case_id}", 303)

        @router.post("/cases/{case_id}/ask")
        def ask(
            case_id: str,
            question: Annotated[str, Form(max_length=2000)],
            visitor: Annotated[Visitor, self.form("ask")],
            face: Annotated[int, Form(ge=1)] = 1,
        ) -> Response:
            told = list(self._service.ask(case_id, face, question, visitor.name))
            if not told[-1].startswith("event: answer"):
                raise ApiError(
                    "The question was not answered.", hint="Try again.", code="not-answered"
                )
            return RedirectResponse(f"/desk/cases/{case_id}#conversation", 303)

    def _case(self, case: "Case", visitor: Visitor) -> HTMLResponse:
        row = case.row
        decided = {d["actor"] for d in case.decisions if d["kind"] == "decision"}
        barred = row.state == "appealed" and visitor.name in decided
        appealed = row.state == "appealed" and not visitor.may("decide-appeal")
        settled = row.state in ("confirmed", "rejected")
        kept = row.picture_until is not None
        turns = [json.loads(n["body"]) for n in case.notes if n["kind"] == "turn"]
        hidden = ("Explanation", "Conversation")
        parts = sections(case)
        explanation = case.record["analysis"].get("explanation") or {}
        return self.page(
            "case",
            visitor,
            case=case,
            row=row,
            parts=[part for part in parts if part.heading not in hidden],
            explanation=explanation.get("text", ""),
            turns=turns,
            kept=("card", "original") if kept and row.faces else ("original",) if kept else (),
            can_decide=visitor.may("decide") and not (settled or barred or appealed),
            barred=barred,
            can_appeal=visitor.may("appeal") and settled,
            can_ask=visitor.may("ask") and row.faces > 0,
            following=self._next(row.id),
        )

    def _next(self, case_id: str) -> str:
        """The page of the newest open case that is not this one, else the queue."""
        rows = self._store.list(CaseFilter(state="open"), limit=2)
        return next((f"/desk/cases/{row.id}" for row in rows if row.id != case_id), "/desk")

    def people(self, router: APIRouter) -> None:
        """Roles, for the admin."""
        engine = self._store.engine

        @router.get("/people")
        def everybody(visitor: Annotated[Visitor, self.may("people")]) -> HTMLResponse:
            rows = people.all_people(engine)
            return self.page("people", visitor, rows=rows, roles=people.ROLES)

        @router.post("/people/{name}/role")
        def role(
            name: str,
            role: Annotated[str, Form(max_length=10)],
            visitor: Annotated[Visitor, self.form("people")],
        ) -> Response:
            people.change_role(engine, name, role, actor=visitor.name)
            return RedirectResponse("/desk/people", 303)
