"""``douyin accounts``: list accounts with the days left of their consents; pause, tag, import and remove them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from apps.cli.account_import import read_account, read_rows
from apps.cli.console import Grid, app_keys, console, fail, open_runtime, said, styled
from resources.config.redaction import visible

app = typer.Typer(help="The accounts (授权账号) of this installation.", no_args_is_help=True)

_App = Annotated[str | None, typer.Option("--app", help="key of one app; default: all apps")]
_Who = Annotated[str, typer.Argument(callback=said, help="open_id, the beginning of one, or a name")]


def _known_keys(runtime, chosen: str | None) -> list[str]:
    """Return the keys of configured apps, and of those that only have accounts in the state."""
    from resources.state.accounts import known_apps

    keys = app_keys(runtime.settings, chosen) if chosen is None or runtime.settings.all_apps else [chosen]
    return keys if chosen is not None else list(dict.fromkeys((*keys, *known_apps(runtime.state))))


def find_account(runtime, who: str, chosen: str | None):
    """Return the account whose open_id, name or beginning of the open_id is ``who``.

    An unknown or ambiguous one ends the command.
    """
    from resources.state.accounts import list_accounts

    everybody = [a for key in _known_keys(runtime, chosen) for a in list_accounts(runtime.state, key)]
    found = [a for a in everybody if a.open_id == who] or [
        a for a in everybody if a.name == who or a.open_id.startswith(who)
    ]
    if not found:
        fail(f"no account is {who!r}: see `douyin accounts list`", 2)
    if len(found) > 1:
        fail(
            f"{who!r} may be "
            f"{', '.join(f'{a.name or a.open_id} ({a.open_id}, app {a.client_key})' for a in found[:5])}: "
            "say more, or --app",
            2,
        )
    return found[0]


# --------------------------------------------------------------------------- listing


@app.command("list")
def list_(
    app_key: _App = None,
    tag: Annotated[str | None, typer.Option(help="only accounts with this tag")] = None,
    needs_consent: Annotated[
        bool,
        typer.Option(
            "--needs-consent", help="only those whose owners must authorise again, or soon, with the address for it"
        ),
    ] = False,
) -> None:
    """List accounts with status and days left, the most urgent first."""
    with open_runtime() as runtime:
        from resources.client.countdown import countdown

        lines = [c for key in _known_keys(runtime, app_key) for c in countdown(runtime.state, key, runtime.clock.now())]
        lines = [c for c in lines if tag is None or tag in c.account.tags]
        if needs_consent:
            lines = [c for c in lines if c.warning is not None]
        if not lines:
            console.print(
                "no account needs consent"
                if needs_consent
                else "no account: `douyin authorize`, or `douyin accounts import`"
            )
            return
        print_accounts(sorted(lines, key=_urgency))
        counted = Counter(str(c.account.status) for c in lines)
        console.print(
            f"\n{len(lines)} accounts: {', '.join(f'{n} {status}' for status, n in counted.most_common())}",
            highlight=False,
        )
        if needs_consent:
            _print_links(runtime.settings, sorted({c.account.client_key for c in lines}))


def _urgency(line) -> tuple:
    warning = line.warning
    return (
        99 if warning is None else warning,
        line.consent_left or timedelta.min,
        line.account.client_key,
        line.account.open_id,
    )


def print_accounts(lines: list) -> None:
    """Print a table of countdowns. open_ids are shortened as far as they stay distinct."""
    ids = {c.account.open_id for c in lines}
    length = next((n for n in (8, 13, 18, 24) if len({i[:n] for i in ids}) == len(ids)), 64)
    grid = Grid()
    for column in (
        "account",
        "open_id",
        "app",
        "tags",
        "status",
        "access",
        "refresh",
        "renewals used",
        "consent ends",
        "note",
    ):
        grid.add_column(column)
    several = len({c.account.client_key for c in lines}) > 1
    for c in lines:
        grid.add_row(
            Text(c.account.name or ""),
            c.account.open_id[:length],
            c.account.client_key if several else "",
            " ".join(sorted(c.account.tags)),
            str(c.account.status),
            _days(c.access_left, 1),
            _days(c.refresh_left, 3),
            f"{5 - c.renewals_left} of 5" if c.access_left is not None else "–",
            _days(c.consent_left, 7),
            Text(c.account.reason or ("" if c.access_left is not None else "no tokens are stored")),
        )
    console.print(grid)


def _days(left: timedelta | None, warn_at: int) -> str | Text:
    if left is None:
        return "–"
    days = left / timedelta(days=1)
    if days <= 0:
        return styled("[red]over[/red]")
    return styled(f"[{'red' if days <= min(1, warn_at) else 'yellow' if days <= warn_at else 'green'}]{days:.1f} d[/]")


def _print_links(settings, keys: list[str]) -> None:
    """Print how to get the address to send to the owners, one for each app."""
    configured = {a.client_key: a for a in settings.all_apps}
    for key in keys:
        if key in configured and configured[key].redirect_uri:
            more = f" --app {key}" if len(configured) > 1 else ""
            console.print(f"app {key}: `douyin authorize{more}` prints the address for the owners", highlight=False)
        else:
            console.print(
                f"app {key}: set its redirect address (DOUYIN_REDIRECT_URI), then `douyin authorize`", highlight=False
            )


# --------------------------------------------------------------------------- changing


@app.command()
def pause(
    who: _Who,
    reason: Annotated[str, typer.Option(callback=said, help="shown by `douyin accounts list`")] = "paused by a person",
    app_key: _App = None,
) -> None:
    """Stop collecting an account until it is resumed. Its tokens are kept."""
    with open_runtime() as runtime:
        from resources.state.accounts import AccountStatus, set_status

        account = find_account(runtime, who, app_key)
        set_status(runtime.state, account.client_key, account.open_id, AccountStatus.PAUSED, reason)
        console.print(f"[green]✓[/green] {escape(account.name or account.open_id)} is paused", highlight=False)


@app.command()
def resume(who: _Who, app_key: _App = None) -> None:
    """Collect a paused or stopped account again."""
    with open_runtime() as runtime:
        from resources.state.accounts import AccountStatus, set_status

        account = find_account(runtime, who, app_key)
        if account.status is AccountStatus.NEEDS_CONSENT:
            fail(f"{account.name or account.open_id} needs its owner's consent ({account.reason}): `douyin authorize`")
        set_status(runtime.state, account.client_key, account.open_id, AccountStatus.ACTIVE)
        console.print(f"[green]✓[/green] {escape(account.name or account.open_id)} is collected again", highlight=False)


@app.command()
def remove(
    who: _Who, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False, app_key: _App = None
) -> None:
    """Remove an account and its tokens. The data collected of it stays."""
    with open_runtime() as runtime:
        from resources.state.accounts import remove_account

        account = find_account(runtime, who, app_key)
        named = f"{account.name or 'account'} {account.open_id}"
        if not yes and not typer.confirm(
            f"forget {visible(named)} and its tokens? Only its owner can authorise it again"
        ):
            fail("nothing was changed")
        remove_account(runtime.state, account.client_key, account.open_id)
        console.print(
            f"[green]✓[/green] {escape(named)} is forgotten; its data stays in archive, lake and warehouse",
            highlight=False,
            soft_wrap=True,
        )


@app.command(context_settings={"ignore_unknown_options": True})
def tag(
    who: _Who, words: Annotated[list[str], typer.Argument(help="+word adds, -word takes away")], app_key: _App = None
) -> None:
    """Add tags to an account, or remove some."""
    with open_runtime() as runtime:
        from resources.state.accounts import set_tags

        account, tags = find_account(runtime, who, app_key), None
        wrong = [w for w in words if w[:1] not in "+-" or len(w) < 2]
        if wrong:
            fail(f"write +word or -word, not {wrong[0]!r}", 2)
        tags = (account.tags | {w[1:] for w in words if w[0] == "+"}) - {w[1:] for w in words if w[0] == "-"}
        try:
            set_tags(runtime.state, account.client_key, account.open_id, tags)
        except ValueError as error:
            fail(str(error), 2)
        console.print(
            f"[green]✓[/green] {escape(account.name or account.open_id)}: {' '.join(sorted(tags)) or 'no tags'}",
            highlight=False,
        )


# --------------------------------------------------------------------------- keys


@app.command("new-key")
def new_key() -> None:
    """Print a fresh key for DOUYIN_TOKEN_KEY. Keep it: without it every account must authorise again."""
    from resources.state.sealing import new_key as make

    print(make())


@app.command("rotate-key")
def rotate_key() -> None:
    """Seal all tokens with the first key of DOUYIN_TOKEN_KEY; afterwards the other keys may be removed."""
    with open_runtime() as runtime:
        from resources.state.sealing import TokenKeyError
        from resources.state.tokens import seal_anew

        try:
            count = seal_anew(runtime.state)
        except TokenKeyError as error:
            fail(str(error))
        console.print(f"[green]✓[/green] {count} rows of tokens are sealed with the first key")


# --------------------------------------------------------------------------- import


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or JSON: a list of objects")],
    app_key: Annotated[
        str | None, typer.Option("--app", help="app of lines without client_key; needed only where there are several")
    ] = None,
) -> None:
    """Import accounts with their tokens from another system, which must stop using them.

    Columns: open_id, access_token, access_expires_at, refresh_token, refresh_expires_at (ISO 8601 with zone, or epoch
    seconds); optional: client_key, renewals, scope, name, tags (words separated by spaces).
    """
    with open_runtime() as runtime:
        from resources.state.accounts import add_account, set_tags
        from resources.state.sealing import TokenKeyError
        from resources.state.tokens import save_user_token

        rows = read_rows(file)
        keys, stored, problems = app_keys(runtime.settings, app_key), 0, []
        default = keys[0] if len(keys) == 1 else None
        known = {a.client_key for a in runtime.settings.all_apps}
        for number, row in rows:
            try:
                one = read_account(row, default, known, runtime.clock.now())
            except ValueError as error:
                problems.append(f"{number}: {error}")
                continue
            try:
                save_user_token(runtime.state, one.client_key, one.token)
            except TokenKeyError as error:
                fail(str(error))
            add_account(runtime.state, one.client_key, one.token.open_id, name=one.name, now=runtime.clock.now())
            if one.tags:
                set_tags(runtime.state, one.client_key, one.token.open_id, one.tags)
            stored += 1
        for problem in problems:
            console.print(f"[red]✗[/red] {escape(problem)}", highlight=False, soft_wrap=True)
        console.print(
            f"[green]✓[/green] {stored} accounts stored" + (f", {len(problems)} lines not" if problems else "")
        )
        if problems:
            raise typer.Exit(1)


@app.command()
def deletions(
    done: Annotated[
        str | None, typer.Option("--done", help="open_id whose data was deleted everywhere, backups included")
    ] = None,
    app_key: _App = None,
) -> None:
    """List accounts whose personal data must be deleted: withdrawn by their owners, or closed (28001045)."""
    with open_runtime() as runtime:
        from resources.state.people import list_deletions, mark_deleted

        keys = _known_keys(runtime, app_key)
        if done is not None:
            if not any(mark_deleted(runtime.state, key, done, runtime.clock.now()) for key in keys):
                fail(f"{done} is not on the deletion list", 2)
            console.print(f"[green]✓[/green] {escape(done)} counts as deleted")
            return
        listed = [one for one in list_deletions(runtime.state, keys) if one.done_at is None]
        for one in listed:
            console.print(
                f"{one.client_key}  {one.open_id}  since {one.listed_at:%Y-%m-%d %H:%M} UTC: {escape(one.reason)}",
                highlight=False,
                soft_wrap=True,
            )
        if not listed:
            console.print("no data waits to be deleted")
