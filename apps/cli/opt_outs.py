"""``douyin outreach opt-out``: the people whom no plan addresses."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from apps.cli.console import (
    Grid,
    all_said,
    app_keys,
    console,
    fail,
    one_app,
    open_runtime,
    said,
)

people = typer.Typer(help="People who opted out: every plan obeys the list.", no_args_is_help=True)


_App = Annotated[str | None, typer.Option("--app", help="key of the app; needed only where there are several")]


@people.command("add")
def opt_out_add(
    persons: Annotated[list[str], typer.Argument(callback=all_said, help="open_ids of people")],
    account: Annotated[
        str,
        typer.Option(
            "--account",
            help="only this account (open_id, the beginning of one, or a name); default: every account of the app",
        ),
    ] = "",
    how: Annotated[str, typer.Option("--how", callback=said, help="how they opted out")] = "by hand",
    app_key: _App = None,
) -> None:
    """Add people to the list."""
    from apps.cli.accounts import find_account
    from resources.state.people import add_opt_out

    with open_runtime(needs_credentials=True) as runtime:
        key = one_app(runtime.settings, app_key)
        if account:  # an unknown account would protect no one
            account = find_account(runtime, account, key).open_id
        new = sum(add_opt_out(runtime.state, key, account, person, how, runtime.clock.now()) for person in persons)
        console.print(f"[green]✓[/green] {new} of {len(persons)} are new on the list")


@people.command("remove")
def opt_out_remove(
    persons: Annotated[list[str], typer.Argument(callback=all_said, help="open_ids of people")],
    account: Annotated[
        str,
        typer.Option("--account", help="the account of the list's line (open_id, the beginning of one, or a name)"),
    ] = "",
    app_key: _App = None,
) -> None:
    """Remove people from the list, at their request."""
    from apps.cli.accounts import find_account
    from resources.state.people import list_opt_outs, remove_opt_out

    with open_runtime(needs_credentials=True) as runtime:
        key = one_app(runtime.settings, app_key)
        if account and all(line.open_id != account for line in list_opt_outs(runtime.state, [key])):
            account = find_account(runtime, account, key).open_id
        missing = [person for person in persons if not remove_opt_out(runtime.state, key, account, person)]
        if missing:
            fail(
                f"not on the list{f' of {account}' if account else ''}: {', '.join(missing)}; the others were "
                "taken off. `douyin outreach opt-out list`"
            )
        console.print(f"[green]✓[/green] {len(persons)} taken off the list")


@people.command("list")
def opt_out_list(app_key: _App = None) -> None:
    """Show the list."""
    from catalog.records import BEIJING
    from resources.state.people import list_opt_outs
    from services.outreach.masking import mask_id

    with open_runtime(needs_credentials=True) as runtime:
        grid = Grid()
        for column in ("app", "account", "person", "since (Beijing)", "how"):
            grid.add_column(column)
        for one in list_opt_outs(runtime.state, app_keys(runtime.settings, app_key)):
            grid.add_row(
                one.client_key,
                mask_id(one.open_id) or "all",
                mask_id(one.person_open_id),
                f"{one.since.astimezone(BEIJING):%Y-%m-%d %H:%M}",
                Text(one.how),
            )
        console.print(grid if grid.row_count else "no person has opted out")
