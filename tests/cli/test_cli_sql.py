"""``douyin sql``: foreign SQL reaches the warehouse, and no other file of the machine."""

from __future__ import annotations

import os
import pty
from pathlib import Path

import children
import pytest
from hostile_home import ESCAPE, TURNED, publish_words
from patience import scaled

KEY = "sGj1qTqG0oTTVxQ3wY0yF2mCw1m0jM0Xo3v3mE0pZ0A="
SECRETS = {
    "DOUYIN_TOKEN_KEY": KEY,
    "DOUYIN_CLIENT_SECRET": "client-secret",
    "ROBOT_ADDRESS": "https://robot.example/hook",
    "PGPASSWORD": "database",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return publish_words(tmp_path_factory.mktemp("sql"), ["普通词", f"a{ESCAPE}", f"b{TURNED}"])


@pytest.fixture
def sql(command, home):
    return lambda *words, **more: command("sql", *words, DOUYIN_HOME=str(home), **SECRETS, **more)


REACHES_OUT = [
    ".shell touch {out}",
    ".system touch {out}",
    ".output {out}\nselect 1;",
    ".once {out}\nselect 1;",
    ".import {out} t",
    ".open {out}",
    ".read {out}",
    ".cd /",
    ".log {out}",
    "COPY hot_words TO '{out}'",
    "EXPORT DATABASE '{out}'",
    "ATTACH '{out}'",
    "FROM read_text('/etc/hostname')",
    "FROM '/etc/hostname'",
    "FROM glob('/etc/*')",
    "INSTALL httpfs",
    "LOAD '{out}'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
]


@pytest.mark.parametrize("way", ["-c", "-f", "pipe"])
def test_sql_of_others_reaches_nothing_else(sql, tmp_path, way: str):
    out = tmp_path / "out"
    for text in REACHES_OUT if way == "-c" else REACHES_OUT[::6]:
        text = text.format(out=out)
        (tmp_path / "q.sql").write_text(text)
        reported = {
            "-c": lambda t=text: sql("-c", t),
            "-f": lambda: sql("-f", str(tmp_path / "q.sql")),
            "pipe": lambda t=text: sql(input=t + "\n"),
        }[way]()
        assert reported.returncode != 0, text
        assert reported.stderr, text
        assert not out.exists(), text


@pytest.mark.parametrize("safe", [[], ["--unsafe"]])
def test_no_secret_is_in_its_environment(sql, tmp_path, safe: list[str]):
    for name in SECRETS:
        reported = sql("--csv", *safe, "-c", f"SELECT getenv('{name}') AS value")
        assert not any(secret in reported.stdout + reported.stderr for secret in SECRETS.values()), name
    if safe:
        reported = sql(*safe, "-c", ".shell env")
        assert "PATH=" in reported.stdout
        assert not [line for line in reported.stdout.splitlines() if line.startswith(("DOUYIN_", "ROBOT_", "PG"))]


def test_unsafe_lets_a_person_write_a_file(sql, tmp_path):
    assert sql("--unsafe", "-c", f"COPY (SELECT 1 AS one) TO '{tmp_path / 'one.csv'}'").returncode == 0
    assert (tmp_path / "one.csv").read_text() == "one\n1\n"


def test_a_pipe_gets_no_colours(sql):
    reported = sql("-c", "DESCRIBE hot_words")
    assert reported.returncode == 0
    assert "sentence" in reported.stdout
    assert "\x1b" not in reported.stdout


def test_a_file_in_another_encoding_is_reported(sql, tmp_path):
    (tmp_path / "gbk.sql").write_bytes("SELECT '热点'".encode("gbk"))
    reported = sql("-f", str(tmp_path / "gbk.sql"))
    assert reported.returncode == 2
    assert "is not UTF-8" in reported.stderr
    assert "Traceback" not in reported.stderr


def test_long_files_and_files_of_windows_run(sql, tmp_path):
    (tmp_path / "long.sql").write_bytes(b"\xef\xbb\xbf-- " + b"x" * 300_000 + b"\r\nSELECT 7 AS seven;\r\n")
    reported = sql("--csv", "-f", str(tmp_path / "long.sql"))
    assert reported.stdout.split() == ["seven", "7"], reported.stderr


def test_a_terminal_is_not_obeyed_by_titles(command, home):
    """In a terminal of its own, texts are printed without control characters; a pipe gets them unchanged."""
    ours, theirs = pty.openpty()
    child = children.start(
        command.words("sql", "--csv", "-c", "SELECT sentence FROM hot_words ORDER BY rank"),
        cwd=command.cwd,
        env=command.environment | {"DOUYIN_HOME": str(home)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side closed it
            break
        if not piece:
            break
        said += piece
    assert child.wait(timeout=scaled(60)) == 0
    shown = said.decode()
    assert "普通词" in shown
    assert "\\x1b[31mred" in shown
    assert "\\u202eabc" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    piped = command("sql", "--csv", "-c", "SELECT sentence FROM hot_words ORDER BY rank", DOUYIN_HOME=str(home))
    assert ESCAPE in piped.stdout
    assert TURNED in piped.stdout
