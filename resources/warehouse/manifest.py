"""What ``warehouse.duckdb`` holds, told without opening it: publishing what is published already can be left.

``warehouse.duckdb.holds`` lies beside the file, with the size and the time of just that file, and digests of what it
was made of. Lost, or of another file, it tells nothing.
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
from resources.storage.lake import Partition
from resources.warehouse.mart_files import Mart
from resources.warehouse.state_tables import OF_THE_MOMENT


@dataclass(frozen=True)
class PublishManifest:
    """Which file it is, and digests of what it was made of: the layout with the tables of the state, and the lake with the marts' descriptions."""

    size: int
    mtime_ns: int
    state: str
    lake: str


def read_manifest(path: Path) -> PublishManifest | None:
    """What the file that lies there was made of; None where that is not known, or where somebody wrote to the file since."""
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
    """Write down what the file that lies there now was made of."""
    stat = path.stat()
    write_atomic(
        _beside(path), json.dumps(asdict(PublishManifest(stat.st_size, stat.st_mtime_ns, state, lake))).encode()
    )


def digest_of_state(layout: str, tables: Mapping[str, pa.Table | Mapping[date, int]]) -> str:
    """Of tables their rows, of those that are handed over by day when each day changed.

    Another on each day (UTC), also where nothing happened.
    """
    told = blake2b(layout.encode(), digest_size=16)
    for name, rows in sorted(tables.items()):
        told.update(name.encode())
        told.update(_bytes_of(rows) if isinstance(rows, pa.Table) else repr(sorted(rows.items())).encode())
    return told.hexdigest()


def digest_of_lake(present: Iterable[Partition], marts: Iterable[Mart]) -> str:
    """Of the files of the lake their names, sizes and times."""
    told = blake2b(repr([(m.name, m.hash) for m in marts]).encode(), digest_size=16)
    for p in present:
        told.update(f"{p.table} {p.dt} {p.size} {p.mtime_ns}\n".encode())
    return told.hexdigest()


def _bytes_of(rows: pa.Table) -> bytes:
    """All but what the clock alone changes; of when the rows were read, the day."""
    days = rows["as_of"].cast(pa.date32(), safe=False).unique().to_pylist() if "as_of" in rows.column_names else []
    kept = rows.drop_columns([n for n in OF_THE_MOMENT if n in rows.column_names])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, kept.schema) as stream:
        stream.write_table(kept)
    return sink.getvalue().to_pybytes() + repr(days).encode()


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".holds")
