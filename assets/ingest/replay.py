"""Replay: days of the lake made again from the archive, with today's code and without a call.

What a day would become is told before it is replaced, and nothing is replaced unless the caller says so. A day that the archive
knows nothing of, or of which it has forgotten a part, is left as it is: what was seen is not lost because its answers were.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from assets.ingest.changes import Changes
from assets.ingest.normalise import Normalised, changes_of, land, normalise_each
from assets.ingest.settling import lines_after
from catalog import endpoints_of
from catalog.records import History, Table
from resources.lake import Lake
from resources.runtime import Runtime
from resources.state.load_status import read_load_status, save_load_status


@dataclass(frozen=True)
class Replay:
    """One day of one table. ``normalised`` is what the archive makes of it, None where it makes nothing."""

    table: Table
    dt: date
    normalised: Normalised | None
    changes: Changes
    is_new: bool
    """Whether the lake has no such day."""
    left_alone: str | None = None
    """Why the day in the lake must stay as it is."""

    @property
    def replaces(self) -> bool:
        """Whether landing makes another day of it. A day without rows counts, where there was none."""
        if self.normalised is None or not self.normalised.is_answered:
            return False
        return self.left_alone is None and (self.is_new or bool(self.changes))

    def land(self, runtime: Runtime) -> None:
        """Replace the day, its quarantine and drift, and bring ``load_status`` in line with it.

        Raises:
            ValueError: the day must be left alone.
        """
        if self.left_alone is not None or self.normalised is None:
            raise ValueError(f"{self.table.name} {self.dt} cannot be replaced: {self.left_alone}")
        with runtime.filling(self.table.name):
            land(runtime.lake, self.normalised, self.changes)
            lines = lines_after(self.normalised, read_load_status(runtime.state, table=self.table.name, dts=[self.dt]))
            save_load_status(runtime.state, lines, runtime.clock.now().timestamp())


def replay(runtime: Runtime, table: Table, first: date, last: date) -> Iterator[Replay]:
    """Days of ``table`` from ``first`` to ``last``, both included: what replaying them would change, one after the other.

    Days of which neither lake nor archive has anything are passed over. Replace a day with :meth:`Replay.land` before asking
    for the next one; a replay that only looks lands nothing. Memory does not grow with the number of days.

    Raises:
        ArchiveDamaged: a segment does not read back.
    """
    dts = partitions_between(table, first, last)
    archived = {e.name: set(runtime.archive.days(e.name)) for e in endpoints_of(table.name)}
    before = deque(sorted(set(dts).intersection(runtime.lake.days(table.name))))
    for normalised in normalise_each(runtime.archive, table, dts):
        while before and before[0] < normalised.dt:
            yield _unknown(table, before.popleft())
        is_new = not (before and before[0] == normalised.dt)
        if not is_new:
            before.popleft()
        yield _compared(runtime.lake, normalised, is_new, archived)
    for dt in before:
        yield _unknown(table, dt)


def partitions_between(table: Table, first: date, last: date) -> list[date]:
    """Partitions of ``table`` in a range of days, both included: days, or the Mondays of weeks that begin in it."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [d for d in days if d.weekday() == 0] if table.history is History.VERSION else days


def _unknown(table: Table, dt: date) -> Replay:
    return Replay(table, dt, None, Changes(), False, "the archive knows nothing of that day")


def _compared(lake: Lake, normalised: Normalised, is_new: bool, archived: dict[str, set[date]]) -> Replay:
    table, dt = normalised.table, normalised.dt
    changes = changes_of(lake, normalised)
    # Whatever replaces a row can lose what a forgotten answer had said; also a row that says the same, of an older answer.
    if (changes.removed or changes.altered or changes.confirmed) and (lost := _without_answers(lake.read(table.name, dt), archived)):
        return Replay(table, dt, normalised, changes, is_new, f"the archive no longer has the answers that {lost:,} of its rows came from")
    return Replay(table, dt, normalised, changes, is_new)


def _without_answers(rows: pa.Table, archived: dict[str, set[date]]) -> int:
    """How many rows come from a day of observation of which their operation has no archive."""
    beijing = pc.cast(pc.local_timestamp(pc.cast(rows["observed_at"], pa.timestamp("us", "Asia/Shanghai"))), pa.date32())
    counted = pa.table({"source": rows["source"], "day": beijing}).group_by(["source", "day"]).aggregate([([], "count_all")])
    return sum(r["count_all"] for r in counted.to_pylist() if r["day"] not in archived.get(r["source"], ()))
