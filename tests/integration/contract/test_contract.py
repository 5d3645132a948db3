"""The API keeps to its own OpenAPI document, whatever it is sent.

`AURA_CONTRACT_EXAMPLES` is how many examples of each operation are drawn; they are the same in every run
unless it is set.
"""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi import checks

from api import create_app
from api.door import openapi
from schemas.errors.providers import ProviderUnavailable
from tests.integration.attack.matrix import operations
from tests.integration.contract.visits import Visitor, is_secured

EXAMPLES = int(os.environ.get("AURA_CONTRACT_EXAMPLES", "5"))
SAME_EACH_TIME = "AURA_CONTRACT_EXAMPLES" not in os.environ
MODES = list(GenerationMode)
MAX_STREAM_S = 0.03

DOCUMENT = openapi.document(create_app())
SCHEMA = from_dict(DOCUMENT, config=schemathesis.Config())
SCHEMA.config.update(request_timeout=MAX_STREAM_S)
# Who asks is said by the visitor.
SCHEMA.config.generation.update(with_security_parameters=False)
SPECS = {f"{each.method.upper()} {each.path}": each for each in operations(DOCUMENT)}
OPERATIONS = {operation.label: operation for operation in (each.ok() for each in SCHEMA.get_all_operations())}


def no_server_error(_: CheckContext, response: Response, case: Case) -> None:
    """Fail where the server failed; that no worker answers is no failure here."""
    if response.status_code >= 500 and case.operation.label != "GET /health/ready":
        assert (response.status_code, response.json()["code"]) == (503, ProviderUnavailable.code), response.text


CHECKS = [
    no_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.unsupported_method,
]


@pytest.mark.parametrize("name", OPERATIONS)
def test_limits_of_the_document_are_limits_of_the_api(name: str, visitor: Visitor) -> None:
    """Each field at, and just beyond, each of its limits; other methods and content types; nobody's credentials."""
    generation = SCHEMA.config.generation
    cases = SCHEMA.iter_coverage_cases(operation=OPERATIONS[name], generation_modes=MODES, generation_config=generation)
    for case in cases:
        visitor.make_real(case)
        response = visitor.call(case, checks=CHECKS)
        if response.status_code < 300 and is_secured(case.operation) and case.method != "OPTIONS":
            assert visitor.call_as_nobody(case).status_code == 401


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_is_sent_is_answered_as_documented(name: str, visitor: Visitor) -> None:
    cases = st.one_of([OPERATIONS[name].as_strategy(generation_mode=mode) for mode in MODES])

    @settings(
        max_examples=EXAMPLES,
        derandomize=SAME_EACH_TIME,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, real=st.booleans())
    def try_one(case: Case, real: bool) -> None:
        if real:
            visitor.make_real(case)
        visitor.call(case, checks=CHECKS)

    try_one()


@pytest.mark.parametrize("name", [name for name in OPERATIONS if is_secured(OPERATIONS[name])])
def test_nobody_comes_in_by_asking_for_a_socket(name: str, reader: Visitor) -> None:
    """Only the socket's own route may be asked for before its first message says by whom."""
    case = reader.real_case(OPERATIONS[name], SPECS[name])
    assert reader.call_as_nobody(case, Upgrade="websocket").status_code == 401
