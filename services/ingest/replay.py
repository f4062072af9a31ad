"""Replay: days of the lake made again from the archive, with today's code and without a call.

What a day would become is told before it is replaced, and nothing is replaced unless the caller says so. A day that the
archive knows nothing of, or of which it has forgotten a part, is left as it is: what was seen is not lost because its
answers were.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from catalog.records import History, Table
from resources.runtime import Runtime
from resources.state.load_status import read_load_status, save_load_status
from services.ingest.accounting import Gap, gap_of
from services.ingest.changes import Changes
from services.ingest.normalise import NormalisedDay, changes_of, iter_normalised, land
from services.ingest.replay_status import status_after_replay


@dataclass(frozen=True)
class Replay:
    """One day of one table. ``normalised`` is what the archive makes of it, None where it makes nothing."""

    table: Table
    dt: date
    normalised: NormalisedDay | None
    changes: Changes
    is_new: bool
    """Whether the lake has no such day."""
    left_alone: str | None = None
    """Why the day in the lake must stay as it is."""
    gap: Gap | None = None
    """The answers without which it must."""

    @property
    def replaces(self) -> bool:
        """Whether landing makes another day of it. A day without rows counts, where there was none."""
        if self.normalised is None or not self.normalised.is_answered:
            return False
        return self.left_alone is None and (self.is_new or bool(self.changes))

    def land(self, runtime: Runtime, *, accept_loss: bool = False) -> None:
        """Replace the day, its quarantine and drift, and bring ``load_status`` in line with it.

        With ``accept_loss`` also where the archive lacks answers: the file that it replaces is kept in ``_damaged``.

        Raises:
            ValueError: the day must be left alone.
        """
        if self.normalised is None or (self.left_alone is not None and not accept_loss):
            raise ValueError(f"{self.table.name} {self.dt} cannot be replaced: {self.left_alone}")
        with runtime.filling(self.table.name):
            own = runtime.lake.path(self.table.name, self.dt)
            if self.left_alone is not None and own.exists():
                runtime.lake.set_aside(own)
            land(runtime.lake, self.normalised, self.changes)
            lines = status_after_replay(
                self.normalised, read_load_status(runtime.state, table=self.table.name, dts=[self.dt])
            )
            save_load_status(runtime.state, lines, runtime.clock.now().timestamp())


def replay(runtime: Runtime, table: Table, first: date, last: date) -> Iterator[Replay]:
    """Days of ``table`` from ``first`` to ``last``, both included: what replaying them would change, one after the other.

    Days of which neither lake nor archive has anything are passed over. Replace a day with :meth:`Replay.land` before
    asking for the next one; a replay that only looks lands nothing. Memory does not grow with the number of days.

    Raises:
        ArchiveCorrupt: a segment does not read back.
    """
    dts = partitions_between(table, first, last)
    before = deque(sorted(set(dts).intersection(runtime.lake.days(table.name))))
    for normalised in iter_normalised(runtime.archive, table, dts):
        while before and before[0] < normalised.dt:
            yield _unknown(table, before.popleft())
        is_new = not (before and before[0] == normalised.dt)
        if not is_new:
            before.popleft()
        yield _compared(runtime, normalised, is_new)
    for dt in before:
        yield _unknown(table, dt)


def partitions_between(table: Table, first: date, last: date) -> list[date]:
    """Partitions of ``table`` in a range of days, both included: days, or the Mondays of weeks that begin in it."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [d for d in days if d.weekday() == 0] if table.history is History.VERSION else days


def _unknown(table: Table, dt: date) -> Replay:
    return Replay(table, dt, None, Changes(), False, "the archive knows nothing of that day")


def _compared(runtime: Runtime, normalised: NormalisedDay, is_new: bool) -> Replay:
    table, dt = normalised.table, normalised.dt
    changes = changes_of(runtime.lake, normalised)
    gap = gap_of(runtime, table, dt, normalised, changes)
    return Replay(table, dt, normalised, changes, is_new, None if gap is None else str(gap), gap)
