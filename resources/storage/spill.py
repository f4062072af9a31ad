"""Spill Arrow tables to disk that are too large for memory, in an unnamed temporary file.

Nothing has to be removed after a killed run: the system frees the file with the process, however that ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

PART_ROWS = 8192
"""Largest number of rows read back at once."""


class ArrowSpill:
    """A temporary file of Arrow tables in the order of writing, which exists as long as this object."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._places: list[tuple[int, int]] = []
        self._end = 0
        self.num_rows = 0

    def write(self, rows: pa.Table) -> None:
        """Append rows, in parts of at most :data:`PART_ROWS`.

        Raises:
            OSError: the disk is full.
        """
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
        """Yield the rows in the order of writing, one part at a time.

        Parts are read, not memory-mapped: mapped pages would count as memory of the process.

        Raises:
            OSError: a part does not read back.
        """
        for start, length in list(self._places):
            self._file.seek(start)
            data = bytearray(length)
            if self._file.readinto(data) != length:
                raise OSError(f"a spilled part of {length} bytes does not read back")
            yield pa.ipc.open_stream(pa.py_buffer(data)).read_all()
