"""Build INSERT statements whose form differs between SQLite and PostgreSQL, and read their generated keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import CursorResult, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert_of(dialect: str) -> Callable[[Table], postgresql.Insert | sqlite.Insert]:
    """Return the database's own INSERT, which supports an action on conflicts."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert
    from sqlalchemy.dialects import sqlite

    return sqlite.insert


def inserted_id(result: CursorResult[Any]) -> int:
    """Return the generated key of an INSERT of one row."""
    key = cast(tuple[int], result.inserted_primary_key)  # None only for INSERTs of several rows
    return key[0]
