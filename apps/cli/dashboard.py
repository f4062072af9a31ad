"""``douyin dashboard``: serve the warehouse to a browser, read-only."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Annotated

import typer

from apps.cli.console import console, errors, fail, load_settings, said


def dashboard(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port of the page")] = 2718,
    host: Annotated[
        str,
        typer.Option(
            callback=said, help="address to listen on; where other machines reach it, the page asks for a token"
        ),
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="DOUYIN_DASHBOARD_TOKEN",
            help="word that the page asks for; default: none on this machine, a new one at each start elsewhere",
        ),
    ] = None,
) -> None:
    """Serve the dashboard: accounts, videos, hot words, boards, fans, needs, leads, data health.

    Reads the published warehouse and blocks no other command.
    """
    settings = load_settings()
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        fail(f"cannot listen on {host}:{port} ({error.strerror}): choose another with --port")
    with listener:
        from apps.dashboard.serving import is_loopback, make_app

        loopback = is_loopback(host)
        token = token or (None if loopback else secrets.token_urlsafe(16))
        os.environ["DOUYIN_HOME"] = str(settings.home.absolute())
        import uvicorn

        app = make_app(token=token, loopback=loopback)
        if not settings.warehouse_path.exists():
            errors.print(
                f"{settings.warehouse_path} does not exist yet: the page says what to do, and shows the "
                "data once it is published",
                highlight=False,
                soft_wrap=True,
            )
        shown = f"[{host}]" if ":" in host else host
        console.print(
            f"dashboard: [bold]http://{shown}:{port}/{f'?access_token={token}' if token else ''}[/bold]  "
            f"({settings.warehouse_path}; Ctrl-C ends it)",
            highlight=False,
            soft_wrap=True,
        )
        if not loopback:
            console.print(
                "Who has the token reads account names and figures, masked examples of comments, and the "
                "state of the data; the way is not encrypted: put TLS before it.",
                soft_wrap=True,
            )
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listener])
