"""One accepted request, as the functions that answer it see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.records import Endpoint
from sandbox.clock import is_ready, last_complete_day
from sandbox.forms import Form
from sandbox.world import World
from sandbox.world.accounts import Account


@dataclass(slots=True)
class Call:
    """``params`` hold the checked parameters (integers as integers); ``instant`` is epoch seconds."""

    world: World
    endpoint: Endpoint
    params: Mapping[str, Any]
    account: Account | None
    instant: float
    form: Form

    @property
    def ready(self) -> bool:
        return is_ready(self.instant)

    @property
    def last_day(self) -> int:
        """The newest day that T+1 data covers."""
        return last_complete_day(self.instant)


Answer = Callable[[Call], dict[str, Any]]
"""Gives the members of ``data`` without code and description, or raises :class:`sandbox.refusals.Refusal`."""
