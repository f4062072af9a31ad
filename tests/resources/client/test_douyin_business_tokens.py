"""Business tokens 经营授权 over their life: fetched when first needed, refreshed ahead of time, one for all calls."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from test_douyin_client import WINDOW
from test_douyin_tokens import KEY, Life

from catalog import ENDPOINTS
from resources.client.errors import AccountStopped
from resources.state import tokens as token_state
from resources.state.accounts import AccountStatus
from resources.state.tokens import load_business_token

BUSINESS = ENDPOINTS["user_fans_bc"]


class BusinessLife(Life):
    """An account that gave a business consent, too."""

    def ask(self, *, clients: int = 1, calls: int = 1) -> None:
        """One run of several clients with several calls each, all at once."""

        async def calls_of(client) -> None:
            async with client:
                await asyncio.gather(*(client.fetch(BUSINESS, WINDOW, self.open_id) for _ in range(calls)))

        async def work() -> None:
            await asyncio.gather(*(calls_of(self.client()) for _ in range(clients)))

        asyncio.run(work())

    def fetched(self) -> tuple[int, int]:
        """How many business tokens were fetched, and how many of them were refreshed later."""
        return self.box.calls("oauth_business_token"), self.box.calls("oauth_refresh_biz_token")

    @property
    def business(self):
        return load_business_token(self.state, KEY, self.open_id)


@pytest.fixture
def life(make_settings, state, sandbox) -> BusinessLife:
    return BusinessLife(make_settings, state, sandbox)


def test_it_is_fetched_when_first_needed_and_kept_with_its_ends(life):
    assert life.business is None
    assert life.fetched() == (0, 0)
    life.ask(calls=5)
    assert life.fetched() == (1, 0)
    assert life.business.access_token.startswith("bus_act.")
    assert life.business.refresh_token.startswith("bus_rft.")
    assert life.business.access_expires_at == life.start + timedelta(days=30)
    assert life.business.refresh_expires_at == life.start + timedelta(days=365)
    life.ask(clients=2, calls=3)
    assert life.fetched() == (1, 0)


def test_calls_that_waited_for_it_do_not_read_the_state_again(life, monkeypatch):
    read, load = [], token_state.load_business_token
    monkeypatch.setattr(token_state, "load_business_token", lambda *a: (read.append(a), load(*a))[1])
    life.ask(calls=5)
    assert len(read) == 1


def test_it_is_refreshed_once_with_less_than_three_days_left(life):
    life.ask()
    life.day(27)
    life.ask()
    assert life.fetched() == (1, 0)
    old = life.business
    life.day(27.01)
    life.ask(clients=2, calls=3)
    assert life.fetched() == (1, 1)
    assert life.business.access_token != old.access_token
    assert life.business.access_expires_at == life.start + timedelta(days=57.01)


def test_a_client_that_outlives_its_token_refreshes_it_in_time(life):
    """The clock of one client moves, too: its cached token is checked at every call."""

    async def work() -> list[tuple[int, int]]:
        async with life.client() as client:
            seen = []
            for days in (0, 27, 27.01, 27.02):
                now = life.start + timedelta(days=days)
                life.box.clock(now.isoformat())
                client.tokens._clock = type("Clock", (), {"now": lambda self, now=now: now})()
                await client.fetch(BUSINESS, WINDOW, life.open_id)
                seen.append(life.fetched())
            return seen

    assert asyncio.run(work()) == [(1, 0), (1, 0), (1, 1), (1, 1)]


@pytest.mark.parametrize(("days", "fetched"), [(364.9, (1, 1)), (365, (2, 0)), (400, (2, 0))])
def test_a_refresh_token_at_its_end_is_not_sent_but_replaced(life, days: float, fetched: tuple[int, int]):
    life.ask()
    life.day(days)
    life.ask()
    assert life.fetched() == fetched


def test_a_refused_refresh_is_followed_by_a_new_token(life):
    life.ask()
    old = life.business
    life.day(28)
    life.box.fault("oauth_refresh_biz_token", "private", code=10010, times=1)
    life.ask()
    assert life.fetched() == (2, 1)
    assert life.business.refresh_token != old.refresh_token
    assert life.account.status is AccountStatus.ACTIVE


def test_a_refused_business_token_is_replaced_once_for_all_calls(life):
    life.ask()
    life.box.fault(BUSINESS.name, "token_expired", times=1)
    life.ask(calls=4)
    assert life.fetched() == (1, 1)


def test_what_another_client_has_replaced_is_taken_from_the_state(life):
    async def work() -> None:
        async with life.client() as one, life.client() as two:
            first = await one.tokens.business_lease(life.open_id)
            second = await two.tokens.business_lease(life.open_id)
            assert second.token == first.token
            fresh = await one.tokens.business_lease(life.open_id, first)
            assert fresh.token != first.token
            assert (await two.tokens.business_lease(life.open_id, second)).token == fresh.token
            assert (await one.tokens.business_lease(life.open_id, first)).token == fresh.token

    asyncio.run(work())
    assert life.fetched() == (1, 1)


def test_a_withdrawn_account_has_no_token_until_it_consents_again(life):
    async def work() -> tuple[int, int]:
        async with life.client() as client:
            keeper = client.tokens
            old = [(await keeper.user_lease(life.open_id)).token, (await keeper.business_lease(life.open_id)).token]
            await keeper.withdraw(life.open_id, "gone")
            for lease in (keeper.user_lease, keeper.business_lease):
                with pytest.raises(AccountStopped, match="gone"):
                    await lease(life.open_id)
            assert life.token is None
            assert life.business is None
            await client.authorize(life.box.accounts()[0]["code"])
            new = [(await keeper.user_lease(life.open_id)).token, (await keeper.business_lease(life.open_id)).token]
            assert not set(old) & set(new)
            return life.fetched()

    assert asyncio.run(work()) == (2, 0)
