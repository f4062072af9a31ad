"""Build the metric dictionary: one row for every column of the warehouse.

It comes from the catalogue, the headers of the marts and the pipeline's own tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from functools import cache
from typing import Any

import pyarrow as pa

from catalog import FIELDS, TABLES, endpoints_of
from catalog.notes import NOTES, Note, note_of
from catalog.records import STANDARD_FIELDS, Column, History, Origin, Pii, Type
from catalog.search_words import NOT_AVAILABLE, SYNONYMS
from catalog.system_columns import OWN_COLUMNS
from resources.storage.lake import Lake
from resources.storage.schema import (
    DICTIONARY_SCHEMA,
    DRIFT_SCHEMA,
    JOINS_SCHEMA,
    NOT_AVAILABLE_SCHEMA,
    QUARANTINE_SCHEMA,
)
from resources.warehouse.extra_tables import EXTRA_TABLES
from resources.warehouse.mart_coverage import MART_COVERAGE, MART_COVERAGE_SCHEMA
from resources.warehouse.mart_files import DATASET
from services.marts.binding import SQL_TYPES, CompiledMart

_NUMBERS = (Type.BIGINT, Type.DOUBLE)
_NO_NOTE = Note()
_OTHER_BOARDS = ("main.billboard_music",)
"""Tables whose ``board`` is not that of ``dim_boards``."""
LATEST = "_latest"
"""Suffix of the view with a listing's present state, which has the columns of the listing."""

_HOW = {
    Origin.PARAM: "(parameter of the request)",
    Origin.CONST: "(constant of the operation)",
    Origin.ORDINAL: "(order of the list)",
    Origin.ELEMENT: "(the element itself)",
    Origin.ACCOUNT: "(the requesting account)",
    Origin.LISTING: "(fact of the whole listing)",
}
"""How an operation fills a column that is no member of its response."""


def dictionary(bound: Mapping[str, CompiledMart], since: Mapping[str, date] | None = None) -> pa.Table:
    """Build all rows: core tables with their views of latest rows, marts, ``meta``, ``outreach``, in column order.

    Args:
        bound: the marts, in dependency order.
        since: first day in the lake, by name with schema (``main.videos``); without it the column ``since`` is null.
    """
    since = since or {}
    titles = {name: (table.en, table.zh) for name, table in TABLES.items()}
    titles |= {name: (one.mart.title_en, one.mart.title_zh) for name, one in bound.items()}
    lines = []
    for line in (*_core(), *_marts(bound), *_own()):
        table = line["table_name"].removesuffix(LATEST)
        title_en, title_zh = titles.get(table, (None, None))
        more = {"title_en": title_en, "title_zh": title_zh, "synonyms": SYNONYMS.get((table, line["column_name"]))}
        lines.append({**line, **more, "since": since.get(f"{line['table_schema']}.{table}")})
    return pa.Table.from_pylist(lines, DICTIONARY_SCHEMA)


def not_available() -> pa.Table:
    """Build ``meta.not_available``: metrics that no column has."""
    return pa.Table.from_pylist([asdict(metric) for metric in NOT_AVAILABLE], NOT_AVAILABLE_SCHEMA)


def joins(bound: Mapping[str, CompiledMart]) -> pa.Table:
    """Build ``meta.joins``: the dimensions that each core table and mart joins by the columns of their key."""
    tables = {f"main.{t.name}": (t.columns, set(t.primary_key)) for t in TABLES.values()}
    tables |= {f"{DATASET}.{name}": (tuple(one.schema.names), set(one.mart.key)) for name, one in bound.items()}
    lines = [
        {
            "from_table": name,
            "to_table": f"{DATASET}.{to}",
            "columns": ", ".join(one.mart.key),
            "cardinality": "1:1" if key <= set(one.mart.key) else "n:1",
        }
        for to, one in bound.items()
        if to.startswith("dim_")
        for name, (columns, key) in tables.items()
        if name not in (f"{DATASET}.{to}", *_OTHER_BOARDS) and set(one.mart.key) <= set(columns)
    ]
    return pa.Table.from_pylist(lines, JOINS_SCHEMA)


def first_days(lake: Lake, bound: Mapping[str, CompiledMart]) -> dict[str, date]:
    """Return the first day in the lake of each table and incremental mart with data, by name with schema."""
    datasets = {f"main.{name}": name for name in TABLES} | {
        f"{DATASET}.{name}": one.mart.dataset for name, one in bound.items() if one.mart.incremental
    }
    found = {name: lake.first_day(dataset) for name, dataset in datasets.items()}
    return {name: day for name, day in found.items() if day is not None}


def _core() -> Iterator[dict[str, Any]]:
    for table in TABLES.values():
        for position, name in enumerate(table.columns, 1):
            field, is_key = FIELDS[name], name in table.primary_key
            line = {
                "table_schema": "main",
                "table_name": table.name,
                "column_name": name,
                "position": position,
                "type": str(field.type),
                "name_en": field.en,
                "name_zh": field.zh,
                "meaning_en": field.doc_en,
                "meaning_zh": field.doc_zh,
                "unit": field.unit,
                "additive": str(field.additive),
                "is_metric": field.type in _NUMBERS and not field.is_code and not is_key,
                "pii": str(field.pii),
                "is_key": is_key,
                "source_operations": operations_of(table.name, name),
                **_noted(note_of(table.name, name)),
            }
            yield line
            if table.history is History.LISTING:
                yield line | {"table_name": f"{table.name}{LATEST}"}


def _noted(note: Note) -> dict[str, str | None]:
    return {"platform_name": note.platform_name, "differences_en": note.differs_en, "differences_zh": note.differs_zh}


@cache
def operations_of(table: str, column: str) -> str | None:
    """List the operations that fill a column of a core table, separated by semicolons.

    Each is written as ``operation: member``, or with how else it is filled, in brackets. None for the columns that the
    pipeline itself adds to every row.
    """
    if column in STANDARD_FIELDS:
        return None
    found: dict[str, None] = {}
    for endpoint in endpoints_of(table):
        for filled in (c for o in endpoint.outputs if o.table == table for c in o.columns if c.field == column):
            found[f"{endpoint.name}: {_member(filled)}"] = None
    return "; ".join(found)


def _member(column: Column) -> str:
    return _HOW.get(column.origin) or column.path


def _marts(bound: Mapping[str, CompiledMart]) -> Iterator[dict[str, Any]]:
    operations: dict[tuple[str, str], str] = {
        (f"main.{t.name}", c): operations_of(t.name, c) or "" for t in TABLES.values() for c in t.columns
    }
    people: dict[tuple[str, str], Pii] = {
        (f"main.{t.name}", c): FIELDS[c].pii for t in TABLES.values() for c in t.columns
    }
    for name, one in bound.items():
        for position, field in enumerate(one.schema, 1):
            meaning = one.mart.meaning(field.name)
            assert meaning is not None, f"{name}.{field.name} has no description"  # compilation refuses that
            came_from = one.lineage.get(field.name, [])
            sources = dict.fromkeys(
                o.partition(":")[0] for pair in came_from for o in operations.get(pair, "").split("; ") if o
            )
            operations[f"{DATASET}.{name}", field.name] = "; ".join(sources)
            # Only columns that identify a person by themselves: counts of people are no personal data.
            same = {people[pair] for pair in came_from if pair in people and pair[1] == field.name}
            people[f"{DATASET}.{name}", field.name] = pii = max(same, key=list(Pii).index, default=Pii.NONE)
            (name_en, en), (name_zh, zh) = _name_and_meaning(meaning.en, ": "), _name_and_meaning(meaning.zh, "：")
            is_code, is_key = field.name in FIELDS and FIELDS[field.name].is_code, field.name in one.mart.key
            yield {
                "table_schema": DATASET,
                "table_name": name,
                "column_name": field.name,
                "position": position,
                "type": _type(field.type),
                "name_en": name_en,
                "name_zh": name_zh,
                "meaning_en": en,
                "meaning_zh": zh,
                "unit": meaning.unit,
                "additive": str(meaning.additive),
                "is_metric": _type(field.type) in _NUMBERS and not is_code and not is_key,
                "pii": str(pii),
                "is_key": is_key,
                "source_operations": "; ".join(sources) or None,
                "made_of": ", ".join(f"{t}.{c}" for t, c in came_from) or None,
                **_noted(_mart_note(name, field.name, came_from)),
            }


def _mart_note(mart: str, column: str, came_from: list[tuple[str, str]]) -> Note:
    """Return the column's own note; else that of the core table column that it copies."""
    if (own := NOTES.get((mart, column))) is not None:
        return own
    taken = [
        note_of(table.removeprefix("main."), c) for table, c in came_from if table.startswith("main.") and c == column
    ]
    return taken[0] if len(set(taken)) == 1 else _NO_NOTE


def _name_and_meaning(text: str, mark: str) -> tuple[str, str]:
    """Split the description of a mart's column, ``Name: meaning``."""
    head, found, rest = text.partition(mark)
    return (head, rest) if found else (text, text)


def _type(kind: pa.DataType) -> str:
    return next(
        "TIMESTAMPTZ" if name.startswith("TIMESTAMP") else name for name, arrow in SQL_TYPES.items() if arrow == kind
    )


_OTHERS: Mapping[str, pa.Schema] = {
    "meta.quarantine": QUARANTINE_SCHEMA,
    "meta.drift": DRIFT_SCHEMA,
    "meta.partitions": pa.schema(
        [("name", pa.string()), ("dt", pa.date32()), ("size_bytes", pa.int64()), ("mtime_ns", pa.int64())]
    ),
    "meta.load_status_days": pa.schema([("dt", pa.date32()), ("changed_ns", pa.int64())]),
    "meta.layout": pa.schema([("layout", pa.string())]),
    "meta.marts": pa.schema([("name", pa.string()), ("hash", pa.string())]),
    MART_COVERAGE: MART_COVERAGE_SCHEMA,
}
OWN_SCHEMAS: Mapping[str, pa.Schema] = {
    **{name: schema for name, (schema, _) in EXTRA_TABLES.items()},
    **_OTHERS,
}
"""Columns of the pipeline's own tables, by name with schema."""


def _own() -> Iterator[dict[str, Any]]:
    for name in sorted(OWN_SCHEMAS):
        schema, _, table = name.partition(".")
        for position, field in enumerate(OWN_SCHEMAS[name], 1):
            said = OWN_COLUMNS[name][field.name]
            yield {
                "table_schema": schema,
                "table_name": table,
                "column_name": field.name,
                "position": position,
                "type": _type(field.type),
                "name_en": said.name_en,
                "name_zh": said.name_zh,
                "meaning_en": said.en,
                "meaning_zh": said.zh,
                "unit": said.unit,
                "additive": str(said.additive),
                "is_metric": said.is_metric,
                "pii": str(said.pii),
                "is_key": False,
            }
