"""A server with robots, and a state, for tests of alerts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from robot_server import Robots


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def robots() -> Iterator[Robots]:
    with Robots() as server:
        yield server


@pytest.fixture
def state(tmp_path: Path):
    from resources.state import State

    opened = State(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()
