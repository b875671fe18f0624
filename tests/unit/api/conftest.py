"""The API over working fakes, with a key for each of two people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from assistant.api.app import create_api
from assistant.api.keys import SCOPES, make_key
from assistant.cases.database import open_database
from assistant.cases.store import CaseStore
from assistant.cases.vault import Vault, new_key
from assistant.fakes import demo_assistant
from assistant.settings import Settings
from tests.drawn import drawn_faces, png


@dataclass
class Api:
    client: TestClient
    store: CaseStore
    ann: dict[str, str]
    bob: dict[str, str]

    def key(self, *scopes: str, per_minute: int = 10_000) -> dict[str, str]:
        text = make_key(self.store.engine, owner="cy", scopes=list(scopes), per_minute=per_minute)
        return {"Authorization": f"Bearer {text}"}

    def analyze(self, data: bytes | None = None, **fields: str):
        files = {"media": ("x", data or png(drawn_faces()))}
        return self.client.post("/v1/analyze", headers=self.ann, files=files, data=fields)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    store = CaseStore(open_database(f"sqlite:///{tmp_path / 'c.db'}"), Vault(new_key()))
    settings = Settings(limits={"max_image_bytes": 1_000_000, "max_video_bytes": 1_000_000})
    app = create_api(store, demo_assistant(), settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        made = Api(client=client, store=store, ann={}, bob={})
        for name in ("ann", "bob"):
            text = make_key(store.engine, owner=name, scopes=list(SCOPES), per_minute=10_000)
            setattr(made, name, {"Authorization": f"Bearer {text}"})
        yield made
    store.close()
