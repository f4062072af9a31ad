"""Find rows of the lake whose responses are missing in the archive.

A partition that is rebuilt from the archive must not remove such rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from catalog import SOURCES
from catalog.records import Table, beijing_day
from resources.runtime import Runtime
from resources.sql import identifier
from resources.storage.archive import Archive
from services.ingest.changes import Changes
from services.ingest.normalise import NormalisedDay
from services.maintenance.retention import answers_from


@dataclass(frozen=True)
class Gap:
    """Responses of a day that are missing in the archive.

    ``lost`` counts the rows of responses that should still be there, ``pruned`` those of responses past their
    retention.
    """

    lost: int
    pruned: int
    where: str
    """Operations and days of observation of the lost responses, or else of the pruned ones."""

    def __str__(self) -> str:
        if self.lost:
            return f"the archive lacks the answers that {self.lost:,} of its rows came from ({self.where})"
        return f"the archive no longer keeps the answers that {self.pruned:,} of its rows came from ({self.where})"

    def way_out(self, table: Table, dt: date) -> str:
        """Say what to do about lost responses."""
        again = f"douyin replay --select {table.name} --from {dt} --to {dt} --accept-loss"
        return (
            f"restore archive/ from a copy, then run again; where there is none, `{again}` makes the day of "
            "what is left, and keeps its file in lake/_damaged"
        )


def gap_of(
    runtime: Runtime, table: Table, dt: date, normalised: NormalisedDay | None = None, changes: Changes | None = None
) -> Gap | None:
    """Return the responses of a day in the lake that are missing in the archive, or None.

    With ``normalised``, only the rows count that landing it would remove: rows without a row of the same key that is as
    new. With ``changes`` that replace no row, nothing is read.

    Raises:
        LakeCorrupt: the day cannot be read.
    """
    if normalised is not None and not normalised.is_answered:  # no rows of the day are replaced
        return None
    if changes is not None and not (changes.removed or changes.altered or changes.confirmed):
        return None
    day = runtime.lake.day(table.name, dt)
    answers: dict[tuple[str, str, datetime], int] = {}
    for part in _taken_away(table, day.parts(), normalised) if normalised is not None else day.parts():
        counted = part.group_by(["source", "client_key", "observed_at"]).aggregate([([], "count_all")])
        for line in counted.to_pylist():
            key = (line["source"], line["client_key"], line["observed_at"])
            answers[key] = answers.get(key, 0) + line["count_all"]
    return _gap(runtime, answers)


def _taken_away(table: Table, parts, normalised: NormalisedDay) -> list[pa.Table]:
    """Return the rows that would be removed: no new row with the same key is as new or newer."""
    import duckdb

    parts = list(parts)
    key = [name for name in table.primary_key if name in parts[0].column_names]
    wanted = [*dict.fromkeys((*key, "source", "client_key", "observed_at"))]
    before, after = (pa.concat_tables(part.select(wanted) for part in rows) for rows in (parts, normalised.day.parts()))
    same = " AND ".join(f"o.{name}::VARCHAR = n.{name}::VARCHAR" for name in map(identifier, key))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("o", before)
        connection.register("n", after)
        found = connection.execute(
            "SELECT source, client_key, observed_at FROM o WHERE NOT EXISTS (SELECT 1 FROM n WHERE "
            f"{same} AND n.observed_at >= o.observed_at)"
        )
        return [found.to_arrow_table()]


def _gap(runtime: Runtime, answers: dict[tuple[str, str, datetime], int]) -> Gap | None:
    known: dict[tuple[str, date], set[tuple[str, datetime]]] = {}
    missing: dict[bool, list[tuple[str, date, int]]] = {True: [], False: []}
    for (source, app, at), rows in answers.items():
        day = beijing_day(at)
        if (source, day) not in known:
            known[source, day] = _instants(runtime.archive, source, day)
        if (app, at) not in known[source, day]:
            first = answers_from(runtime, source) if source in SOURCES else None
            missing[first is None or day >= first].append((source, day, rows))
    gaps = missing[True] or missing[False]
    if not gaps:
        return None
    where = sorted({f"{source} of {day}" for source, day, _ in gaps})
    more = f", … {len(where)} in all" if len(where) > _NAMED else ""
    lost, pruned = (sum(rows for _, _, rows in missing[is_lost]) for is_lost in (True, False))
    return Gap(lost, pruned, ", ".join(where[:_NAMED]) + more)


_NAMED = 3
"""Maximum number of operations and days in one message."""


def _instants(archive: Archive, operation: str, day: date) -> set[tuple[str, datetime]]:
    return {(entry.client_key, entry.began_at) for entry in archive.index(operation, [day])}
