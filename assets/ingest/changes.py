"""What replacing a partition changes: rows added, removed and altered, by primary key.

The platform corrects its series for some days, and tomorrow's code reads yesterday's answers better. Either
way a partition that analysts have used becomes another one, and they want to know by how much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from catalog.records import Table

_ABOUT = ("observed_at", "source")
"""Columns that tell of an answer, not of what it said: asking again changes them, and nothing else."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows of one table, or of some days of it. ``confirmed`` rows say the same in a later answer; ``damaged`` counts files that did not read back.

    ``contradicted`` are those of the altered rows that claim to stand in the same answer, and ``missing`` those of the added ones that are no
    newer than what was there: what a later answer does not explain.
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
        """Whether any row differs, be it by the answer alone that it stands in."""
        return bool(self.added or self.removed or self.altered or self.confirmed or self.damaged)

    def __add__(self, other: Changes) -> Changes:
        return Changes(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def __str__(self) -> str:
        told = [f"{n:,} {name}" for name in ("added", "removed", "altered", "confirmed") if (n := getattr(self, name))]
        if self.damaged:
            told.append(f"{self.damaged:,} damaged files replaced")
        return ", ".join(told) or "no change"


def total(changes: Iterable[Changes]) -> Changes:
    return sum(changes, Changes())


def compare(table: Table, before: pa.Table | None, after: pa.Table) -> Changes:
    """Count what ``after`` changes of ``before``, both one partition of ``table`` with each key once; None is no partition.

    ``before`` may have been written by older code: a column that it lacks was null, one that is gone is left out.
    """
    if before is None:
        return Changes(added=after.num_rows)
    if before.equals(after):
        return Changes(unchanged=after.num_rows)
    missing = [f for f in after.schema if f.name not in before.schema.names]
    for column in missing:
        before = before.append_column(pa.field(column.name, column.type), pa.nulls(before.num_rows, column.type))
    said = [c for c in table.columns if c not in (*table.primary_key, *_ABOUT)]
    about = [c for c in _ABOUT if c not in table.primary_key]
    same_key = " AND ".join(f'o."{c}"::VARCHAR = n."{c}"::VARCHAR' for c in table.primary_key)
    found = f"""
        SELECT count(*) FILTER (o."client_key" IS NULL),
               count(*) FILTER (n."client_key" IS NULL),
               count(*) FILTER (both_there AND {_differs(said)}),
               count(*) FILTER (both_there AND NOT {_differs(said)} AND {_differs(about)}),
               count(*) FILTER (both_there AND NOT {_differs(said)} AND NOT {_differs(about)}),
               0,
               count(*) FILTER (both_there AND {_differs(said)} AND NOT {_differs(about)}),
               count(*) FILTER (o."client_key" IS NULL AND n."observed_at" <= (SELECT max("observed_at") FROM o))
        FROM (SELECT o, n, o."client_key" IS NOT NULL AND n."client_key" IS NOT NULL AS both_there FROM o FULL JOIN n ON {same_key})"""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("o", before.select(list(table.columns)))
        connection.register("n", after.select(list(table.columns)))
        return Changes(*connection.execute(found).fetchone())


def _differs(columns: list[str]) -> str:
    # As text: whatever an older schema had, a column that only changed its type did not change all its rows.
    return "(" + (" OR ".join(f'o."{c}"::VARCHAR IS DISTINCT FROM n."{c}"::VARCHAR' for c in columns) or "FALSE") + ")"
