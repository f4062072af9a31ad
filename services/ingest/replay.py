"""Rebuild days of the lake from the archive (replay), with the current code and without API calls.

The changes of a day are reported before it is replaced, and only the caller replaces it. A day that the archive does
not have, or of which it lacks a part, stays unchanged: rows are not lost because their responses were.
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
    """One day of one table; ``normalised`` is its partition built from the archive, or None if the archive has none."""

    table: Table
    dt: date
    normalised: NormalisedDay | None
    changes: Changes
    is_new: bool
    """Whether the lake has no such day."""
    left_alone: str | None = None
    """Why the day in the lake must stay unchanged."""
    gap: Gap | None = None
    """The missing responses that are the reason."""

    @property
    def partition(self) -> NormalisedDay:
        """Return the partition built from the archive.

        Raises:
            ValueError: the archive has none.
        """
        if self.normalised is None:
            raise ValueError(f"{self.table.name} {self.dt} is not in the archive")
        return self.normalised

    @property
    def replaces(self) -> bool:
        """Return whether landing changes the day; creating a day without rows counts, too."""
        if self.normalised is None or not self.normalised.is_answered:
            return False
        return self.left_alone is None and (self.is_new or bool(self.changes))

    def land(self, runtime: Runtime, *, accept_loss: bool = False) -> None:
        """Replace the day, its quarantine and drift, and update ``load_status``.

        ``accept_loss`` replaces the day even if the archive lacks responses; the old file is then kept in ``_damaged``.

        Raises:
            ValueError: the day must stay unchanged.
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
    """Yield what replaying the days of ``table`` from ``first`` to ``last`` (both included) would change, in order.

    Days that neither lake nor archive has are skipped. To replace a day, call :meth:`Replay.land` before the next
    iteration; a dry run calls it never. Memory does not grow with the number of days.

    Raises:
        ArchiveCorrupt: a segment cannot be read.
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
    """List the partitions of ``table`` in a range, both ends included: days, or the Mondays within it."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [d for d in days if d.weekday() == 0] if table.history is History.VERSION else days


def _unknown(table: Table, dt: date) -> Replay:
    return Replay(table, dt, None, Changes(), False, "the archive knows nothing of that day")


def _compared(runtime: Runtime, normalised: NormalisedDay, is_new: bool) -> Replay:
    table, dt = normalised.table, normalised.dt
    changes = changes_of(runtime.lake, normalised)
    gap = gap_of(runtime, table, dt, normalised, changes)
    return Replay(table, dt, normalised, changes, is_new, None if gap is None else str(gap), gap)
