"""``douyin demo``: run seven simulated days against the sandbox."""

from __future__ import annotations

import shutil
import time
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from apps.cli.console import console, fail, load_settings, open_runtime
from apps.cli.run import progress_bar
from resources.config.project import IS_CHECKOUT, SHIPPED

FIRST_DAY = date(2026, 11, 16)
"""A Monday. Fixed, so that the demo always shows the same numbers."""

DEMO_START = FIRST_DAY - timedelta(days=30)
"""First day of the partitions in the demo's Dagster: the series reach back so far, and marts compare videos by them."""

_TICKS = (
    (clock_time(8, 5), "hourly"),
    (clock_time(10, 30), "twice_daily"),
    (clock_time(10, 45), "daily_snapshot"),
    (clock_time(11, 0), "daily_t1"),
    (clock_time(11, 30), "daily_listing"),
    (clock_time(12, 5), "hourly"),
    (clock_time(16, 5), "hourly"),
    (clock_time(20, 5), "hourly"),
    (clock_time(23, 30), "rank_weeks"),
)
_MOST_FANS = 20_000
"""Fans of the largest account. Comments follow from fans: with millions the demo would fetch them for minutes."""
_WATCHED = (("keyword", "咖啡"), ("poi-keyword", "咖啡"), ("amap", "B0SANDBOX0001"))
"""Entries of the watch lists: a word for videos, one for places, and a place by its AMap id."""
_QUESTIONS = ("rising_words", "account_week", "board_climbers")


def demo(
    days: Annotated[int, typer.Option(min=1, max=60, help="simulated days")] = 7,
    accounts: Annotated[int, typer.Option(min=1, max=10_000)] = 5,
    videos: Annotated[int, typer.Option(min=1, max=10_000, help="about how many videos each account has")] = 40,
    home: Annotated[Path | None, typer.Option(help="where the data goes; default data/demo; replaced")] = None,
) -> None:
    """Start a sandbox, run the Dagster jobs of some simulated days, publish, and run three queries."""
    began = time.monotonic()
    base = load_settings(has_own_home=True)
    target = (home or base.home / "demo").resolve()
    _clear(target)
    length = "one day" if days == 1 else f"{days} days"
    console.print(f"[bold]{length} of Douyin[/bold], simulated from {FIRST_DAY}, {accounts} accounts, into {target}\n")
    console.print("loading Dagster, pandas and DuckDB …", style="dim")
    from apps.cli.simulation import authorize_all, move_clock, running_sandbox, sandbox_settings
    from catalog.cadences import CADENCES
    from catalog.records import BEIJING
    from pipelines.jobs.tables import JOB_NAMES, partitions_due
    from pipelines.runner import Runner, listening
    from resources.state.watched import WatchedItem, watch
    from sandbox.config import SandboxConfig

    ticks = [
        (datetime.combine(FIRST_DAY + timedelta(days=n), at, BEIJING), cadence)
        for n in range(days)
        for at, cadence in _TICKS
    ]
    config = SandboxConfig(accounts=accounts, videos=videos, most_fans=_MOST_FANS, now=ticks[0][0])
    totals = {"calls": 0, "rows": 0}
    problems: dict[str, str] = {}
    with (
        running_sandbox(config) as url,
        open_runtime(sandbox_settings(base, url, config, home=target, start_date=DEMO_START)) as runtime,
    ):
        runtime.set_clock(_frozen(ticks[0][0]))
        with Runner(runtime) as runner:
            authorize_all(runtime)
            watch(
                runtime.state,
                config.client_key,
                [WatchedItem(kind, value, "") for kind, value in _WATCHED],
                runtime.clock.now(),
            )

            def hear(ingested) -> None:
                totals["calls"] += ingested.calls
                totals["rows"] += sum(p.day.num_rows for p in ingested.partitions.values())

            with progress_bar() as bar, listening(runtime, hear):
                task = bar.add_task("runs", total=len(ticks), now="")
                for at, cadence in ticks:
                    bar.update(task, now=f"{at:%a %m-%d %H:%M} {JOB_NAMES[cadence]}")
                    move_clock(runtime, at)
                    first, last = partitions_due(CADENCES[cadence], at, runtime.settings)
                    ran = runner.run(cadence, first, last=last)
                    problems |= {f"{at:%m-%d %H:%M} {step}": said for step, said in ran.problems.items()}
                    bar.update(task, advance=1, now=f"{at:%a %m-%d %H:%M}  {totals['calls']:,} calls")
            answered = runner.answers()
            problems |= answered.problems if answered else {}
            runner.publish()
            problems |= runner.report(ticks[-1][0].date()).problems
    for step, said in problems.items():
        console.print(f"[red]✗ {step}[/red]: {escape(said)}", highlight=False, soft_wrap=True)
    if problems:
        fail(f"{len(problems)} steps failed")
    _show(target)
    command = ".venv/bin/douyin" if IS_CHECKOUT else "douyin"
    report = target / "reports" / f"{ticks[-1][0].date()}.html"
    console.print(
        f"\n[green]✓[/green] {len(ticks)} runs, {totals['calls']:,} calls, {time.monotonic() - began:.0f} "
        f"s. The report of {ticks[-1][0].date()}: [bold]{_short(report)}[/bold]. Next:\n"
        f"  {f'DOUYIN_HOME={_short(target)} {command} sql':46} the warehouse in DuckDB, or any "
        f"tool that opens {_short(target)}/warehouse.duckdb\n"
        f"  {f'DOUYIN_HOME={_short(target)} {command} status':46} what is loaded and what is missing\n"
        f"  {'make dev' if IS_CHECKOUT else 'douyin dev':46} these runs in the Dagster UI, with schedules\n"
        f"  {'install -m 600 .env.example .env' if IS_CHECKOUT else 'douyin init':46} your own app: credentials, "
        "then `douyin authorize` and `douyin run`",
        highlight=False,
        soft_wrap=True,
    )


def _frozen(at: datetime):
    from resources.config.clock import Clock

    return Clock.frozen(at)


def _clear(target: Path) -> None:
    """Empty the folder, but never delete one that no demo wrote."""
    marker = target / ".demo"
    if target.exists() and any(target.iterdir()) and not marker.exists():
        fail(f"{target} holds something that no demo wrote: choose another folder with --home")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    marker.touch()


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _show(target: Path) -> None:
    """Print the row counts of every table, and the results of three analyses."""
    import duckdb

    from apps.cli.tables import print_query, print_row_counts
    from catalog import TABLES
    from resources.sql import DUCKDB_SESSION

    with duckdb.connect(str(target / "warehouse.duckdb"), read_only=True) as warehouse:
        warehouse.execute(DUCKDB_SESSION)
        print_row_counts(warehouse, TABLES)
        for name in _QUESTIONS:
            print_query(warehouse, SHIPPED / "sql" / "analyses" / f"{name}.sql")
