"""Decide which accounts have a dead token, are private, or are deregistered."""

from __future__ import annotations

from enum import StrEnum

from sandbox import errors
from sandbox.config import SandboxConfig
from sandbox.errors import Refusal
from sandbox.world.accounts import SandboxAccount

_GOLDEN = 0.6180339887498949
_START = 0.9


class AccountFault(StrEnum):
    """A fault that an account has from its first consent on."""

    DEAD_TOKEN = "dead_token"  # access token refused with 28001003, refresh with 10010
    PRIVATE = "private"  # 28001047
    DEREGISTERED = "deregistered"  # 28001045


class AccountFaults:
    """The account faults that a configuration requests."""

    def __init__(self, config: SandboxConfig) -> None:
        self._ends = (
            (config.dead_tokens, AccountFault.DEAD_TOKEN),
            (config.dead_tokens + config.private_accounts, AccountFault.PRIVATE),
            (config.dead_tokens + config.private_accounts + config.deregistered, AccountFault.DEREGISTERED),
        )

    def of(self, account: SandboxAccount) -> AccountFault | None:
        """Return the account's fault, which follows from its index alone.

        The golden ratio spreads the shares evenly over any number of accounts.
        """
        place = (_START + account.index * _GOLDEN) % 1
        return next((trouble for end, trouble in self._ends if place < end), None)

    def check(self, account: SandboxAccount) -> None:
        """Refuse a request for the data of a private or deregistered account."""
        trouble = self.of(account)
        if trouble is AccountFault.PRIVATE:
            raise Refusal(errors.PRIVATE)
        if trouble is AccountFault.DEREGISTERED:
            raise Refusal(errors.ACCOUNT_GONE)
