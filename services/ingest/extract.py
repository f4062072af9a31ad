"""Convert response bodies to rows.

Bodies that match the catalogue take the fast path (``fast_path.py``). All others take the general path, as do outputs
that are no plain list of objects: DuckDB reads an NDJSON spool with every leaf as text, and ``rows.py`` applies the
catalogue's types later. On the general path a row that is no object, or a list that is no list, goes to quarantine, and
unknown members are counted. Unnesting the list as JSON and transforming each row with a text schema costs 2.4x less CPU
than ``->>`` per column and 2.2x less than orjson with one DataFrame (``benchmarks/extract.py``, one thread).
"""

from __future__ import annotations

import json
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
from catalog.records import Column, Endpoint, Envelope, Origin, Output, Parse
from resources.storage.segments import Address, Entry
from services.ingest.fast_path import plain_rows, row_members, sibling_members

TEXTS = (Parse.TEXT, Parse.BUCKET, Parse.INT_OR_NULL, Parse.NUMBER_OR_NULL, Parse.DATE_OR_NULL)
"""Parsers that accept any text, and would accept the JSON text of an object."""
BATCH_BYTES = 8 << 20
_MAX_BODY = 256 << 20


class Source(NamedTuple):
    """One archived response of a batch; its position in the batch is the ``request`` of its rows."""

    address: Address
    entry: Entry


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
            f"read_json({_literal(str(self.spool))}, format = 'newline_delimited', maximum_object_size = "
            f"{_MAX_BODY}, columns = {columns})"
        )


def read_batches(
    records: Iterable[tuple[Address, Entry, bytes]],
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


def _together(records: Iterable[tuple[Address, Entry, bytes]]) -> Iterator[list[tuple[Address, Entry, bytes]]]:
    some: list[tuple[Address, Entry, bytes]] = []
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

    def add(self, address: Address, entry: Entry, body: bytes) -> None:
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


def _path(dotted: str) -> str:
    if dotted == "$":
        return "$"
    return "$" + "".join(f".{json.dumps(name, ensure_ascii=False)}" for name in dotted.split("."))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


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
    rows = connection.execute(_select_rows(output, path)).to_arrow_table()
    # Copy: the rows stay in memory for long, and DuckDB's buffers are larger than their content.
    return Rows(rows.take(pa.array(np.arange(rows.num_rows))), _unknown_members(connection, endpoint, output))


def _load_lists(connection, batch: Batch, endpoint: Endpoint, output: Output) -> None:
    """Create ``lists`` (per response: its rows as JSON, a wrong type, body values) and ``elements`` (per row)."""
    where = _path(output.rows)
    if output.once:
        accepted = "('OBJECT', 'ARRAY', 'NULL')"
        elements = f"CASE WHEN json_type(b, '{where}') NOT IN {accepted} THEN [] ELSE ['{{}}'::JSON] END"
    elif output.single:
        elements = f"CASE WHEN json_type(b, '{where}') = 'OBJECT' THEN [json_extract(b, '{where}')] ELSE [] END"
        accepted = "('OBJECT', 'NULL')"
    else:
        elements = f"json_extract(b, '{where}[*]')"
        accepted = "('ARRAY', 'NULL')"
    own = "".join(f", json_extract_string(b, {_literal(_path(c.path))}) AS body{i}" for i, c in _body_columns(output))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE lists AS
        SELECT r, {elements} AS elements, json_keys(b, '{_path(endpoint.root)}') AS members,
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
    place, where = _place(path)
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


def _body_columns(output: Output) -> list[tuple[int, Column]]:
    return [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.BODY]


def _select_rows(output: Output, path: str) -> str:
    """Build the query from ``elements`` to text columns, with one row for each value that is wrongly no list."""
    members = [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.MEMBER and not _is_special(c)]
    special = [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.ELEMENT or _is_special(c)]
    parents = [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.PARENT]
    outer = "parent_o" if output.explode else "0"
    columns = [f"{_value(c)} AS c{i}" for i, c in members]
    columns += [f"{_special(c)} AS c{i}" for i, c in special]
    columns += [f"CASE {odd} END AS m{i}" for i, c in (*members, *special) if (odd := _odd(c))]
    columns += [f"json_extract_string(parent, {_literal(_path(c.path))}) AS c{i}" for i, c in parents]
    columns += [f"body{i} AS c{i}" for i, _ in _body_columns(output)]
    filled = [f"c{i}" for i, _ in (*members, *special, *parents, *_body_columns(output))]
    nothing = "".join(f", NULL::VARCHAR AS {name}" for name in filled)
    values = "".join(f", {column}" for column in columns)
    wanted = "an object" if output.single and not output.explode else "a list"
    return f"""
        SELECT r AS request, {outer} AS parent_ordinal, o AS ordinal, {_problem(output)} AS problem{values}
        FROM (SELECT *, json_transform(x, {_literal(json.dumps(_shape(members)))}) AS t FROM elements)
        UNION ALL BY NAME
        SELECT r AS request, {outer} AS parent_ordinal, 0 AS ordinal,
               {_literal(path)} || ' is ' || misfit || ', not {wanted}' AS problem{nothing}
        FROM lists WHERE misfit IS NOT NULL
        ORDER BY request, parent_ordinal, ordinal
    """


def _is_special(column: Column) -> bool:
    """Return whether a member needs its own SQL: it is inside JSON text, or is a list of words."""
    return column.origin is Origin.MEMBER and ("|" in column.path or column.parse is Parse.WORDS)


def _special(column: Column) -> str:
    """Build the SQL for a column that ``json_transform`` cannot read."""
    if column.origin is Origin.ELEMENT:
        return "json_extract_string(x, '$')"
    if column.parse is Parse.WORDS:
        return _unless(
            f"json_type(x, {_literal(_path(column.path))}) NOT IN ('ARRAY', 'VARCHAR', 'NULL')",
            column.path,
            _words(column.path),
        )
    place, where = _place(column.path)
    return f"json_extract_string({place}, {_literal(where)})"


def _place(path: str) -> tuple[str, str]:
    """Build the SQL for the innermost object opened on a path; also return the JSON path of the member in it."""
    *outer, last = path.split("|")
    place = "x"
    for step in outer:
        place = _opened(f"json_extract({place}, {_literal(_path(step))})")
    return place, _path(last)


def _opened(place: str) -> str:
    """Build the SQL for the JSON at a place, or in the text at that place; null where the text is no JSON."""
    return (
        f"CASE WHEN json_type({place}) = 'VARCHAR' THEN TRY_CAST(json_extract_string({place}, '$') AS JSON) "
        f"ELSE {place} END"
    )


def _words(path: str) -> str:
    """Build the SQL that joins the texts of a list by ``、``; one text in brackets is a list, too (``[a b c]``)."""
    where = _path(path)
    kind = f"json_type(x, {_literal(where)})"
    listed = (
        f"CASE WHEN {kind} = 'ARRAY' THEN json_extract_string(x, {_literal(where + '[*]')}) "
        f"WHEN {kind} = 'VARCHAR' THEN [json_extract_string(x, {_literal(where)})] END"
    )
    bracketed = f"len({listed}) = 1 AND ({listed})[1] LIKE '[%]'"
    inner = f"string_split_regex(trim(({listed})[1], '[] '), ' +')"
    return f"NULLIF(array_to_string(CASE WHEN {bracketed} THEN {inner} ELSE {listed} END, '、'), '')"


def _value(column: Column) -> str:
    """Build the SQL for the text of a member, or for the text of the first outer value that is no object."""
    value = f"t{_access(column.path)}"
    for outer in reversed(_outers(column.path)):
        value = _unless(_is_no_object(outer), outer, value)
    return value


def _unless(odd: str, path: str, value: str) -> str:
    return f"CASE WHEN {odd} THEN json_extract_string(x, {_literal(_path(path))}) ELSE {value} END"


def _outers(path: str) -> list[str]:
    """List the paths of the objects around a member, outermost first."""
    names = path.split(".")
    return [".".join(names[: n + 1]) for n in range(len(names) - 1)]


def _is_no_object(path: str) -> str:
    return f"json_type(x, {_literal(_path(path))}) NOT IN ('OBJECT', 'NULL')"


def _odd(column: Column) -> str:
    """Build the branches of a CASE that says why a value is malformed.

    It is no text, no list of texts, or an outer value is no object.
    """
    if column.origin is not Origin.MEMBER or "|" in column.path:
        return ""
    path = _literal(_path(column.path))
    if column.parse is Parse.WORDS:
        return (
            f"WHEN json_type(x, {path}) NOT IN ('ARRAY', 'VARCHAR', 'NULL') THEN "
            f"{_literal(column.path + ': expected a list of texts, got ')} || json_type(x, {path})"
        )
    branches = [
        (
            f"WHEN {_is_no_object(outer)} THEN {_literal(outer + ': expected an object, got ')} || "
            f"json_type(x, {_literal(_path(outer))})"
        )
        for outer in _outers(column.path)
    ]
    if column.parse in TEXTS:
        # Checked only where the text begins like an object or a list; titles may begin with "[", too.
        value = f"t{_access(column.path)}"
        branches.append(
            f"WHEN ({value} LIKE '{{%' OR {value} LIKE '[%') AND json_type(x, {path}) IN ('OBJECT', 'ARRAY') "
            f"THEN {_literal(column.path + ': expected text, got ')} || json_type(x, {path})"
        )
    return " ".join(branches)


def _access(dotted: str) -> str:
    return "".join(f'."{name}"' for name in dotted.split("."))


def _shape(members: list[tuple[int, Column]]) -> dict:
    """Build the text schema for ``json_transform``: dotted paths become nested objects."""
    shape: dict = {}
    for _, column in members:
        *outer, last = column.path.split(".")
        place = shape
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = "VARCHAR"
    return shape or {"": "VARCHAR"}


def _problem(output: Output) -> str:
    """Build the SQL that says why a row is malformed: it, or its JSON text that should be an object, is none."""
    checks = []
    shape = "VARCHAR" if any(c.origin is Origin.ELEMENT for c in output.columns) else "OBJECT"
    for outer in sorted({c.path.split("|")[0] for c in output.columns if c.origin is Origin.MEMBER and "|" in c.path}):
        place = _opened(f"json_extract(x, {_literal(_path(outer))})")
        checks.append(
            f"WHEN coalesce(json_type({place}), '') <> 'OBJECT' THEN "
            f"{_literal(outer + ': expected an object as JSON text')}"
        )
    named = "a text" if shape == "VARCHAR" else "an object"
    return (
        f"CASE WHEN json_type(x) <> '{shape}' THEN 'the row is ' || json_type(x) || ', not {named}' "
        f"{' '.join(checks)} END"
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
        content = _opened(f"json_extract(x, {_literal(_path('content'))})")
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
