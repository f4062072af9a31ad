"""``douyin sql``: the warehouse in the DuckDB command line, read-only."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import fail, load_settings


def sql(
    command: Annotated[str | None, typer.Option("-c", "--command", help="run this SQL and leave")] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="run the SQL of this file and leave")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="print CSV")] = False,
) -> None:
    """Open the warehouse read-only; with -c or -f run SQL and leave. Also works while runs write."""
    settings = load_settings()
    if not settings.warehouse_path.exists():
        fail(f"{settings.warehouse_path} does not exist yet: nothing was published. Run `make demo` or `douyin run`, or set DOUYIN_HOME.")
    if command is not None and file is not None:
        fail("give -c or -f, not both", 2)
    if file is not None:
        try:
            command = file.read_text(encoding="utf-8")
        except OSError as error:
            fail(f"cannot read {file}: {error.strerror}", 2)
    beside = Path(sys.executable).with_name("duckdb")
    program = str(beside) if beside.exists() else shutil.which("duckdb")
    if program is None:
        fail("the duckdb command is missing: install the package duckdb-cli")
    arguments = [program, "-readonly", *(["-csv"] if csv else []), str(settings.warehouse_path)]
    if command is not None:
        arguments += ["-c", command]
    sys.stdout.flush()
    os.execv(program, arguments)
