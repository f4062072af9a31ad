"""``douyin dashboard``: the warehouse in a browser, read-only."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from pipelines.console import console, fail, load_settings


def dashboard(
    port: Annotated[int, typer.Option(help="port of the page")] = 2718,
    host: Annotated[str, typer.Option(help="address to listen on; the page asks for no password, so keep it on this machine or behind something that does")] = "127.0.0.1",
) -> None:
    """Serve the dashboard: accounts, videos, hot words, boards, fans, data health. Reads the published warehouse, holds nothing up."""
    settings = load_settings()
    console.print("loading …", style="dim", end="\r")
    os.environ["DOUYIN_HOME"] = str(settings.home)
    import uvicorn

    from pipelines.dashboard.serving import make_app

    console.print(f"dashboard: [bold]http://{host}:{port}[/bold]  ({settings.warehouse_path}; Ctrl-C ends it)", highlight=False, soft_wrap=True)
    try:
        uvicorn.run(make_app(), host=host, port=port, log_level="warning")
    except OSError as error:
        fail(f"cannot listen on {host}:{port} ({error.strerror}): choose another with --port")
