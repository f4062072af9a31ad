"""Define the tables of alerts and their deliveries."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table

from resources.state.tables.base import metadata

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),  # kind and subject
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("stage", String, nullable=False),
    Column("title", String, nullable=False),
    Column("zh", String, nullable=False),
    Column("en", String, nullable=False),
    Column("todo", String, nullable=False),
    Column("tags", String, nullable=False),  # of the account, separated by spaces
    Column("first_at", Float, nullable=False),  # begin of the present occurrence
    Column("last_at", Float, nullable=False),
    Column("resolved_at", Float),
    Column("due_at", Float),  # channels not notified since then are due; null: none
    Column("times", Integer, nullable=False),
    Column("muted_until", Float),
)

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("alert_id", Integer, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("sent_at", Float),  # last notification that it is open
    Column("ended_at", Float),  # last notification that it is resolved
    Column("message", String),  # alerts of one digest have the same
    Column("tries", Integer, nullable=False),  # failed attempts since the last notification
    Column("next_try_at", Float),
    Column("error", String),
)

alert_channels = Table(
    "alert_channels",
    metadata,
    Column("channel", String, primary_key=True),
    Column("tries", Integer, nullable=False),  # consecutive failed attempts
    Column("wait_until", Float),
    Column("error", String),
)
