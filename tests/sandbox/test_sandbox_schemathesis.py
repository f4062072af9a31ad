"""Schemathesis tests the sandbox against the contract: the response to any request conforms to it.

Requests are generated from the contract's parameters and bodies, valid and invalid ones. The platform refuses with HTTP
200 and a code in the body, so Schemathesis' check of refusals gets the HTTP status that corresponds to the code. The
tests of an operation are built when they run, by the function that Schemathesis' own plugin calls at collection. Built
at collection, all of them cost every worker seconds. Their node ids also lacked the operation, so pytest-xdist ran only
the first of them (Schemathesis 4.32 with pytest 9.2).
"""

from __future__ import annotations

import copy
import logging
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from contract_reading import FOLDER, contract, parameters
from hypothesis import HealthCheck, settings
from sandbox_platform import NOW, Platform, code_of
from sandbox_values import Values, plain_text, request_schema, served

from catalog import ENDPOINTS, OTHER_OPERATIONS
from catalog.records import OperationKind
from sandbox.config import SandboxConfig
from sandbox.server import running

if TYPE_CHECKING:
    import schemathesis

SERVED = sorted(served())
WRITES = {o.name for o in OTHER_OPERATIONS.values() if o.kind is OperationKind.WRITE}
NO_TOKEN = {28001003, 2190002}
TOKEN_IN_BODY = {e.name for e in ENDPOINTS.values() if any(p.fill == "token" for p in e.params)}
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@cache
def operations_of(security: bool, coverage: bool) -> dict[str, Any]:
    """Return the contract's operations that the sandbox serves, by id.

    With ``security`` tokens are generated as well, with ``coverage`` each bound of each parameter is tried.
    """
    import schemathesis

    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "generation": {"with-security-parameters": security},
            # The contract does not define other methods, so no response to them could conform.
            "phases": {"coverage": {"enabled": coverage, "unexpected-methods": []}},
            "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
        }
    )
    schema = schemathesis.openapi.from_dict(contract(), config=config).include(operation_id=SERVED)
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) == len(SERVED)
    return {operation.definition.raw["operationId"]: operation for operation in found}


def for_each_case(
    operation: str,
    examples: int,
    test: Callable[[schemathesis.Case], None],
    *,
    security: bool = False,
    coverage: bool = False,
) -> None:
    """Run ``test`` with the contract's examples of a request and with ``examples`` random ones.

    The bounds of every parameter are tried, too.
    """
    from schemathesis.checks import load_all_checks
    from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test

    load_all_checks()

    def tried(case):
        test(case)

    chosen, modes = (
        operations_of(security, coverage)[operation],
        [HypothesisTestMode.EXAMPLES, HypothesisTestMode.FUZZING],
    )
    how = settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    more = HypothesisTestConfig(
        project=chosen.schema.config,
        modes=[*modes, HypothesisTestMode.COVERAGE] if coverage else modes,
        explicit_settings=how,
        seed=1,
    )
    create_test(operation=chosen, test_func=tried, config=more)()


@pytest.fixture(scope="module")
def values() -> Iterator[Values]:
    with running(SandboxConfig(now=datetime.fromisoformat(NOW))) as handle:
        platform = Platform(handle)
        assert platform.http.get("/openapi.yaml").content == (FOLDER / "openapi.yaml").read_bytes()
        yield Values(platform)
        platform.close()


@pytest.fixture(scope="module")
def crashes() -> Iterator[list[str]]:
    """Collect the errors that the server logs."""
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(self.format(record))

    keep = Keep(logging.ERROR)
    log = logging.getLogger("uvicorn.error")
    log.addHandler(keep)
    yield found
    log.removeHandler(keep)


# --------------------------------------------------------------------------- requests and responses


def operation_of(case: schemathesis.Case) -> str:
    return case.operation.definition.raw["operationId"]


def put_known_values(case: schemathesis.Case, values: Values) -> None:
    """Replace generated texts by known ones; otherwise every request would fail at its open_id."""
    choice = zlib.crc32(repr((case.query, case.body)).encode("utf-8", "surrogatepass"))
    if choice % 4 == 0:
        return
    operation = operation_of(case)
    places = [
        (case.query, {n: p["schema"] for n, p in parameters(operation).items()}),
        (case.body, request_schema(operation).get("properties", {})),
    ]
    for given, schemas in places:
        for name in (schemas.keys() & given.keys()) if isinstance(given, dict) else ():
            known = values.known(name, operation)
            if known and isinstance(given[name], str) and plain_text(schemas[name]):
                given[name] = str(known[choice % len(known)])
            elif known and isinstance(given[name], list) and all(isinstance(v, str) for v in given[name]):
                given[name] = [str(known[(choice + i) % len(known)]) for i in range(len(given[name]))]


def check(case: schemathesis.Case, response: Any, crashes: list[str]) -> None:
    import schemathesis

    if operation_of(case) == "oauth_authorize" and response.status_code == 200:
        # A page for a browser: the contract defines only its success, a redirection. Refusals come as JSON here.
        assert code_of(response.json()) != 0
        return
    case.validate_response(response)
    meant = copy.copy(response)
    meant.status_code = 400 if response.status_code == 200 and code_of(response.json()) else response.status_code
    case.validate_response(meant, checks=[schemathesis.checks.negative_data_rejection])
    assert crashes == []


def ask(case: schemathesis.Case, values: Values, crashes: list[str]) -> None:
    crashes.clear()
    put_known_values(case, values)
    token = values.token(operation_of(case))
    # In the contract this operation takes its token in the body; that SDKs send it in a header is outside the contract.
    headers = {} if token is None or operation_of(case) == "oauth_userinfo" else {"access-token": token}
    check(case, case.call(base_url=values.platform.url, headers=headers, allow_redirects=False), crashes)


# --------------------------------------------------------------------------- tests


def refuse(case: schemathesis.Case, values: Values, crashes: list[str]) -> None:
    crashes.clear()
    response = case.call(base_url=values.platform.url, allow_redirects=False)
    check(case, response, crashes)
    if operation_of(case) in (ENDPOINTS.keys() | WRITES) - TOKEN_IN_BODY:
        assert code_of(response.json()) in NO_TOKEN


EACH = pytest.mark.parametrize("operation", SERVED)


@EACH
def test_every_answer_is_one_of_the_contract(operation: str, values: Values, crashes: list[str]):
    for_each_case(operation, 2, lambda case: ask(case, values, crashes))


@pytest.mark.slow
@EACH
def test_every_answer_is_one_of_the_contract_at_length(operation: str, values: Values, crashes: list[str]):
    for_each_case(operation, 60, lambda case: ask(case, values, crashes), coverage=True)


@EACH
def test_made_up_tokens_are_refused(operation: str, values: Values, crashes: list[str]):
    for_each_case(operation, 2, lambda case: refuse(case, values, crashes), security=True)


@pytest.mark.slow
@EACH
def test_made_up_tokens_are_refused_at_length(operation: str, values: Values, crashes: list[str]):
    for_each_case(operation, 30, lambda case: refuse(case, values, crashes), security=True, coverage=True)


@pytest.mark.parametrize("operation", [n for n in SERVED if n in ENDPOINTS])
def test_known_values_get_past_every_check_of_a_request(values: Values, operation: str):
    """Otherwise the tests above would only ever get refusals."""
    assert values.request(operation) is not None, (
        f"no answer of the sandbox holds a value for every parameter of {operation}"
    )
    assert operation in values.answered, "refused with every value that is known"


def test_a_crash_would_be_seen(crashes: list[str], monkeypatch: pytest.MonkeyPatch):
    with running(SandboxConfig()) as handle:
        platform = Platform(handle)
        monkeypatch.setattr(handle.app.world, "account", None)
        reply = platform.http.get(
            "/platform/oauth/connect/",
            params={
                "client_key": "sandbox-key",
                "response_type": "code",
                "scope": "x",
                "redirect_uri": "http://a/",
                "open_id": "x",
            },
        )
        platform.close()
    assert reply.status_code == 500
    assert len(crashes) == 1
    crashes.clear()
