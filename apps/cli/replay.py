"""``douyin replay``: rebuild days of the lake from the archive."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import Annotated

import typer
from rich.markup import escape

from apps.cli.backfill import First, Last, Select
from apps.cli.console import Grid, console, fail, load_settings, open_runtime
from apps.cli.run import choose, tell_damage


def replay(
    select: Select = None,
    first: First = None,
    last: Last = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would change")] = False,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss",
            help="also replace days of which the archive lacks answers; their files are kept in lake/_damaged",
        ),
    ] = False,
) -> None:
    """Rebuild past partitions from the archive, with today's code and without a call.

    The changes of each day are reported before it is replaced. Without --from and --to: all days since
    DOUYIN_START_DATE. Days that the archive does not cover stay as they are.
    """
    settings = load_settings()
    tables = choose(select)
    from catalog import TABLES
    from resources.storage.segments import ArchiveCorrupt
    from services.marts.publishing import publish

    with open_runtime(settings) as runtime:
        begin, end = _span(runtime, first.date() if first else None, last.date() if last else None)
        summary = Grid(title=f"{'would change' if dry_run else 'replayed'} {begin} – {end}, without a call")
        for name in ("table", "days", "left alone", "rows", "added", "removed", "altered", "confirmed", "quarantined"):
            summary.add_column(name, justify="left" if name == "table" else "right")
        alone: dict[str, list[str]] = defaultdict(list)
        replaced = 0
        for name in tables:
            try:
                counted, reasons = _replay_table(runtime, TABLES[name], begin, end, dry_run, accept_loss)
            except ArchiveCorrupt as error:
                fail(
                    f"{name}: {error}\n  the days before it are done; move the segment out of the archive and "
                    "replay again, or restore it from a copy"
                )
            replaced += counted["replaced"]
            if counted["days"]:
                cells = [
                    counted[c]
                    for c in ("days", "left alone", "rows", "added", "removed", "altered", "confirmed", "quarantined")
                ]
                summary.add_row(name, *(f"{n:,}" if n else "–" for n in cells))
            for dt, reason in reasons:
                alone[reason].append(f"{name} {dt}")
        console.print(summary)
        for reason, days in alone.items():
            more = f", … {len(days)} days" if len(days) > _NAMED else ""
            console.print(
                f"[yellow]![/yellow] left alone: {escape(', '.join(days[:_NAMED]))}{more}: {escape(reason)}",
                highlight=False,
                soft_wrap=True,
            )
        if dry_run:
            console.print(f"{replaced} partitions would be replaced; nothing was written", highlight=False)
            return
        done = publish(runtime)
        console.print(
            f"replaced {replaced} partitions; published {done.partitions} into {done.path} "
            f"({done.bytes / 1e6:.1f} MB, {done.seconds:.1f} s)",
            soft_wrap=True,
        )
        if tell_damage(done):
            raise typer.Exit(1)


_NAMED = 5
"""Days that one line names; the others are counted."""


def _span(runtime, first: date | None, last: date | None) -> tuple[date, date]:
    today, start = runtime.clock.today(), runtime.settings.start_date
    begin, end = first or start, last or today
    if begin < start:
        fail(
            f"--from {begin} lies before the first day, DOUYIN_START_DATE={start}: choose a later day, or "
            "set it earlier",
            2,
        )
    if end > today:
        fail(f"--to {end} has not begun in Beijing, where it is {today}", 2)
    if end < begin:
        fail(f"--to {end} lies before --from {begin}", 2)
    return begin, end


def _replay_table(
    runtime, table, first: date, last: date, dry_run: bool, accept_loss: bool
) -> tuple[Counter, list[tuple[date, str]]]:
    """Replay one table; return its counts, and the days that were skipped with their reasons.

    The changes of each day are printed before it is replaced.
    """
    from services.ingest.replay import replay as replay_days

    counted: Counter[str] = Counter()
    reasons: list[tuple[date, str]] = []
    for one in replay_days(runtime, table, first, last):
        counted["days"] += 1
        if one.left_alone is not None and not (accept_loss and one.normalised is not None):
            reasons.append((one.dt, one.left_alone))
            counted["left alone"] += 1
            continue
        if one.replaces or one.left_alone is not None:
            counted["replaced"] += 1
            said = f"no day yet, {one.changes}" if one.is_new else str(one.changes)
            console.print(f"{table.name} {one.dt}: {said}", highlight=False, soft_wrap=True)
        counted["rows"] += one.partition.day.num_rows
        counted["quarantined"] += one.partition.quarantined
        for name in ("added", "removed", "altered", "confirmed"):
            counted[name] += getattr(one.changes, name)
        if not dry_run:
            one.land(runtime, accept_loss=accept_loss)
    return counted, reasons
