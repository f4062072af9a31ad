"""``douyin storage``: show sizes, prune old data, compact files."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from apps.cli.backfill import Select
from apps.cli.console import Grid, console, finite, load_settings, open_runtime, styled
from apps.cli.run import choose, tell_damage

app = typer.Typer(
    help="Sizes and numbers of files; forget what need not be kept; put sealed months together.",
    invoke_without_command=True,
)
DryRun = Annotated[bool, typer.Option("--dry-run", help="only show what would be done")]


@app.callback()
def storage(context: typer.Context) -> None:
    """Show sizes and numbers of files per table; with a command: prune old data, or compact sealed months."""
    if context.invoked_subcommand is not None:
        return
    from catalog import TABLES
    from services.maintenance.retention import Size, sizes

    settings = load_settings()
    with open_runtime(settings) as runtime:
        found = sizes(runtime)
    grid = Grid(title=str(settings.home))
    for name, justify in (
        ("table", "left"),
        ("archive", "right"),
        ("files", "right"),
        ("lake", "right"),
        ("files", "right"),
        ("quarantine, drift", "right"),
        ("kept", "left"),
    ):
        grid.add_column(name, justify=justify)
    stores = ("archive", "lake", "quarantine and drift")
    for name in [*TABLES, *sorted(found["archive"].keys() - TABLES.keys())]:
        archive, lake, side = (found[store].get(name, Size()) for store in stores)
        if archive.files or lake.files or side.files:
            grid.add_row(
                name,
                _mb(archive.bytes),
                _number(archive.files),
                _mb(lake.bytes),
                _number(lake.files),
                _mb(side.bytes),
                _kept(settings, name),
            )
    total = {store: sum(found[store].values(), Size()) for store in stores}
    grid.add_section()
    grid.add_row(
        styled("[bold]all[/bold]"),
        _mb(total["archive"].bytes),
        _number(total["archive"].files),
        _mb(total["lake"].bytes),
        _number(total["lake"].files),
        _mb(total["quarantine and drift"].bytes),
    )
    console.print(grid)
    console.print(
        ", ".join(f"{name} {_mb(size.bytes) or '0'} MB" for name, size in found["home"].items()), highlight=False
    )


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f}" if size >= 50_000 else "<0.1" if size else ""


def _number(files: int) -> str:
    return f"{files:,}" if files else ""


def _kept(settings, name: str) -> str:
    keep = settings.keep_for(name)
    limits = [f"{store} {days} d" for store, days in (("archive", keep.archive_days), ("lake", keep.lake_days)) if days]
    return ", ".join(limits)


@app.command()
def prune(select: Select = None, dry_run: DryRun = False) -> None:
    """Delete data older than DOUYIN_KEEP_ARCHIVE_DAYS, DOUYIN_KEEP_LAKE_DAYS and DOUYIN_KEEP allow.

    By default everything is kept.
    """
    settings = load_settings()
    tables = choose(select)
    from services.ingest.spans import span_text
    from services.maintenance.retention import expired
    from services.maintenance.retention import prune as forget
    from services.marts.publishing import publish

    with open_runtime(settings) as runtime:
        found = list(expired(runtime, tables))
        days: dict[tuple[str, str], list] = {}
        for one in found:
            days.setdefault((one.store, one.name), []).append(one.dt)
        for (store, name), dts in days.items():
            console.print(f"{store} {name}: {len(dts):,} days, {span_text(dts)}", highlight=False)
        if not found:
            console.print("nothing is older than it is kept")
        elif dry_run:
            console.print(f"{len(found):,} days would go; nothing was removed", highlight=False)
        else:
            done = forget(runtime, found)
            published = publish(runtime)
            console.print(f"{done:,} days went; published {published.partitions} changed partitions", highlight=False)
            if tell_damage(published):
                raise typer.Exit(1)


@app.command()
def compact(
    select: Select = None,
    dry_run: DryRun = False,
    max_mb: Annotated[
        float, typer.Option(min=0, callback=finite, help="leave months alone whose files are larger together")
    ] = 64.0,
) -> None:
    """Merge files: the days of sealed months of small tables, and the archive's segments of complete days.

    Query results stay the same.
    """
    settings = load_settings()
    tables = choose(select)
    from catalog import endpoints_of
    from resources.storage.lake import DRIFT, QUARANTINE
    from services.maintenance.retention import loose_days, sealed_months

    with open_runtime(settings) as runtime:
        gone: Counter[str] = Counter()
        for name in tables:
            for dataset in (name, f"{QUARANTINE}/{name}", f"{DRIFT}/{name}"):
                for month in sealed_months(runtime, dataset, int(max_mb * 1e6)):
                    gone["lake months"] += 1
                    if not dry_run:
                        with runtime.filling(name):
                            gone["lake files"] += runtime.lake.compact(dataset, month)
        for operation in dict.fromkeys(e.name for name in tables for e in endpoints_of(name)):
            for day in loose_days(runtime, operation):
                gone["archive days"] += 1
                gone["archive files"] += 0 if dry_run else runtime.archive.pack(operation, day)
        if dry_run:
            console.print(
                f"{gone['lake months']:,} months of the lake and {gone['archive days']:,} days of the archive "
                "would be put together",
                highlight=False,
            )
            return
        console.print(
            f"{gone['lake files']:,} files of the lake went into {gone['lake months']:,}, "
            f"{gone['archive files']:,} of the archive into {gone['archive days']:,}",
            highlight=False,
        )
