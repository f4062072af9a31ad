"""``douyin coverage``: list every operation of the platform and its availability to this installation."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from rich.text import Text

from apps.cli.console import NO_CREDENTIALS, Grid, app_keys, console, fail, load_settings, open_runtime


def coverage(
    enable: Annotated[
        list[str] | None, typer.Option(help="switch an operation on again, so that the next run tries it")
    ] = None,
    app: Annotated[str | None, typer.Option(help="key of one app; default: all apps")] = None,
    only: Annotated[str | None, typer.Option(help="owned, not owned, withdrawn or never tried")] = None,
) -> None:
    """List every operation of the contract and whether this installation owns it.

    Shows table, history, state on the platform, scope and reason. Only trial calls show which capabilities an app owns:
    run first, then look here.
    """
    settings = load_settings()
    from catalog import ENDPOINTS
    from resources.state.capabilities import switch_on
    from services.capabilities.coverage import OTHER_APPS, coverage_of

    with open_runtime(settings) as runtime:
        keys = app_keys(settings, app)
        if enable and not keys:
            fail(NO_CREDENTIALS, 2)
        for operation in enable or []:
            if operation not in ENDPOINTS:
                fail(f"{operation!r} is no operation that fills a table; see `douyin coverage`", 2)
            switched = [key for key in keys if switch_on(runtime.state, key, operation)]
            console.print(f"{operation}: {'the next run tries it again' if switched else 'it was not switched off'}")
        if enable:
            return
        shown_apps: list[str | None] = [*keys] or [None]
        for key in shown_apps:
            lines = coverage_of(runtime.state if key else None, key, settings.for_app(key).app_type if key else None)
            if only is not None and only not in (
                shown := sorted({"owned", "not owned", "withdrawn", "never tried", *(line.here for line in lines)})
            ):
                fail(f"--only {only!r} is no state of an operation; there are {', '.join(shown)}", 2)
            title = (
                f"app {key} ({settings.for_app(key).app_type})" if key else "no app is configured: nothing was tried"
            )
            grid = Grid(title=title)
            for column in ("operation", "here", "on the platform", "history", "tables", "scope", "reason"):
                grid.add_column(column)
            for line in lines:
                if only is None or line.here == only:
                    grid.add_row(
                        line.operation,
                        _shown(line.here),
                        line.status,
                        line.history,
                        line.tables,
                        line.scope,
                        Text(line.reason),
                    )
            console.print(grid)
            counted = Counter(line.here for line in lines)
            console.print(
                f"{len(lines)} operations: {', '.join(f'{n} {here}' for here, n in counted.most_common())}\n",
                highlight=False,
            )
            if counted[OTHER_APPS]:
                console.print(
                    f"“{OTHER_APPS}”: the same tables are filled from the endpoint that fits the app's type.\n",
                    style="dim",
                )


_COLOURS = {"owned": "green", "not owned": "red", "withdrawn": "red", "never tried": "yellow"}


def _shown(here: str) -> Text:
    return Text(here, _COLOURS.get(here, "dim"))
