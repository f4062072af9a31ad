"""Rate, concurrency and waiting, as the platform observes them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from itertools import cycle, islice
from types import SimpleNamespace

import children
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import say
from patience import scaled

from catalog import ENDPOINTS
from catalog.errors import Action, ErrorCode, error_for
from resources.client import DouyinClient
from resources.client.errors import QuotaExhausted
from resources.client.limits import Limiter
from resources.client.retry import TOO_FREQUENT, wait_before_retry
from resources.config.settings_parts import ScopeLimit
from resources.state.limits import quota_day

BOARD, WORDS = ENDPOINTS["billboard_stars"], ENDPOINTS["hotsearch_sentences"]
TOKEN = {"data": {"access_token": "clt.abcdefgh12345678", "expires_in": 7200, "error_code": 0}}
GOOD = {"data": {"list": [], "error_code": 0}}


def run(settings, state, work):
    async def whole():
        async with DouyinClient(settings, state, settings.get_clock()) as client:
            return await work(client)

    return asyncio.run(whole())


def test_the_rate_is_kept(make_settings, state, start_sandbox):
    box = start_sandbox()
    settings = make_settings(base_url=box.url, qps=200)
    run(settings, state, lambda client: asyncio.gather(*(client.fetch(BOARD, {}) for _ in range(300))))
    assert box.calls(BOARD.name) == 300
    # Requests leave at their slots; what arrives within a second may shift by the machine's jitter.
    assert box.stats()["max_per_second"][BOARD.scope] <= 210


WORKER = """
import asyncio, sys
from catalog import ENDPOINTS
from apps.cli.simulation import SANDBOX_TOKEN_KEY
from resources.client import DouyinClient
from resources.client.errors import QuotaExhausted
from resources.config.settings import Settings
from resources.state import State

url, home, count = sys.argv[1:]
settings = Settings(
    _env_file=None, home=home, base_url=url, client_key="sandbox-key", client_secret="sandbox-secret",
    token_key=SANDBOX_TOKEN_KEY,
    clock="2026-11-16T11:00:00+08:00", qps=50, retry_base_s=0.01,
)
print("ready", flush=True)
sys.stdin.readline()

async def main():
    state = State(settings.database_url, settings.token_key.get_secret_value())
    async with DouyinClient(settings, state, settings.get_clock()) as client:
        await asyncio.gather(*(client.fetch(ENDPOINTS["billboard_stars"], {}) for _ in range(int(count))))

asyncio.run(main())
"""


@pytest.mark.slow
def test_processes_share_one_rate(make_settings, start_sandbox):
    box = start_sandbox()
    home = make_settings().home
    words = [sys.executable, "-c", WORKER, box.url, str(home), "45"]
    workers = [children.start(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    assert [worker.wait(timeout=scaled(60)) for worker in workers] == [0, 0]
    for worker in workers:
        worker.stdin.close()
        worker.stdout.close()
    assert box.calls("billboard_stars") == 90
    assert box.stats()["max_per_second"][BOARD.scope] <= 55
    assert box.calls("oauth_stable_client_token") == 1


def test_calls_in_flight_are_limited_overall_and_per_account(make_settings, state, scripted):
    flying, most = {}, {}

    server = scripted(lambda request, n: say(TOKEN) if "oauth" in request.target else say(GOOD, wait_s=0.03))
    settings = make_settings(base_url=server.url, concurrency=4)

    async def work(client):
        limiter = client._limiter

        async def one(open_id: str) -> None:
            async with limiter.permit("s", open_id):
                for key in (open_id, "all"):
                    flying[key] = flying.get(key, 0) + 1
                    most[key] = max(most.get(key, 0), flying[key])
                await asyncio.sleep(0.005)
                for key in (open_id, "all"):
                    flying[key] -= 1

        await asyncio.gather(*(one(f"o{n % 6}") for n in range(40)), *(client.fetch(BOARD, {}) for _ in range(12)))

    run(settings, state, work)
    assert most.pop("all") <= 4
    assert set(most.values()) == {1}
    assert server.connections <= 4


def test_a_slow_scope_does_not_hold_up_a_fast_one(make_settings, state, scripted):
    server = scripted(lambda request, n: say(TOKEN if "oauth" in request.target else GOOD))
    settings = make_settings(base_url=server.url, concurrency=2, limits={BOARD.scope: ScopeLimit(qps=5)})

    async def work(client):
        slow = [asyncio.create_task(client.fetch(BOARD, {})) for _ in range(20)]
        await asyncio.sleep(0.05)
        started = time.monotonic()
        await asyncio.gather(*(client.fetch(WORDS, {}) for _ in range(30)))
        took = time.monotonic() - started
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return took

    assert run(settings, state, work) < 2.5, "the slow scope's own calls take four seconds"


def test_cancelled_callers_leave_nothing_reserved(make_settings, state, scripted):
    server = scripted(lambda request, n: say(TOKEN) if "oauth" in request.target else say(GOOD, wait_s=0.05))
    settings = make_settings(base_url=server.url, concurrency=2)

    async def work(client):
        await client.fetch(WORDS, {})
        for _ in range(5):
            tasks = [asyncio.create_task(client.fetch(BOARD, {})) for _ in range(6)]
            await asyncio.sleep(0.02)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return await asyncio.wait_for(asyncio.gather(*(client.fetch(BOARD, {}) for _ in range(4))), 3)

    assert len(run(settings, state, work)) == 4


def test_a_call_that_is_refused_late_leaves_its_place_to_others(make_settings, state):
    """Its slot passed while it waited for a permit; before the next slot the call became forbidden."""
    settings = make_settings(concurrency=1, qps=200)

    async def work(client):
        limiter, refused = client._limiter, False

        def check() -> None:
            if refused:
                raise QuotaExhausted(Action.QUOTA, None, "known meanwhile")

        async def late() -> None:
            async with limiter.permit("late", check=check):
                raise AssertionError("it was to be refused")

        async with limiter.permit("s"):
            waiting = asyncio.create_task(late())
            await asyncio.sleep(0.1)
            assert limiter._flying.locked()
            refused = True
        with pytest.raises(QuotaExhausted, match="known meanwhile"):
            await waiting
        lane = limiter._lane("late")
        assert (lane.waiting, lane.credits, lane.head.locked()) == (0, 1, False), (
            "it waits no more, and its counted call is there for the next one"
        )
        async with asyncio.timeout(5), limiter.permit("late"):
            return limiter._flying.locked()

    assert run(settings, state, work)


def test_a_call_that_is_refused_at_its_slot_leaves_the_slot_to_others(make_settings, state):
    settings = make_settings()

    async def work(client):
        limiter, requested = client._limiter, iter((False, True))

        def check() -> None:
            if next(requested):
                raise QuotaExhausted(Action.QUOTA, None, "known meanwhile")

        lane = limiter._lane("s")
        slot = time.time() + 0.05
        lane.day, lane.credits = settings.get_clock().today(), 1
        lane.slots.append(slot)
        with pytest.raises(QuotaExhausted, match="known meanwhile"):
            async with limiter.permit("s", check=check):
                pass
        return slot, list(lane.slots), lane.credits

    slot, left, credits = run(settings, state, work)
    assert (left, credits) == ([slot], 1)


def test_too_frequent_eases_the_rate_for_seconds_only(make_settings, state, sandbox):
    sandbox.fault("billboard_stars", "too_frequent", times=2)

    async def work(client):
        await client.fetch(BOARD, {})
        lane = client._limiter._lane(BOARD.scope)
        eased = lane.factor()
        lane.eased_at -= 60
        return eased, lane.factor()

    eased, later = run(make_settings(base_url=sandbox.url), state, work)
    assert 0.75 < eased < 0.9
    assert later == 1.0


@pytest.mark.parametrize("waiting", [(40,), (1,), (40, 3, 40, 40, 2)])
@pytest.mark.parametrize(("rate", "together"), [(200, 4), (1000, 10), (30, 1)])
def test_no_second_sees_more_departures_than_the_limit(make_settings, state, waiting, rate, together):
    """For any number of waiting calls when slots are reserved, also in two processes at a time."""
    departures, groups = [], set()
    settings = make_settings(qps=rate)

    async def work(client):
        limiters = [client._limiter, Limiter(settings, state, settings.get_clock(), client._background)]
        for n, many in enumerate(islice(cycle(waiting), 250)):
            lane = limiters[n % 2]._lane("s")
            lane.waiting = many
            await limiters[n % 2]._reserve(lane)
            departures.extend(lane.slots)
            groups.update(Counter(lane.slots).values())
            lane.slots.clear()

    run(settings, state, work)
    assert groups == ({1} if max(waiting) < together else {together} if min(waiting) >= together else {1, together})
    departures.sort()
    assert min((b - a for a, b in zip(departures, departures[rate:], strict=False))) >= 1 - 1e-6


def test_a_call_that_is_counted_gets_another_slot_for_one_that_it_missed(make_settings, state):
    """Also after the day's quota is used up."""
    settings = make_settings(qps=200, limits={BOARD.scope: ScopeLimit(qps=200, per_day=2)})

    async def work(client):
        async def one() -> bool:
            try:
                async with client._limiter.permit(BOARD.scope):
                    return True
            except QuotaExhausted:
                return False

        first = await one()
        lane = client._limiter._lane(BOARD.scope)
        lane.waiting = 5
        await client._limiter._reserve(lane)
        lane.waiting = 0
        lane.slots.clear()
        async with lane.head:  # so that all three are waiting when slots are reserved
            three = [asyncio.create_task(one()) for _ in range(3)]
            await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            return [first, *await asyncio.gather(*three)]

    assert run(settings, state, work) == [True, True, False, False]


def test_the_state_database_is_written_rarely(make_settings, state, sandbox, monkeypatch):
    from resources.client import limits

    reserved = []
    original = limits.reserve
    monkeypatch.setattr(limits, "reserve", lambda *a, **k: (reserved.append(k["slots"]), original(*a, **k))[1])
    settings = make_settings(base_url=sandbox.url, qps=400)
    run(settings, state, lambda client: asyncio.gather(*(client.fetch(BOARD, {}) for _ in range(200))))
    assert len(reserved) < 30, reserved


def test_calls_that_are_counted_and_never_made_come_back_at_midnight_and_at_the_end(make_settings, state):
    settings = make_settings(limits={BOARD.scope: ScopeLimit(qps=200, per_day=10)})
    clock = settings.get_clock()
    days = [clock.today(), clock.today() + timedelta(days=1)]
    key = settings.client_key

    def counted() -> list[int]:
        return [quota_day(state, key, BOARD.scope, day).calls for day in days]

    async def work(client):
        today = days[0]
        moving = SimpleNamespace(today=lambda: today, now=clock.now)
        limiter = Limiter(settings, state, moving, client._background)
        lane = limiter._lane(BOARD.scope)
        lane.waiting = 4
        async with limiter.permit(BOARD.scope):
            seen = [counted()]
        lane.waiting, today = 2, days[1]
        async with limiter.permit(BOARD.scope):
            seen.append(counted())
        await limiter.close()
        return [*seen, counted()]

    assert run(settings, state, work) == [[5, 0], [1, 3], [1, 1]]


def test_a_permit_is_what_began_with_it(make_settings, state):
    async def work(client):
        async def begin() -> str:
            return "begun"

        async with client._limiter.permit("s", begin=begin) as begun, client._limiter.permit("s") as nothing:
            return begun, nothing

    assert run(make_settings(), state, work) == ("begun", None)


def test_after_the_platform_s_word_not_even_counted_calls_are_made(make_settings, state):
    async def work(client):
        limiter = client._limiter
        lane = limiter._lane("s")
        lane.waiting = 4
        async with limiter.permit("s"):
            pass
        assert lane.credits == 4
        await limiter.exhaust("s")
        async with asyncio.timeout(5):
            with pytest.raises(QuotaExhausted, match="are used up"):
                async with limiter.permit("s"):
                    pass
        return lane.waiting, len(lane.slots)

    assert run(make_settings(), state, work) == (4, 0)


# ---------------------------------------------------------------- waiting

DRAW = st.floats(0, 1)


@given(st.integers(1, 20), st.floats(0, 5), DRAW, st.sampled_from([10001, 28001052, 28003018, 99999999]))
def test_waits_are_bounded(calls, base_s, draw, code):
    wait = wait_before_retry(error_for(code), calls, base_s, lambda: draw)
    longest = base_s * 120 if code == 28001052 else 60
    assert wait is None or 0 <= wait <= longest


@pytest.mark.parametrize(
    ("code", "tries"),
    [(10001, 5), (TOO_FREQUENT, 5), (2111002, 3), (28001052, 3), (99999999, 3), (28001007, 1), (28001047, 1)],
)
def test_tries_are_the_catalogue_s(code, tries):
    waits = [wait_before_retry(error_for(code), calls, 1.0, lambda: 1.0) for calls in range(1, 8)]
    assert [w is None for w in waits] == [calls >= tries for calls in range(1, 8)]


def test_waits_double_up_to_a_minute():
    endless = ErrorCode(1, Action.RETRY, "", "", tries=99)
    assert [wait_before_retry(endless, n, 1.0, lambda: 1.0) for n in (1, 2, 3, 4, 7, 20)] == [1, 2, 4, 8, 60, 60]
    assert wait_before_retry(endless, 3, 1.0, lambda: 0.0) == 0
    assert wait_before_retry(error_for(TOO_FREQUENT), 1, 1.0, lambda: 0.0) == 1
    assert wait_before_retry(error_for(28001052), 1, 1.0, lambda: 0.0) == 60
