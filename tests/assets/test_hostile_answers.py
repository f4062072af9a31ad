"""A hostile body is archived and fails its own request alone, with a row in ``load_status``.

All other requests land their rows unchanged.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hostile import MOST, WHOLE, Hostile, hostile_bodies, in_front_of
from installation import TODAY, YESTERDAY, World

from catalog import ENDPOINTS
from resources.state.load_status import Outcome, read_load_status
from services.ingest import fetch as fetching

ACCOUNTS, GOOD = 32, 4
VIDEOS, FANS = ENDPOINTS["video_list"], ENDPOINTS["user_fans"]
MANY = {"accounts": ACCOUNTS, "videos": 6}


@pytest.fixture
def behind(make_world):
    """A world whose platform is behind a proxy."""
    world = make_world(platform=MANY, qps=10_000, answer_bytes=MOST)
    with in_front_of(world.url) as platform:
        world.options |= {"base_url": platform.url}
        world.restart()
        yield world, platform


def spoil(world: World, platform: Hostile, path: str, bodies: list) -> dict[str, str]:
    """Give each account but the last ones a body of its own; return the body's name per account."""
    reported = {}
    for account, (name, fault) in zip(world.accounts[:-GOOD], bodies, strict=False):
        platform.faults[path, account] = fault
        reported[account] = name
    return reported


def by_account(rows: list[dict]) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for row in rows:
        found.setdefault(row["open_id"], []).append({k: v for k, v in row.items() if k != "observed_at"})
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "endpoint", "dt", "seed"), [("videos", VIDEOS, TODAY, 1), ("user_fans", FANS, YESTERDAY, 2)]
)
def test_hostile_bodies_hurt_only_their_own_account(make_world, behind, table: str, endpoint, dt, seed: int):
    world, platform = behind
    good = make_world(platform=MANY, home="good", qps=10_000)
    good.ingest(table)
    expected = by_account(good.rows(table, dt))
    bodies = spoil(world, platform, endpoint.path, hostile_bodies(seed, ACCOUNTS - GOOD))
    done = world.ingest(table)

    rows = by_account(world.rows(table, dt))
    for account in world.accounts[-GOOD:]:
        assert rows.get(account) == expected.get(account)
    lines = {s.open_id: s for s in read_load_status(world.runtime.state, table=table, dts=[dt])}
    assert lines.keys() >= set(world.accounts)
    assert not any(s.status.is_failure for s in done.statuses if s.open_id in world.accounts[-GOOD:])
    for account, name in bodies.items():
        assert platform.hits[endpoint.path, account] >= 1, name
        line = lines[account]
        assert line.status is not Outcome.FAILED or line.reason, name
        assert len(line.reason or "") < 1500, name
    assert world.runtime.archive._buffers == {}
    kept = Counter(entry.open_id for entry in world.archived(endpoint.name))
    lost = {name for account, name in bodies.items() if not kept[account]}
    assert lost <= {"too much", "a bomb", "another encoding"}, "bytes of an answer that was read reach the archive"


def test_whatever_an_exception_is_it_stops_its_own_request_alone(world, monkeypatch):
    world.ingest("videos")

    def odd(question, period, real=fetching._params):
        if question.open_id == world.accounts[1]:
            raise RuntimeError("client_secret=abcdefgh is no matter")
        return real(question, period)

    monkeypatch.setattr(fetching, "_params", odd)
    world.ingest("user_fans")
    reported = world.status("user_fans", YESTERDAY)
    assert {n: s.status for n, s in reported.items()} == {0: Outcome.LOADED, 1: Outcome.FAILED, 2: Outcome.LOADED}
    assert reported[1].reason.startswith("unexpected RuntimeError: client_secret=[redacted]")
    monkeypatch.undo()
    world.ingest("user_fans")
    assert {s.status for s in world.status("user_fans", YESTERDAY).values()} == {Outcome.LOADED}


def test_a_cursor_of_200_kb_is_not_sent(behind):
    world, platform = behind
    (fault,) = [f for name, f in hostile_bodies(0, 10**6) if name == "cursor: 200 kB of text"]
    (more,) = [f for name, f in hostile_bodies(0, 10**6) if name == "more: a yes"]
    platform.faults[VIDEOS.path, world.accounts[0]] = lambda good: fault(more(good)[0])
    world.ingest("videos")
    line = world.status("videos", TODAY)[0]
    assert (line.status, line.calls) == (Outcome.FAILED, 1)
    assert "of 200,000 characters, more than 2,048" in line.reason
    (entry,) = [e for e in world.archived("video_list") if e.open_id == world.accounts[0]]
    assert (entry.cursor, entry.last) == (None, False)


def test_a_code_beyond_64_bits_is_kept_and_holds_up_nothing(behind):
    world, platform = behind
    platform.faults[VIDEOS.path, world.accounts[0]] = WHOLE["not ours"]
    world.ingest("videos")
    entries = [e for e in world.archived("video_list") if e.open_id == world.accounts[0]]
    assert len(entries) == 5
    assert {e.code for e in entries} == {None}
    line = world.status("videos", TODAY)[0]
    assert line.status is Outcome.FAILED
    assert "expected an integer of 64 bits" in line.reason
    assert {s.status for n, s in world.status("videos", TODAY).items() if n != 0} == {Outcome.LOADED, Outcome.NOT_ASKED}


def test_the_same_answer_has_the_same_words_after_a_restart(world):
    world.ingest("videos")
    world.fault("item_play", "private", 1, times=None)
    world.ingest("item_play")
    first = {s.open_id: (s.status, s.code, s.reason) for s in world.status("item_play", YESTERDAY).values()}
    assert first[world.accounts[1]][0] is Outcome.SKIPPED
    assert "logid" in first[world.accounts[1]][2]
    world.clear()
    world.restart()
    assert world.ingest("item_play").calls == 0
    assert {s.open_id: (s.status, s.code, s.reason) for s in world.status("item_play", YESTERDAY).values()} == first
