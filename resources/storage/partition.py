"""A day of a table in the lake: which file holds it, and whether that file is as it was written."""

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
"""Rows of a row group, half of what DuckDB has: a file is written, and read, so many at a time.

A month's file has a day in each group instead.
"""


class LakeCorrupt(CorruptFile):
    """A Parquet file does not read back as it was written. ``dt`` is None where it holds a whole month."""

    def __init__(self, table: str, dt: date | None, path: Path, why: object, mend: str) -> None:
        what = "Mend it" if dt is None or table.startswith("marts/") else "Make it again from the archive"
        day = f" {dt}" if dt and dt.year > 1970 else ""  # a full mart has none
        super().__init__(f"{table}{day}: {path} does not read back ({' '.join(str(why).split())}). {what}: `{mend}`")
        self.table, self.dt, self.path, self.mend = table, dt, path, mend

    @property
    def of_mart(self) -> bool:
        """Whether the file can be made again from the lake alone."""
        return self.table.startswith("marts/")


@dataclass(frozen=True, slots=True)
class Partition:
    """One day of a table: the file that holds it, alone or with other days of its month, and what tells whether the file changed.

    ``group`` is the row group of a month's file, -1 where the day has no rows there, None where the file is the day's
    own.
    """

    table: str
    dt: date
    path: Path
    size: int
    mtime_ns: int
    group: int | None = None


def damage_of(partition: Partition, why: object) -> LakeCorrupt:
    """What is said of a partition that does not read back."""
    table, dt = partition.table, partition.dt
    mend = (
        "douyin publish"
        if table.startswith("marts/")
        else f"douyin replay --select {table.rpartition('/')[2]} --from {dt} --to {dt}"
    )
    return LakeCorrupt(table, dt, partition.path, why, mend)


def check(partition: Partition, link: Path | None = None) -> bool:
    """Hold a partition's file, or a link to it that nobody renames over, against its checksum; False where the link is one of a file that was replaced meanwhile.

    A file without a checksum was written by an elder release: it is read through, by the checksums of its pages, and
    gets one.

    Raises:
        FileNotFoundError: the file was removed meanwhile.
        LakeCorrupt: it is not as it was written.
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
    with suppress(OSError):  # a copy that may only be read
        record(path, digest)
    return True
