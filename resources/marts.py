"""Marts: what analysts ask for often, as one SELECT a file in ``sql/marts``, published as views of the schema ``marts``.

A file begins with its description in comment lines: a title, then ``-- en:``, ``-- zh:``, ``-- grain:``, ``-- key:`` and
``-- owner:``, and ``-- column <name>: …`` for columns that no core table has. Tables are named with their schema
(``main.im_messages``).
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

MARTS_DIR = Path(__file__).resolve().parent.parent / "sql" / "marts"
_log = logging.getLogger(__name__)

_HEADER = re.compile(r"^--\s*(en|zh|grain|key|owner|column (\w+)):\s*(.+?)\s*$")


class BadMart(ValueError):
    """A file that does not say what it is."""


@dataclass(frozen=True)
class Mart:
    """One view. ``key`` names the columns that identify a row; ``columns`` describes columns."""

    name: str
    sql: str
    title: str
    en: str
    zh: str
    grain: str
    key: tuple[str, ...]
    owner: str
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def comment(self) -> str:
        return f"{self.title}: {self.zh} / {self.en} [{self.grain}; key {', '.join(self.key)}; {self.owner}]"


def load_marts(folder: Path = MARTS_DIR) -> dict[str, Mart]:
    """The marts of a folder by name, in order of name; none where there is no folder. A file that does not say what it is is left out."""
    found = {}
    for path in sorted(folder.glob("*.sql")):
        try:
            found[path.stem] = read_mart(path)
        except (BadMart, UnicodeDecodeError) as error:
            _log.warning("%s is no mart and is left out: %s", path.name, error)
    return found


def read_mart(path: Path) -> Mart:
    """One file.

    Raises:
        BadMart: a part of its description is missing, or its name is no identifier.
    """
    text = path.read_text(encoding="utf-8")
    said: dict[str, str] = {}
    columns: dict[str, str] = {}
    lines = text.splitlines()
    for line in lines:
        if not line.startswith("--"):
            break
        if match := _HEADER.match(line):
            if match[2]:
                columns[match[2]] = match[3]
            else:
                said[match[1]] = match[3]
    missing = [part for part in ("en", "zh", "grain", "key", "owner") if part not in said]
    if missing or not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem) or not lines[0].startswith("-- "):
        raise BadMart(f"{path}: a mart's file is named like a table and begins with its title; missing: {', '.join(missing) or 'nothing else'}")
    key = tuple(k.strip() for k in said.pop("key").split(","))
    return Mart(path.stem, text.strip().removesuffix(";"), lines[0].removeprefix("-- ").strip(), key=key, columns=columns, **said)


def create_views(connection: duckdb.DuckDBPyConnection, marts: dict[str, Mart]) -> list[str]:
    """Make the schema ``marts`` hold exactly these views; gives those that had to be left out.

    A view that does not bind, for instance because a table that it reads is not there, must not keep everything else from
    being published: it is left out, and the log says why.
    """
    left_out = []
    connection.execute("BEGIN")
    connection.execute("CREATE SCHEMA IF NOT EXISTS marts")
    for (name,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'marts' AND database_name = current_database()").fetchall():
        connection.execute(f'DROP VIEW marts."{name}"')
    connection.execute("CREATE TABLE IF NOT EXISTS meta.marts (name VARCHAR, hash VARCHAR, left_out VARCHAR)")
    connection.execute("COMMENT ON TABLE meta.marts IS '已发布的集市视图 / views of the schema marts, and why one was left out'")
    connection.execute("DELETE FROM meta.marts")
    connection.execute("COMMIT")
    for mart in marts.values():
        why = _create_view(connection, mart)
        if why is not None:
            left_out.append(mart.name)
            _log.warning("the mart %s cannot be published and is left out: %s", mart.name, why)
        connection.execute("INSERT INTO meta.marts VALUES (?, ?, ?)", [mart.name, mart.hash, why])
    return left_out


def _create_view(connection: duckdb.DuckDBPyConnection, mart: Mart) -> str | None:
    """Why the view could not be made, if so. Each has a transaction of its own: an error takes nothing else along."""
    connection.execute("BEGIN")
    try:
        connection.execute(f'CREATE VIEW marts."{mart.name}" AS\n{mart.sql}')
        connection.execute(f'COMMENT ON VIEW marts."{mart.name}" IS {_text(mart.comment)}')
        named = {c for (c,) in connection.execute("SELECT column_name FROM duckdb_columns() WHERE schema_name = 'marts' AND table_name = ? AND database_name = current_database()", [mart.name]).fetchall()}
        if unknown := {*mart.key, *mart.columns} - named:
            raise duckdb.BinderException(f"it has no column {', '.join(sorted(unknown))}, which its description names")
        for name, about in mart.columns.items():
            connection.execute(f'COMMENT ON COLUMN marts."{mart.name}"."{name}" IS {_text(about)}')
        connection.execute("COMMIT")
    except duckdb.Error as error:
        connection.execute("ROLLBACK")
        return str(error).splitlines()[0]
    return None


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
