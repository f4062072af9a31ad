"""Many accounts, some with faults and two capabilities withdrawn: all other data lands.

Each failure is reported with its account and reason. At 2,000 accounts, with the peak of memory: ``python -m
benchmarks.many_accounts``.
"""

from __future__ import annotations

import pytest
from installation import TODAY, YESTERDAY

from catalog import TABLES
from catalog.records import History
from resources.state.accounts import AccountStatus, get_account
from resources.state.load_status import Outcome

WITHDRAWN = {"user_share": "user_share", "fans_source": "fans_sources"}
OF_ACCOUNTS = (
    "videos",
    "user_fans",
    "user_like",
    "fans_profile",
    "account_profiles",
    "im_consents",
    *WITHDRAWN.values(),
)


@pytest.fixture(scope="module")
def crowd(platforms, tmp_path_factory):
    """A day of 100 accounts, three with dead tokens and one private; returns which is which."""
    from installation import World

    platform = {
        "accounts": 100,
        "videos": 3,
        "most_fans": 800,
        "dead_tokens": 0.03,
        "private_accounts": 0.01,
        "withdrawn": tuple(WITHDRAWN),
    }
    world = World(*platforms(**platform), home=tmp_path_factory.mktemp("crowd"), options={})
    world.clear()
    world.open().at("2026-11-16T11:30:00+08:00").authorize()
    offered = world.control.get(f"{world.url}/_sandbox/accounts").json()
    in_trouble = {a["index"]: a["trouble"] for a in offered if a["trouble"]}
    for table in OF_ACCOUNTS:
        world.ingest(table)
    yield world, in_trouble
    world.runtime.close()


def day(table: str):
    return YESTERDAY if TABLES[table].history is History.WINDOW else TODAY


@pytest.mark.slow
def test_who_is_in_trouble(crowd):
    assert sorted(crowd[1].values()) == ["dead_token"] * 3 + ["private"]


@pytest.mark.parametrize("table", [t for t in OF_ACCOUNTS if t not in WITHDRAWN.values()])
def test_everybody_else_is_loaded(crowd, table: str):
    world, in_trouble = crowd
    outcomes = {n: s.status for n, s in world.status(table, day(table)).items() if isinstance(n, int)}
    assert len(outcomes) == 100
    fine = {o for n, o in outcomes.items() if n not in in_trouble}
    assert fine <= {Outcome.LOADED, Outcome.BELOW_THRESHOLD, Outcome.EMPTY}
    for n, trouble in in_trouble.items():
        assert outcomes[n] is (Outcome.NEEDS_CONSENT if trouble == "dead_token" else Outcome.SKIPPED), (n, trouble)
    landed = world.accounts_in(table, day(table))
    assert landed == {n for n, o in outcomes.items() if o is Outcome.LOADED}
    assert len(landed) > 50


@pytest.mark.parametrize(("operation", "table"), WITHDRAWN.items())
def test_a_withdrawn_operation_is_called_a_few_times_only(crowd, operation: str, table: str):
    world, _ = crowd
    reported = world.status(table, day(table)).values()
    assert {s.status for s in reported} <= {Outcome.UNAVAILABLE, Outcome.NEEDS_CONSENT}
    assert any("offline" in s.reason for s in reported)
    assert world.calls(operation) <= world.runtime.settings.concurrency, "no more than were on their way at once"
    assert not world.runtime.lake.path(table, day(table)).exists()


def test_the_dead_ones_alone_need_a_person(crowd):
    world, in_trouble = crowd
    state, key = world.runtime.state, world.config.client_key
    waiting = {
        n
        for n, open_id in enumerate(world.accounts)
        if get_account(state, key, open_id).status is AccountStatus.NEEDS_CONSENT
    }
    assert waiting == {n for n, trouble in in_trouble.items() if trouble == "dead_token"}
