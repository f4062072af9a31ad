"""The short way from bodies to text rows, for batches in which every answer has the shape that the catalogue says.

DuckDB reads the spool once, straight into a STRUCT whose leaves are all text. That costs a seventh of taking each list apart as JSON
(``extract.py``), but refuses a whole batch when one row is no object, and is silent about members that nobody asked for. So each body is looked
at before: :func:`plain_check` knows members and shapes. Whatever is not plain goes the long way, which gives the same rows and says what is odd.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from catalog.envelopes import member
from catalog.records import Endpoint, Envelope, Origin, Output, Parse

ENVELOPE_MEMBERS = frozenset({"error_code", "description", "total", "captcha", "desc_url", "log_id"})
TEXTS = (Parse.TEXT, Parse.BUCKET, Parse.INT_OR_NULL, Parse.NUMBER_OR_NULL, Parse.DATE_OR_NULL)
"""Parsers that take any text, and would take the text of an object for one."""
_READ = (Origin.MEMBER, Origin.BODY)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Where an output's rows stand, and what may stand in them and beside them."""

    path: str
    members: frozenset[str]
    root: str
    beside: frozenset[str]


def is_simple(output: Output) -> bool:
    """Whether an output is a list of objects whose columns are read by plain paths."""
    if output.once or output.single or output.explode or not output.rows.strip("$"):
        return False
    return all(c.origin is not Origin.PARENT and c.origin is not Origin.ELEMENT and "|" not in c.path and c.parse is not Parse.WORDS for c in output.columns)


def beside_members(endpoint: Endpoint) -> frozenset[str]:
    """Members of ``data`` beside the rows that the endpoint's paging and body columns read, and the platform's own."""
    paths = [c.path for o in endpoint.outputs for c in o.columns if c.origin is Origin.BODY]
    if endpoint.paging:
        paths += [endpoint.paging.cursor, endpoint.paging.has_more]
    root = endpoint.root + "."
    return endpoint.known_members(endpoint.root) | ENVELOPE_MEMBERS | {p.removeprefix(root).split(".")[0] for p in paths if p.startswith(root)}


def row_members(endpoint: Endpoint, output: Output) -> frozenset[str]:
    """Members that a row of the output may have, or an element of what it explodes."""
    known = endpoint.known_members(output.rows, output.explode)
    return known | ENVELOPE_MEMBERS if output.rows == endpoint.root else known


def plain_check(endpoint: Endpoint, outputs: Sequence[Output]) -> Callable[[bytes], bool] | None:
    """Tells of a body whether it has nothing but what the catalogue knows, in the shape that it knows; None where the outputs are not simple."""
    if endpoint.envelope is Envelope.WEBHOOK or not all(map(is_simple, outputs)):
        return None
    places = {_Rows(o.rows, row_members(endpoint, o), endpoint.root, beside_members(endpoint)) for o in outputs}

    def is_plain(body: bytes) -> bool:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return False
        return all(_fits(document, place) for place in places)

    return is_plain


def _fits(document: Any, place: _Rows) -> bool:
    beside, rows = member(document, place.root), member(document, place.path)
    if not (isinstance(beside, dict) and place.beside.issuperset(beside)):
        return False
    if rows is None:
        return True
    return isinstance(rows, list) and all(isinstance(row, dict) and place.members.issuperset(row) for row in rows)


def read_rows(connection: duckdb.DuckDBPyConnection, read_spool: str, output: Output) -> pa.Table | None:
    """Text rows of a spooled batch of plain bodies, as :class:`assets.ingest.extract.TextRows` has them; None where DuckDB refuses or the long way must judge.

    ``read_spool`` is DuckDB's ``read_json`` of the batch, with ``%s`` for the type of the body.
    """
    columns = [(i, c) for i, c in enumerate(output.columns) if c.origin in _READ]
    shape: dict = {}
    try:
        for _, column in columns:
            if column.origin is Origin.BODY:
                _grow(shape, column.path, "VARCHAR")
        _grow(shape, output.rows, [_tree([c.path for _, c in columns if c.origin is Origin.MEMBER])])
    except ValueError:  # one path goes through another one
        return None
    where = _access("b", output.rows)
    inner = ", ".join(["r", f"unnest(range(1, len({where}) + 1)) AS o", f"unnest({where}) AS x", *(f"{_access('b', c.path)} AS body{i}" for i, c in columns if c.origin is Origin.BODY)])
    found = ", ".join(f"{_access('x', c.path) if c.origin is Origin.MEMBER else f'body{i}'} AS c{i}" for i, c in columns)
    query = f"SELECT r AS request, 0 AS parent_ordinal, o AS ordinal, NULL::VARCHAR AS problem, {found} FROM (SELECT {inner} FROM {read_spool % _type(shape)})"
    try:
        rows = connection.execute(query).to_arrow_table()
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        return None
    return None if any(_holds_json(rows[f"c{i}"]) for i, c in columns if c.origin is Origin.MEMBER and c.parse in TEXTS) else rows


def _holds_json(texts: pa.ChunkedArray) -> bool:
    """Whether a text may have been an object or a list: titles may begin with a bracket, too, but seldom end there and are JSON."""
    starts = pc.or_(pc.starts_with(texts, "["), pc.starts_with(texts, "{"))
    return pc.any(starts).as_py() is True and any(_is_json(text) for text in pc.unique(texts.filter(starts)).to_pylist())


def _is_json(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), list | dict)
    except orjson.JSONDecodeError:
        return False


def _tree(paths: Collection[str]) -> dict:
    tree: dict = {}
    for path in paths:
        _grow(tree, path, "VARCHAR")
    return tree


def _grow(tree: dict, path: str, leaf: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            raise ValueError(path)
    if tree.setdefault(last, leaf) != leaf:
        raise ValueError(path)


def _type(tree: Any) -> str:
    """A tree of names as DuckDB's type."""
    if isinstance(tree, dict):
        return "STRUCT(" + ", ".join(f'"{name}" {_type(inner)}' for name, inner in tree.items()) + ")" if tree else "JSON"
    return f"{_type(tree[0])}[]" if isinstance(tree, list) else tree


def _access(of: str, path: str) -> str:
    return of + "".join(f'."{name}"' for name in path.split("."))
