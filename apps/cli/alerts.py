"""``douyin alerts``: check for problems, send alerts, list and mute them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.text import Text

from apps.cli.console import Grid, console, fail, open_runtime, said

if TYPE_CHECKING:
    from resources.delivery.routes import Alerts
    from resources.runtime import Runtime

app = typer.Typer(help="Alerts to 飞书, 钉钉, 企业微信 and webhooks, by alerts.yaml.", no_args_is_help=True)


@contextmanager
def _open() -> Iterator[tuple[Runtime, Alerts]]:
    """Open the runtime and ``alerts.yaml``; a file that cannot be used ends the command."""
    from resources.delivery.outgoing import hide_secrets
    from resources.delivery.routes import BadAlerts
    from services.alerts.work import read_alerts

    with open_runtime() as runtime:
        hide_secrets(runtime.settings)
        try:
            alerts = read_alerts(runtime)
        except BadAlerts as error:
            fail(str(error), 2)
        yield runtime, alerts


def _grid(*columns: str) -> Grid:
    grid = Grid()
    for column in columns:
        grid.add_column(column)
    return grid


@app.command()
def check() -> None:
    """Show current problems and the channels that would be alerted.

    Sends and stores nothing; exit code 1 if there is a problem.
    """
    from resources.delivery.texts import scrubbed
    from services.alerts.work import look

    with _open() as (runtime, alerts):
        looked = look(runtime, alerts)
        for kind, why in looked.not_looked.items():
            console.print(f"[yellow]![/yellow] {kind} cannot be looked for: {escape(why)}", soft_wrap=True)
        grid = _grid("kind", "severity", "about", "what", "do", "channels")
        for one in map(scrubbed, looked.found):
            to = ", ".join(alerts.channels_for(one.kind, one.severity, one.tags)) or "no route"
            grid.add_row(one.kind, one.severity, Text(one.title), Text(one.en), Text(one.todo), to)
        unseen = f"; unknown: {', '.join(looked.not_looked)}" if looked.not_looked else ""
        console.print(
            grid if looked.found else f"nothing that was looked for is wrong{unseen}" if unseen else "nothing is wrong",
            soft_wrap=not looked.found,
        )
        if looked.found:
            raise typer.Exit(1)


@app.command()
def send() -> None:
    """Check for problems and send the alerts that are due.

    An alert that was sent already is not sent again. Exit code 1 if a channel did not accept a message.
    """
    from resources.delivery.routes import BadAlerts
    from services.alerts.work import run_alerts

    with _open() as (runtime, _):
        try:
            looked, done = run_alerts(runtime)
        except BadAlerts as error:
            fail(str(error), 2)
        for kind, why in looked.not_looked.items():
            console.print(f"[yellow]![/yellow] {kind} cannot be looked for: {escape(why)}", soft_wrap=True)
        for channel, why in done.problems.items():
            console.print(f"[red]✗[/red] {escape(channel)}: {escape(why)}", soft_wrap=True)
        if done.nowhere:
            console.print(f"[yellow]![/yellow] {len(done.nowhere)} open alerts fit no route: `douyin alerts check`")
        console.print(f"{len(looked.found)} wrong; {done.alerts} sent in {done.messages} messages, {done.waiting} wait")
        if done.problems:
            raise typer.Exit(1)


@app.command("list")
def list_(days: Annotated[int, typer.Option(min=1, max=365, help="how many days of past alerts")] = 7) -> None:
    """List open and recent alerts, with the deliveries to each channel."""
    from resources.delivery.messages import clock
    from resources.state.alerts import deliveries_of, list_alerts

    with _open() as (runtime, _):
        now = runtime.clock.now()
        found = list_alerts(runtime.state, since=now - timedelta(days=days))
        deliveries = deliveries_of(runtime.state, [a.id for a in found])
        grid = _grid("alert", "kind", "severity", "about", "since (Beijing)", "over", "times", "sent to", "key")
        for one in found:
            said = []
            for (number, channel), d in deliveries.items():
                if number == one.id:
                    said.append(
                        f"{channel}: " + (f"✗ {d.error}" if d.error else clock(d.sent_at) if d.sent_at else "–")
                    )
            if one.muted_until and one.muted_until > now:
                said.append(f"muted until {clock(one.muted_until)}")
            over = clock(one.resolved_at) if one.resolved_at else ""
            grid.add_row(
                f"#{one.id}",
                one.kind,
                one.severity,
                Text(one.title),
                clock(one.first_at),
                over,
                str(one.times),
                Text("; ".join(said) or "–"),
                Text(one.key),
            )
        console.print(grid if found else "there is and was nothing")


@app.command("test")
def test_(channel: Annotated[str, typer.Argument(callback=said, help="name of the channel in alerts.yaml")]) -> None:
    """Send a test message through one channel and show the response."""
    from catalog.alert_kinds import Severity
    from resources.delivery.delivery import open_channel
    from resources.delivery.messages import clock
    from resources.delivery.routes import BadAlerts, address_of

    with _open() as (runtime, alerts):
        try:
            opened = open_channel(channel, address_of(alerts, channel))
        except BadAlerts as error:
            fail(str(error), 2)
        text = (
            f"【{alerts.prefix}】测试消息 test message\n通道 channel: {channel}\n"
            f"{clock(runtime.clock.now())} (北京时间 Beijing)"
        )
        answer = opened.send(text, Severity.INFO)
        if not answer.ok:
            fail(f"{channel}: {answer.reason}")
        console.print(f"[green]✓[/green] {escape(channel)} took the message")


@app.command()
def mute(
    key: Annotated[
        str, typer.Argument(callback=said, help="key or number of the alert, as `douyin alerts list` shows it")
    ],
    for_: Annotated[str, typer.Option("--for", help="how long: 30m, 24h or 7d")] = "24h",
) -> None:
    """Mute one alert for a while."""
    from pydantic import TypeAdapter, ValidationError

    from resources.config.strict_yaml import Span
    from resources.delivery.messages import clock
    from resources.state.alerts import mute as mute_alert

    try:
        span = TypeAdapter(Span).validate_python(for_)
    except ValidationError as error:
        fail(error.errors()[0]["msg"].removeprefix("Value error, "), 2)
    with _open() as (runtime, _):
        try:
            until = runtime.clock.now() + span
            one = mute_alert(runtime.state, key, until)
        except LookupError as error:
            fail(str(error), 2)
        console.print(f"[green]✓[/green] {escape(one.key)} is muted until {clock(until)} Beijing")
