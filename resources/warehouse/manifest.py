"""Record what ``warehouse.duckdb`` was made of, to skip a publication that would not change it.

The manifest ``warehouse.duckdb.holds`` is stored beside the file, with the size and modification time of exactly that
file, and digests of its content. A missing manifest, or one of another file, is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from resources.storage.atomic import write_atomic
from resources.storage.partition import Partition
from resources.warehouse.mart_files import Mart
from resources.warehouse.state_tables import OF_THE_MOMENT


@dataclass(frozen=True)
class PublishManifest:
    """Identity of a published file, and digests of its content.

    ``state`` covers the layout and the tables of the state, ``lake`` the files of the lake and the mart files.
    """

    size: int
    mtime_ns: int
    state: str
    lake: str


def read_manifest(path: Path) -> PublishManifest | None:
    """Read the manifest of the file at ``path``; None if it is missing or the file was written to since."""
    try:
        found = PublishManifest(**json.loads(_beside(path).read_bytes()))
        stat = path.stat()
    except (FileNotFoundError, ValueError, TypeError):
        return None
    is_as_published = (found.size, found.mtime_ns) == (stat.st_size, stat.st_mtime_ns) and not path.with_name(
        path.name + ".wal"
    ).exists()
    return found if is_as_published else None


def write_manifest(path: Path, state: str, lake: str) -> None:
    """Write the manifest of the file now at ``path``, with the digests of its content.

    Raises:
        OSError: writing failed.
    """
    stat = path.stat()
    write_atomic(
        _beside(path), json.dumps(asdict(PublishManifest(stat.st_size, stat.st_mtime_ns, state, lake))).encode()
    )


def digest_of_state(layout: str, tables: Mapping[str, pa.Table | Mapping[date, int]]) -> str:
    """Digest the layout and the rows of tables, or the change times of tables that are read by day.

    The digest differs on each day (UTC), also if nothing happened.
    """
    digest = blake2b(layout.encode(), digest_size=16)
    for name, rows in sorted(tables.items()):
        digest.update(name.encode())
        digest.update(_bytes_of(rows) if isinstance(rows, pa.Table) else repr(sorted(rows.items())).encode())
    return digest.hexdigest()


def digest_of_lake(present: Iterable[Partition], marts: Iterable[Mart]) -> str:
    """Digest the names, sizes and times of the lake's files, and the names and hashes of marts."""
    digest = blake2b(repr([(m.name, m.hash) for m in marts]).encode(), digest_size=16)
    for p in present:
        digest.update(f"{p.table} {p.dt} {p.size} {p.mtime_ns}\n".encode())
    return digest.hexdigest()


def _bytes_of(rows: pa.Table) -> bytes:
    """Encode rows without the columns that depend on the clock; of the time of reading only the day."""
    days = rows["as_of"].cast(pa.date32(), safe=False).unique().to_pylist() if "as_of" in rows.column_names else []
    kept = rows.drop_columns([n for n in OF_THE_MOMENT if n in rows.column_names])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, kept.schema) as stream:
        stream.write_table(kept)
    stored: bytes = sink.getvalue().to_pybytes()
    return stored + repr(days).encode()


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".holds")
