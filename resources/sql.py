"""Quote names and texts in SQL, and set up sessions of DuckDB; DuckDB, SQLite and PostgreSQL quote alike."""

from __future__ import annotations

from collections.abc import Iterable

DUCKDB_SESSION = "SET TimeZone = 'Asia/Shanghai'; SET enable_progress_bar = false"
"""Show instants and their days in Beijing time, independent of the machine's time zone. Print no progress bar, which
DuckDB does in processes without a main module, such as those of Dagster's runs.
"""


def identifier(*parts: str) -> str:
    """Quote a name, or the parts of a qualified name: ``identifier("marts", "a b")`` is ``"marts"."a b"``."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def identifiers(names: Iterable[str]) -> str:
    """Quote names as a list for SELECT or a key."""
    return ", ".join(map(identifier, names))


def literal(value: object) -> str:
    """Quote the text of a value; NULL for None."""
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"
