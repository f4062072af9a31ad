"""``douyin sandbox``: the platform, simulated over HTTP on loopback."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipelines.console import console, fail


def sandbox(
    port: Annotated[int, typer.Option(help="port on 127.0.0.1; 0 takes a free one")] = 8765,
    seed: Annotated[int, typer.Option(help="another seed, another world")] = 1,
    accounts: Annotated[int, typer.Option(min=1)] = 5,
    videos: Annotated[int, typer.Option(min=1, help="about how many videos each account has")] = 40,
    latency_ms: Annotated[float, typer.Option(min=0, help="delay of every answer")] = 0,
    qps: Annotated[float | None, typer.Option(help="requests a second and scope before code 28003018")] = None,
    now: Annotated[str | None, typer.Option(help="freeze the clock, e.g. 2026-11-16T10:30:00+08:00")] = None,
) -> None:
    """Serve the sandbox until interrupted. Same seed and instant, same answers."""
    from sandbox.config import SandboxConfig
    from sandbox.server import serve

    try:
        config = SandboxConfig(
            seed=seed, accounts=accounts, videos=videos, latency_ms=latency_ms, qps=qps, port=port,
            now=None if now is None else datetime.fromisoformat(now),
        )  # fmt: skip
    except ValueError as error:
        fail(str(error), 2)

    def ready(url: str) -> None:
        console.print(f"sandbox of the Douyin Open Platform at [bold]{url}[/bold]  (contract: {url}/openapi.yaml)")
        console.print(
            f"use it with: DOUYIN_BASE_URL={url} DOUYIN_CLIENT_KEY={config.client_key} DOUYIN_CLIENT_SECRET={config.client_secret}",
            highlight=False,
            soft_wrap=True,
        )

    try:
        serve(config, on_ready=ready)
    except OSError as error:
        fail(f"cannot listen on port {port} ({error.strerror}): choose another with --port")
