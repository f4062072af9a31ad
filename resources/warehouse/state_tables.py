"""Read the tables of the state database that the warehouse publishes and marts may use."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Row, Select, func, select

from catalog import TABLES, endpoints_of
from catalog.records import History
from resources.client.countdown import countdown
from resources.config.account_attributes import read_attributes
from resources.config.settings import Settings
from resources.state.engine import State
from resources.state.tables import load_status, quotas
from resources.storage.schema import STATUS_SCHEMA
from resources.warehouse.outreach_tables import OUTREACH_TABLES, SCHEMA, read_outreach, schema_of

_INSTANT = pa.timestamp("us", tz="UTC")

ACCOUNTS_SCHEMA = pa.schema(
    [
        ("client_key", pa.string()),
        ("open_id", pa.string()),
        ("name", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("tags", pa.string()),
        ("category", pa.string()),
        ("owner", pa.string()),
        ("client", pa.string()),
        ("added_at", _INSTANT),
        ("as_of", _INSTANT),
        ("access_days_left", pa.float64()),
        ("refresh_days_left", pa.float64()),
        ("renewals_left", pa.int64()),
        ("consent_days_left", pa.float64()),
        ("warning_days", pa.int64()),
    ]
)
QUOTAS_SCHEMA = pa.schema(
    [
        ("client_key", pa.string()),
        ("scope", pa.string()),
        ("day", pa.date32()),
        ("calls", pa.int64()),
        ("per_day", pa.int64()),
        ("is_exhausted", pa.bool_()),
    ]
)

KNOWN_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("domain", pa.string()),
        ("name_en", pa.string()),
        ("name_zh", pa.string()),
        ("history", pa.string()),
        ("cadence", pa.string()),
        ("days_behind", pa.int64()),
        ("as_of", _INSTANT),
    ]
)

TABLES_OF_STATE: Mapping[str, tuple[pa.Schema, str]] = {
    "meta.accounts": (
        ACCOUNTS_SCHEMA,
        "授权账号、状态、标签与授权剩余天数 / accounts, their state and tags, and the days left of their consent when "
        "this file was published",
    ),
    "meta.tables": (
        KNOWN_SCHEMA,
        "核心表一览：历史类型、采集频率、正常情况下最新分区落后的天数 / "
        "core tables: history, cadence, and by how many days the newest partition is behind when all is well",
    ),
    "meta.quotas": (
        QUOTAS_SCHEMA,
        "各能力每日调用量与上限 / calls per app, scope and Beijing day; per_day is the limit that the settings know",
    ),
    **{f"{SCHEMA}.{name}": (schema_of(table), comment) for name, (table, comment) in OUTREACH_TABLES.items()},
}
"""Published name -> (columns, comment)."""

OF_THE_MOMENT = ("as_of", "published_at", "access_days_left", "refresh_days_left", "consent_days_left")
"""Columns that change at every read although nothing happened: they depend on the clock."""

_log = logging.getLogger(__name__)
_QUOTA_DAYS = timedelta(days=400)
_CHUNK, _CHUNKS = 2_000, 50
"""Lines per chunk, chunks per batch: chunks fit into the CPU cache; with 50,000 lines reading takes twice as long."""


def read_state_tables(state: State, settings: Settings, now: datetime) -> dict[str, pa.Table]:
    """Read all of :data:`TABLES_OF_STATE`, by name with schema; time left is counted from ``now``."""
    found = {
        "meta.accounts": _accounts(state, settings, now),
        "meta.quotas": _quotas(state, settings, now),
        "meta.tables": _known(now),
    }
    return found | {f"{SCHEMA}.{name}": rows for name, rows in read_outreach(state).items()}


def load_status_batches(state: State, dts: Iterable[date] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the lines of ``load_status``, of all days or of ``dts``, in batches of :data:`STATUS_SCHEMA`.

    They are in order of table, day, operation, app and account. A thousand accounts write forty thousand lines a day:
    as Python objects those of two months took 40 s and a gigabyte, as batches 6 s.
    """
    c = load_status.c
    query = select(*(c[f.name] for f in STATUS_SCHEMA)).order_by(
        c.table_name, c.dt, c.operation, c.client_key, c.open_id
    )
    with state.read() as db:
        if dts is None:
            yield from _status_batches(db, query)
            return
        days, name = [d.isoformat() for d in dts], ""
        # One table at a time, whose days are found by the key. Otherwise reading some days of four million lines scans
        # all of them.
        while (name := db.execute(select(func.min(c.table_name)).where(c.table_name > name)).scalar_one()) is not None:
            yield from _status_batches(db, query.where(c.table_name == name, c.dt.in_(days)))


def _status_batches(db: Connection, query: Select[Any]) -> Iterator[pa.RecordBatch]:
    chunks = db.execute(query.execution_options(yield_per=_CHUNK)).partitions(_CHUNK)
    while batches := [_status_batch(rows) for rows in islice(chunks, _CHUNKS)]:
        yield from pa.Table.from_batches(batches).combine_chunks().to_batches()


def _status_batch(rows: Sequence[Row[Any]]) -> pa.RecordBatch:
    columns = zip(zip(*rows, strict=True), STATUS_SCHEMA, strict=True)
    return pa.record_batch(
        [pa.array(v, pa.string()).cast(f.type) if f.type == pa.date32() else pa.array(v, f.type) for v, f in columns],
        schema=STATUS_SCHEMA,
    )


def _accounts(state: State, settings: Settings, now: datetime) -> pa.Table:
    attributes = read_attributes(settings.project)
    rows = [
        {
            "client_key": c.account.client_key,
            "open_id": c.account.open_id,
            "name": c.account.name,
            "status": str(c.account.status),
            "reason": c.account.reason,
            "tags": ", ".join(sorted(c.account.tags)),
            **attributes.of(c.account.open_id),
            "added_at": c.account.added_at,
            "as_of": now,
            "access_days_left": _days(c.access_left),
            "refresh_days_left": _days(c.refresh_left),
            "renewals_left": c.renewals_left,
            "consent_days_left": _days(c.consent_left),
            "warning_days": c.warning,
        }
        for app in settings.all_apps
        for c in countdown(state, app.client_key, now)
    ]
    for refused in attributes.refused_for({str(r["open_id"]) for r in rows}):
        _log.warning("a row is left out: %s", refused)
    return pa.Table.from_pylist(sorted(rows, key=lambda r: (r["client_key"], r["open_id"])), ACCOUNTS_SCHEMA)


def _known(now: datetime) -> pa.Table:
    behind = {History.WINDOW: 1, History.VERSION: 7}
    rows = [
        {
            "table_name": t.name,
            "domain": t.domain,
            "name_en": t.en,
            "name_zh": t.zh,
            "history": str(t.history),
            "cadence": endpoints_of(t.name)[0].cadence.name,
            "days_behind": behind.get(t.history, 0),
            "as_of": now,
        }
        for t in TABLES.values()
    ]
    return pa.Table.from_pylist(rows, KNOWN_SCHEMA)


def _days(left: timedelta | None) -> float | None:
    return None if left is None else round(left / timedelta(days=1), 3)


def _quotas(state: State, settings: Settings, now: datetime) -> pa.Table:
    since = (now - _QUOTA_DAYS).date().isoformat()
    query = select(quotas).where(quotas.c.day >= since).order_by(quotas.c.client_key, quotas.c.scope, quotas.c.day)
    with state.read() as db:
        lines = db.execute(query).all()
    rows = [
        {
            "client_key": q.client_key,
            "scope": q.scope,
            "day": date.fromisoformat(q.day),
            "calls": q.calls,
            "per_day": settings.limit(q.scope).per_day,
            "is_exhausted": bool(q.exhausted),
        }
        for q in lines
    ]
    return pa.Table.from_pylist(rows, QUOTAS_SCHEMA)
