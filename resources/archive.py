"""The archive: every response body, byte for byte, with its request. Append-only; the checkpoint and the replay source.

Layout: ``archive/<operation>/<Beijing day of observation>/<segment>.zst``. A segment is written whole
(beside, fsync, rename, fsync of the directory) and never changed. It is two zstd frames with checksums:
the index, one JSON line per record, and the bodies back to back. The index can be read without
touching the bodies, and ``zstdcat`` shows both.

What is in the archive is known from it alone; no other file or database says so. A record that was
flushed is never asked for again, and one that was not is asked again.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path

import orjson
import zstandard

from catalog.records import beijing_day

_FORMAT = "douyin-archive/1"
_LEVEL = 3
_FLUSH_BYTES = 8 << 20


class ArchiveDamaged(RuntimeError):
    """A segment does not read back as it was written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The index line of one response.

    ``params`` are the request's parameters without secrets; ``subject`` those of them that name what
    was asked for (not cursor, page size or window). ``code`` is the platform's code, None when the body
    was not the platform's. ``sequence`` ties the pages of one listing together, ``page`` counts from 1.
    ``began_at`` is the instant of the first page and stands for the whole sequence. ``items`` is the number of
    rows seen, ``offset`` that of the pages before, ``newest`` the latest day of a series, ``cursor`` what the next page needs, ``last`` whether the
    platform said that no page follows.
    """

    operation: str
    client_key: str
    open_id: str
    params: Mapping[str, str | int]
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
    cursor: str | int | None = None
    items: int | None = None
    offset: int = 0
    newest: str | None = None
    length: int = 0

    @property
    def key(self) -> tuple:
        """Identifies what was asked for, whatever the page, window or time."""
        return (self.client_key, self.open_id, *sorted(self.subject.items()))

    @property
    def ok(self) -> bool:
        return self.code == 0 and self.http_status == 200


@dataclass(frozen=True, slots=True)
class Address:
    """Where a record lies: ``<operation>/<day>/<segment>#<number>``."""

    segment: str
    number: int

    def __str__(self) -> str:
        return f"{self.segment}#{self.number}"


@dataclass
class _Buffer:
    entries: list[Entry] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


class Archive:
    """Reads and writes segments under ``root``. One writer object per process; processes do not disturb each other."""

    def __init__(self, root: Path, flush_s: float = 1.0) -> None:
        self.root = root
        self.flush_s = flush_s
        self._buffers: dict[tuple[str, date], _Buffer] = {}
        self._bytes = 0
        self._oldest: float | None = None

    # ------------------------------------------------------------------ writing

    def append(self, entry: Entry, body: bytes) -> None:
        """Take one response; it is on disk after the next :meth:`flush`, at most ``flush_s`` later if :meth:`flush_if_due` is called."""
        buffer = self._buffers.setdefault((entry.operation, beijing_day(entry.began_at)), _Buffer())
        buffer.entries.append(entry)
        buffer.bodies.append(body)
        self._bytes += len(body)
        if self._oldest is None:
            self._oldest = time.monotonic()
        self.flush_if_due()

    def flush_if_due(self) -> None:
        due = self._oldest is not None and time.monotonic() - self._oldest >= self.flush_s
        if due or self._bytes >= _FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Put all taken responses on disk. They stay taken if that fails, so a later flush loses nothing."""
        while self._buffers:
            key = next(iter(self._buffers))
            self._write_segment(*key, self._buffers[key])
            del self._buffers[key]
        self._bytes, self._oldest = 0, None

    def _write_segment(self, operation: str, day: date, buffer: _Buffer) -> None:
        folder = self.root / operation / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        first = buffer.entries[0].observed_at
        # Names sort by time. The machine's own time decides where the pipeline's clock stands still (simulated days).
        name = f"{first:%Y%m%dT%H%M%S%f}-{time.time_ns():016x}{uuid.uuid4().hex[:6]}.zst"
        pending = folder / f".{name}.tmp"
        try:
            with open(pending, "wb") as file:
                file.write(_encode(buffer.entries, buffer.bodies))
                file.flush()
                os.fsync(file.fileno())
            os.replace(pending, folder / name)
        except OSError:
            pending.unlink(missing_ok=True)
            raise
        _sync_folder(folder)

    # ------------------------------------------------------------------ reading

    def days(self, operation: str) -> list[date]:
        """Days with at least one segment, ascending."""
        folder = self.root / operation
        if not folder.is_dir():
            return []
        return sorted(date.fromisoformat(d.name) for d in folder.iterdir() if d.is_dir() and any(_segments(d)))

    def index(self, operation: str, days: Iterable[date]) -> Iterator[Entry]:
        """Index lines of flushed records of the given days of observation."""
        for path in self._paths(operation, days):
            yield from _decode_index(path)[0]

    def records(self, operation: str, days: Iterable[date]) -> Iterator[tuple[Address, Entry, bytes]]:
        """Flushed records with their bodies, in the order of segments."""
        for path in self._paths(operation, days):
            entries, rest = _decode_index(path)
            bodies = _decompress(path, rest)
            if len(bodies) != sum(e.length for e in entries):
                raise ArchiveDamaged(f"{path}: bodies hold {len(bodies)} bytes, the index says {sum(e.length for e in entries)}")
            segment = str(path.relative_to(self.root))
            start = 0
            for number, entry in enumerate(entries):
                yield Address(segment, number), entry, bodies[start : start + entry.length]
                start += entry.length

    def _paths(self, operation: str, days: Iterable[date]) -> Iterator[Path]:
        for day in sorted(set(days)):
            yield from _segments(self.root / operation / day.isoformat())


def _segments(folder: Path) -> Iterator[Path]:
    """Finished segments in order of name, which is order of time; unfinished ones begin with a dot."""
    if folder.is_dir():
        yield from sorted(p for p in folder.iterdir() if p.suffix == ".zst" and not p.name.startswith("."))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _encode(entries: list[Entry], bodies: list[bytes]) -> bytes:
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    lines = [orjson.dumps({"format": _FORMAT, "records": len(entries)})]
    for entry, body in zip(entries, bodies, strict=True):
        lines.append(orjson.dumps(asdict(entry) | {"length": len(body)}))
    return compressor.compress(b"\n".join(lines) + b"\n") + compressor.compress(b"".join(bodies))


def _decode_index(path: Path) -> tuple[list[Entry], bytes]:
    """The index of a segment and its still compressed rest."""
    reader = zstandard.ZstdDecompressor().decompressobj()
    try:
        lines = reader.decompress(path.read_bytes()).splitlines()
        head = orjson.loads(lines[0])
        entries = [_entry(orjson.loads(line)) for line in lines[1:]]
    except (zstandard.ZstdError, orjson.JSONDecodeError, IndexError, TypeError, KeyError, ValueError) as error:
        raise ArchiveDamaged(f"{path}: the index does not read back ({error})") from error
    if not reader.eof or head.get("format") != _FORMAT or head.get("records") != len(entries):
        raise ArchiveDamaged(f"{path}: the index is cut short or of another format")
    return entries, reader.unused_data


def _entry(line: dict) -> Entry:
    instants = {name: datetime.fromisoformat(line[name]) for name in ("began_at", "observed_at")}
    return Entry(**(line | instants))


def _decompress(path: Path, data: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor().decompressobj()
    try:
        bodies = reader.decompress(data)
    except zstandard.ZstdError as error:
        raise ArchiveDamaged(f"{path}: the bodies do not read back ({error})") from error
    if not reader.eof:
        raise ArchiveDamaged(f"{path}: the bodies are cut short")
    return bodies
