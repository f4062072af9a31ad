"""Represent one accepted request for the handlers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.records import Endpoint, Operation
from sandbox.clock import is_ready, last_complete_day
from sandbox.config import SandboxConfig
from sandbox.forms import Form
from sandbox.world import World
from sandbox.world.accounts import SandboxAccount


@dataclass(slots=True)
class Call:
    """One accepted request.

    ``params`` contains the checked parameters (integers as integers); ``owner`` is the account of the user token, where
    the operation takes one; ``instant`` is epoch seconds; ``client_key`` is the app's.
    """

    world: World
    endpoint: Endpoint | Operation
    params: Mapping[str, Any]
    owner: SandboxAccount | None
    instant: float
    form: Form
    client_key: str = SandboxConfig().client_key

    @property
    def account(self) -> SandboxAccount:
        """The account whose user token came with the request.

        Raises:
            LookupError: the operation takes an app's token, which belongs to no account.
        """
        if self.owner is None:
            raise LookupError(f"{self.endpoint.name} is called without an account")
        return self.owner

    @property
    def operation(self) -> str:
        """The operation's name; mini-app endpoints and twins have the name of their original."""
        return name_of(self.endpoint)

    @property
    def ready(self) -> bool:
        """Whether the day's data has been produced: from 10:00 Beijing on."""
        return is_ready(self.instant)

    @property
    def last_day(self) -> int:
        """The newest day that T+1 data covers."""
        return last_complete_day(self.instant)


def name_of(endpoint: Endpoint | Operation) -> str:
    """Return the name of the handler: ``*_apps_v1`` and ``*_bc`` endpoints share that of their original."""
    original = endpoint.twin_of if isinstance(endpoint, Endpoint) else None
    return (original or endpoint.name).removesuffix("_apps_v1")


Handler = Callable[[Call], dict[str, Any]]
"""Returns the members of ``data`` without code and description, or raises :class:`sandbox.errors.Refusal`."""
