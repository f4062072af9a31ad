"""Compile marts before any of them runs: check sources and column types, order the marts, and trace column lineage.

DuckDB's own binder checks each SELECT against empty tables with the catalogue's types. sqlglot finds the tables and
columns that a SELECT reads.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from catalog import TABLES
from resources.sql import DUCKDB_SESSION, identifier, identifiers
from resources.storage.atomic import write_atomic
from resources.storage.schema import DRIFT_SCHEMA, QUARANTINE_SCHEMA, STATUS_SCHEMA, arrow_schema
from resources.warehouse.descriptions import TEXTS
from resources.warehouse.mart_files import DATASET, BadMart, Mart
from resources.warehouse.state_tables import TABLES_OF_STATE
from services.comments.functions import FUNCTIONS, register

if TYPE_CHECKING:  # not needed by a process that reads the cache
    import duckdb
    from sqlglot import exp

_DT = re.compile(r"\$dt\b")
_LINE = re.compile(r"LINE (\d+):")
SQL_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
    "VARCHAR[]": TEXTS,
}
_AS = {
    "TINYINT": "BIGINT",
    "SMALLINT": "BIGINT",
    "INTEGER": "BIGINT",
    "UTINYINT": "BIGINT",
    "USMALLINT": "BIGINT",
    "UINTEGER": "BIGINT",
    "UBIGINT": "BIGINT",
    "HUGEINT": "BIGINT",
    "FLOAT": "DOUBLE",
}
"""Types that a mart stores as another type; DECIMAL becomes DOUBLE, too."""
META: Mapping[str, pa.Schema] = {"load_status": STATUS_SCHEMA, "quarantine": QUARANTINE_SCHEMA, "drift": DRIFT_SCHEMA}
SCHEMAS = ("main", DATASET, "meta", "outreach")


@dataclass(frozen=True)
class CompiledMart:
    """A valid mart.

    ``sources`` are the tables that it reads, with their schema names, sorted. ``schema`` has the columns as Parquet
    stores them.
    """

    mart: Mart
    sources: tuple[str, ...]
    schema: pa.Schema
    uses_texts: bool
    """Whether it calls functions of ``services/comments``."""
    schemas: Mapping[str, pa.Schema]
    """Columns of its sources, by name of the source."""

    @property
    def tables(self) -> tuple[str, ...]:
        """List the core tables that it reads."""
        return tuple(s.removeprefix("main.") for s in self.sources if s.startswith("main."))

    @property
    def marts(self) -> tuple[str, ...]:
        """List the marts that it reads."""
        return tuple(s.removeprefix("marts.") for s in self.sources if s.startswith("marts."))

    @property
    def reads_state(self) -> bool:
        """Return whether it reads state that is not in files; such a mart is rebuilt whole at every run."""
        return any(s in TABLES_OF_STATE or s == "meta.load_status" for s in self.sources)

    @cached_property
    def lineage(self) -> dict[str, list[tuple[str, str]]]:
        """Map each column to the (source, column) pairs it is derived from; computed on first use."""
        from services.marts.lineage import columns_of

        return columns_of(self.mart, self.schemas)


def on_day(sql: str, dt: date) -> str:
    """Substitute ``$dt`` in a SELECT by a constant, so that DuckDB does not read the files of other days."""
    return _DT.sub(f"DATE '{dt}'", sql).strip().rstrip(";")


def selected(bound: CompiledMart, sql: str) -> str:
    """Wrap a SELECT: cast the columns to the mart's types and order the rows by its key, for deterministic output."""
    columns = ", ".join(f"CAST({(name := identifier(f.name))} AS {_sql_type(f.type)}) AS {name}" for f in bound.schema)
    return f"SELECT {columns} FROM (\n{sql}\n) ORDER BY {identifiers(bound.mart.key)}"


def _sql_type(kind: pa.DataType) -> str:
    return next(name for name, arrow in SQL_TYPES.items() if arrow == kind)


_bound: dict[tuple[tuple[str, str], ...], dict[str, CompiledMart]] = {}


def bind(marts: Mapping[str, Mart], cache_file: Path | None = None) -> dict[str, CompiledMart]:
    """Compile all marts, in dependency order; the result is cached in the process for the same files.

    Args:
        marts: the marts by name.
        cache_file: a file that :func:`keep` wrote. If it is of the same files, it saves a process the binder and the
        parser, a second of CPU.

    Returns:
        The compiled marts by name; marts that others read come first.

    Raises:
        BadMart: a mart names a missing table or column, or contradicts its description; the message begins with file
            and
        line.
    """
    key = tuple((str(m.path), m.hash) for m in marts.values())
    if key not in _bound:
        _bound[key] = (_read_compiled(marts, cache_file) if cache_file is not None else None) or _bind(marts)
    return _bound[key]


def keep(bound: Mapping[str, CompiledMart], path: Path) -> None:
    """Write the compiled marts, with column lineage, to the cache file, unless it is current."""
    fingerprint = _fingerprint({name: one.mart for name, one in bound.items()})
    if _read_cache(path).get("fingerprint") == fingerprint:
        return
    found = {
        name: {
            "sources": one.sources,
            "columns": [(f.name, _sql_type(f.type), f.nullable) for f in one.schema],
            "uses_texts": one.uses_texts,
            "lineage": one.lineage,
        }
        for name, one in bound.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps({"fingerprint": fingerprint, "marts": found}).encode())


def _read_compiled(marts: Mapping[str, Mart], path: Path) -> dict[str, CompiledMart] | None:
    """Read compiled marts from the cache file, in dependency order; None if files or code have changed."""
    cached = _read_cache(path)
    if not cached or cached.get("fingerprint") != _fingerprint(marts):
        return None
    bound: dict[str, CompiledMart] = {}
    schemas = dict(known_schemas())
    for name, one in cached["marts"].items():
        schema = pa.schema(
            [pa.field(column, SQL_TYPES[kind], nullable=nullable) for column, kind, nullable in one["columns"]]
        )
        bound[name] = CompiledMart(
            marts[name], tuple(one["sources"]), schema, one["uses_texts"], {s: schemas[s] for s in one["sources"]}
        )
        schemas[f"{DATASET}.{name}"] = schema
        bound[name].__dict__["lineage"] = {
            column: [tuple(pair) for pair in pairs] for column, pairs in one["lineage"].items()
        }
    return bound


def _read_cache(path: Path) -> dict:
    """Read the cache file; an empty result if it is missing or damaged, so that it is rewritten."""
    if not path.is_file():
        return {}
    try:
        cached = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return cached if isinstance(cached, dict) else {}


def _fingerprint(marts: Mapping[str, Mart]) -> str:
    """Hash everything that compilation depends on: mart files, readable tables, functions, and our code."""
    code = [
        hashlib.sha256(Path(__file__).with_name(name).read_bytes()).hexdigest() for name in ("binding.py", "lineage.py")
    ]
    tables = {name: [(f.name, str(f.type), f.nullable) for f in schema] for name, schema in known_schemas().items()}
    said = [
        sorted((m.name, m.hash) for m in marts.values()),
        tables,
        [f.signature for f in FUNCTIONS.values()],
        code,
        version("duckdb"),
        version("sqlglot"),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _bind(marts: Mapping[str, Mart]) -> dict[str, CompiledMart]:
    import duckdb
    from sqlglot import exp

    parsed = {name: _parse(mart) for name, mart in marts.items()}
    sources = {name: _sources(marts[name], tree, marts) for name, tree in parsed.items()}
    wanted = {
        name: {s.removeprefix(f"{DATASET}.") for s in found if s.startswith(f"{DATASET}.")}
        for name, found in sources.items()
    }
    try:
        order = list(TopologicalSorter(wanted).static_order())
    except CycleError as error:
        round_trip = " → ".join(error.args[1])
        raise BadMart(
            f"{marts[error.args[1][0]].path}:1: marts read each other in a circle ({round_trip}): one of "
            "them must do without"
        ) from error
    bound: dict[str, CompiledMart] = {}
    schemas = dict(known_schemas())
    with duckdb.connect() as connection:
        connection.execute(DUCKDB_SESSION)
        register(connection)
        _create(connection, schemas)
        for name in order:
            mart = marts[name]
            schema = _check(connection, mart)
            texts = any(
                isinstance(f, exp.Anonymous) and f.name.lower() in FUNCTIONS
                for f in parsed[name].find_all(exp.Anonymous)
            )
            bound[name] = CompiledMart(mart, sources[name], schema, texts, {s: schemas[s] for s in sources[name]})
            if mart.incremental and bound[name].reads_state:
                raise BadMart(
                    f"{mart.path}:1: what it reads of the state "
                    f"({', '.join(s for s in sources[name] if s in TABLES_OF_STATE or s == 'meta.load_status')}) "
                    "is of now, so a past day could not be made again: `-- mode: full`"
                )
            schemas[f"{DATASET}.{name}"] = schema
            _create(connection, {f"{DATASET}.{name}": schema})
    for one in bound.values():
        _check_names(one, bound)
        _check_covers(one)
    return bound


def _check_names(one: CompiledMart, bound: Mapping[str, CompiledMart]) -> None:
    """Check that the dimensions of ``-- names:`` exist and that the mart has their keys."""
    for column, (name, of) in one.mart.names.items():
        dimension = bound.get(name)
        if dimension is None or dimension.mart.incremental or of not in dimension.schema.names:
            raise BadMart(
                f"{one.mart.path}:1: `-- names` takes {column} from {name}.{of}: no full mart has that column"
            )
        if lacking := {column, *dimension.mart.key}.difference(one.schema.names):
            raise BadMart(
                f"{one.mart.path}:1: `-- names` needs {', '.join(sorted(lacking))}: the SELECT does not give it"
            )


def _check_covers(one: CompiledMart) -> None:
    """Check that the columns of ``-- covers:`` are days or instants."""
    days = {f.name for f in one.schema if pa.types.is_date(f.type) or pa.types.is_timestamp(f.type)}
    if len(one.mart.covers) > 2 or not {*one.mart.covers} <= days:
        raise BadMart(
            f"{one.mart.path}:1: `-- covers` is a day or an instant of the SELECT, or the first and the last, not "
            f"{', '.join(one.mart.covers)}"
        )


@cache
def known_schemas() -> Mapping[str, pa.Schema]:
    """Return the schemas of all tables that a mart may read beside other marts, by name."""
    return (
        {f"main.{t.name}": arrow_schema(t) for t in TABLES.values()}
        | {f"meta.{name}": schema for name, schema in META.items()}
        | {name: schema for name, (schema, _) in TABLES_OF_STATE.items()}
    )


def _create(connection: duckdb.DuckDBPyConnection, schemas: Mapping[str, pa.Schema]) -> None:
    for schema in SCHEMAS:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    connection.execute(";\n".join(empty_table(name, schema) for name, schema in schemas.items()))


def empty_table(name: str, schema: pa.Schema) -> str:
    """Build the SQL that creates an empty table."""
    columns = ", ".join(f"{identifier(f.name)} {_sql_type(f.type)}" for f in schema)
    return f"CREATE TABLE {identifier(*name.split('.'))} ({columns})"


def _parse(mart: Mart) -> exp.Query:
    import sqlglot
    from sqlglot import exp

    try:
        trees = [t for t in sqlglot.parse(mart.sql, dialect="duckdb") if t is not None]
    except sqlglot.errors.ParseError as error:
        at = error.errors[0] if error.errors else {}
        raise BadMart(f"{mart.path}:{at.get('line', 1)}: {at.get('description', error)}") from error
    except sqlglot.errors.TokenError as error:
        raise BadMart(f"{mart.path}:1: {error}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise BadMart(f"{mart.path}:1: a mart is one SELECT, and nothing else")
    return trees[0]


def _sources(mart: Mart, tree: exp.Query, marts: Mapping[str, Mart]) -> tuple[str, ...]:
    from sqlglot import exp

    ctes = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    known = known_schemas()
    found: set[str] = set()
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):  # a table function
            continue
        line = table.this.meta.get("line", 1)
        if not table.db:
            if table.name in ctes:
                continue
            hint = next(
                (
                    f"{s}.{table.name}"
                    for s in SCHEMAS
                    if f"{s}.{table.name}" in known or (s == DATASET and table.name in marts)
                ),
                None,
            )
            raise BadMart(
                f"{mart.path}:{line}: tables are named with their schema"
                + (f": write {hint}" if hint else f", and there is none called {table.name}")
            )
        name = f"{table.db}.{table.name}"
        if name not in known and not (table.db == DATASET and table.name in marts):
            raise BadMart(
                f"{mart.path}:{line}: there is no table "
                f"{name}{_similar(name, [*known, *(f'{DATASET}.{m}' for m in marts)])}"
            )
        if name == f"{DATASET}.{mart.name}":
            raise BadMart(f"{mart.path}:{line}: a mart cannot read itself")
        found.add(name)
    if mart.incremental:
        for driver in mart.days_of:
            if f"main.{driver}" not in found and f"{DATASET}.{driver}" not in found:
                raise BadMart(f"{mart.path}:1: `-- days:` names {driver}, which the SELECT does not read")
        for name in found:
            upstream = marts.get(name.removeprefix(f"{DATASET}.")) if name.startswith(f"{DATASET}.") else None
            if upstream is not None and not upstream.incremental:
                raise BadMart(
                    f"{mart.path}:1: {name} is made whole each time and knows no past day: an incremental "
                    "mart cannot read it"
                )
    return tuple(sorted(found))


def _similar(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(names), 1)
    return f": did you mean {close[0]}?" if close else ""


def _check(connection: duckdb.DuckDBPyConnection, mart: Mart) -> pa.Schema:
    """Return the mart's columns, after checking its description against them."""
    import duckdb

    try:
        described = connection.execute("DESCRIBE " + on_day(mart.sql, date(2026, 1, 1))).fetchall()
    except duckdb.Error as error:
        line = _LINE.search(str(error))
        raise BadMart(f"{mart.path}:{line[1] if line else 1}: {str(error).splitlines()[0]}") from error
    fields = []
    for name, kind, *_ in described:
        known = SQL_TYPES.get("DOUBLE" if kind.startswith("DECIMAL") else _AS.get(kind, kind))
        if known is None:
            raise BadMart(f"{mart.path}:1: column {name} is {kind}: cast it to one of {', '.join(SQL_TYPES)}")
        fields.append(pa.field(name, known, nullable=name not in (*mart.key, *mart.not_null)))
    names = [f.name for f in fields]
    for said, wanted in (("key", mart.key), ("not null", mart.not_null), ("column", mart.columns)):
        if unknown := [c for c in wanted if c not in names]:
            raise BadMart(f"{mart.path}:1: `-- {said}` names {', '.join(unknown)}, which the SELECT does not give")
    if undocumented := [c for c in names if mart.meaning(c) is None]:
        raise BadMart(
            f"{mart.path}:1: {', '.join(undocumented)} has no description: add `-- column "
            f"{undocumented[0]}: English / 中文`"
        )
    return pa.schema(fields)
