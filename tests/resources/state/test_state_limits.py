"""The shared slots and the quota ledger."""

from __future__ import annotations

import time
import uuid
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patience import tries
from sqlalchemy import update

from resources.state import State
from resources.state.limits import QuotaDay, give_back, mark_exhausted, quota_day, quota_days, reserve
from resources.state.tables import buckets

DAY = date(2026, 11, 16)


def take(
    state: State,
    calls: int = 1,
    *,
    scope: str = "s",
    slots: int = 1,
    interval_s: float = 0.01,
    per_day: int | None = None,
):
    return reserve(state, "app", scope, DAY, slots=slots, interval_s=interval_s, calls=calls, per_day=per_day)


def test_slots_follow_each_other_and_scopes_do_not_share_them(state):
    before = time.time()
    first, second, other = take(state, slots=10), take(state, slots=5), take(state, scope="t")
    assert before <= first.start <= time.time()
    assert abs(second.start - (first.start + 0.1)) < 1e-4
    assert other.start < second.start


def test_unused_time_is_not_saved_up(state):
    take(state)
    time.sleep(0.05)
    before = time.time()
    assert take(state).start >= before


def test_a_line_that_just_ran_empty_has_no_gap(state, monkeypatch):
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    take(state, slots=2, interval_s=0.005)
    now += 0.015
    assert take(state).start == pytest.approx(1_000_000.01, abs=1e-6)
    now += 1
    assert take(state).start == now


def test_a_clock_set_back_does_not_stop_the_scope(state):
    take(state)
    with state.begin() as db:
        db.execute(update(buckets).values(next_at=time.time() + 9 * 3600))
    assert take(state).start < time.time() + 1


@settings(max_examples=tries(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(per_day=st.integers(1, 30), requested=st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_the_ledger_never_gives_more_than_the_day_has(state, per_day, requested):
    scope = uuid.uuid4().hex  # a ledger of its own for each example
    given_out = [take(state, calls, scope=scope, per_day=per_day).calls for calls in requested]
    assert sum(given_out) == min(per_day, sum(requested))
    assert all(g <= a for g, a in zip(given_out, requested, strict=True))
    assert quota_day(state, "app", scope, DAY) == QuotaDay(sum(given_out), False)


def test_a_spent_day_takes_no_slot(state):
    take(state, 3, per_day=3)
    grant = take(state, per_day=3)
    assert (grant.calls, grant.slots) == (0, 0)


def test_unused_calls_come_back_and_days_are_apart(state):
    take(state, 5, per_day=5)
    give_back(state, "app", "s", DAY, 2)
    assert take(state, 5, per_day=5).calls == 2
    assert reserve(state, "app", "s", date(2026, 11, 17), slots=1, interval_s=0.01, calls=5, per_day=5).calls == 5


def test_the_platform_s_own_word_ends_the_day(state):
    take(state, 2)
    mark_exhausted(state, "app", "s", DAY)
    assert take(state).calls == 0
    assert quota_day(state, "app", "s", DAY) == QuotaDay(2, True)
    mark_exhausted(state, "app", "never requested", DAY)
    assert quota_day(state, "app", "never requested", DAY) == QuotaDay(0, True)


def test_the_ledger_of_a_day_is_that_of_one_app(state):
    for app, scope, day, calls in (("app", "b", DAY, 2), ("app", "a", DAY, 3), ("other", "a", DAY, 5)):
        reserve(state, app, scope, day, slots=1, interval_s=0.01, calls=calls, per_day=None)
    take(state, 7, scope="c")
    mark_exhausted(state, "app", "c", DAY)
    reserve(state, "app", "d", date(2026, 11, 17), slots=1, interval_s=0.01, calls=1, per_day=None)
    assert quota_days(state, "app", DAY) == {"a": QuotaDay(3, False), "b": QuotaDay(2, False), "c": QuotaDay(7, True)}
    assert [*quota_days(state, "app", DAY)] == ["a", "b", "c"]
    assert quota_days(state, "other", DAY) == {"a": QuotaDay(5, False)}


def test_pacing_waits_for_no_disk_and_the_platform_s_word_does(state, monkeypatch):
    seen, begin = [], state.begin
    monkeypatch.setattr(state, "begin", lambda *, durable=True: (seen.append(durable), begin(durable=durable))[1])
    take(state)
    give_back(state, "app", "s", DAY, 1)
    mark_exhausted(state, "app", "s", DAY)
    assert seen == [False, False, True]
