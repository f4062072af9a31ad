"""When user tokens are refreshed and renewed, and what is stored of the responses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from loopback import say
from test_douyin_tokens import KEY, Life

from resources.client import DouyinClient
from resources.state.accounts import AccountStatus
from resources.state.tokens import UserToken, load_user_token, save_user_token

DAY_S = 86_400


@pytest.fixture
def life(make_settings, state, sandbox) -> Life:
    return Life(make_settings, state, sandbox)


@pytest.mark.parametrize(
    ("answered", "kept", "days", "scope"),
    [
        ({}, "rft.old", 20, "a,b"),
        ({"refresh_token": "", "scope": ""}, "rft.old", 20, "a,b"),
        ({"refresh_token": "rft.old", "refresh_expires_in": 30 * DAY_S, "scope": "a"}, "rft.old", 20, "a"),
        ({"refresh_token": "rft.old", "refresh_expires_in": DAY_S}, "rft.old", 1, "a,b"),
        ({"refresh_expires_in": DAY_S}, "rft.old", 1, "a,b"),
        ({"refresh_token": "rft.other", "refresh_expires_in": 30 * DAY_S}, "rft.other", 30, "a,b"),
    ],
)
def test_what_a_refresh_answers_is_kept(make_settings, state, scripted, answered, kept: str, days: int, scope: str):
    """A refresh does not extend a refresh token's life: of the same token the earlier end counts."""
    answer = {"access_token": "act.newnewnew1", "expires_in": 15 * DAY_S, "error_code": 0, **answered}
    settings = make_settings(base_url=scripted(lambda request, n: say({"data": answer})).url)
    now = settings.get_clock().now()
    ends = now + timedelta(days=20)
    old = UserToken("o", "act.oldoldold1", now + timedelta(days=1), "rft.old", ends, 2, "a,b", now - timedelta(days=14))
    save_user_token(state, KEY, old)

    async def work() -> str:
        async with DouyinClient(settings, state, settings.get_clock()) as client:
            return (await client.tokens.user_lease("o")).token

    assert asyncio.run(work()) == "act.newnewnew1"
    stored = load_user_token(state, KEY, "o")
    assert (stored.access_token, stored.access_expires_at) == ("act.newnewnew1", now + timedelta(days=15))
    assert (stored.refresh_token, stored.refresh_expires_at) == (kept, now + timedelta(days=days))
    assert (stored.scope, stored.renewals, stored.updated_at) == (scope, 2, now)


@pytest.mark.parametrize(
    ("renewals", "access_left", "refresh_left", "age", "due"),
    [
        (5, 14, 0.5, 2, True),  # the last refresh, as late as it may be
        (5, 14, 0.5, 0.5, False),  # it was made
        (5, 14, 1, 2, False),
        (5, 14, 0, 2, False),
        (5, 2, 0, 13, True),
        (4, 14, 0.5, 2, False),  # there will be another refresh token
        (4, 2.9, 0.5, 12.1, True),
        (4, 3, 20, 12, False),
        (4, 0.5, 20, 0.5, False),  # a platform with tokens of one day: a fifth of their life
        (4, 0.1, 20, 0.9, True),
    ],
)
def test_when_a_refresh_is_due(life, renewals: int, access_left: float, refresh_left: float, age: float, due: bool):
    def after(days: float):
        return life.start + timedelta(days=days)

    ends = {"access_expires_at": after(access_left), "refresh_expires_at": after(refresh_left)}
    token = replace(life.token, renewals=renewals, updated_at=after(-age), **ends)

    async def work() -> bool:
        async with life.client() as client:
            return client.tokens._refresh_due(token)

    assert asyncio.run(work()) is due


def test_renewals_used_up_elsewhere_may_be_known_at_the_second_try(life, make_settings, scripted):
    """Only a dead refresh token means a lost response then; the current one continues to work."""
    life.day(25.5)
    answers = iter(({"error_code": 28001005}, {"error_code": 10020}))
    refreshed = {"error_code": 0, "access_token": "act.newnewnew1", "expires_in": 15 * DAY_S}
    server = scripted(lambda request, n: say({"data": next(answers) if "renew" in request.target else refreshed}))
    settings = make_settings(base_url=server.url, clock=life.settings.clock)
    old = life.token

    async def work() -> str:
        async with DouyinClient(settings, life.state, settings.get_clock()) as client:
            return (await client.tokens.user_lease(life.open_id)).token

    assert asyncio.run(work()) == "act.newnewnew1"
    assert (life.token.refresh_token, life.token.renewals) == (old.refresh_token, 5)
    assert life.account.status is AccountStatus.ACTIVE


def test_a_client_that_outlives_its_apps_token_gets_another(make_settings, state, scripted):
    server = scripted(
        lambda request, n: say({"data": {"access_token": f"clt.token{n}xxxx", "expires_in": 7200, "error_code": 0}})
    )
    settings = make_settings(base_url=server.url)
    start = settings.get_clock().now()

    async def work() -> list[str]:
        async with DouyinClient(settings, state, settings.get_clock()) as client:
            tokens = []
            for minutes in (0, 119, 120, 121):
                now = start + timedelta(minutes=minutes)
                client.tokens._clock = type("Clock", (), {"now": lambda self, now=now: now})()
                tokens.append((await client.tokens.client_lease()).token)
            return tokens

    assert asyncio.run(work()) == ["clt.token0xxxx"] * 2 + ["clt.token1xxxx"] * 2
