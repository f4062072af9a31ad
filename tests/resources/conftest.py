"""Fixtures for the resources: settings, state, and a scripted HTTP server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from loopback import Scripted

from resources.settings import Settings
from resources.state import State

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
            "home": tmp_path / "home", "client_key": "sandbox-key", "client_secret": "sandbox-secret", "clock": NOW,
            "qps": 1000, "retry_base_s": 0.01, "timeout_s": 5, **more,
        }  # fmt: skip
        return Settings(_env_file=None, **values)

    return make


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    handle = State(f"sqlite:///{tmp_path / 'home' / 'state.db'}")
    yield handle
    handle.close()


@pytest.fixture
def now() -> datetime:
    return datetime.fromisoformat(NOW)
