"""One accepted request, as the functions that answer it see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.records import Endpoint, Operation
from sandbox.clock import is_ready, last_complete_day
from sandbox.config import SandboxConfig
from sandbox.forms import Form
from sandbox.world import World
from sandbox.world.accounts import Account


@dataclass(slots=True)
class Call:
    """``params`` hold the checked parameters (integers as integers); ``instant`` is epoch seconds; ``client_key`` is the app's."""

    world: World
    endpoint: Endpoint | Operation
    params: Mapping[str, Any]
    account: Account | None
    instant: float
    form: Form
    client_key: str = SandboxConfig().client_key

    @property
    def operation(self) -> str:
        """The operation's name, of mini-app doors and their twins the one that they are doors of."""
        return name_of(self.endpoint)

    @property
    def ready(self) -> bool:
        return is_ready(self.instant)

    @property
    def last_day(self) -> int:
        """The newest day that T+1 data covers."""
        return last_complete_day(self.instant)


def name_of(endpoint: Endpoint) -> str:
    """The name under which an operation is answered: ``*_apps_v1`` and ``*_bc`` are answered as what they are doors of."""
    return (endpoint.twin_of or endpoint.name).removesuffix("_apps_v1")


Answer = Callable[[Call], dict[str, Any]]
"""Gives the members of ``data`` without code and description, or raises :class:`sandbox.errors.Refusal`."""
