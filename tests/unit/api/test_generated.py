"""Requests that schemathesis generates from the published OpenAPI: none ends in a server error.

``WHYFAKE_EXAMPLES`` sets how many are sent to each operation.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.unit.api.conftest import Api

_EXAMPLES = int(os.environ.get("WHYFAKE_EXAMPLES", "5"))


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_no_generated_request_ends_in_a_server_error(api: Api, mode: str) -> None:
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", api.client.app)
    statuses: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        wanted = schemathesis.GenerationMode(mode)

        @seed(0)
        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=wanted))
        def send(case: Any) -> None:
            response = case.call(headers=api.ann)
            statuses.setdefault(case.operation.label, set()).add(response.status_code)
            case.validate_response(
                response, checks=[not_a_server_error, response_schema_conformance]
            )

        with contextlib.suppress(Unsatisfiable):  # some operations take nothing that can be wrong
            send()
    assert len(statuses) >= 12
    assert api.store.verify().whole
