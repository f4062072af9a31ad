"""``douyin status``: show which data is loaded, which is missing, and why."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from apps.cli.console import Grid, console, load_settings, open_runtime, styled
from apps.cli.run import choose

_MARKS = {
    "failed": "[red]✗[/red]",
    "not_ready": "[yellow]…[/yellow]",
    "no_rows": "[green]○[/green]",
    "known": "[dim]⊘[/dim]",
    "not_asked": "[dim]·[/dim]",
}


def status(
    days: Annotated[int, typer.Option(min=1, max=60, help="how many days back")] = 7,
    select: Annotated[list[str] | None, typer.Option("--select", "-s", help="tables, domains or operations")] = None,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="name every account that did not load, not only the first few")
    ] = False,
) -> None:
    """Show rows per table and day, and what is missing and why.

    Lists the accounts and operations that did not load, and the data that this installation cannot have.
    """
    settings = load_settings()
    tables = choose(select)
    from catalog import TABLES
    from catalog.records import History
    from resources.state.load_status import Outcome, count_outcomes, read_load_status
    from resources.storage.partition import LakeCorrupt

    with open_runtime(settings) as runtime:
        loaded = {name: {p.dt: p for p in runtime.lake.partitions(name)} for name in tables}
        newest = max((d for found in loaded.values() for d in found), default=None)
        last = newest or runtime.clock.today()
        shown = [last - timedelta(days=n) for n in reversed(range(days))]
        counted = count_outcomes(runtime.state, shown) if settings.home.exists() else {}
        damaged: list[LakeCorrupt] = []
        grid = Grid(title=f"{settings.home}: rows per table and day")
        grid.add_column("table")
        for day in shown:
            grid.add_column(f"{day:%m-%d}", justify="right")
        for name in tables:
            cells = []
            for day in shown:
                part = loaded[name].get(day)
                outcomes: Mapping[Outcome, int] = counted.get((name, day), {})
                if part is not None:
                    failed = any(o.is_failure for o in outcomes)
                    try:
                        rows = f"{runtime.lake.row_count(part):,}"
                    except LakeCorrupt as error:
                        damaged.append(error)
                        cells.append("[red]✗✗[/red]")
                        continue
                    cells.append(f"[yellow]{rows}![/yellow]" if failed else rows)
                elif outcomes:
                    cells.append(_MARKS[_said_by(outcomes)])
                else:
                    cells.append("[dim]–[/dim]")
            grid.add_row(
                *map(styled, (name if TABLES[name].history is not History.WINDOW else f"{name} [dim]T+1[/dim]", *cells))
            )
        console.print(grid)
        console.print(
            "– never requested   · no reason to request   ○ requested, no rows   … not produced yet   ⊘ cannot be had, "
            "see below   ✗ failed   ! some accounts or operations failed",
            style="dim",
        )
        for corrupt in damaged:
            console.print(f"[red]✗✗ damaged[/red]: {escape(str(corrupt))}", highlight=False, soft_wrap=True)
        missing = [o for o in Outcome if o.is_failure or o in (Outcome.SKIPPED, Outcome.GONE)]
        failures = read_load_status(runtime.state, dts=shown, outcomes=missing) if settings.home.exists() else []
        _print_failures(runtime, [s for s in failures if s.table_name in tables], everybody)
        if settings.home.exists():
            _print_missing(runtime, set(tables), whole=select is None)
        _print_accounts(runtime)


def _said_by(outcomes: Iterable) -> str:
    """Return the mark of a day without rows; the outcome that needs attention most decides."""
    from resources.state.load_status import Outcome

    if any(o.is_failure for o in outcomes):
        return "failed"
    if Outcome.NOT_READY in outcomes:
        return "not_ready"
    if any(o.settled and o is not Outcome.NOT_ASKED for o in outcomes):
        return "no_rows"
    return "known" if any(o.is_known for o in outcomes) else "not_asked"


def _print_missing(runtime, tables: set[str], *, whole: bool) -> None:
    """Print what no run can fix, each cause once.

    That is: capabilities that an app does not own, withdrawn operations, and scopes that owners did not grant.
    """
    from catalog import ENDPOINTS
    from services.capabilities.standing import named, standings

    found = standings(runtime)
    grid = Grid("missing", "since", "tables", "follow from them", "way out", title="\ncannot be had by this app")
    several = len(found) > 1
    for standing in found:
        app = f"app {standing.client_key}: " if several else ""
        for one in standing.missing:
            if whole or tables.intersection((*one.tables, *one.follows)):
                since = f"{one.since:%m-%d}" if one.since else ""
                grid.add_row(
                    app + one.what, since, named(one.tables, 6) or "part of some", named(one.follows, 6), one.way_out
                )
        for consent in standing.consents:
            of = {t for operation in consent.operations for t in ENDPOINTS[operation].tables}
            if whole or tables & of:
                who = consent.account.name or consent.account.open_id
                grid.add_row(
                    f"{app}consent of {who}: {', '.join(consent.scopes)}", "", named(sorted(of), 6), "", consent.way_out
                )
    if grid.row_count:
        console.print(grid)
        console.print("known, and no failure of a run. All of it: `douyin doctor`, `douyin coverage`", style="dim")


_NAMED = 5
"""Accounts, and operations, that one line names; the rest is counted."""
_TRACE = re.compile(r" \[logid [^\]]*\]")


def _print_failures(runtime, failed: list, everybody: bool) -> None:
    """Print one line for all accounts with the same problem in the same operations, the largest group first."""
    if not failed:
        return
    from resources.state.accounts import known_apps, list_accounts

    names = {
        (app, a.open_id): a.name or a.open_id
        for app in known_apps(runtime.state)
        for a in list_accounts(runtime.state, app)
    }
    per_account: dict[tuple, list] = defaultdict(list)
    for one in failed:
        per_account[one.client_key, one.open_id, str(one.status), one.code].append(one)
    alike: dict[tuple, list] = defaultdict(list)
    for (client_key, open_id, status, code), found in per_account.items():
        alike[status, code, tuple(sorted({s.operation for s in found}))].append((client_key, open_id, found))
    grid = Grid(title="\nnot loaded")
    for column in ("who", "what", "days", "status", "why and what to do"):
        grid.add_column(column, overflow="fold")
    for (status, _, operations), group in sorted(
        alike.items(), key=lambda item: (-len(item[1]), item[0][0], item[0][2])
    ):
        dts = {s.dt for _, _, found in group for s in found}
        span = f"{min(dts):%m-%d}" if len(dts) == 1 else f"{min(dts):%m-%d} – {max(dts):%m-%d}"
        people = sorted({names.get((key, open_id), open_id) if open_id else "(app)" for key, open_id, _ in group})
        reason = _TRACE.sub("", group[0][2][0].reason or "") if len(group) > 1 else group[0][2][0].reason or ""
        who = people if everybody or len(people) <= _NAMED else [*people[:_NAMED], f"… {len(people)} accounts"]
        what = operations if len(operations) <= _NAMED else [*operations[:_NAMED], f"… {len(operations)} operations"]
        grid.add_row(*(Text(c) for c in (", ".join(who), ", ".join(what), span, status, reason)))
    console.print(grid)


_FEW = 12
"""Up to so many accounts are all shown; of more only the most urgent ones."""


def _print_accounts(runtime) -> None:
    from apps.cli.accounts import print_accounts
    from resources.client.countdown import countdown, warnings_due
    from resources.state.accounts import known_apps

    apps, now = known_apps(runtime.state), runtime.clock.now()
    found = [one for app in apps for one in countdown(runtime.state, app, now)]
    if not found:
        console.print("\nno account is authorised: `douyin authorize`")
        return
    due = warnings_due(runtime.state, apps, now)
    counted = Counter(str(c.account.status) for c in found)
    console.print(
        f"\n[bold]{len(found)} accounts[/bold]: {', '.join(f'{n} {status}' for status, n in counted.most_common())}",
        highlight=False,
    )
    if len(found) > _FEW and due:
        console.print(
            f"{len(due)} need their owner within a week; all: `douyin accounts list --needs-consent`", highlight=False
        )
    shown = found if len(found) <= _FEW else due[:10]
    if shown:
        print_accounts(shown)
