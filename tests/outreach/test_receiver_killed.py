"""kill -9 of the receiver under load: every acknowledged event is in the inbox, once."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.receiver import Load, run, stored


def check(home, load: Load) -> None:
    numbers = stored(home)
    assert len(numbers) == len(set(numbers)), "stored twice"
    assert load.acknowledged <= set(numbers), "acknowledged and not there"
    assert load.acknowledged == load.good
    assert load.forged_taken == 0
    assert set(load.statuses) <= {200, 401, 503}


@pytest.mark.slow
def test_a_receiver_that_is_killed_loses_nothing(tmp_path):
    load = asyncio.run(run(tmp_path, rate=150, seconds=1, kills=1, seed=3))
    check(tmp_path, load)
    assert load.duplicates > 0


@pytest.mark.slow
def test_fifty_kills_under_load(tmp_path, capsys):
    load = asyncio.run(run(tmp_path, rate=300, seconds=10, kills=50, seed=4))
    check(tmp_path, load)
    with capsys.disabled():
        print(
            f"\n50 kills: {len(load.good):,} events, {load.duplicates:,} sent again on purpose, "
            f"{load.cut:,} cut off or refused, none missing, none twice"
        )
