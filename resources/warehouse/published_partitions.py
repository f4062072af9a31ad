"""Track in ``meta.partitions`` which file of the lake each published day came from.

The table is read once and written once per publication.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from resources.storage.partition import Partition

if TYPE_CHECKING:
    import duckdb

_MANY = 31


class PublishedPartitions:
    """Published days of each dataset and the changes of this publication, which :meth:`write` stores.

    A query and two statements for each of a hundred datasets took 0.2 s.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._known: dict[str, dict[date, tuple[int, int]]] = defaultdict(dict)
        for name, dt, size, mtime in connection.execute(
            "SELECT name, dt, size_bytes, mtime_ns FROM meta.partitions"
        ).fetchall():
            self._known[name][dt] = (size, mtime)
        self.days_added: set[date] = set()
        """Noted days, of any dataset, that were not published before."""
        self._gone: list[tuple[str, date]] = []
        self._new: list[tuple[str, date, int, int]] = []

    @property
    def names(self) -> list[str]:
        """Names of the datasets that have published days."""
        return [name for name, days in self._known.items() if days]

    def changed(self, name: str, present: Iterable[Partition]) -> list[Partition]:
        """Return the partitions of ``present`` that are unpublished or differ from the published file."""
        known = self._known[name]
        return [p for p in present if known.get(p.dt) != (p.size, p.mtime_ns)]

    def gone(self, name: str, present: Iterable[Partition]) -> list[date]:
        """Return the published days that are not in ``present``, ascending."""
        return sorted(self._known[name].keys() - {p.dt for p in present})

    def known(self, name: str, days: Iterable[date]) -> list[date]:
        """Return those of ``days`` that are published."""
        return [d for d in days if d in self._known[name]]

    def note(self, name: str, days: Sequence[date], now: Iterable[Partition]) -> None:
        """Note that ``days`` were replaced: those in ``now`` by these partitions, the others by nothing.

        Call this at most once per dataset and publication.
        """
        known = self.known(name, days)
        self.days_added |= set(days).difference(known)
        self._gone += [(name, d) for d in known]
        self._new += [(name, p.dt, p.size, p.mtime_ns) for p in now]

    def forget(self, name: str) -> None:
        """Note that all published days of a dataset were removed."""
        self._gone += [(name, d) for d in self._known.pop(name, {})]

    def write(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Apply the noted changes to ``meta.partitions``."""
        if self._gone:
            names, days = zip(*self._gone, strict=True)
            connection.execute(
                "DELETE FROM meta.partitions AS p USING (SELECT unnest($1::VARCHAR[]) AS name, "
                "unnest($2::DATE[]) AS dt) AS gone WHERE p.name = gone.name AND p.dt = gone.dt",
                [names, days],
            )
        if self._new:
            # One by one, the 34,000 partitions of two years took 10 s.
            connection.execute(
                "INSERT INTO meta.partitions SELECT unnest($1::VARCHAR[]), unnest($2::DATE[]), "
                "unnest($3::BIGINT[]), unnest($4::BIGINT[])",
                [*zip(*self._new, strict=True)],
            )


def commit_many(connection: duckdb.DuckDBPyConnection, days: Sequence[date]) -> None:
    """Commit after more than a month of one table, so that a rebuild is not one transaction of everything."""
    if len(days) > _MANY:
        connection.execute("COMMIT; BEGIN")
