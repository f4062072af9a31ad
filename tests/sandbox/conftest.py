"""Sandboxes over real HTTP on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sandbox_platform import NOW, Platform
from sandbox_receiver import SomeReceiver

from sandbox.config import SandboxConfig
from sandbox.server import running


@pytest.fixture(scope="session")
def _shared() -> Iterator[Platform]:
    with running(SandboxConfig(now=datetime.fromisoformat(NOW))) as handle:
        platform = Platform(handle)
        yield platform
        platform.close()


@pytest.fixture
def platform(_shared: Platform) -> Platform:
    """The default sandbox, without faults and with its clock at :data:`NOW`."""
    _shared.reset()
    return _shared


@pytest.fixture
def make_platform() -> Iterator[Any]:
    """Starts sandboxes of their own: ``make_platform(qps=5)``."""
    contexts, platforms = [], []

    def make(**settings: Any) -> Platform:
        settings.setdefault("now", datetime.fromisoformat(NOW))
        context = running(SandboxConfig(**settings))
        platforms.append(Platform(context.__enter__()))
        contexts.append(context)
        return platforms[-1]

    yield make
    for platform in platforms:
        platform.close()
    for context in contexts:
        context.__exit__(None, None, None)


@pytest.fixture
def fresh(make_platform: Any) -> Platform:
    """A sandbox without any actions so far."""
    return make_platform()


@pytest.fixture
def receiver() -> Iterator[SomeReceiver]:
    """A receiver of webhooks; the sandbox sends none before it is given the URL."""
    one = SomeReceiver()
    yield one
    one.close()
