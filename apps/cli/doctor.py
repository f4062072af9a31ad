"""``douyin doctor``: check the installation; each finding names the command or console page that fixes it.

A section is a function from the settings to findings. Add one to ``SECTIONS``; nothing else has to change.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterator

import typer
from rich.markup import escape

from apps.cli.console import NO_CREDENTIALS, console, is_live, load_settings
from apps.cli.doctor_capabilities import check_capabilities, check_consents, check_schedules, check_space
from apps.cli.findings import Finding, Level, failure, ok, warn
from apps.cli.processes import check_homes, check_private
from resources.config.account_attributes import read_attributes
from resources.config.settings import Settings

_LEAST_FREE_GB = 2
Section = Callable[[Settings], Iterator[Finding]]

_MARKS = {
    Level.OK: "[green]✓[/green]",
    Level.NOTE: "[dim]·[/dim]",
    Level.WARN: "[yellow]![/yellow]",
    Level.FAIL: "[red]✗[/red]",
}


def doctor() -> None:
    """Check the installation; each finding says what to do.

    Checks configuration, disk, reachability and versions, and shows the capabilities of the apps. Exit code 1 on a
    failure.
    """
    settings = load_settings(has_own_home=True)
    has_failed = False
    for title, section in SECTIONS.items():
        for number, finding in enumerate(section(settings)):
            if number == 0:
                console.print(f"[bold]{title}[/bold]")
            has_failed |= finding.level is Level.FAIL
            console.print(f"{_MARKS[finding.level]} {escape(finding.what)}", highlight=False, soft_wrap=True)
            if finding.advice:
                console.print(f"    → {escape(finding.advice)}", highlight=False, style="dim", soft_wrap=True)
    if has_failed:
        raise typer.Exit(1)


def check_versions(settings: Settings) -> Iterator[Finding]:
    """Compare the versions of Python and of pinned packages with those that this project is made for."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield (
        ok(f"Python {python}")
        if sys.version_info >= (3, 11)
        else failure(f"Python {python}", "Python 3.11 or newer is needed")
    )
    for requirement in importlib.metadata.requires("douyin-warehouse") or []:
        name, _, pinned = requirement.partition("==")
        if pinned:
            found = importlib.metadata.version(name)
            yield (
                ok(f"{name} {found}")
                if found == pinned
                else warn(f"{name} {found}", f"made for {pinned}: run `make setup`")
            )


def check_configuration(settings: Settings) -> Iterator[Finding]:
    """Check home, credentials, token key, platform and clock."""
    yield ok(f"data in {settings.home}")
    for refused in read_attributes(settings.project).refused:
        yield failure(refused, "correct that line; the rows that are right count meanwhile")
    if settings.has_credentials:
        yield ok(f"credentials are set ({len(settings.all_apps)} app{'s' if len(settings.all_apps) > 1 else ''})")
        yield _check_token_key(settings)
    else:
        yield warn(
            NO_CREDENTIALS.splitlines()[0],
            "for the sandbox: make demo; for your own app: DOUYIN_CLIENT_KEY and DOUYIN_CLIENT_SECRET in .env",
        )
    if is_live(settings):
        yield ok(f"platform: {settings.base_url} (live)")
        if settings.clock != "system":
            yield failure(
                f"DOUYIN_CLOCK is {settings.clock} against the live platform",
                "unset it: simulated clocks are for the sandbox",
            )
    else:
        yield ok(f"platform: {settings.base_url} (not the live one)")


def _check_token_key(settings: Settings) -> Finding:
    from resources.state.sealing import NO_TOKEN_KEY, TokenKeyError, Vault

    try:
        ready = Vault(settings.token_key.get_secret_value() if settings.token_key else None).ready
    except TokenKeyError as error:
        return failure(str(error), "`douyin accounts new-key`")
    return ok("a key for sealing tokens is set") if ready else failure(NO_TOKEN_KEY, "`douyin accounts new-key`")


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Check that the home can be written and has enough free space."""
    place = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    free = shutil.disk_usage(place).free / 1e9
    space = f"{free:.1f} GB free at {place}"
    yield ok(space) if free >= _LEAST_FREE_GB else failure(space, "free some space, or set DOUYIN_HOME elsewhere")
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError as error:
        yield failure(
            f"{settings.home} cannot be written: {error.strerror}",
            "set DOUYIN_HOME to a folder that this user may write",
        )


def check_platform(settings: Settings) -> Iterator[Finding]:
    """Check that the platform responds and gives a client token to each app."""
    import httpx

    try:
        httpx.get(settings.base_url, timeout=5, proxy=settings.proxy)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # ValueError: the proxy is no address
        yield failure(
            f"{settings.base_url} does not answer: {type(error).__name__}",
            "check the network, DOUYIN_PROXY and DOUYIN_BASE_URL",
        )
        return
    yield ok(f"{settings.base_url} answers")
    if not settings.has_credentials:
        return
    from resources.client.client import DouyinClient
    from resources.client.errors import DouyinError
    from resources.runtime import Runtime
    from resources.state.sealing import TokenKeyError

    with Runtime(settings) as runtime:

        async def token(key: str) -> None:
            async with DouyinClient(settings.for_app(key), runtime.state, runtime.clock) as client:
                # Request a new token: the stored one would be good for hours after the secret was changed. Requesting
                # again is harmless, since the stable endpoint returns the same token while it lasts.
                await client.tokens.client_lease(await client.tokens.client_lease())

        for app in settings.all_apps:
            try:
                runtime.run(token(app.client_key))
            except (DouyinError, TokenKeyError) as error:
                yield failure(
                    f"no client token of app {app.client_key}: {error}",
                    "check DOUYIN_CLIENT_KEY, DOUYIN_CLIENT_SECRET (or the app in DOUYIN_APPS) and the app's "
                    "state in the console",
                )
            else:
                yield ok(f"a client token was given to app {app.client_key} ({app.type})")


def check_data(settings: Settings) -> Iterator[Finding]:
    """Check that the published warehouse opens."""
    import duckdb

    path = settings.warehouse_path
    if not path.exists():
        yield warn("nothing is published yet", "`douyin run`, or `make demo` for the sandbox")
        return
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            ((partitions,),) = connection.execute("SELECT count(*) FROM meta.partitions").fetchall()
    except duckdb.Error as error:
        yield failure(
            f"{path} does not open: {error}",
            "close a program that opened it for writing, or rebuild it: `douyin publish`",
        )
        return
    yield ok(f"{path} opens: {partitions} partitions, {path.stat().st_size / 1e6:.1f} MB")


SECTIONS: dict[str, Section] = {
    "versions": check_versions,
    "configuration": check_configuration,
    "homes": check_homes,
    "disk": check_disk,
    "privacy": check_private,
    "platform": check_platform,
    "capabilities": check_capabilities,
    "consents": check_consents,
    "schedules": check_schedules,
    "data": check_data,
    "space": check_space,
}
"""The sections of ``douyin doctor``, in this order."""
