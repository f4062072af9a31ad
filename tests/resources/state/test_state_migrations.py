"""Databases of every earlier release open: Alembic brings them to the form of a new one, once, with their rows.

``forms`` has the schema of three releases before version numbers, named by their commits: the oldest, one whose tables
lack a column and an index, and the last. ``accounts-only`` has one table of them.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

from resources.state import State, engine, migrations

FORMS = {path.stem: path for path in sorted((Path(__file__).parent / "forms").glob("*.sql"))}
VALUES = {"VARCHAR": "x", "FLOAT": 1.5, "INTEGER": 7, "BIGINT": 8, "BLOB": b"\x00"}


def make(path: Path, form: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Make a database by plain SQL, with a row in each table; return the rows by table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.executescript(form.read_text())
    with db:
        for table in tables_of(db):
            row = [VALUES[kind] for _, _, kind, *_ in db.execute(f'PRAGMA table_info("{table}")')]
            db.execute(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(row))})', row)
    found = rows_of(db)
    db.close()
    return found


def tables_of(db: sqlite3.Connection) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def rows_of(db: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {table: db.execute(f'SELECT * FROM "{table}"').fetchall() for table in tables_of(db)}


def schema_of(state: State) -> dict[str, Any]:
    found = inspect(state.engine)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
            found.get_pk_constraint(table),
            sorted(u["column_names"] for u in found.get_unique_constraints(table)),
            sorted((i["name"], i["column_names"]) for i in found.get_indexes(table)),
        )
        for table in found.get_table_names()
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "old" / "state.db"


@pytest.mark.parametrize("form", FORMS)
def test_an_old_database_becomes_as_a_new_one_and_keeps_its_rows(state, path, form):
    before = make(path, FORMS[form])
    old = State(f"sqlite:///{path}")
    assert schema_of(old) == schema_of(state)
    old.close()
    with sqlite3.connect(path) as db:
        after = rows_of(db)
    assert {t: [row[: len(before[t][0])] for row in after[t]] for t in before} == before
    days = [(row[1], 0) for row in before.get("load_status", [])]  # of unknown change, where that was not recorded
    assert after["load_status_days"] == before.get("load_status_days", days)
    assert after["state_version"] == [(migrations.HEAD,)]


def test_the_scripts_lead_to_the_version_of_this_release():
    assert ScriptDirectory(migrations.SCRIPTS).get_heads() == [migrations.HEAD]


def test_a_current_database_is_not_migrated_again(state, monkeypatch):
    monkeypatch.delattr(migrations, "_run_scripts")
    with state.begin():  # and opening it takes no write lock
        State(state.url).close()


def _open(path: Path, barrier: Any, log: Path) -> None:
    run = migrations._run_scripts

    def logged(db: Any) -> None:
        with log.open("a") as file:
            file.write("migrated\n")
        run(db)

    migrations._run_scripts = logged
    barrier.wait(30)
    State(f"sqlite:///{path}").close()


@pytest.mark.parametrize("form", [None, "6158ee9"])
def test_two_processes_that_open_one_database_at_once_migrate_it_once(state, path, tmp_path, form):
    path.parent.mkdir()
    if form:
        make(path, FORMS[form])
    log = tmp_path / "log"
    log.touch()
    forked = multiprocessing.get_context("fork")
    barrier = forked.Barrier(2)
    processes = [forked.Process(target=_open, args=(path, barrier, log)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert log.read_text() == ("migrated\n" if form else "")
    opened = State(f"sqlite:///{path}")
    assert schema_of(opened) == schema_of(state)
    opened.close()


def test_a_database_of_a_newer_release_is_refused_and_unchanged(path):
    url = f"sqlite:///{path}"
    State(url).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE state_version SET version_num = '0999'")
    db.close()
    before = path.read_bytes()
    with pytest.raises(migrations.NewerState, match=r"0999 of a newer release.* up to 0001: install that release"):
        State(url)
    assert path.read_bytes() == before


def test_the_last_release_before_versions_opens_where_it_may_only_be_read(path, monkeypatch):
    make(path, FORMS["c30585a"])
    before = path.read_bytes()
    monkeypatch.setattr(engine, "_may_only_read", lambda url: True)
    opened = State(f"sqlite:///{path}")
    with opened.read() as db:
        assert len(db.exec_driver_sql("SELECT * FROM accounts").fetchall()) == 1
    opened.close()
    assert path.read_bytes() == before


def test_a_release_that_lacks_tables_does_not_open_where_it_may_only_be_read(path, monkeypatch):
    make(path, FORMS["6158ee9"])
    monkeypatch.setattr(engine, "_may_only_read", lambda url: True)
    with pytest.raises(OperationalError, match="readonly"):
        State(f"sqlite:///{path}")


def test_a_migration_that_fails_leaves_the_database_unchanged(path):
    make(path, FORMS["3a9021a"])
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE load_status_days (dt VARCHAR)")  # the last step fails
        before = db.execute("SELECT sql FROM sqlite_master").fetchall()
    with pytest.raises(OperationalError, match="changed_ns"):
        State(f"sqlite:///{path}")
    assert db.execute("SELECT sql FROM sqlite_master").fetchall() == before
    db.close()
