"""Read given and expected rows of marts from the files beside the SQL: ``sql/marts/tests/<mart>.yaml``.

A file is a list of cases: ``name``, ``dt`` (for incremental marts), ``given`` (table -> rows), ``expected`` (rows in
the order of the key; only the named columns are compared) and, for tables of constants, ``only`` (column -> values of
the rows that are compared). Instants are Beijing time. Missing values of a given row are
null, except in columns that are never empty: those are ``dt`` from the instant, 10:00 of the day for ``observed_at``,
``app``, and otherwise the column's name or 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from catalog.records import BEIJING
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.parquet import encode_into
from resources.warehouse.mart_files import MARTS_DIR
from resources.warehouse.published_marts import WHOLE
from resources.warehouse.state_tables import TABLES_OF_STATE
from services.marts.build import Marts

FOLDER = MARTS_DIR / "tests"


@dataclass(frozen=True)
class Case:
    mart: str
    name: str
    dt: date | None
    given: dict[str, list[dict[str, Any]]]
    expected: list[dict[str, Any]]
    only: dict[str, list[Any]] = field(default_factory=dict)
    """Values of columns: rows with others are not compared."""

    def __str__(self) -> str:
        return f"{self.mart}-{self.name}"


def load_cases() -> list[Case]:
    return [
        Case(
            path.stem,
            case["name"],
            case.get("dt"),
            case.get("given") or {},
            case["expected"] or [],
            case.get("only") or {},
        )
        for path in sorted(FOLDER.glob("*.yaml"))
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


class GivenMarts(Marts):
    """Marts over a lake of given rows; the state that they read is given, too."""

    given: dict[str, list[dict[str, Any]]]

    def _state(self, bound):
        read = [name for name in bound.sources if name == "meta.load_status" or name in TABLES_OF_STATE]
        return {name: self.table(name, self.given.get(name, [])).to_batches() for name in read}

    @cached_property
    def schemas(self) -> dict[str, pa.Schema]:
        from services.marts.binding import known_schemas

        return known_schemas() | {f"marts.{name}": one.schema for name, one in self.bound.items()}

    def table(self, name: str, rows: list[dict[str, Any]], day: date | None = None) -> pa.Table:
        schema = self.schemas[name]
        for row in rows:
            assert set(row) <= set(schema.names), (name, set(row) - set(schema.names))
        return pa.Table.from_pylist([{f.name: self._value(f, row, day) for f in schema} for row in rows], schema)

    def _value(self, column: pa.Field, row: dict[str, Any], day: date | None) -> Any:
        if column.name in row:
            return read(row[column.name], column.type)
        if column.name == "dt":
            return day
        if column.nullable:
            return None
        if column.name == "observed_at":
            return datetime.combine(day or date(2026, 11, 16), time(10), BEIJING)
        if column.name == "stat_date":
            return day
        if column.name == "client_key":
            return "app"
        return {pa.string(): column.name, pa.int64(): 1, pa.date32(): day}.get(
            column.type, datetime(2026, 11, 16, tzinfo=UTC)
        )


def read(value: Any, kind: pa.DataType) -> Any:
    """Convert YAML's value to the column's type: instants from Beijing time, days from days."""
    if value is not None and pa.types.is_timestamp(kind):
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return at.replace(tzinfo=BEIJING)
    return value


def build(case: Case, home: Path) -> list[dict[str, Any]]:
    runtime = Runtime(Settings(_env_file=None, home=home))
    marts = GivenMarts(runtime)
    marts.given = case.given
    for name, rows in case.given.items():
        where, _, table = name.partition(".")
        if where not in ("main", "marts"):
            continue
        if where == "marts" and not marts.bound[table].mart.incremental:
            whole = marts.table(name, rows)
            marts.lake.replace(marts.path(table, WHOLE), lambda file, whole=whole: encode_into(file, whole))
            continue
        by_day: dict[date, list] = {}
        for row in rows:
            by_day.setdefault(_day(row, case), []).append(row)
        dataset = table if where == "main" else f"marts/{table}"
        for day, of_day in by_day.items():
            marts.lake.write(dataset, day, marts.table(name, of_day, day))
    bound = marts.bound[case.mart]
    (built,) = marts.build(case.mart, [case.dt if bound.mart.incremental else WHOLE])
    runtime.close()
    return [row for row in built.rows.to_pylist() if all(row[name] in values for name, values in case.only.items())]


def _day(row: dict[str, Any], case: Case) -> date:
    if "dt" in row:
        return row["dt"]
    if "observed_at" in row:
        at = row["observed_at"]
        return (at if isinstance(at, datetime) else datetime.fromisoformat(str(at))).date()
    return row.get("stat_date") or case.dt or date(2026, 11, 16)


def plain(value: Any) -> Any:
    """Convert a value to YAML's form, so that a difference is readable."""
    if isinstance(value, datetime):
        local = value.astimezone(BEIJING).replace(tzinfo=None)
        return local
    return round(value, 4) if isinstance(value, float) else value


def same(wanted: Any, got: Any) -> bool:
    if isinstance(got, datetime) and isinstance(wanted, (str, datetime)):
        at = wanted if isinstance(wanted, datetime) else datetime.fromisoformat(wanted)
        return abs(at - got) < timedelta(seconds=1)
    return wanted == got
