"""Encode and decode the archive's segments: index lines, bodies, and the packs of sealed days."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import zstandard

from resources.storage.atomic import CorruptFile, write_atomic

_FORMAT = "douyin-archive/1"


_LEVEL = 3


PACK = "segments.tar"
"""Tar file of a sealed day's segments, each with its original bytes and name."""


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
        found = (s for s in stored_segments(self.path.parent, self.name.rpartition("/")[0]) if s.name == self.name)
        if (stored := next(found, None)) is None:
            raise FileNotFoundError(self.path)
        return stored


class ArchiveEntry(NamedTuple):
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
    entries: list[ArchiveEntry]
    rest: int

    def records(self) -> Iterator[tuple[Address, ArchiveEntry, bytes]]:
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


def _is_segment(path: Path) -> bool:
    """Return whether a file is a finished segment; unfinished ones begin with a dot."""
    return path.suffix == ".zst" and not path.name.startswith(".")


def has_segments(folder: Path) -> bool:
    """Return whether the folder of a day contains a segment or a pack."""
    return any(p.name == PACK or _is_segment(p) for p in folder.iterdir())


def stored_segments(folder: Path, prefix: str) -> list[StoredEntry]:
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


def write_pack(folder: Path, segments: list[StoredEntry]) -> None:
    """Replace the pack of a day atomically by one of these segments."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:", format=tarfile.USTAR_FORMAT) as tar:
        for one in segments:
            member = tarfile.TarInfo(one.name.rpartition("/")[2])
            member.size = one.size
            tar.addfile(member, io.BytesIO(one.read()))
    write_atomic(folder / PACK, sink.getbuffer())
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Flush a folder to disk, so that a file renamed into it survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def encode_segment(lines: list[bytes], bodies: list[bytes]) -> bytes:
    """Compress index lines and bodies to the two frames of a segment."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    head = orjson.dumps({"format": _FORMAT, "records": len(lines)})
    return compressor.compress(b"\n".join([head, *lines]) + b"\n") + compressor.compress(b"".join(bodies))


def encode_line(entry: ArchiveEntry, length: int) -> bytes:
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


def decode_index(stored: StoredEntry) -> tuple[list[ArchiveEntry], bytes]:
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


_USUAL = ArchiveEntry._fields[:-1]


def _entry(line: dict[str, Any]) -> ArchiveEntry:
    line["began_at"], line["observed_at"] = (
        datetime.fromisoformat(line["began_at"]),
        datetime.fromisoformat(line["observed_at"]),
    )
    # Most lines have all members but `said`, in order; lines of earlier releases lack members added since.
    return ArchiveEntry._make((*line.values(), "")) if tuple(line) == _USUAL else ArchiveEntry(**line)


def _decompress(stored: StoredEntry, data: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor().decompressobj()
    try:
        bodies = reader.decompress(data)
    except zstandard.ZstdError as error:
        raise ArchiveCorrupt(stored, f"the bodies do not read back ({error})") from error
    if not reader.eof:
        raise ArchiveCorrupt(stored, "the bodies are cut short")
    return bodies
