"""The client's reaction to each kind of response: calls made, error raised, state left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from loopback import Say, say

from catalog import ENDPOINTS
from catalog.errors import Action, error_for
from resources.client import ApiResponse, CallFailed, DouyinClient, Exchange, NotConfigured, QuotaExhausted
from resources.client.errors import (
    AccountStopped,
    AppStopped,
    CapabilityUnavailable,
    ConsentNeeded,
    NeedsAttention,
    Skipped,
    TransientFailure,
    Unreachable,
)
from resources.state.accounts import AccountStatus, get_account
from resources.state.limits import quota_day

USER, FANS, VIDEOS = ENDPOINTS["user_item"], ENDPOINTS["fans_data"], ENDPOINTS["video_list"]
BOARD, WORDS = ENDPOINTS["billboard_stars"], ENDPOINTS["hotsearch_sentences"]
WINDOW = {"date_type": 30}


@dataclass
class Bench:
    """A client's surroundings; ``run`` opens the client, authorises the sandbox's accounts, and does the work."""

    settings: Any
    state: Any
    box: Any = None
    exchanges: list[Exchange] = field(default_factory=list)
    open_ids: list[str] = field(default_factory=list)

    def run(
        self, work: Callable[[DouyinClient], Awaitable[Any]], *, consent: bool = True, scopes: str | None = None
    ) -> Any:
        async def whole() -> Any:
            async with DouyinClient(
                self.settings, self.state, self.settings.get_clock(), self.exchanges.append
            ) as client:
                if consent and not self.open_ids:
                    for account in self.box.accounts(scopes):
                        self.open_ids.append(await client.authorize(account["code"], name=account["name"]))
                return await work(client)

        return asyncio.run(whole())

    def fails(self, kind: type[CallFailed], endpoint=USER, account: int = 0, params: dict | None = None) -> CallFailed:
        """Make one call and return its error."""

        async def work(client: DouyinClient) -> CallFailed:
            with pytest.raises(CallFailed) as raised:
                await ask(self, client, endpoint, account, params)
            return raised.value

        error = self.run(work)
        assert type(error) is kind
        return error

    def status(self, account: int = 0) -> AccountStatus:
        return get_account(self.state, "sandbox-key", self.open_ids[account]).status


def ask(
    bench: Bench, client: DouyinClient, endpoint=USER, account: int = 0, params: dict | None = None
) -> Awaitable[ApiResponse]:
    open_id = bench.open_ids[account] if "open_id" in [p.name for p in endpoint.params] else ""
    return client.fetch(endpoint, (WINDOW if endpoint is USER else {}) if params is None else params, open_id)


@pytest.fixture
def bench(make_settings, state, sandbox) -> Bench:
    return Bench(make_settings(base_url=sandbox.url), state, sandbox)


# ---------------------------------------------------------------- good weather


def test_an_answer_and_its_exchange(bench):
    async def work(client):
        return await client.fetch(USER, WINDOW, bench.open_ids[0], archive_as={"page": 1})

    answer = bench.run(work)
    (exchange,) = bench.exchanges
    assert answer.calls == 1
    assert len(answer.document["data"]["result_list"]) > 0
    assert exchange.body == answer.body
    assert exchange.params == {"open_id": bench.open_ids[0], "date_type": 30}
    assert (exchange.operation, exchange.client_key, exchange.open_id) == (
        "user_item",
        "sandbox-key",
        bench.open_ids[0],
    )
    assert (exchange.http_status, exchange.code, exchange.attempt, exchange.tag) == (200, 0, 1, {"page": 1})
    assert exchange.observed_at == answer.observed_at == bench.settings.get_clock().now()


def test_one_client_token_serves_a_run_and_the_next(bench):
    async def work(client):
        await asyncio.gather(*(ask(bench, client, e) for e in (BOARD, WORDS)))

    bench.run(work, consent=False)
    bench.run(work, consent=False)
    assert bench.box.calls("oauth_stable_client_token") == 1


def test_the_token_travels_in_the_header_only(make_settings, state, scripted, now):
    token = {"data": {"access_token": "clt.abcdefgh12345678", "expires_in": "7200", "error_code": "0"}}
    server = scripted(lambda request, n: say(token if "oauth" in request.target else {"data": {"list": []}}))
    bench = Bench(make_settings(base_url=server.url), state)
    bench.run(lambda client: client.fetch(BOARD, {}), consent=False)
    fetched, requested = server.seen
    assert fetched.line.startswith("POST /oauth/stable_client_token/ ")
    assert requested.headers["access-token"] == "clt.abcdefgh12345678"
    assert "clt." not in requested.target


def test_the_platforms_words_are_kept_of_a_refusal_only(make_settings, state, scripted):
    token = {"data": {"access_token": "clt.abcdefgh12345678", "expires_in": "7200", "error_code": "0"}}
    answers = iter(
        [token, *({"data": {"list": [], "error_code": code, "description": f"words {code}"}} for code in (10001, 0))]
    )
    server = scripted(lambda request, n: say(next(answers)))
    bench = Bench(make_settings(base_url=server.url), state)
    bench.run(lambda client: client.fetch(BOARD, {}), consent=False)
    assert [(e.code, e.said) for e in bench.exchanges] == [(10001, "words 10001"), (0, "")]


def test_params_are_checked_against_the_record(bench):
    async def work(client):
        for params, open_id, complaint in (
            ({}, bench.open_ids[0], "needs the parameter date_type"),
            ({"date_type": 30, "page": 1}, bench.open_ids[0], "has no parameter page"),
            ({"date_type": 30}, "", "open_id of one account"),
            ({"date_type": 30, "open_id": "someone"}, bench.open_ids[0], "open_id of one account"),
        ):
            with pytest.raises(ValueError, match=complaint):
                await client.fetch(USER, params, open_id)

    bench.run(work)
    assert bench.box.calls("user_item") == 0


def test_without_credentials_nothing_is_called(make_settings, state):
    with pytest.raises(NotConfigured, match="DOUYIN_CLIENT_KEY"):
        DouyinClient(make_settings(client_key=None), state, make_settings().get_clock())


# ---------------------------------------------------------------- trouble that passes


@pytest.mark.parametrize("kind", ["busy", "too_frequent", "http_502", "cut", "truncated_json"])
def test_transient_failures_are_retried(bench, kind):
    bench.box.fault("user_item", kind, times=2)
    answer = bench.run(lambda client: ask(bench, client))
    assert answer.calls == 3 == bench.box.calls("user_item")
    bodies = 0 if kind == "cut" else 2
    assert len(bench.exchanges) == bodies + 1
    assert all(e.code != 0 for e in bench.exchanges[:-1])
    assert [e.attempt for e in bench.exchanges][-1] == 3


def test_a_timeout_is_retried(bench):
    bench.settings.timeout_s = 0.2
    bench.box.fault("user_item", "timeout", times=1)
    assert bench.run(lambda client: ask(bench, client)).calls == 2


@pytest.mark.parametrize(
    ("kind", "error"),
    [("busy", TransientFailure), ("http_502", Unreachable), ("truncated_json", Unreachable), ("cut", Unreachable)],
)
def test_lasting_trouble_ends_after_five_tries(bench, kind, error):
    bench.box.fault("user_item", kind, times=None)
    failure = bench.fails(error)
    assert failure.calls == 5 == bench.box.calls("user_item")
    assert failure.action is Action.RETRY
    assert bench.status() is AccountStatus.ACTIVE


def test_bodies_of_failures_reach_the_sink_byte_for_byte(bench):
    bench.box.fault("user_item", "truncated_json", times=1)
    answer = bench.run(lambda client: ask(bench, client))
    broken, whole = bench.exchanges
    assert broken.code is None
    assert whole.body.startswith(broken.body[:20])
    assert len(broken.body) < len(whole.body)
    assert whole.body == answer.body


def test_risk_control_waits_and_halves_the_rate(bench):
    bench.settings.retry_base_s = 0.001
    bench.box.fault("user_item", "risk_control", times=1)

    async def work(client):
        answer = await ask(bench, client)
        return answer, client._limiter._lane(USER.scope).ceiling, client._limiter._lane(FANS.scope).ceiling

    answer, here, elsewhere = bench.run(work)
    assert answer.calls == 2
    assert (here, elsewhere) == (0.5, 1.0)


# ---------------------------------------------------------------- tokens


def test_an_expired_token_is_refreshed_once(bench):
    bench.box.fault("user_item", "token_expired", times=1)
    answer = bench.run(lambda client: ask(bench, client))
    assert answer.calls == 2
    assert bench.box.calls("oauth_refresh_token") == 1
    assert bench.status() is AccountStatus.ACTIVE


def test_many_tasks_with_the_same_dead_token_refresh_once(bench):
    bench.settings.per_account = 8
    bench.box.fault("user_item", "token_expired", times=1)
    bench.run(lambda client: asyncio.gather(*(ask(bench, client) for _ in range(8))))
    assert bench.box.calls("oauth_refresh_token") == 1


def test_a_client_token_that_expired_early_is_replaced(bench):
    bench.box.fault("billboard_stars", "token_expired", times=1)
    answer = bench.run(lambda client: ask(bench, client, BOARD), consent=False)
    assert answer.calls == 2
    assert bench.box.calls("oauth_stable_client_token") == 2


def test_a_client_token_refused_twice_alerts(bench):
    bench.box.fault("billboard_stars", "token_expired", times=None)
    failure = bench.fails(NeedsAttention, BOARD)
    assert (failure.calls, failure.action) == (2, Action.ALERT)


def test_a_token_refused_after_its_refresh_needs_consent(bench):
    bench.box.fault("user_item", "token_expired", times=None)
    failure = bench.fails(ConsentNeeded)
    assert (failure.calls, failure.action) == (2, Action.RECONSENT)
    assert bench.status() is AccountStatus.NEEDS_CONSENT

    before = bench.box.stats()["total"]
    assert bench.fails(ConsentNeeded).calls == 0  # the next run knows without a call
    assert bench.box.stats()["total"] == before


def test_a_dead_consent_stops_the_account_only(bench):
    bench.box.fault("user_item", "token_dead", times=1)

    async def work(client):
        with pytest.raises(ConsentNeeded) as first:
            await ask(bench, client)
        with pytest.raises(ConsentNeeded) as second:
            await ask(bench, client, FANS)
        await ask(bench, client, account=1)
        return first.value, second.value

    first, second = bench.run(work)
    assert (first.code, first.calls, second.code, second.calls) == (10010, 1, 10010, 0)
    assert "douyin authorize" in str(first)
    account = get_account(bench.state, "sandbox-key", bench.open_ids[0])
    assert (account.status, account.reason) == (AccountStatus.NEEDS_CONSENT, first.reason + " (code 10010)")
    assert bench.status(1) is AccountStatus.ACTIVE

    before = bench.box.stats()["total"]
    assert bench.fails(ConsentNeeded).calls == 0  # the next run knows without a call
    assert bench.box.stats()["total"] == before


def test_consenting_again_heals_within_the_run(bench):
    bench.box.fault("user_item", "token_dead", times=1)

    async def work(client):
        with pytest.raises(ConsentNeeded):
            await ask(bench, client)
        code = next(a["code"] for a in bench.box.accounts() if a["open_id"] == bench.open_ids[0])
        await client.authorize(code)
        return await ask(bench, client)

    assert bench.run(work).calls == 1
    assert bench.status() is AccountStatus.ACTIVE


def test_a_scope_without_consent_leaves_the_other_scopes(bench):
    async def work(client):
        with pytest.raises(ConsentNeeded) as raised:
            await ask(bench, client, FANS)
        with pytest.raises(ConsentNeeded):
            await ask(bench, client, FANS)
        return raised.value, await ask(bench, client)

    failure, answer = bench.run(work, scopes="data.external.user")
    assert failure.code == 28001012
    assert answer.calls == 1
    assert bench.box.calls("fans_data") == 1
    assert bench.status() is AccountStatus.ACTIVE


def test_a_used_code_says_what_to_do(bench):
    async def work(client):
        code = bench.box.accounts()[0]["code"]
        await client.authorize(code)
        with pytest.raises(ConsentNeeded) as raised:
            await client.authorize(code)
        return raised.value, code

    failure, code = bench.run(work)
    assert failure.code == 10007
    assert code not in str(failure)


# ---------------------------------------------------------------- what settles more than one call


def test_a_withdrawn_capability_is_tried_once(bench):
    bench.box.fault("billboard_stars", "capability_offline", times=None)

    async def work(client):
        results = await asyncio.gather(*(ask(bench, client, BOARD) for _ in range(50)), return_exceptions=True)
        return results, await ask(bench, client, WORDS)

    results, other = bench.run(work)
    assert {type(r) for r in results} == {CapabilityUnavailable}
    assert bench.box.calls("billboard_stars") <= bench.settings.concurrency
    assert sum(r.calls for r in results) == bench.box.calls("billboard_stars")
    assert other.calls == 1
    assert bench.fails(CapabilityUnavailable, BOARD).calls == 1  # the next run calls again


def test_a_banned_app_stops_everything(bench):
    bench.box.fault("user_item", "private", times=None, code=28001016)

    async def work(client):
        with pytest.raises(AppStopped):
            await ask(bench, client)
        with pytest.raises(AppStopped) as raised:
            await ask(bench, client, BOARD)
        return raised.value

    failure = bench.run(work)
    assert failure.calls == 0
    assert "DOUYIN_CLIENT_SECRET" in failure.advice


def test_a_wrong_secret_stops_everything(bench):
    bench.settings = bench.settings.model_copy(
        update={"client_secret": type(bench.settings.client_secret)("wrong-secret")}
    )

    async def work(client):
        for endpoint in (BOARD, WORDS):
            with pytest.raises(AppStopped) as raised:
                await ask(bench, client, endpoint)
        return raised.value

    failure = bench.run(work, consent=False)
    assert "wrong-secret" not in str(failure) + repr(failure)
    assert bench.box.calls("oauth_stable_client_token") == 1


def test_a_closed_account_is_stopped(bench):
    bench.box.fault("user_item", "account_gone", times=1)

    async def work(client):
        with pytest.raises(AccountStopped):
            await ask(bench, client)
        with pytest.raises(AccountStopped):
            await ask(bench, client, FANS)
        return await ask(bench, client, account=1)

    assert bench.run(work).calls == 1
    assert bench.box.calls("fans_data") == 0
    assert bench.status() is AccountStatus.STOPPED
    assert bench.fails(AccountStopped).calls == 0  # the next run knows


def test_a_private_object_is_skipped_and_no_more(bench):
    bench.box.fault("user_item", "private", times=1)

    async def work(client):
        with pytest.raises(Skipped):
            await ask(bench, client)
        return await ask(bench, client)

    assert bench.run(work).calls == 1
    assert bench.status() is AccountStatus.ACTIVE


def test_our_own_mistakes_are_not_retried(bench):
    failure = bench.fails(NeedsAttention, params={"date_type": 8})
    assert (failure.calls, failure.code) == (1, 2100005)


def test_unknown_codes_are_tried_three_times(bench):
    bench.box.fault("user_item", "private", times=None, code=99999999)
    failure = bench.fails(NeedsAttention)
    assert (failure.calls, failure.code) == (3, 99999999)
    assert failure.logid
    assert failure.logid in str(failure)


# ---------------------------------------------------------------- quota


def test_the_platform_s_quota_ends_the_day_for_the_scope(bench):
    bench.box.fault("user_item", "quota_used_up", times=1)

    async def work(client):
        with pytest.raises(QuotaExhausted) as raised:
            await ask(bench, client)
        with pytest.raises(QuotaExhausted):
            await ask(bench, client, account=1)
        return raised.value, await ask(bench, client, FANS)

    failure, other = bench.run(work)
    assert (failure.code, failure.calls, other.calls) == (28003017, 1, 1)
    assert bench.box.calls("user_item") == 1
    assert bench.fails(QuotaExhausted).calls == 0  # the next run of the day knows
    bench.settings.clock = "2026-11-17T00:00:01+08:00"
    assert bench.run(lambda client: ask(bench, client)).calls == 1


def test_the_ledger_stops_before_the_call(bench):
    bench.settings.per_day = 5

    async def work(client):
        return await asyncio.gather(*(ask(bench, client, account=n % 3) for n in range(9)), return_exceptions=True)

    results = bench.run(work)
    assert sum(isinstance(r, ApiResponse) for r in results) == 5
    assert sum(isinstance(r, QuotaExhausted) and r.calls == 0 for r in results) == 4
    assert bench.box.calls("user_item") == 5
    assert "2026-11-16" in str(next(r for r in results if isinstance(r, QuotaExhausted)))


def test_every_request_is_counted_and_no_other(bench):
    bench.box.fault("user_item", "busy", times=2)
    bench.run(lambda client: asyncio.gather(*(ask(bench, client, account=n % 3) for n in range(7))))
    counted = quota_day(bench.state, "sandbox-key", USER.scope, bench.settings.get_clock().today())
    assert counted.calls == 9 == bench.box.calls("user_item")


# ---------------------------------------------------------------- malformed responses


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"\xff\xfe", b'{"message":"success"}', b'{"data":{"error_code":"x"}}', b"<html></html>"],
)
def test_what_is_no_answer_of_the_platform_is_unreachable(make_settings, state, scripted, body):
    token = {"data": {"access_token": "clt.abcdefgh12345678", "expires_in": 7200, "error_code": 0}}
    server = scripted(lambda request, n: say(token) if "oauth" in request.target else Say(body))
    bench = Bench(make_settings(base_url=server.url, retry_base_s=0), state)

    async def work(client):
        with pytest.raises(Unreachable) as raised:
            await client.fetch(BOARD, {})
        return raised.value

    error = bench.run(work, consent=False)
    assert (error.calls, error.advice) == (5, error_for(10001).advice)
    assert [e.body for e in bench.exchanges] == [body] * 5
    assert all(e.code is None for e in bench.exchanges)


def test_a_gateway_s_success_is_not_believed(make_settings, state, scripted):
    token = {"data": {"access_token": "clt.abcdefgh12345678", "expires_in": 7200, "error_code": 0}}
    good = {"data": {"list": [], "error_code": 0}}
    server = scripted(
        lambda request, n: say(token) if "oauth" in request.target else say(good, status=503 if n < 2 else 200)
    )
    bench = Bench(make_settings(base_url=server.url), state)
    assert bench.run(lambda client: client.fetch(BOARD, {}), consent=False).calls == 2
    assert [e.code for e in bench.exchanges] == [None, 0]


def test_a_failing_sink_stops_the_call(bench):
    def full(_: Exchange) -> None:
        raise OSError("no space left")

    async def work():
        async with DouyinClient(bench.settings, bench.state, bench.settings.get_clock(), full) as client:
            open_id = await client.authorize(bench.box.accounts()[0]["code"])
            with pytest.raises(OSError, match="no space"):
                await client.fetch(USER, WINDOW, open_id)

    asyncio.run(work())
    assert bench.box.calls("user_item") == 1
