"""Invalid requests and invalid responses fail alone, once, with a reason."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from loopback import say
from test_douyin_client import BOARD, FANS, USER, WINDOW, Bench, ask

from catalog import ENDPOINTS, OPERATIONS
from catalog.requests import ParamLocation, ParamSource
from resources.client import CallFailed
from resources.client.calls import complete_params, make_request
from resources.client.errors import ConsentNeeded, NeedsAttention
from resources.client.token_source import TokenLease
from resources.state.accounts import AccountStatus, add_account

BUSINESS, OTHER_BUSINESS = ENDPOINTS["user_fans_bc"], ENDPOINTS["user_item_bc"]


@pytest.fixture
def bench(make_settings, state, sandbox) -> Bench:
    return Bench(make_settings(base_url=sandbox.url), state, sandbox)


TOKEN = {"data": {"access_token": "clt.abcdefgh12345678", "expires_in": "7200", "error_code": "0"}}


def test_a_response_above_the_size_limit_is_not_requested_again(make_settings, state, scripted):
    server = scripted(lambda request, n: say(TOKEN if "oauth" in request.target else {"data": {"list": ["x" * 2000]}}))
    bench = Bench(make_settings(base_url=server.url, answer_bytes=1000), state)

    async def work(client):
        with pytest.raises(NeedsAttention) as raised:
            await client.fetch(BOARD, {})
        return raised.value

    error = bench.run(work, consent=False)
    assert (error.calls, len(server.seen)) == (1, 2)
    assert "more than 1,000 bytes" in str(error)
    assert "DOUYIN_ANSWER_BYTES" in str(error)


@pytest.mark.parametrize("token", ["clt.两岸", "clt.a\nb", "clt.a\x00b"])
def test_a_request_that_cannot_be_written_fails_alone(make_settings, state, scripted, token: str):
    server = scripted(lambda request, n: say({"data": {**TOKEN["data"], "access_token": token}}))
    bench = Bench(make_settings(base_url=server.url), state)

    async def work(client):
        with pytest.raises(CallFailed) as raised:
            await client.fetch(BOARD, {})
        return raised.value

    error = bench.run(work, consent=False)
    assert type(error) is NeedsAttention
    assert len(server.seen) == 1


@pytest.mark.parametrize("life", ["9" * 30, 10**18, -5, float("1e300"), "", None, [], "soon"])
def test_a_token_with_an_impossible_life_is_refused(make_settings, state, scripted, life):
    server = scripted(lambda request, n: say({"data": {**TOKEN["data"], "expires_in": life}}))
    bench = Bench(make_settings(base_url=server.url), state)

    async def work(client):
        with pytest.raises(NeedsAttention, match="expires_in"):
            await client.fetch(BOARD, {})

    bench.run(work, consent=False)
    assert len(server.seen) == 1


@pytest.mark.parametrize("refused", ["at the token", "by the call"])
def test_a_refused_business_consent_stops_the_business_calls_of_its_account_only(bench, refused: str):
    operation, kind = (
        ("oauth_business_token", {"code": 28001012}) if refused == "at the token" else (BUSINESS.name, {"code": 10010})
    )

    async def work(client):
        bench.box.fault(operation, "private", times=1, **kind)
        with pytest.raises(ConsentNeeded) as first:
            await ask(bench, client, BUSINESS, params=WINDOW)
        before = bench.box.stats()["total"]
        for endpoint in (BUSINESS, OTHER_BUSINESS):
            with pytest.raises(ConsentNeeded) as again:
                await ask(bench, client, endpoint, params=WINDOW)
            assert (again.value.calls, again.value.operation, again.value.code) == (0, endpoint.name, kind["code"])
        assert bench.box.stats()["total"] == before, "nothing is sent once it is known"
        own = await ask(bench, client)
        other = await ask(bench, client, BUSINESS, 1, WINDOW)
        app = await ask(bench, client, BOARD)
        return first.value.calls, own.calls, other.calls, app.calls

    assert bench.run(work) == (0 if refused == "at the token" else 1, 1, 1, 1)
    assert [bench.status(n) for n in range(2)] == [AccountStatus.ACTIVE] * 2, "the account's own consent is another one"


def test_consenting_again_allows_the_business_calls_of_the_account_within_the_run(bench):
    async def work(client):
        bench.box.fault("oauth_business_token", "private", times=1, code=28001012)
        with pytest.raises(ConsentNeeded):
            await ask(bench, client, BUSINESS, params=WINDOW)
        code = next(a["code"] for a in bench.box.accounts() if a["open_id"] == bench.open_ids[0])
        await client.authorize(code)
        return await ask(bench, client, BUSINESS, params=WINDOW)

    assert bench.run(work).calls == 1


def test_an_account_without_a_stored_token_is_not_requested(bench):
    add_account(bench.state, "sandbox-key", "tokenless", name=None, now=bench.settings.get_clock().now())

    async def work(client):
        before = bench.box.stats()["total"]
        for endpoint in (USER, FANS):
            with pytest.raises(ConsentNeeded) as raised:
                await client.fetch(endpoint, WINDOW if endpoint is USER else {}, "tokenless")
            assert (raised.value.code, raised.value.calls, raised.value.operation, raised.value.open_id) == (
                None,
                0,
                endpoint.name,
                "tokenless",
            )
            assert "no consent is stored" in str(raised.value)
            assert "douyin authorize" in str(raised.value)
        assert bench.box.stats()["total"] == before
        return await ask(bench, client)

    assert bench.run(work).calls == 1


@pytest.mark.parametrize(
    "requested",
    [a for a in {**ENDPOINTS, **OPERATIONS}.values() if any(p.place is ParamLocation.BODY for p in a.params)],
    ids=lambda a: a.name,
)
def test_what_belongs_into_the_body_stands_in_the_body_alone(requested):
    """URLs are written into logs: of the platform, of proxies, of ours."""
    given = {
        p.name: f"{p.place}-{p.name}"
        for p in requested.params
        if p.fill not in (ParamSource.LEFT_OUT, ParamSource.TOKEN, ParamSource.COUNT, ParamSource.CONST)
    }
    own = next((p.name for p in requested.params if p.fill is ParamSource.ACCOUNT), None)
    params = complete_params(requested, given, given[own] if own else "")
    request = make_request("https://example.invalid", requested, params, TokenLease("act.secret", 0))
    text = request.content.decode()
    body = {n: v for n, (v,) in parse_qs(text, strict_parsing=True).items()} if requested.form else json.loads(text)
    query = (
        {n: v for n, (v,) in parse_qs(request.url.query.decode(), strict_parsing=True).items()}
        if request.url.query
        else {}
    )
    assert request.method == requested.method == "POST"
    assert "body-" not in str(request.url)
    assert "act.secret" not in str(request.url)
    assert query.keys() == {p.name for p in requested.params if p.place is ParamLocation.QUERY and p.name in params}
    in_body = {p.name for p in requested.params if p.place is ParamLocation.BODY}
    tokens = {p.name: "act.secret" for p in requested.params if p.fill is ParamSource.TOKEN}
    assert body == {n: v for n, v in params.items() if n in in_body} | tokens
    assert request.headers.get("access-token") == (None if tokens else "act.secret")
    assert request.headers["content-type"] == (
        "application/x-www-form-urlencoded" if requested.form else "application/json"
    )


@pytest.mark.parametrize(
    ("params", "open_id", "complaint"),
    [
        ({}, "", "needs the open_id of one account"),
        ({"open_id": ""}, "", "needs the open_id of one account"),
        ({"open_id": "a"}, "", "needs the open_id of one account"),
        ({"open_id": "a"}, "b", "needs the open_id of one account"),
        ({"open_id": ""}, "b", "needs the open_id of one account"),
        ({"date_type": None, "unheard": 1, "another": 2}, "a", "has no parameter another, unheard"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_before_a_call(params: dict, open_id: str, complaint: str):
    with pytest.raises(ValueError, match=f"{USER.name} {complaint}"):
        complete_params(USER, {"date_type": 7, **params}, open_id)
    assert complete_params(USER, {"date_type": 7, "open_id": "a"}, "a") == complete_params(USER, {"date_type": 7}, "a")


def test_a_required_parameter_is_missed():
    with pytest.raises(ValueError, match=f"{USER.name} needs the parameter date_type"):
        complete_params(USER, {}, "a")


def test_what_the_platform_says_is_kept_of_refusals_only(make_settings, state, scripted):
    answers = iter(({"error_code": 10001, "description": "忙"}, {"error_code": 0, "description": "好"}))
    server = scripted(lambda request, n: say(TOKEN if "oauth" in request.target else {"data": next(answers)}))
    bench = Bench(make_settings(base_url=server.url), state)
    bench.run(lambda client: client.fetch(BOARD, {}), consent=False)
    assert [(e.code, e.said, e.attempt) for e in bench.exchanges] == [(10001, "忙", 1), (0, "", 2)]


def test_without_a_token_no_header_says_so():
    request = make_request("http://platform", BOARD, {}, TokenLease("", 0))
    assert "access-token" not in request.headers
    assert make_request("http://platform", BOARD, {}, TokenLease("clt.a", 0)).headers["access-token"] == "clt.a"
