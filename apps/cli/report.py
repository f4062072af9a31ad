"""``douyin report``: write the daily report as one HTML file."""

from __future__ import annotations

import webbrowser
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from apps.cli.console import console, fail, load_settings, open_runtime, possible_day


def report(
    day: Annotated[
        datetime | None,
        typer.Option(
            "--date",
            callback=possible_day,
            formats=["%Y-%m-%d"],
            help="Beijing day. Default: the last day of which the warehouse has hot words or account figures",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="where to write it; default: reports/<date>.html in DOUYIN_HOME")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="show it in the browser")] = False,
) -> None:
    """Make the daily report from the published warehouse: one HTML file, Chinese and English, readable offline."""
    settings = load_settings()
    if not settings.warehouse_path.exists():
        fail(
            f"{settings.warehouse_path} does not exist yet: nothing was published. Run `make demo` or "
            "`douyin run`, or set DOUYIN_HOME."
        )
    from services.reporting.page import latest_day, write_report

    with open_runtime(settings) as runtime:
        last = latest_day(runtime)
        if last is None:
            fail("the warehouse has no day to report on yet: run `douyin run` first")
        chosen = day.date() if day else last
        if chosen > last:
            fail(f"the warehouse reaches to {last}: there is nothing of {chosen} yet")
        try:
            path = write_report(runtime, chosen, out)
        except OSError as error:
            fail(f"cannot write the report: {error}")
        console.print(
            f"report of {chosen}: {path} ({path.stat().st_size / 1e3:,.0f} kB)", soft_wrap=True, highlight=False
        )
        if show and not webbrowser.open(path.resolve().as_uri()):
            fail("no browser was found; open the file yourself")
