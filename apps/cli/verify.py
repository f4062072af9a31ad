"""``douyin verify``: verify archive, lake and warehouse against each other and against stated totals."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from apps.cli.backfill import First, Last, Select
from apps.cli.console import console, fail, load_settings, open_runtime
from apps.cli.run import choose


def verify(
    select: Select = None,
    first: First = None,
    last: Last = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="move damaged segments, and damaged files of whole months, to _damaged; nothing is deleted"
        ),
    ] = False,
) -> None:
    """Compare archive, lake and warehouse, and rows with the totals that the platform states, without a call.

    Compares checksums and content. Without --from and --to: all days. Prints each difference and the command that fixes
    it; exit code 1 if there is one.
    """
    settings = load_settings()
    tables = choose(select)
    from services.maintenance.verify import set_aside
    from services.maintenance.verify import verify as compare

    with open_runtime(settings) as runtime:
        begin, end = first.date() if first else settings.start_date, last.date() if last else runtime.clock.today()
        if end < begin:
            fail(f"--to {end} lies before --from {begin}", 2)
        found = compare(runtime, tables, begin, end)
        console.print(
            f"{begin} … {end}: {found.segments:,} segments of the archive read, {found.days:,} partitions "
            f"({found.rows:,} rows) made again from it, "
            f"{found.published:,} published days and {found.totals:,} stated totals compared",
            highlight=False,
            soft_wrap=True,
        )
        for name, n in found.alone.items():
            console.print(
                f"[yellow]![/yellow] {name}: {n:,} days cannot be compared, the archive no longer has their answers",
                highlight=False,
                soft_wrap=True,
            )
        for one in found.findings:
            mark = "[yellow]~[/yellow]" if one.is_hint else "[red]✗[/red]"
            console.print(
                f"{mark} {one.table} {escape(one.where)}: {escape(one.what)}\n    {escape(one.mend)}",
                highlight=False,
                soft_wrap=True,
            )
        if repair:
            for one, target in set_aside(runtime, found.findings):
                console.print(f"moved {escape(one.where)} to {escape(str(target))}", highlight=False, soft_wrap=True)
            console.print(
                "`douyin run` fetches again what the platform still has; `douyin replay` makes days again "
                "that the archive still knows"
            )
        if found.wrong:
            raise typer.Exit(1)
        console.print(
            "[green]✓[/green] everything agrees"
            if not found.findings
            else "[green]✓[/green] what was kept agrees; see the hints above"
        )
