"""Bring the schema of the state database to the version of this release.

A new database gets the tables of :mod:`resources.state.tables` at once. An older one is migrated by the Alembic scripts
in ``alembic``, in one write transaction: other processes wait for its lock, and after an error nothing has changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, inspect, select

from resources.state.tables import accounts, metadata, state_version

if TYPE_CHECKING:
    from resources.state.engine import State

SCRIPTS = Path(__file__).with_name("alembic")
HEAD = "0001"
"""Revision of the newest script in ``alembic/versions``; revisions are numbers of four digits."""


class NewerState(RuntimeError):
    """The state database was migrated by a newer release; nothing was changed."""


def migrate(state: State) -> None:
    """Create the tables of a new database, or migrate one of an earlier release.

    One that may only be read is left as it is if it has every table and column.

    Raises:
        NewerState: a newer release has migrated the database.
    """
    with state.read() as db:
        if _is_current(db) or (state.is_read_only and _has_all_columns(db)):
            return
    with state.begin() as db:
        if _is_current(db):  # another process was quicker
            return
        if inspect(db).has_table(accounts.name):  # which every release had
            _run_scripts(db)
        else:
            metadata.create_all(db)
            db.execute(insert(state_version).values(version_num=HEAD))


def _is_current(db: Connection) -> bool:
    if not inspect(db).has_table(state_version.name):
        return False
    version = db.execute(select(state_version.c.version_num)).scalar_one()
    if version > HEAD:
        raise NewerState(
            f"the state database has version {version} of a newer release, and this release knows up to {HEAD}: "
            "install that release again, or put back the copy of state.db from before its installation"
        )
    return bool(version == HEAD)


def _has_all_columns(db: Connection) -> bool:
    found = inspect(db)
    tables = set(found.get_table_names())
    return all(
        table.name in tables and set(table.columns.keys()) <= {c["name"] for c in found.get_columns(table.name)}
        for table in metadata.sorted_tables
        if table is not state_version
    )


def _run_scripts(db: Connection) -> None:
    # Importing Alembic takes a quarter of a second: only migrations do.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": db})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    command.upgrade(config, "head")
