"""Two processes refresh and renew the same account's tokens, round after round, under faults and delays.

A renewal voids the refresh token that it sends: one that is presented twice, or whose successor is not stored, ends the
account's consent. The sandbox counts its refusals, so a round with either error is detected at once.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import children
import httpx
import pytest
from patience import scaled

from catalog import ENDPOINTS
from resources.client import DouyinClient
from resources.state.accounts import AccountStatus, get_account
from resources.state.tokens import load_user_token

KEY = "sandbox-key"
FANS = ENDPOINTS["user_fans"]
REFRESH, RENEW = "oauth_refresh_token", "oauth_renew_refresh_token"
DEAD = "10010"
CALLS = 4
"""Calls of each process in a round."""
TIMEOUT_S = 2.5
"""Short, and yet longer than a busy machine delays a response: a renewal that we give up loses the account."""
TRIES = 5

WORKER = """
import asyncio, sys
from datetime import datetime
from catalog import ENDPOINTS
from apps.cli.simulation import SANDBOX_TOKEN_KEY
from resources.config.clock import Clock
from resources.client import DouyinClient
from resources.config.settings import Settings
from resources.state import State

url, home, open_id, calls, timeout_s = sys.argv[1:]
settings = Settings(
    _env_file=None, home=home, base_url=url, client_key="sandbox-key", client_secret="sandbox-secret",
    token_key=SANDBOX_TOKEN_KEY,
    qps=1000, per_account=8, retry_base_s=0.01, timeout_s=float(timeout_s),
)
now = [datetime.fromisoformat("2026-11-16T11:00:00+08:00")]

async def main():
    state = State(settings.database_url, settings.token_key.get_secret_value())
    async with DouyinClient(settings, state, Clock(lambda: now[0])) as client:
        print("ready", flush=True)
        while (line := await asyncio.to_thread(sys.stdin.readline)).strip():
            _, instant, delay = line.split()
            now[0] = datetime.fromisoformat(instant)
            client.tokens._retry_after.clear()  # patience is counted in real time, and between rounds days pass
            await asyncio.sleep(float(delay))
            requested = (client.fetch(ENDPOINTS["user_fans"], {"date_type": 7}, open_id) for _ in range(int(calls)))
            done = await asyncio.gather(*requested, return_exceptions=True)
            problems = [a for a in done if isinstance(a, BaseException)]
            if problems:
                print("error", *(f"{type(p).__name__}: {p}".replace("\\n", " ") for p in problems), flush=True)
            else:
                # The generation counts the refreshes that were made by this process.
                print("ok", (await client.tokens.user_lease(open_id)).generation, flush=True)

asyncio.run(main())
"""


@dataclass
class Consent:
    """What the account's tokens must be by the platform's rules: ends in days since the start."""

    day: float
    access_end: float = field(init=False)
    refresh_end: float = field(init=False)
    renewals: int = 0

    def __post_init__(self) -> None:
        self.access_end, self.refresh_end = self.day + 15, self.day + 30

    def next_step(self, rng: random.Random) -> float | None:
        """Days until the next round; None where the owner must authorise again first."""
        margin = self.refresh_end - self.day
        # The last day of a refresh token that cannot be renewed has a rule of its own: see test_douyin_tokens.
        limit = margin - (0.2 if self.renewals < 5 else 1.2)
        if self.renewals == 0 and self.access_end == self.day + 15 == self.refresh_end - 15:
            return rng.uniform(12.1, 16.5)  # the processes still use the token of the former consent, until it is due
        step = rng.uniform(*rng.choice(((0.2, 4), (12.1, 14.9), (12.1, 14.9), (12.1, 14.9), (15.1, 16.5))))
        if step <= limit:
            return step
        return None if self.renewals == 5 else rng.uniform(max(0.2, margin - 4.9), limit)


@dataclass
class Tally:
    """What the sandbox observed over all rounds."""

    rounds: int = 0
    refreshes: int = 0
    renewals: int = 0
    consents: int = 1
    lost: int = 0
    dead: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    by_worker: list[int] = field(default_factory=lambda: [0, 0])


class Race:
    """Two workers beside each other, one account, one sandbox; the days pass for all of them."""

    def __init__(self, settings, state, box) -> None:
        self.settings, self.state, self.box = settings, state, box
        self.start = settings.get_clock().now()
        self.open_id = self.authorize(0)
        words = [sys.executable, "-c", WORKER, box.url, str(settings.home), self.open_id, str(CALLS), str(TIMEOUT_S)]
        self.workers = [
            children.start(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) for _ in range(2)
        ]
        for worker in self.workers:
            assert worker.stdout.readline() == "ready\n"

    def instant(self, day: float) -> datetime:
        return self.start + timedelta(days=day)

    def authorize(self, day: float) -> str:
        """The owner consents, again or for the first time."""
        now = self.instant(day).isoformat()
        self.box.clock(now)
        settings = self.settings.model_copy(update={"clock": now})

        async def consent() -> str:
            async with DouyinClient(settings, self.state, settings.get_clock()) as client:
                return await client.authorize(self.box.accounts()[0]["code"])

        return asyncio.run(consent())

    def round(self, day: float, delays: tuple[float, float] = (0, 0)) -> list[str]:
        """Run both processes at once; return the output of each."""
        self.box.clock(self.instant(day).isoformat())
        for worker, delay in zip(self.workers, delays, strict=True):
            worker.stdin.write(f"round {self.instant(day).isoformat()} {delay:.4f}\n")
            worker.stdin.flush()
        return [worker.stdout.readline().strip() for worker in self.workers]

    def order(self, faults: list[dict]) -> None:
        assert self.box.control.post(f"{self.box.url}/_sandbox/faults", json=faults).status_code == 200

    def codes(self, operation: str) -> dict[str, int]:
        return self.box.stats()["operations"].get(operation, {"codes": {}})["codes"]

    @property
    def token(self):
        return load_user_token(self.state, KEY, self.open_id)

    @property
    def account(self):
        return get_account(self.state, KEY, self.open_id)

    def close(self) -> None:
        for worker in self.workers:
            worker.stdin.close()
        for worker in self.workers:
            try:
                worker.wait(timeout=scaled(20))
            finally:
                children.end(worker)


@pytest.fixture
def race(make_settings, state, start_sandbox) -> Iterator[Race]:
    box = start_sandbox(accounts=1, latency_ms=4)
    running = Race(make_settings(base_url=box.url, timeout_s=TIMEOUT_S), state, box)
    yield running
    running.close()


def refusal(rng: random.Random) -> dict:
    """Return a fault by which nothing is executed: refused by the platform, or the connection hangs and is cut."""
    kind = rng.choice(("busy", "http_502", "too_frequent", "timeout"))
    return {"kind": kind, "seconds": rng.uniform(0.01, 0.08)} if kind == "timeout" else {"kind": kind}


def loss(rng: random.Random) -> dict:
    """Return a fault by which the platform executes the request and the response is lost."""
    return {"kind": rng.choice(("late", "cut", "truncated_json"))}


def slow(rng: random.Random) -> dict:
    return {"kind": "slow", "seconds": rng.uniform(0.005, 0.08)}


def troubles(rng: random.Random, number: int, *, spare: bool) -> dict[str, list[dict]]:
    """Return the faults of a round.

    With ``spare`` there may be more faults than one process has tries for: the other one must do the work.
    """
    most = 2 * TRIES - 2 if spare and rng.random() < 0.1 else TRIES - 1
    refresh = [loss(rng) if rng.random() < 0.35 else refusal(rng) for _ in range(rng.choice((0, 1, 1, 2, most)))]
    # A lost response of a renewal is a lost account: see test_a_renewal_whose_answer_is_lost.
    renew = [refusal(rng) for _ in range(rng.choice((0, 1, 2, most)))]
    for orders, turn in ((refresh, 10), (renew, 25)):
        if number % 40 == turn:
            orders[:1] = [{"kind": "timeout"}]  # until the client gives up
        if rng.random() < 0.5:
            orders.append(slow(rng))  # the last one: it gets a response
    return {REFRESH: refresh, RENEW: renew}


def run_rounds(race: Race, rounds: int, seed: int, say: Callable[[str], None]) -> Tally:
    rng, consent, tally, generations = random.Random(seed), Consent(0), Tally(), [0, 0]
    began = time.monotonic()
    for number in range(1, rounds + 1):
        while (step := consent.next_step(rng)) is None:
            race.authorize(consent.day)
            consent, tally.consents = Consent(consent.day), tally.consents + 1
        consent.day = day = consent.day + step
        due, renewal_due = consent.access_end - day < 3, consent.renewals < 5 and consent.refresh_end - day < 5
        valid = consent.access_end > day
        ordered = troubles(rng, number, spare=due and valid)
        if not renewal_due:
            ordered[RENEW] = []
        race.box.reset(race.instant(day).isoformat())
        race.order([{"operation": operation, **order} for operation, orders in ordered.items() for order in orders])
        fans = [{**slow(rng), "after": rng.randrange(2 * CALLS)} for _ in range(rng.randrange(3))]
        if not due:
            fans.insert(0, {"kind": "token_expired", "after": rng.randrange(2 * CALLS)})  # dead before its time
        race.order([{"operation": FANS.name, **order} for order in fans])

        said = race.round(day, (rng.uniform(0, 0.06), rng.uniform(0, 0.06)))

        place = f"round {number}, day {day:.1f}, due {due}, renewal {renewal_due}, valid {valid}, {ordered}: {said}"
        assert [s.split()[0] for s in said] == ["ok", "ok"], place
        operations = race.box.stats()["operations"]
        none = {"requests": 0, "codes": {}, "faults": {}}
        refreshes, renewals = operations.get(REFRESH, none), operations.get(RENEW, none)
        lost = sum(refreshes["faults"].get(kind, 0) for kind in ("late", "cut", "truncated_json"))
        dead = refreshes["codes"].get(DEAD, 0) + renewals["codes"].get(DEAD, 0)
        assert dead == 0, place
        assert refreshes["codes"].get("0", 0) - lost == 1, f"{place}: {refreshes}"
        assert renewals["codes"].get("0", 0) == renewal_due, f"{place}: {renewals}"
        for operation, orders in ordered.items():
            assert sum(operations.get(operation, none)["faults"].values()) == len(orders), place

        consent.access_end = day + 15
        if renewal_due:
            consent.refresh_end, consent.renewals = day + 30, consent.renewals + 1
        token = race.token
        if not due:  # a process that missed the dead token notices it now, and refreshes nothing
            assert [s.split()[0] for s in race.round(day)] == ["ok", "ok"], place
            assert race.box.calls(REFRESH) == refreshes["requests"], place
        assert race.account.status is AccountStatus.ACTIVE, place
        assert token.renewals == consent.renewals <= 5, place
        assert abs(token.refresh_expires_at - race.instant(consent.refresh_end)) < timedelta(minutes=1), place
        assert abs(token.access_expires_at - race.instant(consent.access_end)) < timedelta(minutes=1), place

        tally.rounds += 1
        tally.refreshes += 1
        tally.renewals += renewal_due
        tally.lost += lost
        tally.dead += dead
        tally.faults.update(
            kind for seen in operations.values() for kind, times in seen["faults"].items() for _ in range(times)
        )
        for which, text in enumerate(said):
            now = int(text.split()[1])
            tally.by_worker[which] += now - generations[which]
            generations[which] = now
    took = time.monotonic() - began
    say(
        f"\n{tally.rounds} rounds in {took:.1f} s: {tally.refreshes} refreshes ({tally.by_worker[0]} + "
        f"{tally.by_worker[1]} by process), "
        f"{tally.renewals} renewals, {tally.consents} consents, {tally.faults.total()} faults "
        f"{dict(sorted(tally.faults.items()))}, "
        f"{tally.lost} answers lost, {tally.dead} double uses"
    )
    return tally


def check_stored_token(race: Race) -> None:
    """Check that the stored token is the sandbox's current one."""
    race.box.reset(race.box.control.get(f"{race.box.url}/_sandbox/clock").json()["now"])
    token = race.token
    with httpx.Client(base_url=race.box.url, trust_env=False) as http:
        requested = {"open_id": race.open_id, "date_type": 7}
        answer = http.get(FANS.path, params=requested, headers={"access-token": token.access_token}).json()
        assert int(answer["data"]["error_code"]) == 0
        form = {"client_key": KEY, "grant_type": "refresh_token", "refresh_token": token.refresh_token}
        data = http.post("/oauth/refresh_token/", data=form).json()["data"]
        assert (int(data["error_code"]), data["refresh_token"]) == (0, token.refresh_token)
        assert data["access_token"] == token.access_token


@pytest.mark.parametrize("rounds", [20, pytest.param(500, marks=pytest.mark.slow)])
def test_two_processes_never_lose_or_double_use_a_refresh_token(race, rounds, capsys):
    def say(text: str) -> None:
        with capsys.disabled():
            print(text)

    tally = run_rounds(race, rounds, seed=20261116, say=say if rounds > 100 else print)
    check_stored_token(race)
    assert tally.renewals >= rounds / 4
    assert tally.consents > rounds / 20
    assert min(tally.by_worker) > rounds / 8, "one process did nearly all of the work: that is no race"
    assert sum(tally.by_worker) == rounds


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["late", "cut"])
def test_a_renewal_whose_answer_is_lost(race, kind):
    """The old refresh token is dead and the new one was lost.

    The platform offers no way back, so consent is requested at once.
    """
    race.round(12.5)
    race.round(24.9)  # due for renewal from day 25 on
    race.box.reset(race.instant(25.5).isoformat())
    race.box.fault(RENEW, kind)
    assert [s.split()[0] for s in race.round(25.5)] == ["ok", "ok"]  # the access token has days left
    assert race.account.status is AccountStatus.NEEDS_CONSENT
    assert "its renewal" in race.account.reason
    assert "lost" in race.account.reason
    assert DEAD in race.account.reason
    race.round(26)
    # one more attempt confirms the loss; then no process ever tries again
    assert race.codes(RENEW) == {"0": 1, DEAD: 1}
    assert race.codes(REFRESH) == {}

    said = race.round(41)
    assert all(s.startswith("error ConsentNeeded") and "authorise again" in s for s in said)
    assert race.codes(REFRESH) == {}

    race.authorize(41)
    settings = race.settings.model_copy(update={"clock": race.instant(41).isoformat()})

    async def next_run() -> None:
        async with DouyinClient(settings, race.state, settings.get_clock()) as client:
            await client.fetch(FANS, {"date_type": 7}, race.open_id)

    asyncio.run(next_run())
    assert race.account.status is AccountStatus.ACTIVE
    assert race.token.renewals == 0


# ---------------------------------------------------------------------- within one process


@pytest.fixture
def aged(make_settings, state, sandbox):
    """A client factory for an account whose tokens are so many days old: ``aged(12.5)`` gives (client, open_id)."""
    settings = make_settings(base_url=sandbox.url)
    start = settings.get_clock().now()

    async def consent() -> str:
        async with DouyinClient(settings, state, settings.get_clock()) as client:
            return await client.authorize(sandbox.accounts()[0]["code"])

    open_id = asyncio.run(consent())

    def client(days: float) -> tuple[DouyinClient, str]:
        now = (start + timedelta(days=days)).isoformat()
        sandbox.clock(now)
        later = settings.model_copy(update={"clock": now})
        return DouyinClient(later, state, later.get_clock()), open_id

    return client


async def ask_often(entering: DouyinClient, open_id: str) -> None:
    async with entering as client:
        for _ in range(2):
            await asyncio.gather(*(client.fetch(FANS, {"date_type": 7}, open_id) for _ in range(4)))


def test_calls_that_waited_do_not_repeat_a_refresh_that_just_failed(aged, sandbox):
    """Hundreds of calls may wait for one token.

    One after the other, each with its own tries and back-off, they would wait for hours.
    """
    client, open_id = aged(12.5)
    sandbox.fault(REFRESH, "busy", times=None)
    asyncio.run(ask_often(client, open_id))
    assert sandbox.calls(REFRESH) == TRIES
    assert sandbox.calls("user_fans") == 8


def test_a_renewal_that_fails_is_not_tried_by_every_call(aged, sandbox):
    client, open_id = aged(12.5)
    asyncio.run(ask_often(client, open_id))
    client, open_id = aged(25.5)
    sandbox.fault(RENEW, "http_502", times=None)
    asyncio.run(ask_often(client, open_id))
    assert (sandbox.calls(RENEW), sandbox.calls(REFRESH)) == (TRIES, 2)


def test_voiding_a_token_does_not_bring_back_a_renewed_one(aged, sandbox, state, monkeypatch):
    """Voiding reads, changes and stores: a renewal by another process between these steps must not be overwritten."""
    client, open_id = aged(12.5)
    asyncio.run(ask_often(client, open_id))
    one, two = aged(25.5)[0], aged(25.5)[0]

    async def work() -> None:
        async with one as renewing, two as refused:
            store = refused.tokens._store

            async def store_late(token) -> None:
                await asyncio.sleep(0.3)
                await store(token)

            monkeypatch.setattr(refused.tokens, "_store", store_late)
            voiding = asyncio.create_task(refused.tokens.void(open_id))
            await asyncio.sleep(0.1)
            await renewing.tokens.user_lease(open_id)
            await voiding

    asyncio.run(work())
    token = load_user_token(state, KEY, open_id)
    assert (token.renewals, sandbox.calls(RENEW)) == (1, 1)
    form = {"client_key": KEY, "grant_type": "refresh_token", "refresh_token": token.refresh_token}
    answer = sandbox.control.post(f"{sandbox.url}/oauth/refresh_token/", data=form).json()
    assert int(answer["data"]["error_code"]) == 0
