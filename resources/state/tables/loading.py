"""Define the tables of what was loaded, what an app may call, and what is watched."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, String, Table

from resources.state.tables.base import metadata

load_status = Table(
    "load_status",
    metadata,
    Column("table_name", String, primary_key=True),
    Column("dt", String, primary_key=True),
    Column("operation", String, primary_key=True),
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),  # "" for app-level operations
    Column("status", String, nullable=False),
    Column("calls", BigInteger, nullable=False, default=0),
    Column("rows", BigInteger, nullable=False, default=0),
    Column("quarantined", BigInteger, nullable=False, default=0),
    Column("code", BigInteger),
    Column("reason", String),
    Column("updated_at", Float, nullable=False),
)

load_status_days = Table(
    "load_status_days",
    metadata,
    Column("dt", String, primary_key=True),
    Column(
        "changed_ns", BigInteger, nullable=False
    ),  # machine time of the last change of a row of that day; 0: before this was recorded
)

capabilities = Table(
    "capabilities",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("operation", String, primary_key=True),
    Column("owned", Integer, nullable=False),  # 1: a call succeeded; 0: disabled
    Column("code", BigInteger),
    Column("reason", String),
    Column("since", Float, nullable=False),
)

watched = Table(
    "watched",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("kind", String, primary_key=True),  # video, keyword, poi, poi-keyword, amap
    Column("value", String, primary_key=True),
    Column("open_id", String, primary_key=True),  # "" if no account is named
    Column("added_at", Float, nullable=False),
)
