"""``douyin sandbox``: simulate the platform over HTTP on loopback."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from apps.cli.console import console, fail, finite


def _app(text: str) -> tuple[str, str]:
    """Parse ``KEY:SECRET`` as (client_key, client_secret)."""
    key, colon, secret = text.partition(":")
    if not (key and colon and secret):
        raise ValueError(f"--app takes KEY:SECRET, not {text!r}")
    return key, secret


def _rate(text: str) -> tuple[str, float]:
    """Parse ``DEED=RATE`` as (deed, rate)."""
    deed, _, rate = text.partition("=")
    try:
        return deed, float(rate)
    except ValueError:
        raise ValueError(f"--answer takes DEED=RATE, e.g. write=0.3, not {text!r}") from None


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port on 127.0.0.1; 0 takes a free one")] = 8765,
    seed: Annotated[int, typer.Option(help="another seed, another world")] = 1,
    accounts: Annotated[int, typer.Option(min=1, max=100_000)] = 5,
    videos: Annotated[int, typer.Option(min=1, max=100_000, help="about how many videos each account has")] = 40,
    most_fans: Annotated[
        int, typer.Option(min=100, max=10**9, help="fans of the largest account; comments and people follow from them")
    ] = 3_000_000,
    latency_ms: Annotated[float, typer.Option(min=0, max=600_000, callback=finite, help="delay of every answer")] = 0,
    qps: Annotated[
        float | None, typer.Option(callback=finite, help="requests a second and scope before code 28003018")
    ] = None,
    now: Annotated[str | None, typer.Option(help="freeze the clock, e.g. 2026-11-16T10:30:00+08:00")] = None,
    dead_tokens: Annotated[
        float,
        typer.Option(
            min=0, max=1, callback=finite, help="share of accounts whose tokens are dead (28001003, refresh 10010)"
        ),
    ] = 0,
    private: Annotated[
        float, typer.Option(min=0, max=1, callback=finite, help="share of accounts that are private (28001047)")
    ] = 0,
    deregistered: Annotated[
        float, typer.Option(min=0, max=1, callback=finite, help="share of accounts that are deregistered (28001045)")
    ] = 0,
    lacking: Annotated[
        list[str] | None, typer.Option(help="scope that the app does not own (28001018); repeatable")
    ] = None,
    scopes: Annotated[
        str | None, typer.Option(help="the only scopes that the app owns, comma separated; default: all")
    ] = None,
    withdrawn: Annotated[
        list[str] | None, typer.Option(help="operation that is offline (28001056); repeatable")
    ] = None,
    late_counts: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            callback=finite,
            help="share of days whose newest numbers are a tenth too low until two days later",
        ),
    ] = 0,
    app: Annotated[
        list[str] | None, typer.Option(help="a further app as KEY:SECRET, with ids of its own; repeatable")
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            help=(
                "how answers are written: mixed (every liberty of the contract) or plain (as published "
                "samples; what the official SDK accepts)"
            )
        ),
    ] = "mixed",
    answer: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "share of messages that people answer so, e.g. write=0.3; also enter, tap_card, leave_phone, "
                "opt_out; repeatable"
            )
        ),
    ] = None,
    answer_delay: Annotated[
        float,
        typer.Option(
            min=0,
            callback=finite,
            help="seconds until they do, on the sandbox's clock, half as many to half as many more",
        ),
    ] = 0,
) -> None:
    """Serve the sandbox until interrupted. Same seed and instant, same responses."""
    from apps.cli.simulation import SANDBOX_TOKEN_KEY
    from sandbox.config import SandboxConfig
    from sandbox.server import serve

    try:
        config = SandboxConfig(
            seed=seed,
            accounts=accounts,
            videos=videos,
            most_fans=most_fans,
            latency_ms=latency_ms,
            qps=qps,
            port=port,
            now=None if now is None else datetime.fromisoformat(now),
            dead_tokens=dead_tokens,
            private_accounts=private,
            deregistered=deregistered,
            late_counts=late_counts,
            lacking=tuple(lacking or ()),
            withdrawn=tuple(withdrawn or ()),
            scopes=None if scopes is None else tuple(s.strip() for s in scopes.split(",") if s.strip()),
            apps=tuple(_app(text) for text in app or ()),
            answers=tuple(_rate(text) for text in answer or ()),
            answer_delay_s=answer_delay,
            form=form,
        )
    except ValueError as error:
        fail(str(error), 2)

    def ready(url: str) -> None:
        console.print(f"sandbox of the Douyin Open Platform at [bold]{url}[/bold]  (contract: {url}/openapi.yaml)")
        console.print(
            f"use it with: DOUYIN_BASE_URL={url} DOUYIN_CLIENT_KEY={config.client_key} "
            f"DOUYIN_CLIENT_SECRET={config.client_secret} DOUYIN_TOKEN_KEY={SANDBOX_TOKEN_KEY}",
            highlight=False,
            soft_wrap=True,
        )

    try:
        serve(config, on_ready=ready)
    except OSError as error:
        fail(f"cannot listen on port {port} ({error.strerror}): choose another with --port")
