"""Convert response bodies to rows.

Bodies that match the catalogue take the fast path (``fast_path.py``). All others take the general path, as do outputs
that are no plain list of objects: DuckDB reads an NDJSON spool with every leaf as text, and ``rows.py`` applies the
catalogue's types later. On the general path a row that is no object, or a list that is no list, goes to quarantine, and
unknown members are counted. Unnesting the list as JSON and transforming each row with a text schema costs 2.4x less CPU
than ``->>`` per column and 2.2x less than orjson with one DataFrame (``benchmarks/extract.py``, one thread).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from catalog.events import ENVELOPE_MEMBERS, EVENT_NAMES, OTHER_EVENTS, content_members
from catalog.records import Endpoint, Envelope, Origin, Output
from resources.sql import literal
from resources.storage.segments import Address, ArchiveEntry
from services.ingest.extract_sql import body_columns, innermost, json_path, opened_text, select_rows
from services.ingest.fast_path import plain_rows, row_members, sibling_members

BATCH_BYTES = 8 << 20
_MAX_BODY = 256 << 20


class Source(NamedTuple):
    """One archived response of a batch; its position in the batch is the ``request`` of its rows."""

    address: Address
    entry: ArchiveEntry


@dataclass(frozen=True)
class Rows:
    """Rows of one output, with the values of the responses.

    ``rows`` has these columns:

    - ``request``: position of the response in the batch.
    - ``parent_ordinal`` and ``ordinal``: 1-based position in the list.
    - ``problem``: null, or why the row is malformed.
    - ``c<i>``: column ``i`` of the output, if it is read from the body; text, or integers, booleans or numbers where
      all values of the batch are.
    - ``m<i>`` (optional): why a value of ``c<i>`` is malformed; ``c<i>`` then has the JSON that was sent.

    An output with ``once`` set has one row for each response. ``unknown`` counts members that are missing in the
    catalogue, by member and ``request``.
    """

    rows: pa.Table
    unknown: Counter[tuple[str, int]]


@dataclass(frozen=True)
class Batch:
    """Some responses of one endpoint, all for the fast path or all for the general one.

    ``rows`` has the rows by output on the fast path, and is None on the general path, whose bodies are in the file
    ``spool``.
    """

    sources: list[Source]
    spool: Path
    rows: Mapping[Output, pa.Table] | None = None

    @property
    def reading(self) -> str:
        """SQL that reads the spool: ``r``, the position of the response, and ``b``, its body."""
        columns = "{r: 'BIGINT', b: 'JSON'}"
        return (
            f"read_json({literal(self.spool)}, format = 'newline_delimited', maximum_object_size = "
            f"{_MAX_BODY}, columns = {columns})"
        )


def read_batches(
    records: Iterable[tuple[Address, ArchiveEntry, bytes]],
    endpoint: Endpoint,
    outputs: Sequence[Output],
    batch_bytes: int = BATCH_BYTES,
) -> Iterator[Batch]:
    """Split responses into batches of about ``batch_bytes`` bytes of bodies.

    Fast-path and general-path responses come in different batches. The spool of a batch exists until the next batch is
    requested.
    """
    plain = plain_rows(endpoint, outputs)
    sources: list[Source] = []
    size = 0
    with tempfile.TemporaryDirectory(prefix="douyin-spool-") as folder:
        spool = _Spool(Path(folder) / "bodies.ndjson")
        for some in _together(records):
            taken = plain.take([body for _, _, body in some]) if plain else [False] * len(some)
            for (address, entry, body), is_plain in zip(some, taken, strict=True):
                if is_plain:
                    sources.append(Source(address, entry))
                    size += len(body)
                else:
                    spool.add(address, entry, body)
            if plain and size >= batch_bytes:
                yield Batch(sources, spool.path, plain.tables())
                sources, size = [], 0
            if spool.size >= batch_bytes:
                yield spool.batch()
        if plain and sources:
            yield Batch(sources, spool.path, plain.tables())
        if spool.size:
            yield spool.batch()


_TOGETHER_BYTES = 256 << 10
"""Bodies that the fast path parses at once."""


def _together(
    records: Iterable[tuple[Address, ArchiveEntry, bytes]],
) -> Iterator[list[tuple[Address, ArchiveEntry, bytes]]]:
    some: list[tuple[Address, ArchiveEntry, bytes]] = []
    size = 0
    for record in records:
        some.append(record)
        size += len(record[2])
        if size >= _TOGETHER_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


class _Spool:
    """Responses for the general path, in a file that is rewritten for each batch."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0
        self._sources: list[Source] = []

    def add(self, address: Address, entry: ArchiveEntry, body: bytes) -> None:
        """Append a response to the file, in one line."""
        if not self._sources:
            self._file = open(self.path, "wb")  # noqa: SIM115
        # Outside strings a line break is white space; inside strings JSON forbids a raw one.
        line = body.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in body or b"\r" in body else body
        self.size += self._file.write(b'{"r":%d,"b":%s}\n' % (len(self._sources), line))
        self._sources.append(Source(address, entry))

    def batch(self) -> Batch:
        """Close the file and return its batch; the next ``add`` overwrites the file."""
        self._file.close()
        sources, self._sources, self.size = self._sources, [], 0
        return Batch(sources, self.path)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})


def connect() -> duckdb.DuckDBPyConnection:
    """Open a connection to an in-memory DuckDB without network access, with its own temporary tables."""
    return _database().cursor()


def extract(connection: duckdb.DuckDBPyConnection, batch: Batch, endpoint: Endpoint, output: Output) -> Rows:
    """Extract the rows of ``output`` from a batch, and mark those that are malformed.

    On the general path this replaces the temporary tables ``lists`` and ``elements`` of ``connection``.
    """
    if batch.rows is not None:
        return Rows(batch.rows[output], Counter())
    _load_lists(connection, batch, endpoint, output)
    path = output.rows
    if output.explode:
        _explode(connection, output.explode)
        path = output.explode if output.single else f"{output.rows}[].{output.explode}"
    rows = connection.execute(select_rows(output, path)).to_arrow_table()
    # Copy: the rows stay in memory for long, and DuckDB's buffers are larger than their content.
    return Rows(rows.take(pa.array(np.arange(rows.num_rows))), _unknown_members(connection, endpoint, output))


def _load_lists(connection, batch: Batch, endpoint: Endpoint, output: Output) -> None:
    """Create ``lists`` (per response: its rows as JSON, a wrong type, body values) and ``elements`` (per row)."""
    where = json_path(output.rows)
    if output.once:
        accepted = "('OBJECT', 'ARRAY', 'NULL')"
        elements = f"CASE WHEN json_type(b, '{where}') NOT IN {accepted} THEN [] ELSE ['{{}}'::JSON] END"
    elif output.single:
        elements = f"CASE WHEN json_type(b, '{where}') = 'OBJECT' THEN [json_extract(b, '{where}')] ELSE [] END"
        accepted = "('OBJECT', 'NULL')"
    else:
        elements = f"json_extract(b, '{where}[*]')"
        accepted = "('ARRAY', 'NULL')"
    own = "".join(f", json_extract_string(b, {literal(json_path(c.path))}) AS body{i}" for i, c in body_columns(output))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE lists AS
        SELECT r, {elements} AS elements, json_keys(b, '{json_path(endpoint.root)}') AS members,
               CASE WHEN json_type(b, '{where}') NOT IN {accepted} THEN json_type(b, '{where}') END AS misfit{own}
        FROM {batch.reading}
        """
    )
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE elements AS
        SELECT * EXCLUDE (elements, members, misfit), unnest(elements) AS x, unnest(range(1, len(elements) + 1)) AS o
        FROM lists
        """
    )


def _explode(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    """Replace ``elements`` by the elements of the list at ``path`` in each row; the row itself stays as ``parent``."""
    place, where = innermost(path)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE lists AS
        SELECT * EXCLUDE (x, o), x AS parent, o AS parent_o, json_extract({place}, '{where}[*]') AS elements,
               CASE WHEN json_type({place}, '{where}') NOT IN ('ARRAY', 'NULL')
                    THEN json_type({place}, '{where}') END AS misfit
        FROM elements WHERE json_type(x) = 'OBJECT'
        """
    )
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE elements AS
        SELECT * EXCLUDE (elements, misfit), unnest(elements) AS x, unnest(range(1, len(elements) + 1)) AS o FROM lists
        """
    )


def _unknown_members(connection, endpoint: Endpoint, output: Output) -> Counter[tuple[str, int]]:
    """Count the members of rows, and of ``data`` beside them, that are missing in the catalogue.

    The counts are numbers of rows, by member and response.
    """
    if output.once:
        return Counter()
    if endpoint.envelope is Envelope.WEBHOOK and not output.explode:
        return _unknown_of_event(connection, endpoint, output)
    label = f"{output.rows}.{output.explode}".removeprefix("$.").replace("|", ".") if output.explode else output.rows
    unknown = _others(
        connection, "json_keys(x)", "elements WHERE json_type(x) = 'OBJECT'", row_members(endpoint, output), label
    )
    if not output.explode:
        unknown.update(_others(connection, "members", "lists", sibling_members(endpoint), endpoint.root))
    return unknown


def _unknown_of_event(connection, endpoint: Endpoint, output: Output) -> Counter[tuple[str, int]]:
    """Count the members of an event's envelope and content that are missing in the catalogue.

    Content is checked in both of its forms, and only where the output reads it. Of an unknown event its name is
    counted.
    """
    objects = "elements WHERE json_type(x) = 'OBJECT'"
    unknown = _others(connection, "json_keys(x)", objects, ENVELOPE_MEMBERS, "")
    if endpoint is OTHER_EVENTS:
        unknown.update(_others(connection, "[json_extract_string(x, '$.event')]", objects, EVENT_NAMES, "event"))
    if any(c.origin is Origin.MEMBER and c.path.startswith("content|") for c in output.columns):
        content = opened_text(f"json_extract(x, {literal(json_path('content'))})")
        unknown.update(
            _others(
                connection,
                "json_keys(content)",
                f"(SELECT r, {content} AS content FROM {objects}) WHERE json_type(content) = 'OBJECT'",
                content_members(endpoint),
                "content",
            )
        )
    return unknown


def _others(connection, keys: str, place: str, known: Collection[str], label: str) -> Counter[tuple[str, int]]:
    """Count the keys that are not in ``known``, by key and response.

    The distinct keys are selected first, since on most days none is unknown.
    """
    found = connection.execute(f"SELECT DISTINCT unnest({keys}) FROM {place}").fetchall()
    names = [name for (name,) in found if name not in known]
    if not names:
        return Counter()
    counted = connection.execute(
        f"SELECT m, r, count(*) FROM (SELECT r, unnest({keys}) AS m FROM {place}) WHERE list_contains($1, "
        "m) GROUP BY ALL",
        [names],
    )
    return Counter({(f"{label}.{name}".removeprefix("."), request): rows for name, request, rows in counted.fetchall()})
