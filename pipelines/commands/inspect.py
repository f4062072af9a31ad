"""``douyin status`` and ``douyin doctor``: what is loaded, and what stands in the way."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
from collections import Counter, defaultdict
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
    "not_asked": "[dim]·[/dim]", "not_ready": "[yellow]…[/yellow]", "partial": "[red]◐[/red]",
}  # fmt: skip
_LEAST_FREE_GB = 2


def status(
    days: Annotated[int, typer.Option(min=1, max=60, help="how many days back")] = 7,
    select: Annotated[list[str] | None, typer.Option("--select", "-s", help="tables, domains or operations")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="name every account that did not load, not only the first few")] = False,
) -> None:
    """What is loaded and what is missing: rows per table and day, and who did not load, what of them, and why."""
    settings = load_settings()
    tables = choose(select)
    from catalog import TABLES
    from catalog.records import History
    from resources.lake import LakeDamaged
    from resources.runtime import Runtime
    from resources.state.load_status import Outcome, count_outcomes, read_load_status

    runtime = Runtime(settings)
    loaded = {name: {p.dt: p for p in runtime.lake.partitions(name)} for name in tables}
    newest = max((d for found in loaded.values() for d in found), default=None)
    last = newest or runtime.clock.today()
    shown = [last - timedelta(days=n) for n in reversed(range(days))]
    counted = count_outcomes(runtime.state, shown) if settings.home.exists() else {}
    damaged: list[LakeDamaged] = []
    grid = Grid(title=f"{settings.home}: rows per table and day", title_justify="left", header_style="bold", box=None)
    grid.add_column("table")
    for day in shown:
        grid.add_column(f"{day:%m-%d}", justify="right")
    for name in tables:
        cells = []
        for day in shown:
            part = loaded[name].get(day)
            outcomes = counted.get((name, day), {})
            if part is not None:
                failed = any(o.is_failure for o in outcomes)
                try:
                    rows = f"{runtime.lake.row_count(part):,}"
                except LakeDamaged as error:
                    damaged.append(error)
                    cells.append("[red]✗✗[/red]")
                    continue
                cells.append(f"[yellow]{rows}![/yellow]" if failed else rows)
            elif outcomes:
                cells.append(_MARKS.get(sorted(outcomes)[0], "[red]✗[/red]"))
            else:
                cells.append("[dim]–[/dim]")
        grid.add_row(name if TABLES[name].history is not History.WINDOW else f"{name} [dim]T+1[/dim]", *cells)
    console.print(grid)
    console.print("– never asked   · no reason to ask   ○ asked, no rows   … not produced yet   ✗ failed   ! some accounts or operations failed", style="dim")
    for error in damaged:
        console.print(f"[red]✗✗ damaged[/red]: {escape(str(error))}", highlight=False, soft_wrap=True)
    told = [o for o in Outcome if o.is_failure or o is Outcome.SKIPPED]
    failed = read_load_status(runtime.state, dts=shown, outcomes=told) if settings.home.exists() else []
    _print_failures(runtime, [s for s in failed if s.table_name in tables], everybody)
    _print_accounts(runtime)


_NAMED = 5
"""Accounts, and operations, that one line names; the rest is counted."""
_TRACE = re.compile(r" \[logid [^\]]*\]")


def _print_failures(runtime, failed: list, everybody: bool) -> None:
    """One line for all accounts with the same trouble in the same operations, the largest group first."""
    if not failed:
        return
    from resources.state.accounts import known_apps, list_accounts

    names = {(app, a.open_id): a.name or a.open_id for app in known_apps(runtime.state) for a in list_accounts(runtime.state, app)}
    per_account: dict[tuple, list] = defaultdict(list)
    for one in failed:
        per_account[one.client_key, one.open_id, str(one.status), one.code].append(one)
    alike: dict[tuple, list] = defaultdict(list)
    for (client_key, open_id, status, code), found in per_account.items():
        alike[status, code, tuple(sorted({s.operation for s in found}))].append((client_key, open_id, found))
    grid = Grid(title="\nnot loaded", title_justify="left", header_style="bold", box=None)
    for column in ("who", "what", "days", "status", "why and what to do"):
        grid.add_column(column, overflow="fold")
    for (status, _, operations), group in sorted(alike.items(), key=lambda item: (-len(item[1]), item[0][0], item[0][2])):
        dts = {s.dt for _, _, found in group for s in found}
        span = f"{min(dts):%m-%d}" if len(dts) == 1 else f"{min(dts):%m-%d} – {max(dts):%m-%d}"
        people = sorted({names.get((key, open_id), open_id) if open_id else "(app)" for key, open_id, _ in group})
        reason = _TRACE.sub("", group[0][2][0].reason or "") if len(group) > 1 else group[0][2][0].reason or ""
        who = people if everybody or len(people) <= _NAMED else [*people[:_NAMED], f"… {len(people)} accounts"]
        what = operations if len(operations) <= _NAMED else [*operations[:_NAMED], f"… {len(operations)} operations"]
        grid.add_row(*(Text(c) for c in (", ".join(who), ", ".join(what), span, status, reason)))
    console.print(grid)


_FEW = 12
"""So many accounts are all shown; of more only the most urgent ones."""


def _print_accounts(runtime) -> None:
    from pipelines.commands.accounts import print_accounts
    from resources.douyin.countdown import countdown, warnings_due
    from resources.state.accounts import known_apps

    apps, now = known_apps(runtime.state), runtime.clock.now()
    found = [one for app in apps for one in countdown(runtime.state, app, now)]
    if not found:
        console.print("\nno account is authorised: `douyin authorize`")
        return
    due = warnings_due(runtime.state, apps, now)
    counted = Counter(str(c.account.status) for c in found)
    console.print(f"\n[bold]{len(found)} accounts[/bold]: {', '.join(f'{n} {status}' for status, n in counted.most_common())}", highlight=False)
    if len(found) > _FEW and due:
        console.print(f"{len(due)} need somebody within a week; all: `douyin accounts list --needs-consent`", highlight=False)
    shown = found if len(found) <= _FEW else due[:10]
    if shown:
        print_accounts(shown)


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
        yield "ok", f"credentials are set ({len(settings.all_apps)} app{'s' if len(settings.all_apps) > 1 else ''})", ""
        yield _check_token_key(settings)
    else:
        yield "warn", NO_CREDENTIALS.splitlines()[0], "for the sandbox: make demo; for your own app: DOUYIN_CLIENT_KEY and DOUYIN_CLIENT_SECRET in .env"
    if is_live(settings):
        yield "ok", f"platform: {settings.base_url} (live)", ""
        if settings.clock != "system":
            yield "fail", f"DOUYIN_CLOCK is {settings.clock} against the live platform", "unset it: simulated clocks are for the sandbox"
    else:
        yield "ok", f"platform: {settings.base_url} (not the live one)", ""


def _check_token_key(settings) -> tuple[str, str, str]:
    from resources.state.sealing import NO_TOKEN_KEY, TokenKeyError, Vault

    try:
        ready = Vault(settings.token_key.get_secret_value() if settings.token_key else None).ready
    except TokenKeyError as error:
        return "fail", str(error), "`douyin accounts new-key`"
    return ("ok", "a key for sealing tokens is set", "") if ready else ("fail", NO_TOKEN_KEY, "`douyin accounts new-key`")


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
    from resources.douyin.countdown import warnings_due
    from resources.douyin.errors import DouyinError
    from resources.runtime import Runtime
    from resources.state.accounts import AccountStatus, list_accounts
    from resources.state.sealing import TokenKeyError

    runtime = Runtime(settings)

    async def token(key: str) -> None:
        async with DouyinClient(settings.for_app(key), runtime.state, runtime.clock) as client:
            # Anew, not the stored one: that would be good for hours after the secret was changed. Asking again is harmless,
            # since the stable endpoint answers the same token while it lasts.
            await client.tokens.replace_client(await client.tokens.client_lease())

    for app in settings.all_apps:
        try:
            runtime.run(token(app.client_key))
        except (DouyinError, TokenKeyError) as error:
            yield "fail", f"no client token of app {app.client_key}: {error}", "check DOUYIN_CLIENT_KEY, DOUYIN_CLIENT_SECRET (or the app in DOUYIN_APPS) and the app's state in the console"
        else:
            yield "ok", f"a client token was given to app {app.client_key} ({app.type})", ""
    apps = [app.client_key for app in settings.all_apps]
    if not any(list_accounts(runtime.state, key) for key in apps):
        yield "warn", "no account is authorised", "`douyin authorize`"
    due = warnings_due(runtime.state, apps, runtime.clock.now())
    for one in due[:_FEW]:
        when = "its consent is over" if one.warning == 0 else f"somebody must act within {one.warning} days"
        yield "warn", f"account {one.account.name or one.account.open_id}: {when} ({one.account.reason or one.account.status})", "`douyin authorize` with its owner"
    if len(due) > _FEW:
        yield "warn", f"… and {len(due) - _FEW} more accounts", "`douyin accounts list --needs-consent`"
    for key in apps:
        for account in list_accounts(runtime.state, key, [AccountStatus.STOPPED])[:_FEW]:
            yield "warn", f"account {account.name or account.open_id}: stopped ({account.reason})", "nothing more is collected of it; its data may have to be deleted"
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
