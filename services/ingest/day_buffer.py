"""Rows of a day while its answers are read, and when it is whole: in memory while they are few, else on disk.

A run holds the rows of many answers until the last one is there, since a day is one file in order of key. What is held
beyond a bound is put in order and spilled, and the day is merged from such runs, a part of each at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from catalog.records import Table
from resources.storage.schema import arrow_schema
from resources.storage.spill import ArrowSpill
from services.ingest.order import in_order, latest, merged


@dataclass(frozen=True)
class DayRows:
    """Rows of a whole day in order of key, with the table's schema. They can be gone through more than once."""

    held: pa.Table | ArrowSpill

    @property
    def num_rows(self) -> int:
        return self.held.num_rows

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        return self.held.nbytes if isinstance(self.held, pa.Table) else 0

    def parts(self) -> Iterator[pa.Table]:
        """The rows, some at a time; a day without rows is one table without rows."""
        return iter([self.held]) if isinstance(self.held, pa.Table) else self.held.parts()

    def table(self) -> pa.Table:
        """All of them in memory."""
        return pa.concat_tables(self.parts())


@dataclass
class DayBuffer:
    """Rows of one day of ``table``, as they come. ``folder`` is where they are spilled."""

    table: Table
    folder: Path
    seen: int = 0
    size: int = 0
    """Bytes that are held in memory."""
    _pieces: list[pa.Table] = field(default_factory=list)
    _runs: list[ArrowSpill] = field(default_factory=list)

    def add(self, rows: pa.Table) -> None:
        self._pieces.append(rows)
        self.seen += rows.num_rows
        self.size += rows.nbytes

    def shrink(self) -> None:
        """Hold less: of each key the latest observation alone, and where that is more than half of what was held, nothing."""
        rows = in_order(self.table, self._pieces)
        if rows.nbytes > self.size // 2:
            self._runs.append(run := ArrowSpill(self.folder))
            run.write(rows)
            self._pieces, self.size = [], 0
        else:
            self._pieces, self.size = [rows], rows.nbytes

    def finish(self) -> DayRows:
        """The day in order, the latest observation of each key. What was held is let go."""
        pieces, runs = self._pieces, self._runs
        self._pieces, self._runs, self.size = [], [], 0
        pa.default_memory_pool().release_unused()  # what batches took: the peak is here
        schema = arrow_schema(self.table)
        if not runs:
            return DayRows(latest(self.table, pieces).cast(schema) if pieces else schema.empty_table())
        if pieces:
            runs.append(run := ArrowSpill(self.folder))
            run.write(in_order(self.table, pieces))
        whole = ArrowSpill(self.folder)
        for part in merged(self.table, [run.parts() for run in runs]):
            whole.write(part.cast(schema))
        return DayRows(whole)
