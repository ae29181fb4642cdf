"""schemathesis on the whole API, for each role: nothing breaks, and nothing is answered that is not described.

Few examples here; `./dev fuzz` asks for many.
"""

from __future__ import annotations

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.web.conftest import Api
from tests.integration.web.console_support import furnish

EXAMPLES = int(os.environ.get("API_FUZZ_EXAMPLES", "2"))
CHECKS: list[CheckFunction] = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 10,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("role", ["Admin", "SalesManager", "SalesRep", "Customer", None])
def test_whatever_is_sent_the_answer_is_one_of_those_described(api: Api, role: str | None) -> None:
    furnish(api)
    headers = api.as_(role, customer_id="c1") if role else {}
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.client.app)
    tried = 0
    for found in schema.get_all_operations():

        @BOUNDED
        @given(case=found.ok().as_strategy())
        def answers_as_described(case: Case) -> None:
            nonlocal tried
            tried += 1
            # What is generated in the token's place is not the subject: the caller is known.
            case.headers = {
                name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"
            }
            case.call_and_validate(headers=headers, checks=CHECKS)

        answers_as_described()
    assert tried >= len(list(schema.get_all_operations()))
