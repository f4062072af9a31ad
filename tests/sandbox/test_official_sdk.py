"""The official SDK for Node.js (``@open-dy/open_api_sdk``), unchanged, against a sandbox with plain responses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import children
import people_requests
import pytest
from sandbox_platform import APP, Platform, code_of, problems

from catalog import ENDPOINTS
from sandbox.oauth import OPERATIONS

_HERE = Path(__file__).parent / "sdk"
_LEAST = 60
"""Operations that the SDK must call with success."""


@pytest.fixture(scope="module")
def sdk(tmp_path_factory) -> Path:
    """A folder in which the SDK is installed, as the lock file says."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js and npm are not installed")
    place = tmp_path_factory.mktemp("sdk")
    for file in ("package.json", "package-lock.json", ".npmrc", "calls.js"):
        shutil.copy(_HERE / file, place)
    done = children.run(["npm", "ci"], cwd=place, timeout_s=240, text=True)
    assert done.returncode == 0, done.stderr
    return place


def _calls(platform: Platform) -> dict[str, dict[str, Any]]:
    """One request of each operation, with its token as a parameter: the SDK places it."""
    calls = {}
    for endpoint in ENDPOINTS.values():
        params = dict((people_requests.requests_of(platform, endpoint) or [{}])[0])
        account = params.pop("account", 0)
        tokens = platform.tokens(account)
        if endpoint.token in ("user", "business"):
            params.setdefault("open_id", tokens["open_id"])
        token = {"user": tokens["access_token"], "business": platform.business_token(account)["biz_token"]}
        params["access_token"] = token.get(endpoint.token) or platform.client_token()
        calls[endpoint.name] = {"method": endpoint.method, "path": endpoint.path, "params": params}
    given = {
        **APP,
        "grant_type": "client_credential",
        "code": platform.accounts()[1]["code"],
        "refresh_token": platform.tokens(0)["refresh_token"],
        "open_id": platform.tokens(0)["open_id"],
    }
    grants = {"oauth_access_token": "authorization_code", "oauth_refresh_token": "refresh_token"}
    refresh = {"oauth_refresh_biz_token": platform.business_token(0)["biz_refresh_token"]}
    for operation in OPERATIONS:
        more = {
            "grant_type": grants.get(operation.name, given["grant_type"]),
            "refresh_token": refresh.get(operation.name, given["refresh_token"]),
        }
        calls[operation.name] = {"method": operation.method, "path": operation.path, "params": given | more}
    return calls


@pytest.mark.slow
def test_the_official_sdk_works_against_the_sandbox(sdk, make_platform):
    platform = make_platform(form="plain")
    calls = _calls(platform)
    given = json.dumps({"url": platform.url, "calls": list(calls.values())})
    done = children.run(["node", "calls.js"], cwd=sdk, timeout_s=240, text=True, input=given)
    assert done.returncode == 0, done.stderr
    outcomes = {name: found for name, found in zip(calls, json.loads(done.stdout), strict=True) if found is not None}
    assert {name: o for name, o in outcomes.items() if o["outcome"] != "ok"} == {}
    assert len(outcomes) >= _LEAST, sorted(calls.keys() - outcomes.keys())


@pytest.mark.parametrize("endpoint", [pytest.param(e, id=e.name) for e in ENDPOINTS.values()])
def test_plain_answers_have_numbers_as_numbers(plain_platform, endpoint):
    """Codes are integers and repeated in ``extra``, and the contract holds."""
    for request in people_requests.requests_of(plain_platform, endpoint)[:1] or [{}]:
        body = plain_platform.get(endpoint.name, **request)
        assert code_of(body) == 0, body
        assert problems(endpoint.twin_of or endpoint.name, body) == []
        codes = [
            part[name] for part in _objects(body) for name in ("error_code", "err_no", "sub_error_code") if name in part
        ]
        assert codes
        assert all(type(code) is int for code in codes)


def test_a_plain_refusal_repeats_code_and_description(plain_platform):
    body = plain_platform.get("user_fans", token="act.nonsense", date_type=7)
    assert body["data"]["error_code"] == body["extra"]["error_code"] != 0
    assert body["data"]["description"] == body["extra"]["description"] != ""
    assert isinstance(body["extra"]["logid"], str)


@pytest.fixture(scope="module")
def plain_platform():
    from datetime import datetime

    from sandbox_platform import NOW

    from sandbox.config import SandboxConfig
    from sandbox.server import running

    with running(SandboxConfig(now=datetime.fromisoformat(NOW), form="plain")) as handle:
        platform = Platform(handle)
        yield platform
        platform.close()


def _objects(value: Any) -> list[dict[str, Any]]:
    """The body, its ``data`` and ``extra``, and those of a mini-app's inner response."""
    parts = [value, value.get("data"), value.get("extra")]
    if isinstance(value.get("data"), dict):
        parts += [value["data"].get("extra"), value["data"].get("data")]
    return [part for part in parts if isinstance(part, dict)]


@pytest.mark.parametrize("how", ["header access-token", "header access_token", "get", "body"])
def test_the_profile_takes_its_token_in_each_documented_way(platform, how):
    tokens = platform.tokens(0)
    token, open_id = tokens["access_token"], tokens["open_id"]
    if how == "get":
        reply = platform.http.get("/oauth/userinfo/", params={"access_token": token, "open_id": open_id})
    elif how == "body":
        reply = platform.http.post("/oauth/userinfo/", data={"access_token": token, "open_id": open_id})
    else:
        reply = platform.http.post("/oauth/userinfo/", headers={how.split()[1]: token}, data={"open_id": open_id})
    assert code_of(reply.json()) == 0, reply.json()
    assert reply.json()["data"]["open_id"] == open_id
