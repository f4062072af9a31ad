"""Run untrusted SQL on the published file: a single SELECT without access to anything else on the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from resources.sql import DUCKDB_SESSION

_CONFIG: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}


class NotOneSelect(ValueError):
    """SQL that is not exactly one SELECT; the message says why."""


def connect(
    warehouse: Path, *, writes: Path | None = None, config: dict[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open ``warehouse`` read-only for untrusted SQL.

    The SQL can read no other file and no variable of this process, write only to ``writes``, and change no setting.
    Instants are shown in Beijing time.

    Raises:
        duckdb.Error: the file cannot be opened.
    """
    connection = duckdb.connect(str(warehouse), read_only=True, config=_CONFIG | (config or {}))
    try:
        if writes is not None:
            connection.execute("SET allowed_paths = $1", [[str(writes)]])
        connection.execute(f"{DUCKDB_SESSION}; SET enable_external_access = false; SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return the one SELECT of ``sql`` without trailing semicolons, for use in parentheses.

    Raises:
        NotOneSelect: it is not exactly one SELECT, or not valid SQL.
    """
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise NotOneSelect(f"the SQL is not understood: {str(error).splitlines()[0]}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise NotOneSelect("the file must hold one SELECT, and nothing else")
    text = sql.encode()  # positions of tokens count bytes
    end = len(text)
    for at, kind in reversed(duckdb.tokenize(sql)):
        if kind != duckdb.token_type.operator or text[at : at + 1] != b";":
            break
        end = at
    return text[:end].decode()
