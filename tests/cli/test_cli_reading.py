"""Read-only commands wait for no lock, write nothing, and work in a read-only home.

Files that cannot be read or written are reported in one line.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hostile_home import publish_words
from sqlalchemy.exc import DBAPIError

from apps.cli.error_messages import explain
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state import State, engine
from resources.state.accounts import add_account

KEY = "sGj1qTqG0oTTVxQ3wY0yF2mCw1m0jM0Xo3v3mE0pZ0A="
APP = {
    "DOUYIN_CLIENT_KEY": "key",
    "DOUYIN_CLIENT_SECRET": "secret-secret",
    "DOUYIN_TOKEN_KEY": KEY,
    "DOUYIN_BASE_URL": "http://127.0.0.1:9",
}
READING = (
    "status",
    "coverage",
    "accounts list",
    "watch list",
    "storage",
    "alerts list",
    "alerts check",
    "receive status",
    "outreach list",
    "outreach opt-out list",
    "outreach effect",
    "backfill --dry-run --from 2026-11-16 -s hot_words",
    "replay --dry-run -s hot_words",
    "storage prune --dry-run",
    "storage compact --dry-run",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    home = publish_words(tmp_path_factory.mktemp("reading"), ["普通词"])
    runtime = Runtime(Settings(_env_file=None, home=home))
    add_account(runtime.state, "key", "account-1", name="海盐", now=datetime(2026, 11, 16, tzinfo=UTC))
    runtime.close()
    return home


@pytest.fixture
def home(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


@pytest.fixture
def locked(home, monkeypatch) -> Iterator[Path]:
    """A home whose state is locked by a writing process; a command that waits for the lock fails at once."""
    monkeypatch.setattr(engine, "_TIMEOUT_S", 0.2)
    with sqlite3.connect(home / "state.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        yield home


@pytest.mark.slow
def test_reading_commands_take_no_write_lock(douyin, locked):
    for words in READING:
        reported = douyin(*words.split(), DOUYIN_HOME=str(locked), **APP)
        assert "has locked the state" not in reported.output, words
        assert reported.exit_code in (0, 1), (words, reported.output)
        assert "should not happen" not in reported.output, (words, reported.output)


def test_writing_into_a_locked_state_is_reported_in_a_line(douyin, locked):
    reported = douyin("accounts", "pause", "海盐", DOUYIN_HOME=str(locked), **APP)
    assert reported.exit_code == 1
    assert reported.stderr.startswith("✗ another process has locked the state for half a minute")
    assert reported.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_home_that_may_only_be_read(command, home):
    """Run as a user without rights there, or, for the superuser, without the right to write everywhere."""
    before = sorted(p.name for p in home.iterdir())
    for place in (home, *home.rglob("*")):
        place.chmod(0o555 if place.is_dir() else 0o444)
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []

    def run(words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*bound, *command.words(*words.split())],
            cwd=command.cwd,
            env=command.environment | APP | {"DOUYIN_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    try:
        reported = run("status")
        assert (reported.returncode, reported.stderr) == (0, ""), reported
        assert "海盐" in run("accounts list").stdout
        for words in ("accounts pause 海盐", "publish"):
            reported = run(words)
            assert reported.returncode == 1
            assert reported.stderr.startswith("✗ "), reported
            assert "set DOUYIN_HOME to another folder" in reported.stderr
            assert reported.stderr.count("\n") == 1
        assert sorted(p.name for p in home.iterdir()) == before
    finally:
        for place in (home, *home.rglob("*")):
            place.chmod(0o755 if place.is_dir() else 0o644)


@pytest.mark.parametrize("damage", [b"this is no database", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_state_is_reported_in_a_line(douyin, home, damage: bytes):
    for beside in home.glob("state.db-*"):
        beside.unlink()
    (home / "state.db").write_bytes(damage)
    reported = douyin("accounts", "list", DOUYIN_HOME=str(home), **APP)
    assert reported.exit_code == 1
    assert "put back a copy of state.db" in reported.stderr
    assert reported.stderr.count("\n") == 1


def test_a_damaged_warehouse_is_reported_in_a_line(douyin, home):
    (home / "warehouse.duckdb").write_bytes(b"x" * 10_000)
    for words in ("report", "export hot_words", "outreach effect"):
        reported = douyin(*words.split(), DOUYIN_HOME=str(home), **APP)
        assert reported.exit_code in (1, 2), words
        assert "publish" in reported.stderr, (words, reported.stderr)
        assert "should not happen" not in reported.stderr


def test_a_full_disk_is_reported(tmp_path):
    with pytest.raises(OSError, match="No space") as full, open("/dev/full", "w") as file:
        file.write("x" * 100_000)
    assert full.value.errno == errno.ENOSPC
    assert "free some space" in explain(full.value)
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    with state.begin() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(DBAPIError, match="full") as refused, state.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
            "100000) SELECT i, hex(randomblob(100)) FROM n"
        )
    assert explain(refused.value).startswith("the disk is full: free some space")


def test_a_fault_of_ours_is_one_line_and_its_traceback_is_shown_on_request(douyin, home, monkeypatch):
    from apps.cli import accounts

    def fails(*_) -> None:
        raise ZeroDivisionError("a fault\nof two lines")

    monkeypatch.setattr(accounts, "_known_keys", fails)
    reported = douyin("accounts", "list", DOUYIN_HOME=str(home), **APP)
    assert reported.exit_code == 1
    assert reported.stderr.startswith("✗ this should not happen: ZeroDivisionError: a fault of two lines at ")
    assert "DOUYIN_DEBUG=1" in reported.stderr
    assert reported.stderr.count("\n") == 1
    assert isinstance(
        douyin("accounts", "list", DOUYIN_HOME=str(home), DOUYIN_DEBUG="1", **APP).exception, ZeroDivisionError
    )


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_a_terminal_that_lacks_our_marks_gets_escapes(command, home, encoding: str):
    reported = subprocess.run(
        command.words("accounts", "tag", "海盐", "+shop"),
        cwd=command.cwd,
        env=command.environment | APP | {"DOUYIN_HOME": str(home), "PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert reported.returncode == 0, reported
    assert b"Traceback" not in reported.stderr
    assert b"shop" in reported.stdout
