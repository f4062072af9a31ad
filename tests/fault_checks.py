"""Effects that every fault must not have: other accounts load, and the next run makes only the missing calls."""

from __future__ import annotations

from datetime import date

from installation import YESTERDAY

from resources.state.load_status import Outcome

TABLE = OPERATION = "user_fans"
HIT, OTHERS = 1, (0, 2)
TRIES = 5
"""Requests made for a fault that is retried (catalog/errors.py; resources/client/retry.py)."""


def check_the_others(world, table: str = TABLE, dt: date = YESTERDAY, hit: int = HIT) -> None:
    """Check that the other accounts are loaded, each with at least one row."""
    status = world.status(table, dt)
    for account in {0, 1, 2} - {hit}:
        reported = status[account]
        assert (reported.status, reported.code, reported.quarantined) == (Outcome.LOADED, 0, 0), reported
        assert reported.rows > 0
    assert {0, 1, 2} - {hit} <= world.accounts_in(table, dt)


def check_mended(world, calls: int = 1, table: str = TABLE, operation: str = OPERATION, dt: date = YESTERDAY) -> None:
    """Check that the next run requests only what is missing, and the one after it nothing."""
    world.clear()
    world.restart()
    done = world.ingest(table, dt)
    assert world.calls_of(operation, HIT) == calls
    assert world.calls(operation) == calls
    assert done.calls == calls
    assert world.accounts_in(table, dt) == {0, 1, 2}
    assert {s.status for s in world.status(table, dt).values()} == {Outcome.LOADED}
    world.clear()
    before = world.lake_files()
    assert world.ingest(table, dt).calls == 0
    assert world.calls() == 0
    assert world.lake_files() == before
