"""Installations for tests of assets and pipelines. Nothing heavy is imported before a test asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import authorities
import children
import hypothesis
import pytest
from installation import START, World
from patience import slowness, tries

if TYPE_CHECKING:
    import httpx

    from sandbox.config import SandboxConfig


authorities.read_once()
hypothesis.settings.register_profile("usual", max_examples=tries(100))
hypothesis.settings.load_profile("usual")


@pytest.fixture(autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    before = children.number()
    yield
    children.end_since(before)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Allow tests more time on a slow machine."""
    usual, factor = float(config.getini("timeout")), slowness()
    for item in items:
        given = item.get_closest_marker("timeout")
        item.add_marker(pytest.mark.timeout((given.args[0] if given else usual) * factor), append=False)


@pytest.fixture(scope="session")
def platforms() -> Iterator[Callable[..., tuple[str, SandboxConfig, httpx.Client]]]:
    """Running sandboxes by configuration, each started once per process."""
    import contextlib

    import httpx

    from sandbox.config import SandboxConfig
    from sandbox.server import running

    started: dict[SandboxConfig, str] = {}
    with contextlib.ExitStack() as stack:
        control = stack.enter_context(httpx.Client(trust_env=False, timeout=30))

        def start(**more: Any) -> tuple[str, SandboxConfig, httpx.Client]:
            config = SandboxConfig(**{"accounts": 3, "videos": 60, "now": datetime.fromisoformat(START), **more})
            if config not in started:
                started[config] = stack.enter_context(running(config)).url
            return started[config], config, control

        yield start


@pytest.fixture
def make_world(platforms, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Open installations: ``make_world(timeout_s=0.3)``; ``platform`` changes the sandbox, ``home`` the directory."""
    worlds: list[World] = []

    def make(
        *, platform: dict[str, Any] | None = None, home: str = "home", authorize: bool = True, **options: Any
    ) -> World:
        world = World(*platforms(**(platform or {})), home=tmp_path / home, options=options)
        world.clear()
        world.open().at(START)
        worlds.append(world.authorize() if authorize else world)
        return world

    yield make
    for world in worlds:
        world.runtime.close()
        world.clear()


@pytest.fixture
def world(make_world) -> World:
    """Three authorised accounts with about sixty videos each, at :data:`START`."""
    return make_world()
