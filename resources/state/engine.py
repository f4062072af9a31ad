"""Open the state database: SQLite in WAL mode by default, PostgreSQL by URL.

It stores data that changes row by row and must survive a crash; DuckDB stores the analytics. Instants are stored as UTC
epoch seconds (float), so that both databases compare them alike.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from resources.state.sealing import Vault

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("name", String),
    Column("status", String, nullable=False),  # active, needs_consent, paused, stopped
    Column("reason", String),
    Column("added_at", Float, nullable=False),
    Column("tags", String),  # words, separated by spaces
)

user_tokens = Table(
    "user_tokens",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("access_token", String, nullable=False),
    Column("access_expires_at", Float, nullable=False),
    Column("refresh_token", String, nullable=False),
    Column("refresh_expires_at", Float, nullable=False),
    Column("renewals", Integer, nullable=False),
    Column("scope", String, nullable=False),
    Column("updated_at", Float, nullable=False),
)

business_tokens = Table(
    "business_tokens",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("access_token", String, nullable=False),
    Column("access_expires_at", Float, nullable=False),
    Column("refresh_token", String, nullable=False),
    Column("refresh_expires_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)

client_tokens = Table(
    "client_tokens",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("access_token", String, nullable=False),
    Column("expires_at", Float, nullable=False),
)

buckets = Table(
    "buckets",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("next_at", Float, nullable=False),  # real time at which the next free slot begins
)

quotas = Table(
    "quotas",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("day", String, primary_key=True),  # Beijing day
    Column("calls", BigInteger, nullable=False),
    Column("exhausted", Integer, nullable=False, default=0),  # 1: reported by the platform itself
)

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


inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("client_key", String, nullable=False),
    Column("event_id", String, nullable=False),  # Msg-Id, or the hash of the body
    Column("body_hash", String, nullable=False),
    Column("event", String, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("day", String, nullable=False),  # Beijing day of receipt
    Column("body", LargeBinary),  # as received; null after pruning, its hash stays
    UniqueConstraint("client_key", "event_id"),
    UniqueConstraint("client_key", "body_hash"),
    Index("inbox_by_day", "client_key", "day"),
)

receiving = Table(
    "receiving",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("since", Float, nullable=False),  # first start of a receiver for the app
)

chats = Table(
    "chats",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("person_open_id", String, primary_key=True),
    Column("said_at", Float),  # newest message of the person
    Column("said_id", String),
    Column("said_in", String),
    Column("entered_at", Float),  # newest opening of the chat
    Column("entered_id", String),
    Column("entered_in", String),
    Column("consents", Integer),  # to proactive messages, by the newest event; null: no event so far
    Column("consents_at", Float),
    Column("by_hand_at", Float),  # last message of ours written by hand
    Column("handed_over_until", Float),  # a person replies until then
)

sent_messages = Table(
    "sent_messages",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("open_id", String, nullable=False),
    Column("person_open_id", String, nullable=False),
    Column("conversation_id", String),
    Column("fingerprint", String, nullable=False),  # of type and text
    Column("by_us", Integer, nullable=False),  # 1: through this app, 0: by hand or another app
    Column("sent_at", Float, nullable=False),
    Column("outbox_id", Integer),  # its line in the outbox
    Index("sent_messages_by_person", "client_key", "open_id", "person_open_id"),
)

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

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),  # "" for every account of the app
    Column("person_open_id", String, primary_key=True),
    Column("since", Float, nullable=False),
    Column("how", String, nullable=False),
)

deletions = Table(
    "deletions",
    metadata,
    Column("client_key", String, primary_key=True),
    Column("open_id", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("listed_at", Float, nullable=False),
    Column("done_at", Float),
)

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


class State:
    """Handle of the state database: cheap to open, safe to share between threads.

    ``begin()`` opens a transaction that takes the write lock at once (``BEGIN IMMEDIATE`` on SQLite, one advisory lock
    on PostgreSQL), so that read-then-write sequences never race with another process. ``read()`` takes no write lock:
    readers neither wait for writers nor block them.
    """

    def __init__(self, url: str | URL, token_key: str | None = None) -> None:
        self.url = url
        self.vault = Vault(token_key)
        self.engine = _make_engine(url)
        if not _is_complete(self.engine):
            metadata.create_all(self.engine)
            _add_missing_columns(self.engine)
        self._know_old_days()

    @contextmanager
    def begin(self, *, durable: bool = True) -> Iterator[Connection]:
        """Open a write transaction; commit on leaving, roll back on an exception.

        With ``durable=False`` a commit may be lost in a power cut (never in a crash of the process): right for rate
        limits, which are written many times a second, wrong for tokens.
        """
        with self.engine.connect() as connection:
            connection = connection.execution_options(**{_MODE: _DURABLE if durable else _FAST})
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a consistent view for reading; writing in it is an error on SQLite."""
        with self.engine.connect() as connection:
            yield connection.execution_options(**{_MODE: _READ})

    def _know_old_days(self) -> None:
        """Fill ``load_status_days`` for rows of an earlier version, which did not record the changed days."""
        known, lines = select(load_status_days.c.dt).limit(1), select(load_status.c.dt)
        with self.read() as connection:
            if connection.execute(known).first() is not None or connection.execute(lines.limit(1)).first() is None:
                return
        with self.begin() as connection:
            if connection.execute(known).first() is None:  # else another process was quicker
                connection.execute(
                    load_status_days.insert(),
                    [{"dt": dt, "changed_ns": 0} for (dt,) in connection.execute(lines.distinct())],
                )

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _is_complete(engine: Engine) -> bool:
    """Return whether every table and column exists; takes no write lock, so that readers do not wait."""
    with engine.connect() as connection:
        have = inspect(connection.execution_options(**{_MODE: _READ})).get_multi_columns()
    columns = {name: {c["name"] for c in found} for (_, name), found in have.items()}
    return all(columns.get(t.name, set()) >= {c.name for c in t.columns} for t in metadata.sorted_tables)


def _add_missing_columns(engine: Engine) -> None:
    """Add the columns that tables of an earlier version lack; all of them may be null."""
    found = inspect(engine)
    for table in metadata.sorted_tables:
        have = {c["name"] for c in found.get_columns(table.name)}
        for column in (c for c in table.columns if c.name not in have):
            kind = column.type.compile(engine.dialect)
            try:
                with engine.connect() as connection, connection.begin():
                    connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}')
            except DBAPIError:
                if column.name not in {c["name"] for c in inspect(engine).get_columns(table.name)}:
                    raise  # else another process was quicker


OUT_OF_ORDER = (OSError, OperationalError)
"""Errors of the disk and of the state database.

They concern the whole run and not one request or file: continuing would request data that cannot be stored.
"""

_TIMEOUT_S = 30
_MODE = "douyin_mode"
_READ, _FAST, _DURABLE = "read", "fast", "durable"
_POSTGRES_WRITE_LOCK = 0x646F7579696E  # "douyin"


def _make_engine(url: str | URL) -> Engine:
    backend = make_url(url).get_backend_name()
    # hide_parameters: errors and logs of statements would show tokens.
    if backend != "sqlite":
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
        if backend == "postgresql":
            event.listen(engine, "begin", _begin_postgres)
        return engine
    path = make_url(url).database
    if path and path != ":memory:" and _may_only_read(Path(path)):
        engine = create_engine(url, creator=lambda: _open_for_reading(Path(path)), hide_parameters=True)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if not Path(path).exists():
            Path(path).touch(mode=0o600)  # the file will contain tokens
    engine = create_engine(url, connect_args={"timeout": _TIMEOUT_S, "check_same_thread": False}, hide_parameters=True)
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _may_only_read(path: Path) -> bool:
    """Return whether the file exists, but it or its folder is not writable."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a database read-only; without a WAL file no other process has it open, and SQLite need not create one."""
    immutable = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True, timeout=_TIMEOUT_S, check_same_thread=False
    )
    connection.isolation_level = None  # we send BEGIN ourselves
    return connection


def _open_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves
    # Unlike other statements, switching to WAL does not wait for locks: two processes that open a new file at once
    # would fail with "database is locked". The mode is permanent, so only the first process has to switch.
    patience = time.monotonic() + _TIMEOUT_S
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > patience:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    # Pragmas must come before BEGIN, and a pooled connection keeps those of its last user.
    mode = connection.get_execution_options().get(_MODE, _DURABLE)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if mode == _READ else 'OFF'}")
    if mode == _READ:
        connection.exec_driver_sql("BEGIN")
        return
    # A committed token must survive a power cut: the platform has already voided the old one.
    connection.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if mode == _FAST else 'FULL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_postgres(connection: Connection) -> None:
    if connection.get_execution_options().get(_MODE, _DURABLE) != _READ:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRES_WRITE_LOCK})")
