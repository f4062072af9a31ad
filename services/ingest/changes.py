"""Count how replacing a partition changes its rows, by primary key: added, removed, altered.

The platform corrects its series for some days, and newer code may parse older responses better. Both change partitions
that analysts have used, and the counts say by how much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from catalog.records import Table
from resources.sql import identifier
from resources.storage.parquet import row_groups
from resources.storage.partition import ROW_GROUP
from services.ingest.order import ascends, in_step

if TYPE_CHECKING:
    import duckdb

_STEP_ROWS = 32_768
_ABOUT = ("observed_at", "source")
"""Columns about the response, not its content: requesting again changes only these."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Numbers of changed rows of one table, or of some days of it.

    - ``confirmed``: rows with the same values in a later response.
    - ``damaged``: files that could not be read.
    - ``contradicted``: altered rows that claim to come from the same response.
    - ``missing``: added rows that are no newer than the previous partition, so that no later response explains them.
    """

    added: int = 0
    removed: int = 0
    altered: int = 0
    confirmed: int = 0
    unchanged: int = 0
    damaged: int = 0
    contradicted: int = 0
    missing: int = 0

    def __bool__(self) -> bool:
        """Return whether any row differs, even if only by its response."""
        return bool(self.added or self.removed or self.altered or self.confirmed or self.damaged)

    def __add__(self, other: Changes) -> Changes:
        return Changes(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def __str__(self) -> str:
        parts = [f"{n:,} {name}" for name in ("added", "removed", "altered", "confirmed") if (n := getattr(self, name))]
        if self.damaged:
            parts.append(f"{self.damaged:,} damaged files replaced")
        return ", ".join(parts) or "no change"


def total(changes: Iterable[Changes]) -> Changes:
    """Add up changes."""
    return sum(changes, Changes())


class InParts(Protocol):
    """Rows of a day that can be iterated over in parts, more than once."""

    @property
    def num_rows(self) -> int:
        """Return the number of rows."""
        ...

    def parts(self) -> Iterator[pa.Table]:
        """Iterate over the rows, some at a time; every call starts at the first row."""
        ...


def newest_observation(day: InParts) -> datetime | None:
    """Return the latest ``observed_at`` of a partition, or None if it has no rows."""
    return max(
        (newest for part in day.parts() if (newest := pc.max(part["observed_at"]).as_py()) is not None), default=None
    )


def compare(table: Table, before: InParts | None, after: InParts) -> Changes:
    """Compare two versions of one partition of ``table``, each with unique keys; ``before`` may be missing (None).

    ``before`` may have been written by older code: a column that it lacks counts as null, and a column that was removed
    is ignored. Days larger than a row group are compared in ranges of keys, unless ``before`` is in another order.
    """
    if before is None:
        return Changes(added=after.num_rows)
    if _are_same(before, after):
        return Changes(unchanged=after.num_rows)
    import duckdb

    is_large = max(before.num_rows, after.num_rows) > ROW_GROUP and _can_step(table, before, after)
    newest = newest_observation(before)
    with duckdb.connect(config={"threads": 1}) as connection:
        both = (
            _steps(table, before, after)
            if is_large
            else [(pa.concat_tables(before.parts()), pa.concat_tables(after.parts()))]
        )
        return total(_compared(connection, table, old, new, newest) for old, new in both)


def _are_same(before: InParts, after: InParts) -> bool:
    if before.num_rows != after.num_rows:
        return False
    old = before.parts()
    left = next(old)
    for part in after.parts():
        while part.num_rows:
            left = left if left.num_rows else next(old)
            n = min(part.num_rows, left.num_rows)
            if not left.slice(0, n).equals(part.slice(0, n)):
                return False
            left, part = left.slice(n), part.slice(n)
    return True


def _can_step(table: Table, before: InParts, after: InParts) -> bool:
    """Return whether the previous rows have the same key columns and order as the new ones."""
    old, new = (next(one.parts()).schema for one in (before, after))
    return all(
        name in old.names and old.field(name).type == new.field(name).type for name in table.primary_key
    ) and ascends(table, before.parts())


def _steps(table: Table, before: InParts, after: InParts) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Iterate over the rows of both in ranges of keys."""
    none_old, none_new = (next(one.parts()).schema.empty_table() for one in (before, after))
    for old, new in in_step(table, [row_groups(one.parts(), _STEP_ROWS) for one in (before, after)]):
        yield none_old if old is None else old, none_new if new is None else new


def _compared(
    connection: duckdb.DuckDBPyConnection, table: Table, before: pa.Table, after: pa.Table, newest: datetime | None
) -> Changes:
    """Count the changes with SQL; ``newest`` is the latest observation of all previous rows."""
    missing = [f for f in after.schema if f.name not in before.schema.names]
    for column in missing:
        before = before.append_column(pa.field(column.name, column.type), pa.nulls(before.num_rows, column.type))
    said = [c for c in table.columns if c not in (*table.primary_key, *_ABOUT)]
    about = [c for c in _ABOUT if c not in table.primary_key]
    same_key = " AND ".join(f"o.{c}::VARCHAR = n.{c}::VARCHAR" for c in map(identifier, table.primary_key))
    found = f"""
        SELECT count(*) FILTER (o."client_key" IS NULL),
               count(*) FILTER (n."client_key" IS NULL),
               count(*) FILTER (both_there AND {_differs(said)}),
               count(*) FILTER (both_there AND NOT {_differs(said)} AND {_differs(about)}),
               count(*) FILTER (both_there AND NOT {_differs(said)} AND NOT {_differs(about)}),
               0,
               count(*) FILTER (both_there AND {_differs(said)} AND NOT {_differs(about)}),
               count(*) FILTER (o."client_key" IS NULL AND n."observed_at" <= $newest::TIMESTAMPTZ)
        FROM (SELECT o, n, o."client_key" IS NOT NULL AND n."client_key" IS NOT NULL AS both_there
              FROM o FULL JOIN n ON {same_key})"""
    connection.register("o", before.select(list(table.columns)))
    connection.register("n", after.select(list(table.columns)))
    (counts,) = connection.execute(found, {"newest": newest}).fetchall()
    return Changes(*counts)


def _differs(columns: list[str]) -> str:
    # Compared as text, so that a column whose type changed does not change all rows.
    differences = [f"o.{c}::VARCHAR IS DISTINCT FROM n.{c}::VARCHAR" for c in map(identifier, columns)]
    return f"({' OR '.join(differences) or 'FALSE'})"
