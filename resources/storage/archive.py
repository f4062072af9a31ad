"""Archive every response body byte for byte, with its request: append-only, the checkpoint and source of replays.

Layout: ``archive/<operation>/<Beijing day of observation>/<segment>.zst``. A segment is written atomically (temporary
file, fsync, rename, fsync of the directory) and never changed. It consists of two zstd frames with checksums: the
index, one JSON line per record, and the concatenated bodies. The index can be decoded without decompressing the
bodies, and ``zstdcat`` shows both.

The archive alone defines its content; no other file or database lists it. A flushed record is never requested again;
an unflushed one is.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from catalog.records import beijing_day
from resources.storage.atomic import sweep, write_atomic
from resources.storage.segments import (
    Address,
    ArchiveCorrupt,
    ArchiveEntry,
    Segment,
    StoredEntry,
    decode_index,
    encode_line,
    encode_segment,
    has_segments,
    stored_segments,
    sync_folder,
    write_pack,
)

_FLUSH_BYTES = 8 << 20


DAMAGED = "_damaged"
"""Folder for quarantined segments that do not read back; nothing is deleted."""


@dataclass
class _Buffer:
    """Buffered lines and bodies of one segment.

    Lines are encoded by ``append``, so that none of them can make a flush fail.
    """

    began: datetime
    lines: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


class Archive:
    """Reader and writer of segments under ``root``: one writer object per process; processes do not conflict."""

    def __init__(self, root: Path, flush_s: float = 1.0) -> None:
        self.root = root
        self.flush_s = flush_s
        self._buffers: dict[tuple[str, date], _Buffer] = {}
        self._bytes = 0
        self._oldest: float | None = None
        self._writing = threading.RLock()
        """Needed because an interrupted run closes on one thread while its tasks end on another."""

    # ------------------------------------------------------------------ writing

    def append(self, entry: ArchiveEntry, body: bytes) -> None:
        """Buffer one response; the next :meth:`flush` writes it to disk.

        With regular calls of :meth:`flush_if_due` that is at most ``flush_s`` seconds later.

        Raises:
            OSError: a flush was due and failed; the response stays buffered.
        """
        line = encode_line(entry, len(body))
        with self._writing:
            buffer = self._buffers.setdefault(
                (entry.operation, beijing_day(entry.began_at)), _Buffer(entry.observed_at)
            )
            buffer.lines.append(line)
            buffer.bodies.append(body)
            self._bytes += len(body)
            if self._oldest is None:
                self._oldest = time.monotonic()
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Flush if the oldest buffered response has waited ``flush_s`` seconds, or 8 MiB of bodies are buffered."""
        due = self._oldest is not None and time.monotonic() - self._oldest >= self.flush_s
        if due or self._bytes >= _FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write all buffered responses to disk.

        Segments that fail stay buffered for a later flush; they do not block the others.

        Raises:
            OSError: the first failure, raised after all segments were tried.
        """
        with self._writing:
            failures: list[OSError] = []
            for key, buffer in list(self._buffers.items()):
                try:
                    self._write_segment(*key, buffer)
                except OSError as error:
                    failures.append(error)
                else:
                    del self._buffers[key]
            if failures:
                raise failures[0]
            self._bytes, self._oldest = 0, None

    def _write_segment(self, operation: str, day: date, buffer: _Buffer) -> None:
        folder = self.root / operation / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        # Names sort by time. The machine's own time breaks ties where the pipeline's clock is fixed (simulated days).
        name = f"{buffer.began:%Y%m%dT%H%M%S%f}-{time.time_ns():016x}{uuid.uuid4().hex[:6]}.zst"
        write_atomic(folder / name, encode_segment(buffer.lines, buffer.bodies))
        sync_folder(folder)

    def sweep(self, operation: str) -> list[Path]:
        """Remove and return unfinished files of killed writers; their responses will be requested again."""
        return sweep((self.root / operation).glob("*/.*.tmp"))

    # ------------------------------------------------------------------ reading

    def operations(self) -> list[str]:
        """Return the operations that have a folder, in order of name."""
        return (
            sorted(f.name for f in self.root.iterdir() if f.is_dir() and f.name != DAMAGED)
            if self.root.is_dir()
            else []
        )

    def days(self, operation: str) -> list[date]:
        """Return the days with at least one segment, ascending."""
        folder = self.root / operation
        if not folder.is_dir():
            return []
        return sorted(date.fromisoformat(d.name) for d in folder.iterdir() if d.is_dir() and has_segments(d))

    def index(self, operation: str, days: Iterable[date]) -> Iterator[ArchiveEntry]:
        """Yield the index lines of flushed records of the given days of observation.

        Raises:
            ArchiveCorrupt: an index does not read back.
        """
        for segment in self.segments(operation, days):
            yield from segment.entries

    def records(self, operation: str, days: Iterable[date]) -> Iterator[tuple[Address, ArchiveEntry, bytes]]:
        """Yield address, index line and body of each flushed record, in the order of segments.

        Raises:
            ArchiveCorrupt: a segment does not read back.
        """
        for segment in self.segments(operation, days):
            yield from segment.records()

    def segments(self, operation: str, days: Iterable[date]) -> Iterator[Segment]:
        """Yield segments with decoded indexes, for callers that need all indexes before the first body.

        Raises:
            ArchiveCorrupt: an index does not read back.
        """
        for stored in self.stored(operation, days):
            entries, rest = decode_index(stored)
            yield Segment(stored, entries, len(rest))

    def stored(self, operation: str, days: Iterable[date]) -> Iterator[StoredEntry]:
        """Yield the locations of segments without reading them, in order of name, which is order of time."""
        for day in sorted(set(days)):
            folder = self.root / operation / day.isoformat()
            if folder.is_dir():
                yield from stored_segments(folder, f"{operation}/{day.isoformat()}")

    # ------------------------------------------------------------------ upkeep

    def damaged(self, operation: str, days: Iterable[date]) -> Iterator[ArchiveCorrupt]:
        """Read all segments of the given days and yield an error for each one that fails its checksums."""
        for stored in self.stored(operation, days):
            try:
                entries, rest = decode_index(stored)
                for _ in Segment(stored, entries, len(rest)).records():
                    pass
            except ArchiveCorrupt as error:
                yield error

    def set_aside(self, segment: StoredEntry) -> Path:
        """Move a damaged segment to ``_damaged`` and return its new path.

        A packed segment is copied there, and the pack is rewritten without it.
        """
        target = self.root / DAMAGED / segment.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not segment.packed:
            os.replace(segment.path, target)
        else:
            write_atomic(target, segment.read())
            folder = segment.path.parent
            write_pack(
                folder,
                [
                    s
                    for s in stored_segments(folder, segment.name.rpartition("/")[0])
                    if s.packed and s.name != segment.name
                ],
            )
        sync_folder(target.parent)
        return target

    def pack(self, operation: str, day: date) -> int:
        """Pack the segments of a day into one file and return how many files were removed.

        Addresses and bytes of records do not change. The pack is written atomically before the files are removed. If
        that is interrupted, segments exist twice and are read once.
        """
        folder = self.root / operation / day.isoformat()
        found = list(stored_segments(folder, f"{operation}/{day.isoformat()}"))
        loose = [s for s in found if not s.packed]
        if len(found) < 2 or not loose:
            return 0
        write_pack(folder, found)
        for one in loose:
            one.path.unlink()
        sync_folder(folder)
        return len(loose)

    def remove_day(self, operation: str, day: date) -> None:
        """Delete all segments of a day of observation."""
        shutil.rmtree(self.root / operation / day.isoformat(), ignore_errors=True)
