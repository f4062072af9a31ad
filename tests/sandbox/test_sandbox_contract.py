"""Every response of every recorded operation conforms to the contract, undeclared members included."""

from __future__ import annotations

import people_requests
import pytest
from sandbox_platform import APP, code_of, operations, problems

from catalog import ENDPOINTS
from catalog.records import Endpoint
from sandbox.answers import answer_for
from sandbox.oauth import OPERATIONS

INSTANTS = (
    "2026-11-16T09:59:59+08:00",
    "2026-11-16T10:30:00+08:00",
    "2026-11-17T00:00:20.250+08:00",
    "2027-02-01T16:05:00+08:00",
)
_ALL = [pytest.param(e, id=e.name) for e in ENDPOINTS.values()]


def test_every_operation_is_simulated():
    assert [e.name for e in ENDPOINTS.values() if answer_for(e) is None] == []


def _hold_answers(platform, endpoint: Endpoint, instants: tuple[str, ...]) -> None:
    for instant in instants:
        platform.reset(instant)
        for request in people_requests.requests_of(platform, endpoint):
            body = platform.get(endpoint.name, **request)
            assert code_of(body) == 0, body
            assert problems(endpoint.twin_of or endpoint.name, body) == []


@pytest.mark.parametrize(
    ("endpoint", "instants"),
    [pytest.param(e, INSTANTS[n % 2 :: 2], id=e.name) for n, e in enumerate(ENDPOINTS.values())],
)
def test_answers_match_the_success_schema(platform, endpoint, instants):
    """At two of the instants each, in turn."""
    _hold_answers(platform, endpoint, instants)


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", _ALL)
def test_answers_match_the_success_schema_at_every_instant(platform, endpoint):
    _hold_answers(platform, endpoint, INSTANTS)


@pytest.mark.parametrize("endpoint", _ALL)
def test_refusals_match_the_response_schema(platform, endpoint):
    params = {p.name: "x" for p in endpoint.params if p.required}
    for instant in INSTANTS:
        platform.at(instant)
        for token in ("", "act.nonsense"):
            sent = {"json": {}} if endpoint.method == "POST" else {}
            body = platform.http.request(
                endpoint.method, endpoint.path, params=params, headers={"access-token": token}, **sent
            ).json()
            assert code_of(body) in (28001003, 2190002)
            assert problems(endpoint.twin_of or endpoint.name, body, success=False) == []


@pytest.mark.parametrize("operation", [pytest.param(o, id=o.name) for o in OPERATIONS if o.name != "oauth_authorize"])
def test_oauth_answers_match_the_contract(platform, operation):
    o = operations()[operation.name]
    assert (operation.method, operation.path) == (o["method"], o["path"])
    for second in range(8):
        platform.reset(f"2026-11-16T10:30:{second:02d}+08:00")
        tokens = platform.redeem(platform.accounts()[second % 5]["code"])
        assert problems("oauth_access_token", tokens) == []
        data, business = tokens["data"], platform.business_token(0)
        params = {
            "oauth_access_token": {**APP, "code": platform.accounts()[0]["code"], "grant_type": "authorization_code"},
            "oauth_refresh_token": {**APP, "grant_type": "refresh_token", "refresh_token": data["refresh_token"]},
            "oauth_renew_refresh_token": {**APP, "refresh_token": data["refresh_token"]},
            "oauth_client_token": {**APP, "grant_type": "client_credential"},
            "oauth_stable_client_token": {**APP, "grant_type": "client_credential"},
            "oauth_business_token": {**APP, "open_id": data["open_id"]},
            "oauth_refresh_biz_token": {**APP, "refresh_token": business["biz_refresh_token"]},
        }[operation.name]
        body = platform.oauth(operation.name, **params)
        assert code_of(body) == 0, body
        assert problems(operation.name, body) == []
        wrong = platform.oauth(
            operation.name,
            **{k: v for k, v in params.items() if k != operation.required[second % len(operation.required)]},
        )
        assert code_of(wrong) == 10002
        assert problems(operation.name, wrong, success=False) == []


def test_forms_of_values_vary(platform):
    """Over some instants: codes and numbers both as number and text, now in s and ms, both names of the trace id."""
    seen = {"code": set(), "now": set(), "digits": set(), "plays": set(), "trace": set(), "status": set()}
    for second in range(40):
        platform.reset(f"2026-11-16T11:00:{second:02d}+08:00")
        body = platform.get("video_list", 0, count=5)
        seen["code"].add(type(body["data"]["error_code"]))
        seen["now"].add(type(body["extra"]["now"]))
        seen["digits"].add(len(str(body["extra"]["now"])))
        seen["plays"].update(type(v["statistics"]["play_count"]) for v in body["data"]["list"])
        seen["status"].update("video_status" in v for v in body["data"]["list"])
        refused = platform.get("video_list", 0, count=0)
        seen["trace"].update({"logid", "log_id"} & refused["extra"].keys())
    assert seen == {
        "code": {int, str},
        "now": {int, str},
        "digits": {10, 13},
        "plays": {int, str},
        "trace": {"logid", "log_id"},
        "status": {True, False},
    }


def test_contract_is_served(platform):
    reply = platform.http.get("/openapi.yaml")
    assert reply.status_code == 200
    assert reply.content.startswith(b"openapi:")
