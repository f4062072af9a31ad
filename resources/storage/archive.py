"""Archive every response body byte for byte, with its request: append-only, the checkpoint and source of replays.

Layout: ``archive/<operation>/<Beijing day of observation>/<segment>.zst``. A segment is written atomically (temporary
file, fsync, rename, fsync of the directory) and never changed. It consists of two zstd frames with checksums: the
index, one JSON line per record, and the concatenated bodies. The index can be decoded without decompressing the
bodies, and ``zstdcat`` shows both.

The archive alone defines its content; no other file or database lists it. A flushed record is never requested again;
an unflushed one is.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import zstandard

from catalog.records import beijing_day
from resources.storage.atomic import CorruptFile, sweep, write_atomic

_FORMAT = "douyin-archive/1"
_LEVEL = 3
_FLUSH_BYTES = 8 << 20


PACK = "segments.tar"
"""Tar file of a sealed day's segments, each with its original bytes and name."""
DAMAGED = "_damaged"
"""Folder for quarantined segments that do not read back; nothing is deleted."""


class ArchiveCorrupt(CorruptFile):
    """A segment does not read back as it was written."""

    def __init__(self, segment: StoredEntry, why: str) -> None:
        super().__init__(
            f"{segment.path}{f' ({segment.path.name} holds {segment.name})' if segment.packed else ''}: {why}. "
            "Restore the file from a copy, or move it aside with `douyin verify --repair`: what the "
            "platform still provides is requested again"
        )
        self.segment = segment


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """Location of a segment's bytes: a file of its own, or a part of a pack.

    ``name`` is ``<operation>/<day>/<segment file>``, as in :class:`Address`; ``offset`` and ``size`` are in bytes.
    """

    name: str
    path: Path
    offset: int
    size: int
    packed: bool = False

    def read(self, start: int = 0) -> bytes:
        """Return the segment's bytes from ``start`` on; a negative ``start`` counts from the end.

        Raises:
            FileNotFoundError: the segment was removed.
        """
        try:
            file = open(self.path, "rb")  # noqa: SIM115
        except FileNotFoundError:
            if self.packed:
                raise
            return self._in_pack().read(start)  # it was packed meanwhile
        with file:
            file.seek(self.offset + (start if start >= 0 else self.size + start))
            return file.read(self.size - start if start >= 0 else -start)

    def _in_pack(self) -> StoredEntry:
        found = (s for s in _stored(self.path.parent, self.name.rpartition("/")[0]) if s.name == self.name)
        if (stored := next(found, None)) is None:
            raise FileNotFoundError(self.path)
        return stored


class Entry(NamedTuple):
    """Index line of one response.

    A tuple, because each response has one: creation is 13 times as fast as with a frozen dataclass, writing 100 times.

    ``params`` are the request's parameters without secrets; ``subject`` those of them that identify the requested
    object (not cursor, page size or window). ``code`` is the platform's code, None if the body was not the platform's.
    ``sequence`` ties the pages of one listing together, ``page`` counts from 1. ``began_at`` is the instant of the
    first page and stands for the whole sequence. ``items`` is the number of rows seen, ``offset`` that of the pages
    before, ``newest`` the latest day of a series, ``cursor`` the value for the next page. ``last`` says whether this
    is the final page, ``whole`` whether the platform reported so (else the rest was known and not requested). ``said``
    is the platform's own text of a refusal; lines of successes and of earlier releases lack this member.
    """

    operation: str
    client_key: str
    open_id: str
    params: Mapping[str, str | int | list[str]]
    subject: Mapping[str, str | int]
    slot: str
    sequence: str
    page: int
    began_at: datetime
    observed_at: datetime
    http_status: int
    code: int | None
    logid: str | None
    last: bool = True
    whole: bool = True
    cursor: str | int | None = None
    items: int | None = None
    offset: int = 0
    newest: str | None = None
    length: int = 0
    said: str = ""

    @property
    def key(self) -> tuple[str | tuple[str, str | int], ...]:
        """Identity of the requested object, independent of page, window and time."""
        return (self.client_key, self.open_id, *sorted(self.subject.items()))

    @property
    def ok(self) -> bool:
        """Whether the platform reported success: code 0 and HTTP status 200."""
        return self.code == 0 and self.http_status == 200


class Address(NamedTuple):
    """Location of a record: ``<operation>/<day>/<segment>#<number>``."""

    segment: str
    number: int

    def __str__(self) -> str:
        return f"{self.segment}#{self.number}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment with its index decoded; its bodies, the last ``rest`` bytes, are read on demand."""

    stored: StoredEntry
    entries: list[Entry]
    rest: int

    def records(self) -> Iterator[tuple[Address, Entry, bytes]]:
        """Read the bodies and yield each record's address, index line and body, in order.

        Raises:
            ArchiveCorrupt: the bodies do not decompress, or differ in length from the index.
        """
        bodies = _decompress(self.stored, self.stored.read(-self.rest) if self.rest else b"")
        if len(bodies) != sum(e.length for e in self.entries):
            raise ArchiveCorrupt(
                self.stored, f"bodies hold {len(bodies)} bytes, the index says {sum(e.length for e in self.entries)}"
            )
        start, name = 0, self.stored.name
        for number, entry in enumerate(self.entries):
            end = start + entry.length
            yield Address(name, number), entry, bodies[start:end]
            start = end


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

    def append(self, entry: Entry, body: bytes) -> None:
        """Buffer one response; the next :meth:`flush` writes it to disk.

        With regular calls of :meth:`flush_if_due` that is at most ``flush_s`` seconds later.

        Raises:
            OSError: a flush was due and failed; the response stays buffered.
        """
        line = _line(entry, len(body))
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
        write_atomic(folder / name, _encode(buffer.lines, buffer.bodies))
        _sync_folder(folder)

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
        return sorted(date.fromisoformat(d.name) for d in folder.iterdir() if d.is_dir() and _has_segments(d))

    def index(self, operation: str, days: Iterable[date]) -> Iterator[Entry]:
        """Yield the index lines of flushed records of the given days of observation.

        Raises:
            ArchiveCorrupt: an index does not read back.
        """
        for segment in self.segments(operation, days):
            yield from segment.entries

    def records(self, operation: str, days: Iterable[date]) -> Iterator[tuple[Address, Entry, bytes]]:
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
            entries, rest = _decode_index(stored)
            yield Segment(stored, entries, len(rest))

    def stored(self, operation: str, days: Iterable[date]) -> Iterator[StoredEntry]:
        """Yield the locations of segments without reading them, in order of name, which is order of time."""
        for day in sorted(set(days)):
            folder = self.root / operation / day.isoformat()
            if folder.is_dir():
                yield from _stored(folder, f"{operation}/{day.isoformat()}")

    # ------------------------------------------------------------------ upkeep

    def damaged(self, operation: str, days: Iterable[date]) -> Iterator[ArchiveCorrupt]:
        """Read all segments of the given days and yield an error for each one that fails its checksums."""
        for stored in self.stored(operation, days):
            try:
                entries, rest = _decode_index(stored)
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
            target.write_bytes(segment.read())
            folder = segment.path.parent
            _write_pack(
                folder,
                [s for s in _stored(folder, segment.name.rpartition("/")[0]) if s.packed and s.name != segment.name],
            )
        _sync_folder(target.parent)
        return target

    def pack(self, operation: str, day: date) -> int:
        """Pack the segments of a day into one file and return how many files were removed.

        Addresses and bytes of records do not change. The pack is written atomically before the files are removed. If
        that is interrupted, segments exist twice and are read once.
        """
        folder = self.root / operation / day.isoformat()
        found = list(_stored(folder, f"{operation}/{day.isoformat()}"))
        loose = [s for s in found if not s.packed]
        if len(found) < 2 or not loose:
            return 0
        _write_pack(folder, found)
        for one in loose:
            one.path.unlink()
        _sync_folder(folder)
        return len(loose)

    def remove_day(self, operation: str, day: date) -> None:
        """Delete all segments of a day of observation."""
        shutil.rmtree(self.root / operation / day.isoformat(), ignore_errors=True)


def _is_segment(path: Path) -> bool:
    """Return whether a file is a finished segment; unfinished ones begin with a dot."""
    return path.suffix == ".zst" and not path.name.startswith(".")


def _has_segments(folder: Path) -> bool:
    return any(p.name == PACK or _is_segment(p) for p in folder.iterdir())


def _stored(folder: Path, prefix: str) -> list[StoredEntry]:
    """Return the segments of a day in order of name; one that exists both loose and packed is returned once."""
    found = {
        p.name: StoredEntry(f"{prefix}/{p.name}", p, 0, p.stat().st_size) for p in folder.iterdir() if _is_segment(p)
    }
    if (pack := folder / PACK).exists():
        with tarfile.open(pack, "r:") as tar:
            for member in tar:
                found.setdefault(
                    member.name,
                    StoredEntry(f"{prefix}/{member.name}", pack, member.offset_data, member.size, packed=True),
                )
    return [found[name] for name in sorted(found)]


def _write_pack(folder: Path, segments: list[StoredEntry]) -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:", format=tarfile.USTAR_FORMAT) as tar:
        for one in segments:
            member = tarfile.TarInfo(one.name.rpartition("/")[2])
            member.size = one.size
            tar.addfile(member, io.BytesIO(one.read()))
    write_atomic(folder / PACK, sink.getbuffer())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _encode(lines: list[bytes], bodies: list[bytes]) -> bytes:
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    head = orjson.dumps({"format": _FORMAT, "records": len(lines)})
    return compressor.compress(b"\n".join([head, *lines]) + b"\n") + compressor.compress(b"".join(bodies))


def _line(entry: Entry, length: int) -> bytes:
    """Encode an entry as JSON.

    Values that JSON cannot express are dropped or approximated: the body is archived in any case.
    """
    members = entry._asdict() | {"length": length}
    if not members["said"]:
        del members["said"]
    try:
        return orjson.dumps(members)
    except TypeError:  # integers beyond 64 bits, invalid Unicode, or types unknown to JSON
        return orjson.dumps({name: _sayable(value) for name, value in members.items()})


def _sayable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_sayable(str(name)): _sayable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_sayable(one) for one in value]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return None
    return value if isinstance(value, int | float | datetime | None) else None


def _decode_index(stored: StoredEntry) -> tuple[list[Entry], bytes]:
    """Decode a segment's index; return its entries and the still compressed bodies."""
    reader = zstandard.ZstdDecompressor().decompressobj()
    try:
        lines = reader.decompress(stored.read()).splitlines()
        head = orjson.loads(lines[0])
        entries = [_entry(orjson.loads(line)) for line in lines[1:]]
    except (zstandard.ZstdError, orjson.JSONDecodeError, IndexError, TypeError, KeyError, ValueError) as error:
        raise ArchiveCorrupt(stored, f"the index does not read back ({error})") from error
    if not reader.eof or head.get("format") != _FORMAT or head.get("records") != len(entries):
        raise ArchiveCorrupt(stored, "the index is cut short or of another format")
    return entries, reader.unused_data


_USUAL = Entry._fields[:-1]


def _entry(line: dict[str, Any]) -> Entry:
    line["began_at"], line["observed_at"] = (
        datetime.fromisoformat(line["began_at"]),
        datetime.fromisoformat(line["observed_at"]),
    )
    # Most lines have all members but `said`, in order; lines of earlier releases lack members added since.
    return Entry._make((*line.values(), "")) if tuple(line) == _USUAL else Entry(**line)


def _decompress(stored: StoredEntry, data: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor().decompressobj()
    try:
        bodies = reader.decompress(data)
    except zstandard.ZstdError as error:
        raise ArchiveCorrupt(stored, f"the bodies do not read back ({error})") from error
    if not reader.eof:
        raise ArchiveCorrupt(stored, "the bodies are cut short")
    return bodies
