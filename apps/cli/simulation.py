"""Start a sandbox in this process, authorise its accounts, and move its clock together with the client's."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import httpx

from resources.client.client import DouyinClient
from resources.config.clock import Clock
from resources.config.settings import Settings
from resources.runtime import Runtime

SANDBOX_TOKEN_KEY = base64.urlsafe_b64encode(b"public: only for sandbox tokens!").decode()
"""Seals tokens of sandboxes, which are no secrets: trying things out needs no key of one's own."""


@contextmanager
def running_sandbox(config) -> Iterator[str]:
    """Serve a sandbox on loopback for the length of the block; yield its address."""
    from sandbox.server import running

    with running(config) as handle:
        yield handle.url


def authorize_all(runtime: Runtime) -> list[str]:
    """Exchange a fresh consent for every account that the sandbox offers; return their open_ids."""
    offered = (
        httpx.get(f"{runtime.settings.base_url}/_sandbox/accounts", timeout=30, trust_env=False)
        .raise_for_status()
        .json()
    )
    offered = offered["accounts"] if isinstance(offered, dict) else offered

    async def exchange() -> list[str]:
        async with DouyinClient(runtime.settings, runtime.state, runtime.clock) as client:
            return [await client.authorize(a["code"], name=a["name"]) for a in offered]

    return runtime.run(exchange())


def move_clock(runtime: Runtime, instant: datetime) -> None:
    """Set the clocks of the sandbox and of ``runtime`` to ``instant``."""
    answer = httpx.put(
        f"{runtime.settings.base_url}/_sandbox/clock", json={"now": instant.isoformat()}, timeout=30, trust_env=False
    )
    answer.raise_for_status()
    runtime.set_clock(Clock.frozen(instant))


def sandbox_settings(base: Settings, url: str, config, **changes) -> Settings:
    """Return ``base`` with the address and credentials of a sandbox, and without limits."""
    from pydantic import SecretStr

    return base.model_copy(
        update={
            "base_url": url,
            "client_key": config.client_key,
            "client_secret": SecretStr(config.client_secret),
            "token_key": SecretStr(SANDBOX_TOKEN_KEY),
            "apps": [],
            "qps": 1000.0,
            "per_day": None,
            "limits": {},
            "retry_base_s": 0.05,
            "state_url": None,
            **changes,
        }
    )
