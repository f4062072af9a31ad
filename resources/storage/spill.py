"""Rows that are too many to be held: Arrow tables on disk, in a file without a name.

Nothing has to be swept after a killed run: the system takes the file back with the process, however that ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

PART_ROWS = 8192
"""Rows that are read back at once."""


class ArrowSpill:
    """A file of tables in the order in which they were written, which lives as long as this object."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._places: list[tuple[int, int]] = []
        self._end = 0
        self.num_rows = 0

    def write(self, rows: pa.Table) -> None:
        """Append rows, in parts of at most :data:`PART_ROWS`. Raises OSError where the disk is full."""
        for start in range(0, rows.num_rows, PART_ROWS):
            sink = pa.BufferOutputStream()
            part = rows.slice(start, PART_ROWS)
            with pa.ipc.new_stream(sink, part.schema) as writer:
                writer.write_table(part)
            data = memoryview(sink.getvalue())
            self._places.append((self._end, len(data)))
            self._file.seek(self._end)
            while data:
                data = data[self._file.write(data) :]
            self._end = sum(self._places[-1])
            self.num_rows += part.num_rows

    def parts(self) -> Iterator[pa.Table]:
        """The tables, a part at a time.

        They are read, not mapped: mapped pages would count as memory of the process.
        """
        for start, length in list(self._places):
            self._file.seek(start)
            data = bytearray(length)
            if self._file.readinto(data) != length:
                raise OSError(f"a spilled part of {length} bytes does not read back")
            yield pa.ipc.open_stream(pa.py_buffer(data)).read_all()
