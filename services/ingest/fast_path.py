"""Convert response bodies to rows on the fast path, for responses that match the catalogue.

orjson parses a body, and rows are built column by column, for less than half of the CPU that DuckDB needs to take the
lists apart as JSON (``extract.py``). All other bodies take the general path, which gives the same rows and reports what
is malformed: unknown members, wrong shapes, and cases where orjson and DuckDB disagree (duplicate keys and the textual
form of decimals).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from catalog.records import Endpoint, Envelope, Origin, Output, Parse

ENVELOPE_MEMBERS = frozenset({"error_code", "description", "total", "captcha", "desc_url", "log_id"})


def is_simple(output: Output) -> bool:
    """Return whether an output is a list of objects whose columns are all read by plain paths."""
    if output.once or output.single or output.explode or not output.rows.strip("$"):
        return False
    return all(
        c.origin is not Origin.PARENT
        and c.origin is not Origin.ELEMENT
        and "|" not in c.path
        and c.parse is not Parse.WORDS
        for c in output.columns
    )


def sibling_members(endpoint: Endpoint) -> frozenset[str]:
    """List the members of ``data`` that the catalogue knows: those of columns, of paging, and the platform's own."""
    paths = [c.path for o in endpoint.outputs for c in o.columns if c.origin is Origin.BODY]
    if endpoint.paging:
        paths += [endpoint.paging.cursor, endpoint.paging.has_more]
    root = endpoint.root + "."
    return (
        endpoint.known_members(endpoint.root)
        | ENVELOPE_MEMBERS
        | {p.removeprefix(root).split(".")[0] for p in paths if p.startswith(root)}
    )


def row_members(endpoint: Endpoint, output: Output) -> frozenset[str]:
    """List the members that a row of the output may have, or an element of the member that it explodes."""
    known = endpoint.known_members(output.rows, output.explode)
    return known | ENVELOPE_MEMBERS if output.rows == endpoint.root else known


class PlainRows:
    """Rows of fast-path responses, collected for all simple outputs of an endpoint.

    Responses are numbered in the order in which they are accepted; the number is the ``request`` of their rows.
    """

    def __init__(self, endpoint: Endpoint, outputs: Sequence[Output]) -> None:
        self._root, self._beside = _names(endpoint.root), sibling_members(endpoint)
        self._gathered = {o: _ColumnBuilder(o, row_members(endpoint, o)) for o in outputs}

    def take(self, bodies: Sequence[bytes]) -> list[bool]:
        """Collect the rows of some bodies; return for each one whether it was accepted.

        Rejected bodies add no rows.
        """
        with _no_collection():
            return self._take(bodies)

    def _take(self, bodies: Sequence[bytes]) -> list[bool]:
        documents = [_read(body) for body in bodies]
        if self._add(documents):
            return [True] * len(bodies)
        plain = [self._find([d]) is not None for d in documents]
        added = self._add([d for d, is_plain in zip(documents, plain, strict=True) if is_plain])
        return plain if added else [False] * len(bodies)

    def _add(self, documents: list) -> bool:
        found = self._find(documents)
        for gathered, rows in found or ():
            gathered.add(rows)
        return found is not None

    def _find(self, documents: list) -> list[tuple[_ColumnBuilder, _ParsedRows]] | None:
        """Parse the rows of some documents by output.

        None if a document has an unknown member or an unexpected shape.
        """
        beside = [_at(d, self._root) for d in documents]
        if not (_ONLY_OBJECTS.issuperset(map(type, beside)) and self._beside.issuperset(chain.from_iterable(beside))):
            return None
        found: list[tuple[_ColumnBuilder, _ParsedRows]] = []
        for builder in self._gathered.values():
            if (rows := builder.parse_rows(documents)) is None:
                return None
            found.append((builder, rows))
        return found

    def tables(self) -> dict[Output, pa.Table]:
        """Return the collected rows by output, and clear them; columns as in :class:`services.ingest.extract.Rows`."""
        return {o: g.table() for o, g in self._gathered.items()}


def plain_rows(endpoint: Endpoint, outputs: Sequence[Output]) -> PlainRows | None:
    """Create the collector for some outputs, or return None if one of them is not simple."""
    if endpoint.envelope is Envelope.WEBHOOK or not all(map(is_simple, outputs)):
        return None
    try:
        return PlainRows(endpoint, outputs)
    except ValueError:  # one path is a prefix of another one
        return None


@dataclass(frozen=True, slots=True)
class _ParsedRows:
    """Rows of one output of some responses: the number of rows of each, and the columns.

    The columns that are read from rows come first, then those that are read from bodies.
    """

    sizes: list[int]
    columns: list[pa.Array]


class _ColumnBuilder:
    """The rows of one output, as columns that grow."""

    def __init__(self, output: Output, members: frozenset[str]) -> None:
        self._rows, self._members = _names(output.rows), members
        self._of_rows = [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.MEMBER]
        self._of_bodies = [(i, c) for i, c in enumerate(output.columns) if c.origin is Origin.BODY]
        self._columns = [*self._of_rows, *self._of_bodies]
        self._tree: dict = {}
        for _, column in self._of_rows:
            _grow(self._tree, column.path)
        self._clear()

    def _clear(self) -> None:
        self._sizes: list[int] = []
        self._pieces: list[list[pa.Array]] = [[] for _ in self._columns]
        self._types: list[pa.DataType] = [pa.null()] * len(self._columns)

    def parse_rows(self, documents: list) -> _ParsedRows | None:
        """Parse the rows of some documents; None if one of them is malformed."""
        lists = [_at(d, self._rows) for d in documents]
        if not _LISTS.issuperset(map(type, lists)):
            return None
        rows = list(chain.from_iterable(filter(None, lists)))
        if not (_ONLY_OBJECTS.issuperset(map(type, rows)) and self._members.issuperset(chain.from_iterable(rows))):
            return None
        by_path = _values(rows, self._tree)
        if by_path is None:
            return None
        values = [by_path[c.path] for _, c in self._of_rows] + [
            [_at(d, _names(c.path)) for d in documents] for _, c in self._of_bodies
        ]
        columns = [_array(column, c.parse) for column, (_, c) in zip(values, self._columns, strict=True)]
        return (
            None if any(c is None for c in columns) else _ParsedRows([len(one) if one else 0 for one in lists], columns)
        )

    def add(self, rows: _ParsedRows) -> None:
        """Append parsed rows."""
        self._sizes += rows.sizes
        for n, column in enumerate(rows.columns):
            self._pieces[n].append(column)
            self._types[n] = _common(self._types[n], column.type)

    def table(self) -> pa.Table:
        """Return all rows as one table, and clear them."""
        sizes = np.array(self._sizes, np.int64)
        request = np.repeat(np.arange(len(sizes)), sizes)
        ordinal = np.arange(1, len(request) + 1) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        columns = {
            "request": request,
            "parent_ordinal": np.zeros(len(request), np.int64),
            "ordinal": ordinal,
            "problem": pa.nulls(len(request), pa.string()),
        }
        for (i, column), pieces, type_ in zip(self._columns, self._pieces, self._types, strict=True):
            type_ = pa.string() if pa.types.is_null(type_) else type_
            whole = pa.chunked_array([p.cast(type_, safe=False) for p in pieces], type_)
            columns[f"c{i}"] = whole if column.origin is Origin.MEMBER else whole.take(pa.array(request))
        self._clear()
        return pa.table(columns)


_ONLY_OBJECTS = frozenset({dict})
_OBJECTS = frozenset({dict, type(None)})
_LISTS = frozenset({list, type(None)})


def _read(body: bytes) -> Any:
    """Parse a body; None if it is no JSON, or if an object may have a duplicate key.

    Of duplicate keys orjson keeps one, so the document has fewer colons when it is written again. Colons in texts are
    written as they are, even by a platform that escapes more than necessary.
    """
    try:
        document = orjson.loads(body)
        written = orjson.dumps(document)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # dumps raises where it is nested too deeply
        return None
    if written != body and (written.count(b":") != body.count(b":") or b"\\u003a" in body or b"\\u003A" in body):
        return None
    return document


def _values(rows: list[dict], tree: dict, path: str = "") -> dict[str, list] | None:
    """Collect the values of objects by dotted path, null for a missing member; None if an inner object is none."""
    found: dict[str, list] = {}
    for name, inner in tree.items():
        values = [row.get(name) for row in rows]
        if inner is None:
            found[path + name] = values
        elif (
            not _OBJECTS.issuperset(map(type, values))
            or (of_inner := _values([v or {} for v in values], inner, f"{path}{name}.")) is None
        ):
            return None
        else:
            found |= of_inner
    return found


def _array(values: list, how: Parse) -> pa.Array | None:
    """Convert values to an Arrow array of their own type, or of texts where types are mixed.

    None for objects and lists, and for fractions where their textual form matters.
    """
    try:
        array = pa.array(values)
        if array.type in _TYPES:
            return array
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        array = None
    kinds = set(map(type, values))
    if not kinds <= (_SCALARS_AND_FRACTIONS if how in _NUMBERS else _SCALARS):
        return None
    if array is not None and bool not in kinds:  # Arrow accepts booleans beside fractions; we do not
        return array
    return pa.array([v if v is None or type(v) is str else str(v).lower() for v in values], pa.string())


def _common(type_: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return the type that can represent the values of both types; text as the last resort."""
    if type_ == other or pa.types.is_null(other):
        return type_
    if pa.types.is_null(type_):
        return other
    return pa.float64() if {type_, other} == {pa.int64(), pa.float64()} else pa.string()


_TYPES = (pa.string(), pa.int64(), pa.bool_(), pa.null())
_NUMBERS = (Parse.NUMBER, Parse.NUMBER_OR_NULL)
_SCALARS = frozenset({str, int, bool, type(None)})
_SCALARS_AND_FRACTIONS = _SCALARS | {float}


@contextmanager
def _no_collection() -> Iterator[None]:
    """Disable the garbage collector for a block.

    Documents are trees, which the collector would scan again and again: without it, parsing takes half the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _names(path: str) -> list[str]:
    return [name for name in path.removeprefix("$").split(".") if name]


def _at(document: Any, names: Sequence[str]) -> Any:
    """Return the value at a path, or None if there is none."""
    for name in names:
        if type(document) is not dict:
            return None
        document = document.get(name)
    return document


def _grow(tree: dict, path: str) -> None:
    """Add a path to a tree of names, whose leaves are None.

    Raises:
        ValueError: one path is a prefix of another one.
    """
    *outer, last = path.split(".")
    for name in outer:
        tree = tree.setdefault(name, {})
        if tree is None:
            raise ValueError(path)
    if tree.setdefault(last, None) is not None:
        raise ValueError(path)
