"""Fixtures for the resources: settings, state, and a scripted HTTP server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from loopback import Scripted

from apps.cli.simulation import SANDBOX_TOKEN_KEY as KEY
from resources.config.settings import Settings
from resources.state import State
from sandbox.config import SandboxConfig
from sandbox.server import running

NOW = "2026-11-16T11:00:00+08:00"


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    """Start scripted servers: ``scripted(lambda request, number: say({...}))``."""
    with contextlib.ExitStack() as stack:
        yield lambda answer, **more: stack.enter_context(Scripted(answer, **more))


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a run whose home is the test's own directory."""

    def make(**more) -> Settings:
        values = {
            "home": tmp_path / "home",
            "client_key": "sandbox-key",
            "client_secret": "sandbox-secret",
            "clock": NOW,
            "token_key": KEY,
            "qps": 1000,
            "retry_base_s": 0.01,
            "timeout_s": 5,
            **more,
        }
        return Settings(_env_file=None, **values)

    return make


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    handle = State(f"sqlite:///{tmp_path / 'home' / 'state.db'}", KEY)
    yield handle
    handle.close()


@pytest.fixture
def now() -> datetime:
    return datetime.fromisoformat(NOW)


@dataclass(frozen=True)
class Box:
    """A running sandbox seen from a test."""

    url: str
    control: httpx.Client

    def fault(self, operation: str, kind: str, times: int | None = 1, **more: object) -> None:
        self._ok("POST", "faults", {"operation": operation, "kind": kind, "times": times, **more})

    def clock(self, now: str) -> None:
        self._ok("PUT", "clock", {"now": now})

    def reset(self, now: str) -> None:
        self._ok("DELETE", "faults", None)
        self._ok("DELETE", "stats", None)
        self.clock(now)

    def accounts(self, scopes: str | None = None) -> list[dict]:
        return self._ok("GET", f"accounts?scopes={scopes}" if scopes else "accounts", None)

    def calls(self, operation: str) -> int:
        """Requests that arrived for the operation."""
        return self.stats()["operations"].get(operation, {"requests": 0})["requests"]

    def stats(self) -> dict:
        return self._ok("GET", "stats", None)

    def _ok(self, method: str, path: str, body: object):
        response = self.control.request(method, f"{self.url}/_sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
def start_sandbox() -> Iterator[Callable[..., Box]]:
    """Start sandboxes at the tests' instant: ``start_sandbox(accounts=2, qps=50)``."""
    with contextlib.ExitStack() as stack:
        control = stack.enter_context(httpx.Client(trust_env=False))

        def start(**more) -> Box:
            config = SandboxConfig(**{"accounts": 3, "videos": 30, "now": datetime.fromisoformat(NOW), **more})
            return Box(stack.enter_context(running(config)).url, control)

        yield start


@pytest.fixture(scope="session")
def _shared_sandbox() -> Iterator[Box]:
    config = SandboxConfig(accounts=3, videos=30, now=datetime.fromisoformat(NOW))
    with running(config) as handle, httpx.Client(trust_env=False) as control:
        yield Box(handle.url, control)


@pytest.fixture
def sandbox(_shared_sandbox: Box) -> Box:
    """One sandbox for all tests, which saves 0.2 s each.

    It has no faults and no counts, the clock is set back, and three consents are not yet given.
    """
    _shared_sandbox.reset(NOW)
    return _shared_sandbox
