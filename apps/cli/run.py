"""``douyin run`` and ``douyin publish``: run the work of a day by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from apps.cli.console import Grid, console, fail, load_settings, open_runtime, possible_day, require_credentials

if TYPE_CHECKING:
    from resources.warehouse.publication import Publication
    from services.ingest.run import IngestResult


def choose(select: list[str] | None) -> list[str]:
    """Return the tables of names of tables, domains or operations; all tables when nothing is selected."""
    from catalog import SOURCES, TABLES

    if not select:
        return list(TABLES)
    chosen: set[str] = set()
    for word in (w.strip() for part in select for w in part.split(",")):
        if word in TABLES:
            chosen.add(word)
        elif word in SOURCES:
            chosen.update(SOURCES[word].tables)
        elif domain := [t.name for t in TABLES.values() if t.domain == word]:
            chosen.update(domain)
        else:
            domains = sorted({t.domain for t in TABLES.values()})
            fail(
                f"{word!r} is no table, domain or operation.\n  domains: {', '.join(domains)}\n  tables: "
                f"{', '.join(TABLES)}",
                2,
            )
    return [t for t in TABLES if t in chosen]


def run(
    day: Annotated[
        datetime | None,
        typer.Option(
            "--date",
            callback=possible_day,
            formats=["%Y-%m-%d"],
            help=(
                "Beijing day; T+1 series are taken for the three days before, on Mondays for the whole "
                "window. Default: today"
            ),
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", "-s", help="tables, domains or operations, comma separated; default: all"),
    ] = None,
) -> None:
    """Run what is due for a day: fetch what the archive lacks, normalise, build the marts, publish.

    Running again fetches nothing twice.
    """
    settings = load_settings()
    require_credentials(settings)
    tables = choose(select)
    if console.is_terminal:
        console.print("loading …", style="dim", end="\r")
    from pipelines.runner import Runner, listening, plan

    with open_runtime(settings) as runtime:
        chosen: date = day.date() if day else runtime.clock.today()
        if chosen > runtime.clock.today():
            fail(f"{chosen} has not begun in Beijing, where it is {runtime.clock.today()}", 2)
        due = plan(tables, chosen, settings)
        if early := [run for run in due if run.last < settings.start_date]:
            table, partition = early[0].tables[0], early[0].last
            fail(
                f"{table} of {partition} lies before the first day, DOUYIN_START_DATE={settings.start_date}: "
                "choose a later --date, or set it earlier",
                2,
            )
        done: list[IngestResult] = []
        problems: dict[str, str] = {}
        with Runner(runtime) as runner, progress_bar() as bar:
            task = bar.add_task(f"{chosen}", total=len(tables), now="")

            def hear(ingested) -> None:
                done.append(ingested)
                bar.update(task, advance=1, now=ingested.table.name)

            with listening(runtime, hear):
                for run in due:
                    problems |= runner.run(run.cadence, run.first, run.tables, last=run.last).problems
            bar.update(task, now="marts")
            if (answered := runner.answers()) is not None:
                problems |= answered.problems
            published = runner.publish()
            bar.update(task, completed=len(tables), now="published")
        print_ingested(done)
        console.print(escape(conclusion(tables, done, problems, published)), highlight=False, soft_wrap=True)
        _print_known(runtime)
        for step, said in problems.items():
            console.print(
                f"[red]✗ {step}[/red]: {escape(said.removeprefix(f'{step}: '))}", highlight=False, soft_wrap=True
            )
        if tell_damage(published) or problems:
            raise typer.Exit(1)


def _print_known(runtime) -> None:
    """Print one line for each app that lacks a capability or consent; ``status`` shows the ways out."""
    from services.capabilities.standing import standings

    for standing in standings(runtime):
        if standing.missing or standing.consents:
            console.print(
                f"known, no failure: app {standing.client_key}: {standing.summary()}. What, and what to "
                "do: `douyin status`",
                highlight=False,
                soft_wrap=True,
            )


def publish(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="make the file anew instead of carrying the last one on")
    ] = False,
) -> None:
    """Publish the lake into warehouse.duckdb, e.g. after the file was lost."""
    from resources.warehouse.publication import PublishFailed
    from services.marts.publishing import publish as publish_lake

    with open_runtime() as runtime:
        try:
            done = publish_lake(runtime, rebuild=rebuild)
        except PublishFailed as error:
            fail(str(error))
    what = (
        f"published {done.partitions} partitions into {done.path}"
        if done.partitions or done.damaged
        else f"{done.path} already contains every partition of the lake"
    )
    console.print(escape(f"{what} ({done.bytes / 1e6:.1f} MB, {done.seconds:.1f} s)"), highlight=False, soft_wrap=True)
    if tell_damage(done):
        raise typer.Exit(1)


def conclusion(tables: list[str], done: list, problems: Mapping[str, str], published: Publication) -> str:
    """Summarise a run in one line.

    The partition count of its last publication would not do: the marts' job has published before it.
    """
    rows = {one.table.name: sum(p.day.num_rows for p in one.partitions.values()) for one in done}
    calls, failed = sum(one.calls for one in done), len(problems.keys() & set(tables))
    if total := sum(rows.values()):
        loaded = (
            f"loaded {total:,} rows of {sum(map(bool, rows.values()))} tables with {calls:,} calls"
            if calls
            else f"nothing was left to fetch: {total:,} rows of {sum(map(bool, rows.values()))} tables are loaded"
        )
    else:
        loaded = "loaded no rows"
    parts = [
        loaded,
        f"{failed} of {len(tables)} tables failed" if failed else "",
        f"{published.path} holds all of the "
        f"lake{' but what does not read back' if published.damaged else ''} ({published.bytes / 1e6:.1f} "
        "MB)",
    ]
    return "; ".join(filter(None, parts))


def tell_damage(published) -> bool:
    """Print one line for each unreadable file of the lake; return whether any of them is still unreadable."""
    for one in published.made_again:
        console.print(
            f"[yellow]![/yellow] {escape(str(one))}: it was put aside and made again", highlight=False, soft_wrap=True
        )
    for one in published.damaged:
        console.print(f"[red]✗ left out[/red] {escape(str(one))}", highlight=False, soft_wrap=True)
    return bool(published.damaged)


def progress_bar() -> Progress:
    """Create the progress bar of runs."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[now]}"),
        TimeElapsedColumn(),
        console=console,
        transient=False,
    )


def print_ingested(done: list) -> None:
    """Print one line per table: rows, calls, and what did not go well."""
    from collections import Counter

    grid = Grid()
    for name, justify in (
        ("table", "left"),
        ("days", "left"),
        ("rows", "right"),
        ("calls", "right"),
        ("quarantined", "right"),
        ("corrected", "left"),
        ("accounts and operations", "left"),
    ):
        grid.add_column(name, justify=justify)
    for one in done:
        outcomes = Counter(str(o) for o in _outcomes(one.statuses))
        bad = bool(one.failures())
        days = (
            f"{min(one.partitions)} … {max(one.partitions)}"
            if len(one.partitions) > 1
            else next((d.isoformat() for d in one.partitions), "–")
        )
        rows = sum(p.day.num_rows for p in one.partitions.values())
        quarantined = sum(p.quarantined for p in one.partitions.values())
        nulled = sum(p.nulled for p in one.partitions.values())
        grid.add_row(
            one.table.name,
            days,
            f"{rows:,}",
            f"{one.calls:,}",
            _quarantined(quarantined, nulled),
            _corrected(one.changes | one.backfilled),
            Text(", ".join(f"{n} {s}" for s, n in outcomes.items()), "yellow" if bad else ""),
        )
    console.print(grid)


def _quarantined(rows: int, values: int) -> str:
    """Describe quarantined rows, and quarantined values of rows that landed."""
    return ", ".join([*([f"{rows:,}"] if rows else []), *([f"{values:,} values"] if values else [])])


def _outcomes(statuses: list) -> list:
    """Return one outcome for each account and operation over all days of the run.

    It is the worst failure, or else the best outcome.
    """
    from resources.state.load_status import Outcome

    order = {outcome: (outcome.is_missing, n if outcome.is_missing else -n) for n, outcome in enumerate(Outcome)}
    found: dict[tuple, Outcome] = {}
    for s in statuses:
        key = (s.operation, s.client_key, s.open_id)
        found[key] = max(found.get(key, s.status), s.status, key=order.__getitem__)
    return list(found.values())


def _corrected(changes: dict) -> str:
    """Describe rows that changed or were removed: late corrections of the platform, or better parsing."""
    altered, removed = (sum(getattr(c, name) for c in changes.values()) for name in ("altered", "removed"))
    return ", ".join(f"{n:,} {name}" for n, name in ((altered, "altered"), (removed, "removed")) if n)
