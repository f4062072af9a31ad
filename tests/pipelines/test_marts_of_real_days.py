"""Every mart over a home of two collected days has the same bytes with one and with four threads.

The same holds for builds at once and day after day.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from installation import START, TODAY

from catalog import TABLES
from pipelines.runner import plan
from resources.warehouse.mart_files import load_marts
from services.marts.build import Marts

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Parameter .backfill_policy. of function")]
TOMORROW = TODAY + timedelta(days=1)
NEEDS_PEOPLE = {"campaign_effect"}
"""No campaign was sent; tests/outreach has some."""


class Threaded(Marts):
    """Marts with so many threads.

    DuckDB divides small tables among them, too, as it does by default from 120,000 rows on.
    """

    threads = 1

    def _connect(self, *given):
        connection = super()._connect(*given)
        connection.execute(f"SET threads = {self.threads}")
        if self.threads > 1:
            connection.execute("PRAGMA verify_parallelism")
        return connection


def files(marts: Marts) -> dict[str, bytes]:
    folder = marts.lake.root / "marts"
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.parquet"))}


def forget(marts: Marts) -> None:
    for path in sorted((marts.lake.root / "marts").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return pq.read_metadata(path).num_rows


@pytest.mark.timeout(600)
def test_every_mart_has_the_same_bytes_however_it_is_made(make_world, orchestrate):
    world = make_world(platform={"accounts": 3, "videos": 30, "most_fans": 60_000})
    orchestra = orchestrate(world)
    world.watch(("keyword", "咖啡"), ("poi-keyword", "咖啡"), ("amap", "B0SANDBOX0001"))
    built = set()
    for day, at in ((TODAY, START), (TOMORROW, "2026-11-17T15:00:00+08:00")):
        world.at(at)
        world.receive(at=at)
        for due in plan(TABLES, day, world.runtime.settings):
            assert orchestra.runner.run(due.cadence, due.first, due.tables, last=due.last).problems == {}, due
        built |= {b.bound.mart.name for b in Marts(world.runtime).build_stale()}
    assert built == set(load_marts())

    marts = Threaded(world.runtime)
    day_after_day = files(marts)
    have_rows = {name.split("/")[0] for name in day_after_day if rows(marts.lake.root / "marts" / name)}
    assert set(load_marts()) - have_rows <= NEEDS_PEOPLE, "a mart without a row says nothing about its bytes"

    for threads in (1, 4):
        forget(marts)
        again = Threaded(world.runtime)
        again.threads = threads
        again.build_stale()
        differ = [name for name, data in files(again).items() if day_after_day.get(name) != data]
        assert differ == [], f"{threads} threads"
        assert files(again).keys() == day_after_day.keys()
