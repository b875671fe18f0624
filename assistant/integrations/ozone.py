"""Bluesky's Ozone: a tag, a priority and a sticky comment on a subject; nothing else, ever.

After the lexicon ``tools.ozone.moderation``. Events have got lost there, so what was written is
read back. An external id makes a second push of the same case write nothing twice. No label and no
takedown is sent: that is for people. Tested against the lexicon's shapes, not against Ozone itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.cases.extras import need
from assistant.errors import CaseError

if TYPE_CHECKING:
    from atproto import Client

__all__ = ["Ozone", "Subject", "events_of"]

_DEFS = "tools.ozone.moderation.defs#modEvent"
_COMMENT = 2000
_TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an event is about: a record (``at://...`` with its ``cid``) or an account (a DID).

    Raises:
        CaseError: it is neither.
    """

    uri: str
    cid: str = ""

    def __post_init__(self) -> None:
        record = self.uri.startswith("at://") and bool(self.cid)
        account = self.uri.startswith("did:") and not self.cid
        if not (record or account):
            raise CaseError(
                f"{self.uri[:80]!r} is no subject of Ozone.",
                hint="Give at://DID/COLLECTION/KEY with its cid, or a did:... alone.",
                code="bad-value",
            )

    def as_json(self) -> dict[str, str]:
        """The reference as the lexicon has it."""
        if self.cid:
            kind = "com.atproto.repo.strongRef"
            return {"$type": kind, "uri": self.uri, "cid": self.cid}
        return {"$type": "com.atproto.admin.defs#repoRef", "did": self.uri}


def events_of(record: Mapping[str, Any], report_url: str) -> list[dict[str, Any]]:
    """The events of a case's record, in the order they are sent.

    A file without a face gets no priority, and neither does a face outside what the detector knows:
    a queue must not be sorted by a number that is not there.
    """
    faces = record["analysis"]["faces"]
    worst = max(faces, key=lambda face: face["probability"], default=None)
    found = worst["verdict"] if worst else record["analysis"]["status"]
    made: list[dict[str, Any]] = [
        {"$type": f"{_DEFS}Tag", "add": [f"whyfake:{found.replace('_', '-')}"], "remove": []}
    ]
    if worst and not worst["abstained"]:
        score = round(100 * worst["probability"])
        note = "Whyfake's probability of manipulation, an estimate."
        made.append({"$type": f"{_DEFS}PriorityScore", "score": score, "comment": note})
    made.append({"$type": f"{_DEFS}Comment", "comment": _said(record, report_url), "sticky": True})
    return made


def _said(record: Mapping[str, Any], report_url: str) -> str:
    faces = record["analysis"]["faces"]
    lines = []
    for face in faces:
        low, high = face["interval"]
        lines.append(
            f"Face {face['index'] + 1} of {len(faces)}: {face['verdict'].replace('_', ' ')}, "
            f"{face['probability']:.0%} ({low:.0%} to {high:.0%})."
        )
    lines = lines or ["No face was found, so there is no score."]
    explanation = (record["analysis"].get("explanation") or {}).get("text", "")
    end = f"An estimate, not proof. {report_url}"
    text = "\n".join(filter(None, [*lines, explanation]))
    return f"{text[: _COMMENT - len(end) - 1]}\n{end}"


class Ozone:
    """Writes events as a moderator account of an Ozone service.

    Args:
        client: logged in as that account; calls are handed on to the service.
        did: the account's DID.
        service_did: the service's DID.
    """

    def __init__(self, client: Client, did: str, service_did: str) -> None:
        self._did = did
        self._client = client.with_proxy("atproto_labeler", service_did)

    @classmethod
    def log_in(cls, url: str, service_did: str, handle: str, password: str) -> Ozone:
        """With the account's handle and an app password.

        Raises:
            CaseError: the service does not answer, or refuses.
        """
        need("ozone", "atproto")
        from atproto import Client
        from atproto_client.exceptions import AtProtocolError

        client = Client(base_url=url)
        try:
            client.login(handle, password, fetch_bsky_profile=False)
            did = client.com.atproto.server.get_session().did
        except AtProtocolError as error:
            raise CaseError(
                f"The log-in was refused ({type(error).__name__}).",
                hint="Check the address, the handle and the app password.",
                code="ozone-refused",
            ) from error
        return cls(client, did, service_did)

    def push(
        self, record: Mapping[str, Any], case_id: str, subject: Subject, *, report_url: str
    ) -> list[int]:
        """Write a case's events and read them back; returns their ids.

        Raises:
            CaseError: an event was refused, or is not there although it was taken.
        """
        need("ozone", "atproto")
        return [
            self._written(
                event, f"whyfake/{case_id}/{event['$type'].rpartition('modEvent')[2]}", subject
            )
            for event in events_of(record, report_url)
        ]

    def _written(self, event: Mapping[str, Any], name: str, subject: Subject) -> int:
        from atproto_client.exceptions import AtProtocolError

        data = {
            "event": event,
            "subject": subject.as_json(),
            "createdBy": self._did,
            "externalId": name,
            "modTool": {"name": "whyfake", "meta": {"externalId": name}},
        }
        refused: AtProtocolError | None = None
        for _ in range(_TRIES):
            there = self._there(event, name, subject)
            if there is not None:
                return there
            try:
                self._client.tools.ozone.moderation.emit_event(data=data)
            except AtProtocolError as error:
                refused = error
        there = self._there(event, name, subject)
        if there is None:
            what = event["$type"].rpartition("#")[2]
            raise CaseError(
                f"Ozone has no {what} of this case "
                + ("and refused to take it." if refused else "although it took it."),
                hint="Check the account's role there, and push again.",
                code="ozone-refused" if refused else "ozone-lost",
            ) from refused
        return there

    def _there(self, event: Mapping[str, Any], name: str, subject: Subject) -> int | None:
        """The id of the event, where it is there already."""
        from atproto_client.exceptions import AtProtocolError

        asked = {"subject": subject.uri, "types": [event["$type"]], "createdBy": self._did}
        try:
            found = self._client.tools.ozone.moderation.query_events(params=asked)
        except AtProtocolError as error:
            raise CaseError(
                f"Ozone cannot be read ({type(error).__name__}).",
                hint="Check the address and the account's role there.",
                code="ozone-refused",
            ) from error
        for one in found.events:
            tool = one.model_dump(by_alias=True).get("modTool") or one.model_dump().get("mod_tool")
            if tool and (tool.get("meta") or {}).get("externalId") == name:
                return int(one.id)
        return None
