"""Bring a database of any release before version numbers to one form.

Those releases created missing tables and added missing columns on opening, but no index to an existing table.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    inspect,
)
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None

_Type = type[TypeEngine[Any]]


def _key(names: str) -> list[Column[Any]]:
    return [Column(name, String, primary_key=True) for name in names.split()]


def _number() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _required(kind: _Type, names: str) -> list[Column[Any]]:
    return [Column(name, kind, nullable=False) for name in names.split()]


def _optional(kind: _Type, names: str) -> list[Column[Any]]:
    return [Column(name, kind) for name in names.split()]


def _create(table: str, *columns: Column[Any] | UniqueConstraint) -> None:
    op.create_table(table, *columns, if_not_exists=True)


def _index(table: str, name: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), if_not_exists=True)


def _add_column(table: str, column: Column[Any]) -> None:
    if column.name not in {c["name"] for c in inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def upgrade() -> None:
    """Add what the database lacks."""
    _create_accounts()
    _create_limits()
    _create_messages()
    _create_outreach()
    _create_alerts()
    _create_load_status()


def _create_accounts() -> None:
    _create(
        "accounts",
        *_key("client_key open_id"),
        *_optional(String, "name"),
        *_required(String, "status"),
        *_optional(String, "reason"),
        *_required(Float, "added_at"),
        *_optional(String, "tags"),
    )
    _add_column("accounts", Column("tags", String))
    _create(
        "user_tokens",
        *_key("client_key open_id"),
        *_required(String, "access_token"),
        *_required(Float, "access_expires_at"),
        *_required(String, "refresh_token"),
        *_required(Float, "refresh_expires_at"),
        *_required(Integer, "renewals"),
        *_required(String, "scope"),
        *_required(Float, "updated_at"),
    )
    _create(
        "business_tokens",
        *_key("client_key open_id"),
        *_required(String, "access_token"),
        *_required(Float, "access_expires_at"),
        *_required(String, "refresh_token"),
        *_required(Float, "refresh_expires_at updated_at"),
    )
    _create("client_tokens", *_key("client_key"), *_required(String, "access_token"), *_required(Float, "expires_at"))
    _create("watched", *_key("client_key kind value open_id"), *_required(Float, "added_at"))


def _create_limits() -> None:
    _create("buckets", *_key("client_key scope"), *_required(Float, "next_at"))
    _create(
        "quotas",
        *_key("client_key scope day"),
        *_required(BigInteger, "calls"),
        *_required(Integer, "exhausted"),
    )
    _create(
        "capabilities",
        *_key("client_key operation"),
        *_required(Integer, "owned"),
        *_optional(BigInteger, "code"),
        *_optional(String, "reason"),
        *_required(Float, "since"),
    )


def _create_messages() -> None:
    _create(
        "inbox",
        _number(),
        *_required(String, "client_key event_id body_hash event"),
        *_required(Float, "received_at"),
        *_required(String, "day"),
        *_optional(LargeBinary, "body"),
        UniqueConstraint("client_key", "event_id"),
        UniqueConstraint("client_key", "body_hash"),
    )
    _index("inbox", "inbox_by_day", "client_key", "day")
    _create("receiving", *_key("client_key"), *_required(Float, "since"))
    _create(
        "chats",
        *_key("client_key open_id person_open_id"),
        *_optional(Float, "said_at"),
        *_optional(String, "said_id said_in"),
        *_optional(Float, "entered_at"),
        *_optional(String, "entered_id entered_in"),
        *_optional(Integer, "consents"),
        *_optional(Float, "consents_at by_hand_at handed_over_until"),
    )
    _create(
        "sent_messages",
        *_key("client_key message_id"),
        *_required(String, "open_id person_open_id"),
        *_optional(String, "conversation_id"),
        *_required(String, "fingerprint"),
        *_required(Integer, "by_us"),
        *_required(Float, "sent_at"),
        *_optional(Integer, "outbox_id"),
    )
    _index("sent_messages", "sent_messages_by_person", "client_key", "open_id", "person_open_id")


def _create_outreach() -> None:
    _create(
        "plans",
        _number(),
        *_required(String, "kind name occasion"),
        *_required(Float, "planned_at good_until"),
        *_required(String, "hash state"),
        *_optional(String, "approved_hash approver"),
        *_optional(Float, "approved_at"),
        *_required(String, "rules"),
        *_optional(Integer, "effect_hours"),
    )
    _add_column("plans", Column("effect_hours", Integer))
    _create(
        "outbox",
        _number(),
        *_optional(Integer, "plan_id"),
        *_required(String, "operation campaign client_key open_id person_open_id reason"),
        *_optional(String, "scene window_id"),
        *_required(Integer, "messages"),
        *_required(String, "request fingerprint state"),
        *_optional(String, "why"),
        *_optional(BigInteger, "code"),
        *_required(String, "key"),
        *_optional(String, "claim"),
        *_required(Float, "planned_at"),
        *_optional(Float, "claimed_at"),
        *_optional(String, "claimed_by"),
        *_optional(Float, "ended_at delivered_at"),
        *_optional(String, "message_ids resolved_by"),
        UniqueConstraint("claim"),
    )
    _index("outbox", "outbox_by_window", "client_key", "window_id")
    _index("outbox", "outbox_by_person", "client_key", "person_open_id")
    _index("outbox", "outbox_by_plan", "plan_id")
    _index("outbox", "outbox_by_state", "state")
    _index("outbox", "outbox_by_key", "key")
    _create(
        "opt_outs",
        *_key("client_key open_id person_open_id"),
        *_required(Float, "since"),
        *_required(String, "how"),
    )
    _create(
        "deletions",
        *_key("client_key open_id"),
        *_required(String, "reason"),
        *_required(Float, "listed_at"),
        *_optional(Float, "done_at"),
    )


def _create_alerts() -> None:
    _create(
        "alerts",
        _number(),
        *_required(String, "key kind severity stage title zh en todo tags"),
        *_required(Float, "first_at last_at"),
        *_optional(Float, "resolved_at due_at"),
        *_required(Integer, "times"),
        *_optional(Float, "muted_until"),
        UniqueConstraint("key"),
    )
    _create(
        "alert_deliveries",
        Column("alert_id", Integer, primary_key=True),
        *_key("channel"),
        *_optional(Float, "sent_at ended_at"),
        *_optional(String, "message"),
        *_required(Integer, "tries"),
        *_optional(Float, "next_try_at"),
        *_optional(String, "error"),
    )
    _create(
        "alert_channels",
        *_key("channel"),
        *_required(Integer, "tries"),
        *_optional(Float, "wait_until"),
        *_optional(String, "error"),
    )


def _create_load_status() -> None:
    _create(
        "load_status",
        *_key("table_name dt operation client_key open_id"),
        *_required(String, "status"),
        *_required(BigInteger, "calls rows quarantined"),
        *_optional(BigInteger, "code"),
        *_optional(String, "reason"),
        *_required(Float, "updated_at"),
    )
    _create("load_status_days", *_key("dt"), *_required(BigInteger, "changed_ns"))
    # Releases without this table did not record the changed days: publishing compares them all once.
    op.execute(
        "INSERT INTO load_status_days (dt, changed_ns) SELECT DISTINCT dt, 0 FROM load_status "
        "WHERE NOT EXISTS (SELECT 1 FROM load_status_days)"
    )
