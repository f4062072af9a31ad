"""``douyin backfill``: fetch past partitions after showing their price."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from apps.cli.console import Grid, console, fail, load_settings, open_runtime, possible_day, require_credentials
from apps.cli.run import choose, print_ingested, progress_bar, tell_damage

if TYPE_CHECKING:
    from services.ingest.run import IngestResult

_DAY = ["%Y-%m-%d"]
Select = Annotated[
    list[str] | None,
    typer.Option("--select", "-s", help="tables, domains or operations, comma separated; default: all"),
]
First = Annotated[
    datetime | None, typer.Option("--from", callback=possible_day, formats=_DAY, help="first partition, a Beijing day")
]
Last = Annotated[
    datetime | None,
    typer.Option(
        "--to", callback=possible_day, formats=_DAY, help="last partition; default: the newest that there can be"
    ),
]


def backfill(
    select: Select = None,
    first: First = None,
    last: Last = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the price only, without a call")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with what a used-up quota stopped, instead of --from and --to")
    ] = False,
) -> None:
    """Fill past partitions: show the price first, then run once per table.

    Partitions that can no longer be fetched are reported and not marked as materialised.
    """
    settings = load_settings()
    require_credentials(settings)
    tables = choose(select)
    from catalog import TABLES
    from services.ingest.price import pending, price_of
    from services.ingest.replay import partitions_between

    with open_runtime(settings) as runtime:
        if resume == (first is not None):
            fail("say either --from (and --to), or --resume", 2)
        if first is None:
            wanted = {name: partitions_between(TABLES[name], *span) for name, span in pending(runtime, tables)}
            if not wanted:
                console.print("nothing waits for a new quota")
                return
        else:
            wanted = {
                name: days
                for name in tables
                if (days := chosen_days(runtime, TABLES[name], first.date(), last.date() if last else None))
            }
        prices = [price_of(runtime, TABLES[name], dts) for name, dts in wanted.items()]
        print_price(runtime, prices)
        if not dry_run:
            _pay(runtime, prices)


def chosen_days(runtime, table, first: date, last: date | None) -> list[date]:
    """Return the partitions of a table from ``first`` to ``last``. Impossible days end the command."""
    from services.ingest.replay import partitions_between

    newest, start = table.latest_partition(runtime.clock.today()), runtime.settings.start_date
    if last is not None and last < first:
        fail(f"--to {last} lies before --from {first}", 2)
    if first < start:
        fail(
            f"--from {first} lies before the first day, DOUYIN_START_DATE={start}: choose a later day, or "
            "set it earlier",
            2,
        )
    return partitions_between(table, first, min(last or newest, newest))


def print_price(runtime, prices: list) -> None:
    """Print where partitions can be had from, why some cannot, and how many calls it takes."""
    from services.ingest.price import From, by_scope
    from services.ingest.spans import grouped, span_text

    grid = Grid(title="price")
    for name, justify in (
        ("table", "left"),
        ("partitions", "left"),
        ("from call", "right"),
        ("from archive", "right"),
        ("not at all", "right"),
        ("calls", "right"),
    ):
        grid.add_column(name, justify=justify)
    for price in prices:
        counts = [len(price.having(source)) for source in From]
        calls = f"{'about ' if price.guessed and price.calls else ''}{price.calls.total():,}"
        grid.add_row(price.table.name, span_text(list(price.days)), *(f"{n:,}" if n else "–" for n in counts), calls)
    console.print(grid)
    for price in prices:
        for reason, days in grouped(price.reasons).items():
            console.print(
                f"[yellow]✗ {price.table.name}[/yellow] {span_text(days)}: {escape(reason)}",
                highlight=False,
                soft_wrap=True,
            )
    lines = by_scope(runtime, prices)
    for line in lines:
        app = f" of app {line.client_key}" if len({one.client_key for one in lines}) > 1 else ""
        quota = (
            "no daily quota is configured (DOUYIN_PER_DAY)"
            if line.per_day is None
            else f"{line.share:.0%} of the {line.per_day:,} a day, {line.left:,} left today"
        )
        spread = (
            f"; spreads over [bold]{line.days} days[/bold], `resume_schedule` or `douyin backfill --resume` goes on"
            if line.days > 1
            else ""
        )
        console.print(
            f"{line.scope}{app}: {line.calls:,} calls, at least {_time(line.seconds)}; {quota}{spread}",
            highlight=False,
            soft_wrap=True,
        )
    if not lines:
        console.print("no call is needed")


def _time(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{seconds / 60:.0f} min"
        if seconds < 6_000
        else f"{seconds / 3600:.1f} h"
    )


def _pay(runtime, prices: list) -> None:
    """Fill the days of each table in one run; days that cannot be fetched are one failure that names the range."""
    from catalog import endpoints_of
    from pipelines.runner import Runner, listening

    done: list[IngestResult] = []
    problems: list[str] = []
    with Runner(runtime) as runner, progress_bar() as bar, listening(runtime, done.append):
        task = bar.add_task("runs", total=len(prices), now="")
        for price in prices:
            name, first, last = price.table.name, min(price.days), max(price.days)
            bar.update(task, now=f"{name} {first}" + (f" … {last}" if last > first else ""))
            ran = runner.run(endpoints_of(name)[0].cadence.name, first, [name], last=last)
            problems += ran.problems.values()
            bar.update(task, advance=1)
        published = runner.publish()
    print_ingested(done)
    console.print(
        f"published {published.partitions} partitions into {published.path} ({published.bytes / 1e6:.1f} "
        f"MB, {published.seconds:.1f} s)",
        soft_wrap=True,
    )
    for said in problems:
        console.print(f"[red]✗[/red] {escape(said)}", highlight=False, soft_wrap=True)
    refused = sum(len(price.reasons) for price in prices)
    if refused:
        console.print(f"{refused} partitions cannot be had (see above) and are not marked as materialised")
    if tell_damage(published) or problems or refused:
        raise typer.Exit(1)
