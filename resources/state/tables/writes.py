"""Define the tables of plans and the writes to the platform they contain."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table

from resources.state.tables.base import metadata

plans = Table(
    "plans",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),  # messages, tags, comments
    Column("name", String, nullable=False),  # the campaign's, or the audience's
    Column("occasion", String, nullable=False),
    Column("planned_at", Float, nullable=False),
    Column("good_until", Float, nullable=False),
    Column("hash", String, nullable=False),
    Column("state", String, nullable=False),  # open, approved, superseded, done
    Column("approved_hash", String),
    Column("approver", String),
    Column("approved_at", Float),
    Column("rules", String, nullable=False),  # rules that sending must follow, as JSON
    Column("effect_hours", Integer),  # period in which people's actions count as its effect
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("plan_id", Integer),  # null for replies of the reply worker
    Column("operation", String, nullable=False),
    Column("campaign", String, nullable=False),
    Column("client_key", String, nullable=False),
    Column("open_id", String, nullable=False),
    Column("person_open_id", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("scene", String),
    Column("window_id", String),  # message id of the event that opened the window
    Column("messages", Integer, nullable=False),
    Column("request", String, nullable=False),  # parameters, sealed
    Column("fingerprint", String, nullable=False),
    Column("state", String, nullable=False),
    Column("why", String),
    Column("code", BigInteger),
    Column("key", String, nullable=False),  # identifies a write that must happen only once
    Column("claim", String, unique=True),  # the key while claimed, sent or unknown: prevents a second such line
    Column("planned_at", Float, nullable=False),
    Column("claimed_at", Float),
    Column("claimed_by", String),
    Column("ended_at", Float),
    Column("delivered_at", Float),
    Column("message_ids", String),
    Column("resolved_by", String),
    Index("outbox_by_window", "client_key", "window_id"),
    Index("outbox_by_person", "client_key", "person_open_id"),
    Index("outbox_by_plan", "plan_id"),
    Index("outbox_by_state", "state"),
    Index("outbox_by_key", "key"),
)
