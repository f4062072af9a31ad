"""``douyin watch``: manage the keywords, places and videos to fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from apps.cli.console import Grid, all_said, app_keys, console, fail, load_settings, one_app, open_runtime, read_text

app = typer.Typer(
    help="Watch lists: keywords, places and videos that no table of the platform names.", no_args_is_help=True
)

_Kind = Annotated[str, typer.Argument(help="video, keyword, poi, poi-keyword or amap")]
_App = Annotated[str | None, typer.Option("--app", help="key of the app; needed only where there are several")]
_Account = Annotated[
    str,
    typer.Option("--account", help="open_id; needed for videos, and for keywords that a certain account shall search"),
]


@app.command("list")
def list_(app_key: _App = None) -> None:
    """List the watched words and ids."""
    settings = load_settings()
    from resources.state.watched import KINDS, list_watched

    with open_runtime(settings) as runtime:
        grid = Grid()
        for column in ("app", "list", "value", "account"):
            grid.add_column(column)
        for key in app_keys(settings, app_key):
            for one in list_watched(runtime.state, key):
                grid.add_row(key, one.kind, Text(one.value), one.open_id)
        if grid.row_count:
            console.print(grid)
            return
        console.print("nothing is watched. The lists:")
        for kind, meaning in KINDS.items():
            console.print(f"  {kind:12} {meaning}")


@app.command()
def add(
    kind: _Kind,
    values: Annotated[list[str], typer.Argument(callback=all_said, help="words or ids")],
    account: _Account = "",
    app_key: _App = None,
) -> None:
    """Watch words or ids from the next run on."""
    _add(kind, [(value, account) for value in values], app_key)


@app.command("import")
def import_(
    kind: _Kind,
    file: Annotated[Path, typer.Argument(help="one value a line; for videos `open_id,item_id`")],
    app_key: _App = None,
) -> None:
    """Watch everything that a file lists."""
    lines = [line.strip() for line in read_text(file).splitlines()]
    pairs = [
        tuple(reversed(line.split(",", 1))) if "," in line and kind == "video" else (line, "") for line in lines if line
    ]
    _add(kind, [(value.strip(), account.strip()) for value, account in pairs], app_key)


def _add(kind: str, values: list[tuple[str, str]], app_key: str | None) -> None:
    settings = load_settings()
    from resources.state.accounts import get_account
    from resources.state.watched import WatchedItem, watch

    with open_runtime(settings) as runtime:
        key = one_app(settings, app_key)
        for open_id in {account for _, account in values if account}:
            if get_account(runtime.state, key, open_id) is None:
                fail(f"{open_id} is no account of app {key}: see `douyin accounts list`", 2)
        try:
            new = watch(
                runtime.state,
                key,
                [WatchedItem(kind, value, account) for value, account in values],
                runtime.clock.now(),
            )
        except ValueError as error:
            fail(str(error), 2)
        console.print(
            f"[green]✓[/green] {new} of {len(values)} are new on the list {escape(kind)}; the next run asks for them"
        )


@app.command()
def remove(
    kind: _Kind,
    values: Annotated[list[str], typer.Argument(callback=all_said, help="words or ids")],
    app_key: _App = None,
) -> None:
    """Stop watching words or ids. The data collected of them stays."""
    settings = load_settings()
    from resources.state.watched import unwatch

    with open_runtime(settings) as runtime:
        key = one_app(settings, app_key)
        missing = [value for value in values if not unwatch(runtime.state, key, kind, value)]
        if missing:
            fail(f"not on the list {kind}: {', '.join(missing)}")
        console.print(f"[green]✓[/green] {len(values)} taken off the list {escape(kind)}")
