"""``douyin sql``: open the warehouse in the DuckDB command line, read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from apps.cli.console import fail, load_settings, read_text, visible

_PASSED_ON = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "LANG",
    "LANGUAGE",
    "TMPDIR",
    "PAGER",
    "LESS",
    "EDITOR",
    "VISUAL",
    "NO_COLOR",
)
"""Environment variables passed on to DuckDB, besides ``LC_*`` and ``XDG_*``.

Its ``getenv`` and its shell must find no key and no secret under any name.
"""


def sql(
    command: Annotated[str | None, typer.Option("-c", "--command", help="run this SQL and leave")] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="run the SQL of this file and leave; - for standard input")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="print CSV")] = False,
    unsafe: Annotated[
        bool,
        typer.Option(
            "--unsafe", help="let the SQL of -c, -f or a pipe read and write files, load extensions and run programs"
        ),
    ] = False,
) -> None:
    """Open the warehouse read-only; with -c or -f run SQL and leave. Also works while runs write.

    Instants are shown in Beijing time. SQL of -c, of -f and from a pipe runs in DuckDB's safe mode: it can access the
    warehouse and nothing else on the machine.
    """
    settings = load_settings()
    if not settings.warehouse_path.exists():
        fail(
            f"{settings.warehouse_path} does not exist yet: nothing was published. Run `make demo` or "
            "`douyin run`, or set DOUYIN_HOME."
        )
    if command is not None and file is not None:
        fail("give -c or -f, not both", 2)
    by_hand = command is None and file is None and sys.stdin.isatty()
    arguments = [
        str(_program()),
        "-readonly",
        *(["-csv"] if csv else []),
        *([] if by_hand or unsafe else ["-safe"]),
        "-bail",
    ]
    if not (by_hand and sys.stdout.isatty()):
        arguments += ["-cmd", ".highlight off"]  # otherwise `describe` writes colours into a pipe
    if command is not None:
        arguments += ["-c", command]
    arguments.append(str(settings.warehouse_path))
    if file is not None and str(file) != "-":
        _give(read_text(file))
    environment = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(("LC_", "XDG_"))
    } | {"TZ": "Asia/Shanghai"}
    sys.stdout.flush()
    if sys.stdout.isatty() and not by_hand:
        raise typer.Exit(_shown(arguments, environment))
    os.execve(arguments[0], arguments, environment)


def _program() -> Path:
    """Return the path of DuckDB's own program. The script that pip installs sets an option that safe mode refuses."""
    found = find_spec("duckdb_cli")
    if found is None or found.origin is None:
        fail("the duckdb command is missing: install the package duckdb-cli")
    program = Path(found.origin).with_name("duckdb.exe" if os.name == "nt" else "duckdb")
    if not program.exists():
        fail(f"{program} is missing: install the package duckdb-cli again")
    return program


def _give(text: str) -> None:
    """Make ``text`` the standard input."""
    with tempfile.TemporaryFile() as given:
        given.write(text.encode())
        given.seek(0)
        os.dup2(given.fileno(), 0)


def _shown(arguments: list[str], environment: dict[str, str]) -> int:
    """Run DuckDB with control characters made visible: a terminal must not obey titles and nicknames."""
    arguments = [arguments[0], "-cmd", f".maxwidth {shutil.get_terminal_size().columns}", *arguments[1:]]
    with subprocess.Popen(
        arguments,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as child:
        assert child.stdout is not None, "stdout is a pipe"
        for line in child.stdout:
            sys.stdout.write(visible(line))
    return child.returncode
