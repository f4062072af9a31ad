"""Analysts query while runs write: another process opens the warehouse again and again, without an error."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import children
import pytest
from patience import scaled

from catalog import TABLES

WRITER = """
import sys, time
from datetime import date, timedelta
from pathlib import Path
from publishing_rows import hot_words
from resources.storage.lake import Lake
from resources.warehouse.publisher import Warehouse

home = Path(sys.argv[1])
lake = Lake(home / "lake")
warehouse = Warehouse(home / "warehouse.duckdb", lake, home / "locks")
day, n = date(2026, 11, 16), 0
while not (home / "stop").exists():
    lake.write("hot_words", day + timedelta(days=n % 5), hot_words(day + timedelta(days=n % 5), 20 + n % 30))
    warehouse.publish()
    n += 1
    if n == 1:
        print("published", flush=True)
print(n, flush=True)
"""


@contextmanager
def continuous_runs(home: Path) -> Iterator[None]:
    """A process that writes the lake and publishes without pause."""
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here.parent.parent)])}
    writer = children.start(
        [sys.executable, "-c", WRITER, str(home)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert writer.stdout.readline() == "published\n"
        yield
        assert writer.poll() is None, "the writer died"
    finally:
        (home / "stop").touch()
        published, _ = writer.communicate(timeout=scaled(60))
    assert writer.returncode == 0
    assert int(published) > 5, "the writer hardly published: this test showed nothing"


def ask(home: Path, tries: int) -> list[str]:
    """Query the rows of each table in turn through ``douyin sql``'s program; return the errors."""
    program = Path(sys.executable).with_name("duckdb")
    wrong = []
    names = list(TABLES)
    for n in range(tries):
        table = "hot_words" if n % 2 else names[n // 2 % len(names)]
        command = [
            program,
            "-readonly",
            "-csv",
            "-noheader",
            home / "warehouse.duckdb",
            "-c",
            f"SELECT count(*) FROM {table}",
        ]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=scaled(30), check=False)
        rows = answer.stdout.strip()
        if answer.returncode or not rows.isdigit() or (table == "hot_words" and int(rows) < 20):
            wrong.append(f"{table}: {answer.stdout} {answer.stderr}")
    return wrong


@pytest.mark.slow
def test_no_query_fails_while_runs_write(tmp_path):
    with continuous_runs(tmp_path):
        assert ask(tmp_path, 40) == []


@pytest.mark.slow
def test_no_query_fails_in_five_hundred_tries(tmp_path):
    with continuous_runs(tmp_path):
        assert ask(tmp_path, 500) == []
