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
    Connection,
    Engine,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from resources.state.migrations import migrate
from resources.state.sealing import Vault


class State:
    """Handle of the state database: cheap to open, safe to share between threads.

    ``begin()`` opens a transaction that takes the write lock at once (``BEGIN IMMEDIATE`` on SQLite, one advisory lock
    on PostgreSQL), so that read-then-write sequences never race with another process. ``read()`` takes no write lock:
    readers neither wait for writers nor block them.
    """

    is_read_only: bool
    """Whether file or folder of the database may only be read."""

    def __init__(self, url: str | URL, token_key: str | None = None) -> None:
        self.url = url
        self.is_read_only = _may_only_read(make_url(url))
        self.vault = Vault(token_key)
        self.engine = _make_engine(url)
        migrate(self)

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

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


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
    if path and _may_only_read(make_url(url)):
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


def _may_only_read(url: URL) -> bool:
    """Return whether the URL names a file that exists, but it or its folder is not writable."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return False
    path = Path(url.database)
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
