"""Read and write the lake: ``lake/<table>/dt=YYYY-MM-DD/data.parquet``, exactly one file per table and day.

The days of a sealed month may be merged into ``lake/<table>/month=YYYY-MM/data.parquet``, one row group per day. A
per-day file takes precedence over its month file, so rows are never missing or duplicated while a day is replaced or
a month is compacted.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from resources.sql import literal
from resources.storage.atomic import replace_atomic, sweep
from resources.storage.checksums import digest_of, forget, record, recorded
from resources.storage.parquet import encode_into, encode_month
from resources.storage.partition import ROW_GROUP, LakeCorrupt, Partition, check, damage_of

_FILE = "data.parquet"
QUARANTINE, DRIFT = "_quarantine", "_drift"
"""Side datasets of the lake, with the layout of tables: ``lake/_quarantine/<table>/dt=…``."""
DAMAGED = "_damaged"
"""Folder for unreadable files, and for replaced files whose content the archive lacks in part."""
_GONE = ".data.parquet.gone"
"""Name of a per-day file while it is being removed after its day was merged into the month file."""
_DAYS = b"douyin.days"
"""Metadata key of a month file: its days in order, as JSON pairs of day and row group, null for a day without rows."""


@dataclass(frozen=True, slots=True)
class StoredDay:
    """A stored day of a table, whose rows are read in parts."""

    partition: Partition
    num_rows: int

    def parts(self) -> Iterator[pa.Table]:
        """Yield the rows in tables of at most :data:`ROW_GROUP` rows; at least one table, which may be empty.

        Raises:
            FileNotFoundError: the file was removed.
            LakeCorrupt: the file does not read back.
        """
        group = self.partition.group
        try:
            # Open the file once: another run may replace it meanwhile.
            with open(self.partition.path, "rb") as file:
                parquet = pq.ParquetFile(file, page_checksum_verification=True)
                schema = parquet.schema_arrow if group is None else parquet.schema_arrow.remove_metadata()
                groups = None if group is None else [group]
                if not self.num_rows:
                    yield schema.empty_table()
                for batch in parquet.iter_batches(ROW_GROUP, groups) if self.num_rows else ():
                    yield pa.Table.from_batches([batch.replace_schema_metadata(schema.metadata)])
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            raise damage_of(self.partition, error) from error


class Lake:
    """Reader and writer of Parquet partitions under ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, table: str, dt: date) -> Path:
        """Return the path of a day's own file, whether or not it exists."""
        return self.root / table / f"dt={dt.isoformat()}" / "data.parquet"

    def month_path(self, table: str, month: str) -> Path:
        """Return the path of the file of a month (YYYY-MM), whether or not it exists."""
        return self.root / table / f"month={month}" / "data.parquet"

    # ------------------------------------------------------------------ writing

    def write(self, table: str, dt: date, rows: pa.Table | Iterable[pa.Table]) -> bool:
        """Replace one partition atomically with ``rows``, and return whether its bytes changed.

        Rows given in parts need at least one part. The same rows give the same bytes, however they are split into
        parts; an unchanged file is left alone.

        Raises:
            OSError: writing failed; the previous file stays.
        """
        return self.replace(self.path(table, dt), lambda file: encode_into(file, rows))

    def replace(self, path: Path, write: Callable[[BinaryIO], object]) -> bool:
        """Replace a file of the lake and its checksum with what ``write`` writes; return whether its bytes changed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        noted: list[str] = []
        changed = replace_atomic(
            path, write, unless_same=True, whole=lambda pending: noted.append(record(path, digest_of(pending)))
        )
        forget(path, but=noted[-1])
        return changed

    def sweep(self, table: str) -> list[Path]:
        """Remove leftovers of killed writers from a table's partitions, including quarantine and drift.

        Returns the removed temporary files. A per-day file whose removal was interrupted is restored unless the day
        was rewritten.
        """
        folders = (self.root / table, self.root / QUARANTINE / table, self.root / DRIFT / table)
        for gone in (path for folder in folders for path in folder.glob(f"dt=*/{_GONE}")):
            if not (own := gone.with_name("data.parquet")).exists():
                os.replace(gone, own)  # a compaction was interrupted, or a run had just replaced the file
            gone.unlink(missing_ok=True)
        return sweep(path for folder in folders for path in folder.glob("*/.*.tmp"))

    def remove(self, table: str, dt: date) -> None:
        """Remove a day, also from its month file.

        Raises:
            LakeCorrupt: the month file does not read back.
        """
        own = self.path(table, dt)
        own.unlink(missing_ok=True)
        forget(own)
        month = dt.isoformat()[:7]
        days = self._month(table, self.month_path(table, month))
        if any(p.dt == dt for p in days):
            self._write_month(table, month, [p for p in days if p.dt != dt])

    def compact(self, table: str, month: str) -> int:
        """Merge the days of a month (YYYY-MM) into one file and return how many per-day files were removed.

        Raises:
            LakeCorrupt: a file of the month does not read back.
        """
        days = [p for p in self.partitions(table) if p.dt.isoformat().startswith(month)]
        loose = [p for p in days if p.group is None]
        if not loose or len(days) < 2:
            return 0
        self._write_month(table, month, days)
        return sum(_take_away(one) for one in loose)

    def _write_month(self, table: str, month: str, days: list[Partition]) -> None:
        path = self.month_path(table, month)
        if not days:
            path.unlink(missing_ok=True)
            forget(path)
            return
        for one in {p.path: p for p in days}.values():
            check(one)
        rows = [pa.concat_tables(StoredDay(p, self.row_count(p)).parts()) for p in days]
        groups = iter(range(len(rows)))
        listed = [[p.dt.isoformat(), next(groups) if r.num_rows else None] for p, r in zip(days, rows, strict=True)]
        self.replace(path, lambda file: file.write(encode_month(rows, {_DAYS: json.dumps(listed).encode()})))

    def set_aside(self, path: Path) -> Path:
        """Move a file to ``_damaged`` under a name unused there, and return its new path."""
        folder = (self.root / DAMAGED / path.relative_to(self.root)).parent
        folder.mkdir(parents=True, exist_ok=True)
        target, number = folder / path.name, 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}-{number}{path.suffix}"
        os.replace(path, target)
        forget(path)
        return target

    # ------------------------------------------------------------------ reading

    def read(self, table: str, dt: date) -> pa.Table:
        """Return all rows of one partition.

        Raises:
            FileNotFoundError: the partition does not exist.
            LakeCorrupt: the file does not read back.
        """
        return pa.concat_tables(self.day(table, dt).parts())

    def day(self, table: str, dt: date) -> StoredDay:
        """Return one partition after verifying its checksum, for reading in parts.

        Raises:
            FileNotFoundError: the partition does not exist.
            LakeCorrupt: the file does not read back.
        """
        partition = self.partition(table, dt)
        if partition is None:
            raise FileNotFoundError(self.path(table, dt))
        return self._day(partition)

    def _day(self, partition: Partition) -> StoredDay:
        check(partition)
        return StoredDay(partition, self.row_count(partition))

    def scan(self, table: str, dts: Iterable[date]) -> str | None:
        """Return a DuckDB relation (SQL) with the rows of the given days; None if none of them exists.

        Raises:
            LakeCorrupt: a file does not match its checksum.
        """
        found = [p for dt in sorted(set(dts)) if (p := self.partition(table, dt)) is not None]
        for one in {p.path: p for p in found}.values():
            check(one)
        return scan(found) if found else None

    def is_as_written(self, table: str, dt: date, rows: Iterable[pa.Table]) -> bool:
        """Return whether a day's own file has exactly the bytes that writing ``rows`` would give.

        Also True for files that cannot be compared by bytes: days without a file of their own, and files of another
        release of Arrow or of this program with other row groups. Of those only the rows can be compared.
        """
        try:
            with open(self.path(table, dt), "rb") as own, tempfile.TemporaryFile(dir=self.root) as written:
                encode_into(written, rows)
                written.seek(0)
                if _are_same(own, written):
                    return True
                return _make(own) != _make(written)
        except FileNotFoundError:
            return True
        except (pa.ArrowException, OSError, ValueError):
            return False

    def row_count(self, partition: Partition) -> int:
        """Return the number of rows of a partition, from the file's footer.

        Raises:
            LakeCorrupt: the file does not read back.
        """
        try:
            footer = pq.read_metadata(partition.path)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise damage_of(partition, error) from error
        if partition.group is not None and partition.group < 0:
            return 0
        rows: int = (footer if partition.group is None else footer.row_group(partition.group)).num_rows
        return rows

    def partition(self, table: str, dt: date) -> Partition | None:
        """Return the partition of one day, or None if it does not exist.

        Raises:
            LakeCorrupt: the month file does not list its days.
        """
        if (found := _stat(table, dt, self.path(table, dt))) is not None:
            return found
        return next((p for p in self._month(table, self.month_path(table, dt.isoformat()[:7])) if p.dt == dt), None)

    def days(self, table: str) -> list[date]:
        """Return the days of a table, ascending.

        Raises:
            LakeCorrupt: a month file does not list its days.
        """
        return [p.dt for p in self.partitions(table)]

    def first_day(self, table: str) -> date | None:
        """Return the earliest day of a table, or None if it is empty.

        Reads only names and the footer of the earliest month file, and of later ones while those before are damaged.
        """
        names = self._names(table)
        own = next((n[3:] for n in names if n.startswith("dt=") and (self.root / table / n / _FILE).exists()), None)
        days = [date.fromisoformat(own)] if own else []
        for month in (n[6:] for n in names if n.startswith("month=") and (self.root / table / n / _FILE).exists()):
            if own is not None and month > own[:7]:
                break
            if readable := self._month(table, self.month_path(table, month), []):
                return min(days + [p.dt for p in readable])
        return min(days, default=None)

    def partitions(self, table: str, damaged: list[LakeCorrupt] | None = None) -> Iterator[Partition]:
        """Yield all days of a table, ascending.

        A month file that does not list its days is appended to ``damaged`` if that list is given.

        Raises:
            LakeCorrupt: a month file does not list its days, and ``damaged`` is not given.
        """
        folder, names = self.root / table, self._names(table)
        found = {
            p.dt: p for n in names if n.startswith("month=") for p in self._month(table, folder / n / _FILE, damaged)
        }
        for name in names:
            if name.startswith("dt="):
                dt = date.fromisoformat(name[3:])
                if (own := _stat(table, dt, Path(folder, name, _FILE))) is not None:
                    found[dt] = own
        for dt in sorted(found):
            yield found[dt]

    def _names(self, table: str) -> list[str]:
        """List the folders of a table in order; globbing for their files takes a third longer: 34,000 in two years."""
        try:
            return sorted(os.listdir(self.root / table))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _month(self, table: str, path: Path, damaged: list[LakeCorrupt] | None = None) -> list[Partition]:
        """Return the days of a month file."""
        try:
            stat = path.stat()
            listed = json.loads(pq.read_metadata(path).metadata[_DAYS])
            return [
                Partition(table, date.fromisoformat(dt), path, stat.st_size, stat.st_mtime_ns, -1 if g is None else g)
                for dt, g in listed
            ]
        except FileNotFoundError:
            return []
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            found = LakeCorrupt(table, None, path, error, "douyin verify --repair")
            if damaged is None:
                raise found from error
            damaged.append(found)
            return []


def scan(partitions: Iterable[Partition]) -> str:
    """Return a DuckDB relation (SQL) with exactly the rows of these partitions, without other days of their files."""
    own: list[Path] = []
    months: dict[Path, list[date]] = {}
    for p in partitions:
        if p.group is None:
            own.append(p.path)
        else:
            months.setdefault(p.path, []).append(p.dt)
    parts = (
        [
            f"SELECT * FROM read_parquet([{', '.join(map(_quoted, own))}], hive_partitioning = false, "
            "union_by_name = true)"
        ]
        if own
        else []
    )
    for path, days in months.items():
        wanted = ", ".join(f"DATE '{d}'" for d in days)
        parts.append(f"SELECT * FROM read_parquet({_quoted(path)}, hive_partitioning = false) WHERE dt IN ({wanted})")
    return f"({' UNION ALL BY NAME '.join(parts)})"


def _quoted(path: Path) -> str:
    """Quote a path as an SQL string with glob characters escaped, so that DuckDB reads this file alone."""
    return literal(re.sub(r"[*?\[]", r"[\g<0>]", str(path)))


def _take_away(own: Partition) -> bool:
    """Remove a day's own file unless a run has replaced it since it was read; return whether it was removed."""
    gone = own.path.with_name(_GONE)
    checksums = recorded(own.path)
    os.replace(own.path, gone)
    stat = gone.stat()
    if (stat.st_size, stat.st_mtime_ns) != (own.size, own.mtime_ns):
        os.replace(gone, own.path)
        return False
    gone.unlink()
    forget(own.path, these=checksums)
    with suppress(OSError):  # not empty: a run is writing the day
        own.path.parent.rmdir()
    return True


def _stat(table: str, dt: date, path: Path) -> Partition | None:
    try:
        stat = path.stat()
    except FileNotFoundError:  # removed meanwhile
        return None
    return Partition(table, dt, path, stat.st_size, stat.st_mtime_ns)


def _are_same(one: BinaryIO, other: BinaryIO) -> bool:
    while (some := one.read(1 << 20)) == other.read(1 << 20):
        if not some:
            return True
    return False


def _make(file: BinaryIO) -> tuple[str, list[int]]:
    """Return the library that wrote a file, and the number of rows of each row group."""
    footer = pq.read_metadata(file)
    return footer.created_by, [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]
