"""The token manager over a consent's life, and beside other processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import children
import pytest
from patience import scaled
from sqlalchemy import select

from catalog import ENDPOINTS
from resources.client import DouyinClient
from resources.client.countdown import countdown
from resources.client.errors import ConsentNeeded, TransientFailure
from resources.state import State
from resources.state.accounts import AccountStatus, add_account, get_account
from resources.state.tables import user_tokens
from resources.state.tokens import UserToken, load_client_token, load_user_token, save_user_token

USER = ENDPOINTS["user_item"]
KEY = "sandbox-key"


class Life:
    """One account whose days pass for the sandbox and for us alike."""

    def __init__(self, make_settings, state: State, box) -> None:
        self._make, self.state, self.box = make_settings, state, box
        self.settings = make_settings(base_url=box.url)
        self.start = self.settings.get_clock().now()

        async def consent() -> str:
            async with self.client() as client:
                return await client.authorize(box.accounts()[0]["code"], name="甲")

        self.open_id = asyncio.run(consent())

    def client(self) -> DouyinClient:
        return DouyinClient(self.settings, self.state, self.settings.get_clock())

    def day(self, days: float) -> None:
        """Let it be so many days after the consent."""
        now = (self.start + timedelta(days=days)).isoformat()
        self.box.clock(now)
        self.settings = self._make(base_url=self.box.url, clock=now)

    def run(self):
        """Make one call in one run."""

        async def work():
            async with self.client() as client:
                return await client.fetch(USER, {"date_type": 7}, self.open_id)

        return asyncio.run(work())

    @property
    def token(self) -> UserToken:
        return load_user_token(self.state, KEY, self.open_id)

    @property
    def account(self):
        return get_account(self.state, KEY, self.open_id)

    def refreshes(self) -> tuple[int, int]:
        return self.box.calls("oauth_refresh_token"), self.box.calls("oauth_renew_refresh_token")

    def left(self):
        return countdown(self.state, KEY, self.settings.get_clock().now())[0]


@pytest.fixture
def life(make_settings, state, sandbox) -> Life:
    return Life(make_settings, state, sandbox)


def test_a_fresh_consent(life):
    left = life.left()
    assert (left.access_left, left.refresh_left, left.renewals_left) == (timedelta(days=15), timedelta(days=30), 5)
    assert left.consent_left == timedelta(days=30 + 5 * 25)
    assert life.account.name == "甲"
    assert "act." not in repr(life.token)
    assert "rft." not in repr(life.token)


def test_nothing_is_refreshed_early(life):
    life.day(11.9)
    life.run()
    assert life.refreshes() == (0, 0)


def test_the_access_token_is_refreshed_with_three_days_left(life):
    life.day(12.1)
    life.run()
    life.run()
    assert life.refreshes() == (1, 0)
    assert life.left().access_left == timedelta(days=15)
    assert life.left().refresh_left == timedelta(days=17.9)


def test_the_refresh_token_is_renewed_with_five_days_left_and_counted(life):
    old = life.token.refresh_token
    life.day(12.1)
    life.run()
    life.day(25.1)
    life.run()
    assert life.refreshes() == (2, 1)
    assert life.token.refresh_token != old
    assert (life.left().refresh_left, life.left().renewals_left) == (timedelta(days=30), 4)


@pytest.mark.slow
def test_a_consent_lives_as_long_as_it_can_and_then_says_so(life):
    """A run every third day: five renewals, a warning at the last one, and data until the last token ends."""
    last, warned = 0, None
    for day in range(0, 260, 3):
        life.day(day)
        try:
            life.run()
        except ConsentNeeded:
            break
        last = day
        if warned is None and life.account.reason:
            warned = (life.token.renewals, life.account.status, life.account.reason)
    assert life.box.calls("oauth_renew_refresh_token") == 5
    assert warned[:2] == (5, AccountStatus.ACTIVE)
    assert "authorise again before" in warned[2]
    assert last > 150
    assert life.account.status is AccountStatus.NEEDS_CONSENT
    calls = life.box.stats()["total"]
    with pytest.raises(ConsentNeeded) as raised:
        life.run()
    assert raised.value.calls == 0
    assert life.box.stats()["total"] == calls


def test_days_without_a_run_need_no_consent_while_the_refresh_token_lives(life):
    life.day(20)  # the access token expired five days ago
    life.run()
    assert life.refreshes() == (1, 0)


def test_a_refusal_ahead_of_time_marks_the_account_and_uses_up_the_token(life):
    life.day(12.5)
    life.box.fault("oauth_refresh_token", "private", code=10010, times=None)
    life.run()
    life.run()
    assert life.account.status is AccountStatus.NEEDS_CONSENT
    assert "10010" in life.account.reason
    assert life.refreshes() == (1, 0)
    life.day(15.1)
    with pytest.raises(ConsentNeeded):
        life.run()
    assert life.refreshes() == (1, 0)


def test_a_passing_failure_ahead_of_time_changes_nothing(life):
    life.day(12.5)
    life.box.fault("oauth_refresh_token", "busy", times=5)
    life.run()
    assert life.account.status is AccountStatus.ACTIVE
    assert life.refreshes() == (5, 0)
    life.run()
    assert life.refreshes() == (6, 0)
    assert life.left().access_left == timedelta(days=15)


@pytest.mark.parametrize("days", [15, 16])
def test_a_passing_failure_of_an_expired_token_is_transient(life, days: int):
    """At the instant of its end it is expired, too."""
    life.day(days)
    life.box.fault("oauth_refresh_token", "http_502", times=5)
    with pytest.raises(TransientFailure):
        life.run()
    assert life.account.status is AccountStatus.ACTIVE
    life.run()


def test_renewals_used_up_elsewhere(life):
    life.day(25.5)
    life.box.fault("oauth_renew_refresh_token", "private", code=10020, times=None)
    life.run()
    life.run()
    assert life.refreshes()[1] == 1
    assert life.left().renewals_left == 0
    assert life.account.status is AccountStatus.ACTIVE


def test_tokens_of_one_day_are_not_renewed_at_every_call(life):
    day = replace(life.token, access_expires_at=life.start + timedelta(days=1))
    save_user_token(life.state, KEY, day)
    life.run()
    assert life.refreshes() == (0, 0)


def test_the_new_token_is_stored_before_it_is_used(life, monkeypatch):
    """A crash right after the commit loses nothing: the state already holds what the platform now expects."""
    life.day(12.5)
    life.box.fault("user_item", "token_expired", times=1)

    async def die_on_use():
        async with life.client() as client:
            lease = await client.tokens.user_lease(life.open_id)
            fresh = await client.tokens.user_lease(life.open_id, lease)
            with life.state.read() as db:
                (stored,) = db.execute(select(user_tokens.c.access_token)).one()
            return life.state.vault.open(stored) == fresh.token

    assert asyncio.run(die_on_use())


def test_a_cancelled_run_keeps_the_token_that_is_on_its_way(make_settings, state, start_sandbox):
    """A renewal voids the old refresh token at once: dropping its response would lose the account."""
    life = Life(make_settings, state, start_sandbox(latency_ms=400))
    old = life.token.refresh_token
    life.day(25.5)

    async def work():
        async with life.client() as client:
            task = asyncio.create_task(client.fetch(USER, {"date_type": 7}, life.open_id))
            await asyncio.sleep(0.15)  # sent, and without a response yet
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(work())
    assert life.token.refresh_token != old
    assert life.token.renewals == 1
    life.run()
    assert life.refreshes()[1] == 1


def test_the_client_token_is_replaced_before_it_ends(make_settings, state, start_sandbox):
    sandbox = start_sandbox()  # its stable token begins now
    board = ENDPOINTS["billboard_stars"]

    def run(minutes: float) -> None:
        now = (make_settings().get_clock().now() + timedelta(minutes=minutes)).isoformat()
        sandbox.clock(now)
        settings = make_settings(base_url=sandbox.url, clock=now)

        async def work() -> None:
            async with DouyinClient(settings, state, settings.get_clock()) as client:
                await asyncio.gather(*(client.fetch(board, {}) for _ in range(5)))

        asyncio.run(work())

    fetched = []
    for minutes in (0, 100, 116, 121):
        run(minutes)
        fetched.append(sandbox.calls("oauth_stable_client_token"))
    assert fetched == [1, 1, 2, 3]  # at 116 the stable endpoint still returns the old one, at 121 a new one
    assert load_client_token(state, KEY).expires_at == make_settings().get_clock().now() + timedelta(minutes=241)


WORKER = """
import asyncio, sys
from catalog import ENDPOINTS
from apps.cli.simulation import SANDBOX_TOKEN_KEY
from resources.client import DouyinClient
from resources.config.settings import Settings
from resources.state import State

url, home, clock, *open_ids = sys.argv[1:]
settings = Settings(
    _env_file=None, home=home, base_url=url, client_key="sandbox-key", client_secret="sandbox-secret",
    token_key=SANDBOX_TOKEN_KEY,
    clock=clock, qps=1000, per_account=8, retry_base_s=0.01,
)
print("ready", flush=True)
sys.stdin.readline()

async def main():
    state = State(settings.database_url, settings.token_key.get_secret_value())
    async with DouyinClient(settings, state, settings.get_clock()) as client:
        ask = lambda o: client.fetch(ENDPOINTS["user_item"], {"date_type": 7}, o)
        await asyncio.gather(*(ask(o) for o in open_ids for _ in range(4)))

asyncio.run(main())
"""


@pytest.mark.slow
def test_processes_refresh_an_account_once(life):
    """Two processes, four tasks each, one expired token: one refresh. The sandbox is slow, so that all of them wait."""
    life.day(15.5)
    life.box.fault("oauth_refresh_token", "busy", times=1)
    words = [sys.executable, "-c", WORKER, life.box.url, str(life.settings.home), life.settings.clock, life.open_id]
    workers = [children.start(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    assert [worker.wait(timeout=scaled(20)) for worker in workers] == [0, 0]
    for worker in workers:
        worker.stdin.close()
        worker.stdout.close()
    assert life.refreshes() == (2, 0)  # one busy, one refresh
    assert life.box.calls("user_item") == 8


def test_clients_of_one_process_refresh_an_account_once(life):
    life.day(15.5)

    async def work():
        async with life.client() as one, life.client() as two:
            asks = (c.fetch(USER, {"date_type": 7}, life.open_id) for c in (one, two) for _ in range(3))
            await asyncio.gather(*asks)

    asyncio.run(work())
    assert life.refreshes() == (1, 0)


def test_accounts_known_by_token_only_are_added_when_they_fail(make_settings, state, sandbox):
    settings = make_settings(base_url=sandbox.url)
    now = settings.get_clock().now()
    token = UserToken(
        "ghost", "act.0123456789", now + timedelta(days=9), "rft.0123456789", now + timedelta(days=20), 0, "", now
    )
    save_user_token(state, KEY, token)

    async def work():
        async with DouyinClient(settings, state, settings.get_clock()) as client:
            await client.fetch(USER, {"date_type": 7}, "ghost")

    with pytest.raises(ConsentNeeded):
        asyncio.run(work())
    assert get_account(state, KEY, "ghost").status is AccountStatus.NEEDS_CONSENT


def test_countdown_puts_the_most_urgent_first(state, now):
    for open_id, days, renewals in (("late", 20, 0), ("soon", 3, 5), ("middle", 3, 4)):
        add_account(state, KEY, open_id, name=None, now=now)
        at = now + timedelta(days=days)
        save_user_token(state, KEY, UserToken(open_id, "act.x", at, "rft.x", at, renewals, "", now))
    add_account(state, KEY, "never", name=None, now=now)
    assert [c.account.open_id for c in countdown(state, KEY, now)] == ["never", "soon", "middle", "late"]
