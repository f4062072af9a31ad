"""Refuse the calls of a run that would fail like an earlier one, without sending them."""

from __future__ import annotations

from catalog.records import Endpoint, Operation, Token
from resources.client.errors import CallFailed


class CircuitBreakers:
    """The open circuit breakers of one run, each with the failure that opened it."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str, str, bool], CallFailed] = {}

    def open(
        self, failure: CallFailed, *, operation: str = "", open_id: str = "", scope: str = "", business: bool = False
    ) -> None:
        """Refuse the calls of an operation, of an account, of its scope or with its business token, else all calls."""
        self._failures[operation, open_id, scope, business] = failure

    def close(self, open_id: str) -> None:
        """Allow the account's calls again, in every scope and with its business token."""
        self._failures = {key: failure for key, failure in self._failures.items() if key[1] != open_id}

    def check(self, endpoint: Endpoint | Operation, open_id: str) -> None:
        """Return if no open circuit breaker concerns this call.

        Raises:
            CallFailed: the failure that opened one, with this call's operation and account, and 0 requests.
        """
        if not self._failures:
            return
        for key in (
            ("", "", "", False),
            (endpoint.name, "", "", False),
            ("", open_id, "", False),
            ("", open_id, endpoint.quota, False),
            ("", open_id, "", endpoint.token is Token.BUSINESS),
        ):
            if (failure := self._failures.get(key)) is not None:
                raise failure.again(endpoint.name, open_id)
