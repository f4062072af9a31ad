"""``douyin receive``: serve the webhook receiver, and reply to people."""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Annotated, Any

import typer
from rich.markup import escape

from apps.cli.console import (
    Grid,
    app_keys,
    console,
    fail,
    load_settings,
    one_app,
    open_runtime,
    require_credentials,
    said,
)

app = typer.Typer(help="Receive webhooks, and answer people within their windows.", invoke_without_command=True)

_App = Annotated[str | None, typer.Option("--app", help="key of the app; needed only where there are several")]


@app.callback()
def receive(  # noqa: C901 - a refusal for each thing that is missing
    context: typer.Context,
    host: Annotated[
        str, typer.Option(callback=said, help="address to listen on; put a proxy with TLS before it")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port to listen on")] = 8787,
    metrics_host: Annotated[
        str, typer.Option(callback=said, help="address of /healthz and /metrics, which have no login")
    ] = "127.0.0.1",
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="port of /healthz and /metrics; default: the next one after --port"),
    ] = None,
    reply: Annotated[bool, typer.Option("--reply", help="answer people by campaigns/replies.yaml")] = False,
) -> None:
    """Serve POST /webhook/<client_key>, and on a port of their own /healthz and /metrics, until interrupted."""
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    require_credentials(settings)
    import uvicorn

    from apps.receiver.app import Receiver
    from apps.receiver.protection import Guard, connections_allowed
    from apps.receiver.serving import serve_beside
    from resources.client.client import DouyinClient
    from resources.config.log_repeats import Repeats
    from resources.config.redaction import guard_loggers, register_secret
    from resources.state.inbox import Event, begin_receiving
    from services.outreach.campaigns import BadCampaign, load_replies
    from services.outreach.replies import OPT_OUT_WORD, ReplyWorker, opt_outs_by

    for one in settings.all_apps:
        for secret in (one.client_secret, one.client_secret_old):
            register_secret(secret.get_secret_value() if secret else None)
    guard_loggers("apps.receiver.app", "services.outreach.replies", "uvicorn.error")
    logging.getLogger("uvicorn.error").addFilter(Repeats())  # otherwise each request of a stranger could write a line
    with open_runtime(settings) as runtime:
        replies = None
        try:
            replies = load_replies(settings)
        except BadCampaign as error:
            if reply:
                fail(str(error), 2)
            console.print(
                f"[yellow]![/yellow] only the word {OPT_OUT_WORD} is taken for an opt-out: {escape(str(error))}",
                soft_wrap=True,
            )
        receiver: Receiver
        operations: socket.socket
        listener: Callable[[Event], None] | None = None
        workers: list[Callable[[], Awaitable[None]]] = [lambda: serve_beside(receiver.operations, operations)]
        if reply:
            assert replies is not None, "without rules the command has ended"
            clients: dict[str, DouyinClient] = {}
            worker = ReplyWorker(replies, runtime.state, runtime.clock, runtime.app_keys, clients)

            async def answering() -> None:
                async with AsyncExitStack() as stack:
                    for key in runtime.app_keys:
                        clients[key] = await stack.enter_async_context(
                            DouyinClient(settings.for_app(key), runtime.state, runtime.clock)
                        )
                    await worker.run()

            listener = worker.offer
            workers.append(answering)
        receiver = Receiver(
            settings.all_apps,
            runtime.state,
            runtime.clock,
            body_bytes=settings.webhook_body_bytes,
            listener=listener,
            opt_out_of=opt_outs_by(replies),
            workers=workers,
        )
        try:
            listening = _listen(host, port, "--host and --port")
            port = listening.getsockname()[1]
            operations = _listen(
                metrics_host, _next(port) if metrics_port is None else metrics_port, "--metrics-host and --metrics-port"
            )
        except OSError as error:
            fail(str(error))
        guard = Guard(
            connections_allowed(settings.webhook_connections), cut=lambda why: receiver.metrics.cut.labels(why).inc()
        )
        server = uvicorn.Server(
            uvicorn.Config(
                receiver.app,
                http=guard.protocol,
                ws="none",
                access_log=False,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=3,
                backlog=2048,
            )
        )
        for key in runtime.app_keys:
            console.print(
                f"webhooks of app {escape(key)}: [bold]http://{host}:{port}/webhook/{escape(key)}[/bold]",
                soft_wrap=True,
            )
        if reply and replies is not None:
            console.print(f"answering people by {len(replies.rules)} rules")
        console.print(
            f"for operators: http://{metrics_host}:{operations.getsockname()[1]}/healthz and /metrics", soft_wrap=True
        )
        begin_receiving(runtime.state, runtime.app_keys, runtime.clock.now())
        server.run(sockets=[listening])
        if not server.started:
            raise typer.Exit(1)


def _listen(host: str, port: int, options: str) -> socket.socket:
    """Open a socket. Raises OSError that says how to choose another."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}, port {port} ({error.strerror}): choose others with {options}"
        ) from error


def _next(port: int) -> int:
    return port + 1 if port < 65535 else 0


@app.command()
def subscribe(
    events: Annotated[
        list[str] | None,
        typer.Argument(help="events, e.g. im_receive_msg; default: all that the platform lists as off"),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="cancel the subscription instead")] = False,
    app_key: _App = None,
) -> None:
    """Subscribe to webhook events, e.g. after the platform cancelled the subscriptions of a slow receiver."""
    settings = load_settings()
    require_credentials(settings)
    from catalog import ENDPOINTS
    from catalog.events import EVENT_NAMES
    from catalog.operations import OTHER_OPERATIONS
    from resources.client.errors import CallFailed

    key = one_app(settings, app_key)
    if unknown := set(events or ()) - EVENT_NAMES:
        fail(f"no event is called {', '.join(sorted(unknown))}; there are {', '.join(sorted(EVENT_NAMES))}", 2)
    with open_runtime(settings) as runtime:
        client = runtime.client(key)
        try:
            rows = runtime.run(client.fetch(ENDPOINTS["event_status_list"], {})).document["data"].get("list") or []
            now = {str(r["event"]): int(r["status"]) for r in rows}
            chosen = list(events) if events else sorted(e for e, status in now.items() if status == int(off))
            if not chosen:
                console.print(
                    "nothing to change: " + ", ".join(f"{e} {'on' if s else 'off'}" for e, s in sorted(now.items()))
                )
                return
            change = [{"event": e, "status": int(not off)} for e in chosen]
            params: dict[str, Any] = {"list": change}  # the only operation with a list of objects
            runtime.run(client.write(OTHER_OPERATIONS["event_status_update"], params))
        except CallFailed as error:
            fail(str(error))
    console.print(f"[green]✓[/green] {'cancelled' if off else 'subscribed'}: {', '.join(chosen)}")


@app.command()
def status() -> None:
    """Show the received events by app, and since when."""
    settings = load_settings()

    from catalog.records import BEIJING
    from resources.state.inbox import count_received, receiving_since

    with open_runtime(settings) as runtime:
        for key in app_keys(settings, None):
            since = receiving_since(runtime.state, key)
            console.print(
                f"app {escape(key)}: "
                + (
                    f"receiving since {since.astimezone(BEIJING):%Y-%m-%d %H:%M} Beijing"
                    if since
                    else "no receiver ran yet"
                )
            )
        grid = Grid()
        for column in ("app", "event", "received"):
            grid.add_column(column, justify="right" if column == "received" else "left")
        for (key, event), n in sorted(count_received(runtime.state).items()):
            grid.add_row(key, event, f"{n:,}")
        if grid.row_count:
            console.print(grid)
