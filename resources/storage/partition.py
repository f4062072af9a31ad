"""Identify the file of one day of a lake table, and verify that file against its checksum."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from resources.storage.atomic import CorruptFile
from resources.storage.checksums import digest_of, record, recorded

ROW_GROUP = 61_440
"""Rows of a row group, half of DuckDB's default; files are written and read in parts of this size.

A month file has one row group per day instead.
"""


class LakeCorrupt(CorruptFile):
    """A Parquet file does not read back as it was written; ``dt`` is None for a month file."""

    def __init__(self, table: str, dt: date | None, path: Path, why: object, mend: str) -> None:
        what = "Mend it" if dt is None or table.startswith("marts/") else "Make it again from the archive"
        day = f" {dt}" if dt and dt.year > 1970 else ""  # a full mart has none
        super().__init__(f"{table}{day}: {path} does not read back ({' '.join(str(why).split())}). {what}: `{mend}`")
        self.table, self.dt, self.path, self.mend = table, dt, path, mend

    @property
    def of_mart(self) -> bool:
        """Whether the file belongs to a mart and can be rebuilt from the lake alone."""
        return self.table.startswith("marts/")


@dataclass(frozen=True, slots=True)
class Partition:
    """One day of a table: its file, and the size and modification time that detect a change of the file.

    ``group`` is the row group in a month file, -1 if the day has no rows there, None if the file is the day's own.
    """

    table: str
    dt: date
    path: Path
    size: int
    mtime_ns: int
    group: int | None = None


def damage_of(partition: Partition, why: object) -> LakeCorrupt:
    """Return the error for a partition that does not read back, with the command that repairs it."""
    table, dt = partition.table, partition.dt
    mend = (
        "douyin publish"
        if table.startswith("marts/")
        else f"douyin replay --select {table.rpartition('/')[2]} --from {dt} --to {dt}"
    )
    return LakeCorrupt(table, dt, partition.path, why, mend)


def check(partition: Partition, link: Path | None = None) -> bool:
    """Verify a partition's file against its recorded checksum; return False only if ``link`` is outdated.

    ``link`` is a hard link to the file or a copy of it, which no run replaces. It is outdated if the file was replaced
    meanwhile. A file of an older release has no recorded checksum: the checksums of its pages are verified instead,
    and its checksum is recorded.

    Raises:
        FileNotFoundError: the file was removed meanwhile.
        LakeCorrupt: the file is not as it was written.
    """
    path = partition.path
    try:
        while True:
            stat = (link or path).stat()
            digest, known = digest_of(link or path), recorded(path)
            if digest in known:
                return True
            now = path.stat()
            if (now.st_size, now.st_mtime_ns) == (stat.st_size, stat.st_mtime_ns):
                break
            if link is not None:
                return False
        if known:
            raise damage_of(partition, "its bytes are not those of its checksum")
        with pq.ParquetFile(link or path, page_checksum_verification=True) as parquet:
            for _ in parquet.iter_batches(ROW_GROUP):
                pass
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damage_of(partition, error) from error
    with suppress(OSError):  # a read-only copy of the lake
        record(path, digest)
    return True
