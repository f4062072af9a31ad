"""The metric dictionary: one line for every column of the warehouse, from the catalogue and the headers of the marts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from assets.marts.binding import Bound
from catalog import FIELDS, TABLES, endpoints_of
from catalog.notes import NOTES, Note
from catalog.records import Origin, Pii, Table
from resources.schema import DICTIONARY_SCHEMA

_NO_NOTE = Note()


def dictionary(bound: Mapping[str, Bound], since: Mapping[str, str] | None = None) -> pa.Table:
    """All lines, tables first, in the order of their columns.

    Args:
        bound: the marts, those that others read before them.
        since: first day that the lake holds, by name with schema (``main.videos``); without it the column stays empty.
    """
    return pa.Table.from_pylist([*_core(since or {}), *_marts(bound, since or {})], DICTIONARY_SCHEMA)


def _core(since: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for table in TABLES.values():
        for position, name in enumerate(table.columns, 1):
            field, note = FIELDS[name], NOTES.get((table.name, name), NOTES.get(("", name), _NO_NOTE))
            yield {
                "table_schema": "main", "table_name": table.name, "column_name": name, "position": position, "type": str(field.type),
                "name_en": field.en, "name_zh": field.zh, "meaning_en": field.doc_en, "meaning_zh": field.doc_zh, "unit": field.unit,
                "additive": str(field.additive), "pii": str(field.pii), "is_key": name in table.primary_key, "source_operations": operations_of(table, name),
                "made_of": None, "since": since.get(f"main.{table.name}"), "platform_name": note.platform_name, "differences_en": note.differs_en,
                "differences_zh": note.differs_zh,
            }  # fmt: skip


def operations_of(table: Table, column: str) -> str:
    """Operations that fill a column, with the member it comes from where it is one, separated by semicolons."""
    found: dict[str, None] = {}
    for endpoint in endpoints_of(table.name):
        paths = [c.path for o in endpoint.outputs if o.table == table.name for c in o.columns if c.field == column and c.origin in (Origin.MEMBER, Origin.PARENT, Origin.BODY)]
        found[f"{endpoint.name}: {paths[0]}" if paths else endpoint.name] = None
    return "; ".join(found)


def _marts(bound: Mapping[str, Bound], since: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    operations: dict[tuple[str, str], str] = {(f"main.{t.name}", c): operations_of(t, c) for t in TABLES.values() for c in t.columns}
    people: dict[tuple[str, str], Pii] = {(f"main.{t.name}", c): FIELDS[c].pii for t in TABLES.values() for c in t.columns}
    for name, one in bound.items():
        for position, field in enumerate(one.schema, 1):
            meaning = one.mart.meaning(field.name)
            came_from = one.lineage.get(field.name, [])
            sources = dict.fromkeys(o.partition(":")[0] for pair in came_from for o in operations.get(pair, "").split("; ") if o)
            operations[f"marts.{name}", field.name] = "; ".join(sources)
            # Only what a person is told from by itself: counts of people are no personal data.
            same = {people[pair] for pair in came_from if pair in people and pair[1] == field.name}
            people[f"marts.{name}", field.name] = pii = max(same, key=list(Pii).index, default=Pii.NONE)
            en_name, en = _name_and_meaning(meaning.en, ": ", field.name)
            zh_name, zh = _name_and_meaning(meaning.zh, "：", field.name)
            note = NOTES.get((name, field.name), _NO_NOTE)
            yield {
                "table_schema": "marts", "table_name": name, "column_name": field.name, "position": position, "type": str(_type(field.type)), "name_en": en_name,
                "name_zh": zh_name, "meaning_en": en, "meaning_zh": zh, "unit": meaning.unit, "additive": str(meaning.additive), "pii": str(pii),
                "is_key": field.name in one.mart.key, "source_operations": "; ".join(sources) or None,
                "made_of": ", ".join(f"{t}.{c}" for t, c in came_from) or None, "since": since.get(f"marts.{name}"), "platform_name": note.platform_name,
                "differences_en": note.differs_en, "differences_zh": note.differs_zh,
            }  # fmt: skip


def _name_and_meaning(text: str, mark: str, name: str) -> tuple[str, str]:
    """A mart's column says ``Name: meaning`` or just what it is."""
    head, found, rest = text.partition(mark)
    return (head, rest) if found and len(head) <= 40 else (name.replace("_", " "), text)


def _type(kind: pa.DataType) -> str:
    from assets.marts.binding import SQL_TYPES

    return next("TIMESTAMPTZ" if name.startswith("TIMESTAMP") else name for name, arrow in SQL_TYPES.items() if arrow == kind)
