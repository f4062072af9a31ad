"""Buffer the rows of a day until it is complete: in memory up to a limit, then on disk.

A day is one file ordered by key, so a run buffers the rows of many responses until the last one is read. Rows above the
limit are sorted and spilled as a run of rows; the day is merged from these runs, a part of each at a time.
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
    """Rows of a whole day, ordered by key, with the table's schema; they can be iterated over more than once."""

    content: pa.Table | ArrowSpill

    @property
    def num_rows(self) -> int:
        """Return the number of rows."""
        return self.content.num_rows

    @property
    def nbytes(self) -> int:
        """Return the size in memory, in bytes; 0 if the rows are on disk."""
        return self.content.nbytes if isinstance(self.content, pa.Table) else 0

    def parts(self) -> Iterator[pa.Table]:
        """Iterate over the rows in parts; an empty day gives one table without rows."""
        return iter([self.content]) if isinstance(self.content, pa.Table) else self.content.parts()

    def table(self) -> pa.Table:
        """Return all rows in one table in memory."""
        return pa.concat_tables(self.parts())


@dataclass
class DayBuffer:
    """Rows of one day of ``table`` while they arrive; ``folder`` is where they are spilled."""

    table: Table
    folder: Path
    seen: int = 0
    size: int = 0
    """Bytes buffered in memory."""
    _pieces: list[pa.Table] = field(default_factory=list)
    _runs: list[ArrowSpill] = field(default_factory=list)

    def add(self, rows: pa.Table) -> None:
        """Buffer rows."""
        self._pieces.append(rows)
        self.seen += rows.num_rows
        self.size += rows.nbytes

    def spill(self) -> None:
        """Reduce the buffer to the latest observation of each key; spill it if more than half remains."""
        rows = in_order(self.table, self._pieces)
        if rows.nbytes > self.size // 2:
            self._runs.append(run := ArrowSpill(self.folder))
            run.write(rows)
            self._pieces, self.size = [], 0
        else:
            self._pieces, self.size = [rows], rows.nbytes

    def finish(self) -> DayRows:
        """Return the day, ordered by key, with the latest observation of each key; release the buffer."""
        pieces, runs = self._pieces, self._runs
        self._pieces, self._runs, self.size = [], [], 0
        pa.default_memory_pool().release_unused()  # memory of the batches: usage peaks here
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
