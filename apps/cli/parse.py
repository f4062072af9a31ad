"""``douyin parse``: show how one response body is parsed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from apps.cli.console import Grid, console, fail


def parse(
    operation: Annotated[str, typer.Argument(help="operationId, e.g. billboard_hot_video")],
    file: Annotated[Path, typer.Argument(help="file with one response body; - for standard input")],
    limit: Annotated[int, typer.Option(min=0, help="rows to print per table and day")] = 5,
    param: Annotated[list[str] | None, typer.Option(help="a request parameter, NAME=VALUE")] = None,
) -> None:
    """Parse one response body: rows per table, quarantined rows and values with reasons, unknown members.

    Exit code 1 if anything was quarantined or the body is not the platform's; 0 otherwise, also when the body is an
    error response.
    """
    from catalog import SOURCES
    from catalog.envelopes import MalformedBody
    from services.ingest.parse import parse_body

    if operation not in SOURCES:
        fail(f"{operation!r} is not an operation of the catalogue. Known: {', '.join(SOURCES)}", 2)
    bad = [p for p in param or [] if not p.partition("=")[0].strip() or "=" not in p]
    if bad:
        fail(f"--param takes NAME=VALUE, not {bad[0]!r}", 2)
    try:
        body = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", 2)
    try:
        parsed = parse_body(SOURCES[operation], body, dict(p.split("=", 1) for p in param or []))
    except MalformedBody as error:
        fail(str(error))
    if parsed.verdict.code != 0:
        console.print(
            f"[yellow]error answer[/yellow] code {parsed.verdict.code}: "
            f"{escape(parsed.verdict.description or parsed.error.meaning)}"
        )
        console.print(
            f"meaning: {parsed.error.meaning}\naction:  [bold]{parsed.error.action}[/bold]\nadvice:  "
            f"{parsed.error.advice}"
        )
        return
    if not parsed.partitions:
        console.print(f"no rows: an empty list of {operation} means [bold]{SOURCES[operation].empty}[/bold]")
    for part in parsed.partitions:
        _print_partition(part, limit)
    if parsed.quarantined or parsed.nulled:
        fail(f"{parsed.quarantined} rows and {parsed.nulled} values of other rows would go to quarantine")


def _print_partition(part, limit: int) -> None:
    console.print(
        f"\n[bold]{part.table.name}[/bold] {part.table.zh}  dt={part.dt}: {part.rows.num_rows} rows, "
        f"{part.quarantined} quarantined, {part.duplicates} duplicates"
    )
    if part.rows.num_rows:
        grid = Grid(box=None, header_style="dim")
        names = [n for n in part.table.columns if n not in ("dt", "observed_at", "source", "client_key")]
        for name in names:
            grid.add_column(name, overflow="ellipsis", max_width=28)
        for row in part.rows.select(names).slice(0, limit).to_pylist():
            grid.add_row(*(Text("" if v is None else str(v)) for v in row.values()))
        console.print(grid)
        if part.rows.num_rows > limit:
            console.print(f"… {part.rows.num_rows - limit} more", style="dim")
    for row in part.quarantine.to_pylist():
        sent = "" if row["value"] is None else f": {row['value']!r}"
        what = "quarantined" if row["column_name"] is None else "null"
        console.print(
            f"[red]{what}[/red] row {row['position']}: {escape(row['reason'] + sent)}", highlight=False, soft_wrap=True
        )
    for row in part.drift.to_pylist():
        console.print(
            f"[yellow]unknown member[/yellow] {escape(row['member'])} in {row['rows']} rows (kept in the archive)",
            highlight=False,
        )
