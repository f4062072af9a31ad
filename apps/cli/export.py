"""``douyin export``: write a table, or the result of a query, into a file for Excel or another tool."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from apps.cli.console import console, fail, load_settings, possible_day, read_text


class Format(StrEnum):
    """The kind of file."""

    XLSX = "xlsx"
    CSV = "csv"
    PARQUET = "parquet"


class Headers(StrEnum):
    """The column heads: names as in SQL, or names of the dictionary in one language."""

    NAME = "name"
    ZH = "zh"
    EN = "en"


def export(
    what: Annotated[
        str,
        typer.Argument(
            help="a table (videos, marts.video_daily, meta.load_status) or a file with a SELECT (sql/analyses/….sql)"
        ),
    ],
    format: Annotated[Format, typer.Option("--format", "-f", help="kind of file")] = Format.XLSX,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="where to write it; default: <name>.<format> in the working directory"),
    ] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", callback=possible_day, formats=["%Y-%m-%d"], help="first day (dt)")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", callback=possible_day, formats=["%Y-%m-%d"], help="last day (dt)")
    ] = None,
    headers: Annotated[
        Headers,
        typer.Option(
            "--headers",
            help="column heads: names as in SQL, or those of the dictionary in Chinese or English; for xlsx and csv",
        ),
    ] = Headers.NAME,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
) -> None:
    """Write a table or the rows of a SELECT into a file.

    CSV has a byte order mark, so that Excel reads it as UTF-8; ids stay text.
    """
    settings = load_settings()
    if not settings.warehouse_path.exists():
        fail(
            f"{settings.warehouse_path} does not exist yet: nothing was published. Run `make demo` or "
            "`douyin run`, or set DOUYIN_HOME."
        )
    if first and last and last < first:
        fail(f"--to {last.date()} lies before --from {first.date()}", 2)
    is_file = what.endswith(".sql")
    name = Path(what).stem if is_file else what
    target = out or Path(f"{name}.{format}")
    if target.exists() and not force:
        fail(f"{target} is there already: take another --out, or --force to replace it", 2)
    if not target.resolve().parent.is_dir():
        fail(f"the folder {target.parent} does not exist", 2)
    from services.reporting.exporting import CannotExport, write_export

    sql = read_text(Path(what)) if is_file else None
    try:
        done = write_export(
            settings.warehouse_path,
            target,
            str(format),
            table=None if is_file else what,
            sql=sql,
            first=first.date() if first else None,
            last=last.date() if last else None,
            headers=None if headers is Headers.NAME else str(headers),
        )
    except CannotExport as error:
        fail(str(error), 2)
    except OSError as error:
        fail(f"cannot write {target}: {error.strerror or error}")
    console.print(
        f"{done.rows:,} rows of {name} in {target} ({target.stat().st_size / 1e3:,.0f} kB)",
        highlight=False,
        soft_wrap=True,
    )
    if done.cut:
        console.print(
            f"{done.cut:,} texts were longer than a cell of Excel holds and were cut: take --format csv "
            "or parquet for all of them",
            highlight=False,
            soft_wrap=True,
        )
