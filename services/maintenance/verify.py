"""Verify archive, lake and warehouse against each other and against totals reported by the platform.

The archive is checked by its checksums, the lake against the archive, the warehouse against the lake, and rows against
stated totals. Each difference has the command that repairs it. Nothing is changed, unless :func:`set_aside` is called
for damaged files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import duckdb

from catalog import TABLES, endpoints_of
from catalog.records import History, Table
from resources.runtime import Runtime
from resources.sql import identifier, identifiers
from resources.state.load_status import read_load_status
from resources.storage.lake import DRIFT, QUARANTINE, Lake, scan
from resources.storage.partition import LakeCorrupt, Partition, check
from resources.storage.segments import ArchiveCorrupt
from resources.warehouse.mart_files import mart_folders, readable_marts
from resources.warehouse.published_marts import WHOLE, mart_partitions
from services.ingest.accounting import Gap, gap_of
from services.ingest.changes import Changes, total
from services.ingest.covered_days import observation_days
from services.ingest.replay import Replay, partitions_between, replay
from services.maintenance.retention import kept_from
from services.maintenance.stated_totals import check_stated_totals
from services.maintenance.verification import VerificationFinding, VerificationReport, span_options


def verify(runtime: Runtime, tables: Iterable[str], first: date, last: date) -> VerificationReport:
    """Compare the partitions ``first`` to ``last`` of ``tables``; read everything, change nothing, make no calls."""
    result = VerificationReport()
    chosen = [TABLES[name] for name in tables]
    result.findings += _archive(runtime, chosen, first, last, result)
    for table in chosen:
        result.findings += _lake(runtime, table, first, last, result)
    result.findings += _marts(runtime, first, last)
    result.findings += _warehouse(runtime, chosen, first, last, result)
    result.findings += check_stated_totals(runtime.lake, chosen, first, last, result)
    return result


def set_aside(runtime: Runtime, findings: Iterable[VerificationFinding]) -> list[tuple[VerificationFinding, Path]]:
    """Move damaged files that nothing replaces to ``_damaged``: segments, and files of whole months.

    Nothing is deleted.
    """
    moved = []
    for finding in findings:
        if isinstance(finding.damage, ArchiveCorrupt):
            moved.append((finding, runtime.archive.set_aside(finding.damage.segment)))
        elif isinstance(finding.damage, LakeCorrupt) and finding.damage.path.exists():
            moved.append((finding, runtime.lake.set_aside(finding.damage.path)))
    return moved


# --------------------------------------------------------------------------- archive


def _archive(
    runtime: Runtime, tables: list[Table], first: date, last: date, result: VerificationReport
) -> Iterator[VerificationFinding]:
    """Yield the segments that cannot be read."""
    archive = runtime.archive
    operations = {e.name: (e, t) for t in tables for e in endpoints_of(t.name)}
    for endpoint, table in operations.values():
        days = observation_days(archive, table, endpoint, partitions_between(table, first, last) or [first])
        result.segments += sum(1 for _ in archive.stored(endpoint.name, days))
        for damage in archive.damaged(endpoint.name, days):
            yield VerificationFinding(
                endpoint.name,
                str(damage.segment.path),
                f"segment {damage.segment.name}: {damage}",
                "douyin verify --repair",
                damage=damage,
            )


# --------------------------------------------------------------------------- lake against archive


def _lake(
    runtime: Runtime, table: Table, first: date, last: date, result: VerificationReport
) -> Iterator[VerificationFinding]:
    """Yield the days that a replay would change, and files that cannot be read."""
    lake, seen = runtime.lake, set()
    newer: dict[date, Changes] = {}
    lost: dict[date, Gap] = {}
    try:
        for one in replay(runtime, table, first, last):
            seen.add(one.dt)
            if one.left_alone is not None:
                broken = list(_reads_back(lake, table.name, one.dt))
                yield from broken
                gap = one.gap if broken else one.gap or gap_of(runtime, table, one.dt)
                if gap is not None and gap.lost:
                    lost[one.dt] = gap
                else:
                    result.alone[table.name] += 1
                continue
            result.days += 1
            result.rows += one.partition.day.num_rows
            if (what := _difference(runtime, one)) is not None:
                mend = f"douyin replay --select {table.name} {span_options(one.dt, one.dt)}"
                yield VerificationFinding(table.name, str(lake.path(table.name, one.dt)), what, mend)
            elif one.replaces and one.dt >= (kept_from(runtime, table) or one.dt):
                newer[one.dt] = one.changes
    except ArchiveCorrupt:  # reported already
        yield from _reading_only(
            lake, table, [d for d in lake.days(table.name) if first <= d <= last and d not in seen], result
        )
    except LakeCorrupt as error:  # an unreadable month file: its days are unknown
        yield VerificationFinding(table.name, str(error.path), str(error), error.mend, damage=error)
    if lost:
        rows, (dt, gap) = sum(g.lost for g in lost.values()), next(iter(lost.items()))
        more = "" if len(lost) == 1 else f" In all {rows:,} rows of {len(lost)} days."
        mend = (
            f"{gap.way_out(table, dt)}. What is not kept on purpose is no error: DOUYIN_KEEP_ARCHIVE_DAYS "
            "says how long answers are kept"
        )
        yield VerificationFinding(
            table.name, f"{min(lost)} … {max(lost)}" if more else str(dt), f"cannot be compared: {gap}.{more}", mend
        )
    if newer:
        what = f"later responses have more of {len(newer)} days than has landed: {total(newer.values())}"
        yield VerificationFinding(
            table.name,
            f"{min(newer)} … {max(newer)}",
            what,
            f"douyin replay --select {table.name} {span_options(min(newer), max(newer))}",
            is_hint=True,
        )


def _reading_only(
    lake: Lake, table: Table, days: list[date], result: VerificationReport
) -> Iterator[VerificationFinding]:
    """Check the days whose responses cannot be read: only their files."""
    for dt in days:
        result.alone[table.name] += 1
        yield from _reads_back(lake, table.name, dt)


def _difference(runtime: Runtime, one: Replay) -> str | None:
    """Return what is wrong with a day of the lake, or None.

    A series is requested for more days than a run lands. More or newer data for other days in its responses is no
    fault.
    """
    table, changes, rows = one.table, one.changes, one.partition.day.num_rows
    is_series = table.history is History.WINDOW
    if one.is_new:  # an unused table may share its responses with one in use
        if one.dt < (kept_from(runtime, table) or one.dt):
            return None
        landed = any(s.rows for s in read_load_status(runtime.state, table=table.name, dts=[one.dt]))
        return f"is missing: the archive has {rows:,} rows of that day" if landed else None
    if changes.damaged or changes.removed or changes.contradicted or changes.missing or (changes and not is_series):
        return "does not read back" if changes.damaged else f"differs from the archive: making it again means {changes}"
    if not changes and not runtime.lake.is_as_written(table.name, one.dt, one.partition.day.parts()):
        return "its bytes are not those that were written, though its rows read back"
    for dataset, kept in ((QUARANTINE, one.partition.quarantine), (DRIFT, one.partition.drift)):
        if not changes and _rows_of(runtime.lake, f"{dataset}/{table.name}", one.dt) != kept.num_rows:
            return f"its {dataset.strip('_')} differs from the archive"
    return None


def _reads_back(lake: Lake, table: str, dt: date) -> Iterator[VerificationFinding]:
    try:
        lake.read(table, dt)
    except LakeCorrupt as error:
        yield VerificationFinding(
            table,
            str(error.path),
            str(error),
            "restore it from a copy: the archive no longer has the answers of that day",
        )


def _rows_of(lake: Lake, dataset: str, dt: date) -> int:
    try:
        return lake.day(dataset, dt).num_rows
    except FileNotFoundError:
        return 0
    except LakeCorrupt:
        return -1


def _marts(runtime: Runtime, first: date, last: date) -> Iterator[VerificationFinding]:
    """Yield the mart files that cannot be read; the next publication rebuilds those that were moved aside."""
    for mart in readable_marts(*mart_folders(runtime.settings.project)).values():
        for one in mart_partitions(runtime.lake, mart):
            if one.dt == WHOLE or first <= one.dt <= last:
                try:
                    check(one)
                except FileNotFoundError:
                    continue
                except LakeCorrupt as error:
                    yield VerificationFinding(
                        one.table,
                        str(one.path),
                        str(error),
                        "douyin verify --repair, then douyin publish",
                        damage=error,
                    )


# --------------------------------------------------------------------------- warehouse against lake


def _warehouse(
    runtime: Runtime, tables: list[Table], first: date, last: date, result: VerificationReport
) -> Iterator[VerificationFinding]:
    """Compare rows per day, and an order-independent hash of them, between warehouse and lake."""
    warehouse, path = runtime.warehouse, str(runtime.warehouse.path)
    try:
        current = warehouse.is_current()
    except LakeCorrupt:  # reported already
        yield VerificationFinding("warehouse", path, "cannot be compared with a damaged lake", "mend the lake first")
        return
    if not warehouse.path.exists():
        if warehouse.lake_version() is not None:
            yield VerificationFinding("warehouse", path, "does not exist", "douyin publish")
        return
    if not current:
        yield VerificationFinding("warehouse", path, "does not hold the lake as it is now", "douyin publish")
        return
    connection = None
    try:
        for table in tables:
            try:
                # One connection for all tables: opening the file takes 20 ms.
                connection = connection or warehouse.connect()
                partitions = [p for p in runtime.lake.partitions(table.name) if first <= p.dt <= last]
                published, kept = _fingerprints(connection, partitions, table, first, last)
            except (duckdb.Error, LakeCorrupt) as error:
                if connection is not None:
                    connection.close()  # some errors end the whole instance; other tables may be fine
                    connection = None
                yield VerificationFinding(
                    table.name,
                    path,
                    f"cannot be compared: {error}",
                    "mend the lake first, then douyin publish --rebuild",
                )
                continue
            result.published += len(partitions)
            if different := sorted(d for d in published.keys() | kept.keys() if published.get(d) != kept.get(d)):
                days = ", ".join(map(str, different[:3])) + (f", … {len(different)} days" if len(different) > 3 else "")
                yield VerificationFinding(
                    table.name, path, f"rows of {days} differ from the lake", "douyin publish --rebuild"
                )
    finally:
        if connection is not None:
            connection.close()


def _fingerprints(
    connection: duckdb.DuckDBPyConnection, partitions: list[Partition], table: Table, first: date, last: date
) -> tuple[dict, dict]:
    """Count rows and add up their hashes per day: in the published table, and in the lake."""
    columns = identifiers(table.columns)
    question = f"SELECT dt, count(*), sum(hash({columns})::HUGEINT) FROM {{}} WHERE dt BETWEEN $1 AND $2 GROUP BY dt"
    published = {
        dt: (n, h) for dt, n, h in connection.execute(question.format(identifier(table.name)), [first, last]).fetchall()
    }
    kept = {}
    if partitions:
        kept = {
            dt: (n, h) for dt, n, h in connection.execute(question.format(scan(partitions)), [first, last]).fetchall()
        }
    return published, kept
