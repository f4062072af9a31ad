"""Read the state's outreach tables for publication: plans, planned and sent messages, opt-outs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from sqlalchemy import Column, Float, Integer, Table, select

from resources.state.engine import State
from resources.state.tables import opt_outs, outbox, plans

SCHEMA = "outreach"
_INSTANT = pa.timestamp("us", tz="UTC")
_LEFT_OUT = {"request", "fingerprint", "claimed_by"}
"""Columns that are not published: the text sent, the fingerprint derived from it, and the sending process."""

OUTREACH_TABLES: dict[str, tuple[Table, str]] = {
    "plans": (
        plans,
        "触达计划：何时计划、有效期、批准人与状态 / "
        "plans of campaigns: when, how long they hold, who approved them, their state",
    ),
    "messages": (
        outbox,
        "触达流水：每条计划或自动回复的去向与结果，不含内容 / "
        "the ledger of what was planned, sent or refused, line by line; the words are left out",
    ),
    "opt_outs": (
        opt_outs,
        "拒绝触达名单 / people who want nothing more; an empty open_id stands for every account of the app",
    ),
}
"""Published name -> (table of the state, comment)."""

_CHUNK = 10_000


def read_outreach(state: State) -> dict[str, pa.Table]:
    """Read all of :data:`OUTREACH_TABLES` by name; instants, seconds in the state, become UTC timestamps."""
    return {name: _read(state, table) for name, (table, _) in OUTREACH_TABLES.items()}


def schema_of(table: Table) -> pa.Schema:
    """Return the published columns of a table of the state, with Arrow types."""

    def kind(column: Column[Any]) -> pa.DataType:
        if isinstance(column.type, Float):
            return _INSTANT
        return pa.int64() if isinstance(column.type, Integer) else pa.string()

    return pa.schema([(c.name, kind(c)) for c in table.columns if c.name not in _LEFT_OUT])


def _read(state: State, table: Table) -> pa.Table:
    schema = schema_of(table)
    return pa.Table.from_batches(_batches(state, table, schema), schema)


def _batches(state: State, table: Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield rows in batches: several years of messages would not fit into memory as Python objects."""
    query = (
        select(*(table.c[f.name] for f in schema))
        .order_by(*table.primary_key.columns)
        .execution_options(yield_per=_CHUNK)
    )
    with state.read() as db:
        for rows in db.execute(query).partitions(_CHUNK):
            columns = zip(*rows, strict=True)
            yield pa.record_batch(
                [_array(values, f.type) for values, f in zip(columns, schema, strict=True)], schema=schema
            )


def _array(values: tuple[Any, ...], kind: pa.DataType) -> pa.Array:
    if kind == _INSTANT:
        values = tuple(None if v is None else round(v * 1_000_000) for v in values)
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)
