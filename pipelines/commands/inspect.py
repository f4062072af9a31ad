"""``douyin status`` and ``douyin doctor``: what is loaded, and what stands in the way."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections import defaultdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table as Grid
from rich.text import Text

from pipelines.commands.run import choose
from pipelines.console import NO_CREDENTIALS, console, is_live, load_settings

_MARKS = {
    "loaded": "[green]●[/green]", "empty": "[green]○[/green]", "below_threshold": "[green]○[/green]", "skipped": "[green]○[/green]",
    "not_ready": "[yellow]…[/yellow]", "partial": "[red]◐[/red]",
}  # fmt: skip
_LEAST_FREE_GB = 2


def status(
    days: Annotated[int, typer.Option(min=1, max=60, help="how many days back")] = 7,
    select: Annotated[list[str] | None, typer.Option("--select", "-s", help="tables, domains or operations")] = None,
) -> None:
    """What is loaded and what is missing: rows per table and day, and every account or operation that did not load."""
    settings = load_settings()
    tables = choose(select)
    import pyarrow.parquet as pq

    from catalog import TABLES
    from catalog.records import History
    from resources.runtime import Runtime
    from resources.state.load_status import Outcome, read_load_status

    runtime = Runtime(settings)
    loaded = {name: {p.dt: p for p in runtime.lake.partitions(name)} for name in tables}
    newest = max((d for found in loaded.values() for d in found), default=None)
    last = newest or runtime.clock.today()
    shown = [last - timedelta(days=n) for n in reversed(range(days))]
    statuses = read_load_status(runtime.state, dts=shown) if settings.home.exists() else []
    by_cell = defaultdict(list)
    for one in statuses:
        by_cell[one.table_name, one.dt].append(one)
    grid = Grid(title=f"{settings.home}: rows per table and day", title_justify="left", header_style="bold", box=None)
    grid.add_column("table")
    for day in shown:
        grid.add_column(f"{day:%m-%d}", justify="right")
    for name in tables:
        cells = []
        for day in shown:
            part = loaded[name].get(day)
            outcomes = {str(s.status) for s in by_cell[name, day]}
            if part is not None:
                failed = any(s.status.is_failure for s in by_cell[name, day])
                rows = pq.read_metadata(part.path).num_rows
                cells.append(f"[yellow]{rows:,}![/yellow]" if failed else f"{rows:,}")
            elif outcomes:
                cells.append(_MARKS.get(sorted(outcomes)[0], "[red]✗[/red]"))
            else:
                cells.append("[dim]–[/dim]")
        grid.add_row(name if TABLES[name].history is not History.WINDOW else f"{name} [dim]T+1[/dim]", *cells)
    console.print(grid)
    console.print("– never asked   ○ asked, no rows   … not produced yet   ✗ failed   ! some accounts or operations failed", style="dim")
    _print_failures(runtime, [s for s in statuses if s.table_name in tables and (s.status.is_failure or s.status is Outcome.SKIPPED)])
    _print_accounts(runtime)


def _print_failures(runtime, failed: list) -> None:
    if not failed:
        return
    from resources.state.accounts import known_apps, list_accounts

    names = {a.open_id: a.name for app in known_apps(runtime.state) for a in list_accounts(runtime.state, app)}
    grouped = defaultdict(list)
    for one in failed:
        grouped[one.open_id, one.operation, str(one.status), one.reason].append(one.dt)
    grid = Grid(title="\nnot loaded", title_justify="left", header_style="bold", box=None)
    for column in ("account", "operation", "days", "status", "why and what to do"):
        grid.add_column(column, overflow="fold")
    for (open_id, operation, outcome, reason), dts in sorted(grouped.items(), key=lambda item: item[0][:3]):
        span = f"{min(dts):%m-%d}" if len(set(dts)) == 1 else f"{min(dts):%m-%d} – {max(dts):%m-%d}"
        grid.add_row(*(Text(c) for c in (names.get(open_id) or open_id or "(app)", operation, span, outcome, reason or "")))
    console.print(grid)


def _print_accounts(runtime) -> None:
    from resources.douyin.countdown import countdown
    from resources.state.accounts import known_apps

    found = [one for app in known_apps(runtime.state) for one in countdown(runtime.state, app, runtime.clock.now())]
    if not found:
        console.print("\nno account is authorised: `douyin authorize`")
        return
    grid = Grid(title="\naccounts", title_justify="left", header_style="bold", box=None)
    for column in ("account", "open_id", "status", "access token", "refresh token", "renewals left", "note"):
        grid.add_column(column, overflow="fold")
    for one in found:
        grid.add_row(
            Text(one.name or ""), one.open_id, str(one.status), _days(one.access_left), _days(one.refresh_left), str(one.renewals_left),
            Text(one.reason or ""),
        )  # fmt: skip
    console.print(grid)


def _days(left: timedelta | None) -> str:
    if left is None:
        return "none"
    days = left / timedelta(days=1)
    colour = "green" if days > 3 else "yellow" if days > 0 else "red"
    return f"[{colour}]{days:.1f} d[/{colour}]" if days > 0 else f"[{colour}]expired[/{colour}]"


def doctor() -> None:
    """Check configuration, tokens, reachability, disk and versions; each finding says what to do. Exit code 1 on a failure."""
    settings = load_settings()
    findings = [*_check_versions(), *_check_configuration(settings), *_check_disk(settings), *_check_platform(settings), *_check_data(settings)]
    marks = {"ok": "[green]✓[/green]", "warn": "[yellow]![/yellow]", "fail": "[red]✗[/red]"}
    for level, what, advice in findings:
        console.print(f"{marks[level]} {escape(what)}", highlight=False, soft_wrap=True)
        if advice:
            console.print(f"    → {escape(advice)}", highlight=False, style="dim", soft_wrap=True)
    if any(level == "fail" for level, _, _ in findings):
        raise typer.Exit(1)


def _check_versions():
    python = ".".join(map(str, sys.version_info[:3]))
    yield ("ok", f"Python {python}", "") if sys.version_info >= (3, 11) else ("fail", f"Python {python}", "Python 3.11 or newer is needed")
    for requirement in importlib.metadata.requires("douyin-warehouse") or []:
        name, _, pinned = requirement.partition("==")
        if pinned:
            found = importlib.metadata.version(name)
            ok = found == pinned
            yield ("ok" if ok else "warn", f"{name} {found}", "" if ok else f"made for {pinned}: run `make setup`")


def _check_configuration(settings):
    yield "ok", f"data in {settings.home}", ""
    if settings.has_credentials:
        yield "ok", "credentials are set", ""
    else:
        yield "warn", NO_CREDENTIALS.splitlines()[0], "for the sandbox: make demo; for your own app: DOUYIN_CLIENT_KEY and DOUYIN_CLIENT_SECRET in .env"
    if is_live(settings):
        yield "ok", f"platform: {settings.base_url} (live)", ""
        if settings.clock != "system":
            yield "fail", f"DOUYIN_CLOCK is {settings.clock} against the live platform", "unset it: simulated clocks are for the sandbox"
    else:
        yield "ok", f"platform: {settings.base_url} (not the live one)", ""


def _check_disk(settings):
    place = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    free = shutil.disk_usage(place).free / 1e9
    yield ("ok" if free >= _LEAST_FREE_GB else "fail", f"{free:.1f} GB free at {place}", "" if free >= _LEAST_FREE_GB else "free some room, or set DOUYIN_HOME elsewhere")
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError as error:
        yield "fail", f"{settings.home} cannot be written: {error.strerror}", "set DOUYIN_HOME to a folder that this user may write"


def _check_platform(settings):
    import httpx

    try:
        httpx.get(settings.base_url, timeout=5, proxy=settings.proxy)
    except httpx.HTTPError as error:
        yield "fail", f"{settings.base_url} does not answer: {type(error).__name__}", "check the network, DOUYIN_PROXY and DOUYIN_BASE_URL"
        return
    yield "ok", f"{settings.base_url} answers", ""
    if not settings.has_credentials:
        return
    from resources.douyin.client import DouyinClient
    from resources.douyin.countdown import countdown
    from resources.douyin.errors import DouyinError
    from resources.runtime import Runtime

    runtime = Runtime(settings)

    async def token() -> None:
        async with DouyinClient(settings, runtime.state, runtime.clock) as client:
            # Anew, not the stored one: that would be good for hours after the secret was changed. Asking again is harmless,
            # since the stable endpoint answers the same token while it lasts.
            await client.tokens.replace_client(await client.tokens.client_lease())

    try:
        runtime.run(token())
    except DouyinError as error:
        yield "fail", f"no client token: {error}", "check DOUYIN_CLIENT_KEY, DOUYIN_CLIENT_SECRET and the app's state in the console"
    else:
        yield "ok", "a client token was given", ""
    accounts = countdown(runtime.state, settings.client_key, runtime.clock.now())
    if not accounts:
        yield "warn", "no account is authorised", "`douyin authorize`"
    for one in accounts:
        if str(one.status) != "active":
            stopped = str(one.status) == "stopped"
            advice = "nothing more is collected of it; its data may have to be deleted" if stopped else "`douyin authorize` with its owner"
            yield "warn", f"account {one.name or one.open_id}: {one.status} ({one.reason})", advice
    runtime.close()


def _check_data(settings):
    import duckdb

    path = settings.warehouse_path
    if not path.exists():
        yield "warn", "nothing is published yet", "`douyin run`, or `make demo` for the sandbox"
        return
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            partitions = connection.execute("SELECT count(*) FROM meta.partitions").fetchone()[0]
    except duckdb.Error as error:
        yield "fail", f"{path} does not open: {error}", "close a program that opened it for writing, or rebuild it: `douyin publish`"
        return
    yield "ok", f"{path} opens: {partitions} partitions, {path.stat().st_size / 1e6:.1f} MB", ""
