"""Serve the control plane under ``/_sandbox/``: clock, faults, stats, accounts, health.

It is not part of the platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.account_faults import AccountFaults
from sandbox.app_runtime import AppRuntime
from sandbox.apps import SandboxApp
from sandbox.clock import SandboxClock
from sandbox.faults import Faults, read_fault
from sandbox.http import Request
from sandbox.stats import Stats
from sandbox.tokens import EVERYTHING

PREFIX = "/_sandbox/"
_KINDS = {"account": str, "person": str, "does": str, "text": str, "event": str, "content": dict, "as_text": bool}
"""Members of orders to people."""


class Control:
    """Handler of control requests."""

    def __init__(
        self,
        apps: Mapping[str, SandboxApp],
        account_faults: AccountFaults,
        clock: SandboxClock,
        faults: Faults,
        stats: Stats,
        operations: Mapping[str, Any],
        runtimes: Mapping[str, AppRuntime],
    ) -> None:
        self._apps, self._account_faults, self._clock = apps, account_faults, clock
        self._first = next(iter(apps.values()))
        self._faults, self._stats, self._operations, self._runtimes = faults, stats, operations, runtimes
        self._routes = {
            ("GET", "clock"): self._get_clock,
            ("PUT", "clock"): self._put_clock,
            ("GET", "faults"): lambda _: self._faults.describe(),
            ("POST", "faults"): self._post_faults,
            ("DELETE", "faults"): self._delete_faults,
            ("GET", "stats"): lambda _: self._stats.describe(),
            ("DELETE", "stats"): self._delete_stats,
            ("GET", "accounts"): self._accounts,
            ("GET", "people"): self._get_people,
            ("POST", "people"): self._post_people,
            ("DELETE", "people"): self._delete_people,
            ("POST", "events"): self._post_events,
            ("GET", "messages"): self._messages,
            ("GET", "webhooks"): lambda request: self._runtime(request.query).describe(),
            ("PUT", "webhooks"): self._put_webhooks,
            ("GET", "health"): lambda _: {
                "status": "ok",
                "seed": self._first.world.seed,
                "accounts": len(self._first.world.accounts),
            },
        }

    def answer(self, request: Request) -> tuple[int, Any]:
        """Return status and JSON value: 404 for another path, 400 with a reason for a wrong request."""
        route = self._routes.get((request.method, request.path.removeprefix(PREFIX).rstrip("/")))
        if route is None:
            return 404, {"error": "no such control"}
        try:
            return 200, route(request)
        except ValueError as error:
            return 400, {"error": str(error)}

    def _get_clock(self, _: Request) -> dict:
        return {"now": self._clock.isoformat(), "frozen": self._clock.frozen}

    def _put_clock(self, request: Request) -> dict:
        body = request.json()
        if not isinstance(body, dict) or "now" not in body:
            raise ValueError('send {"now": "2026-11-16T10:30:00+08:00"}, or {"now": null} for the real clock')
        self._clock.set(None if body["now"] is None else datetime.fromisoformat(body["now"]))
        return self._get_clock(request)

    def _post_faults(self, request: Request) -> list[dict]:
        body = request.json()
        orders = body if isinstance(body, list) else [body]
        self._faults.add([read_fault(order, self._operations) for order in orders])
        return self._faults.describe()

    def _delete_faults(self, _: Request) -> list[dict]:
        self._faults.clear()
        return []

    def _delete_stats(self, _: Request) -> dict:
        self._stats.reset()
        return self._stats.describe()

    # ---- people, messages, webhooks

    def _runtime(self, given: Mapping[str, Any]) -> AppRuntime:
        key = given.get("client_key", self._first.client_key)
        if not isinstance(key, str) or key not in self._runtimes:
            raise ValueError(f"no app has the client_key {key!r}; there are {', '.join(self._runtimes)}")
        return self._runtimes[key]

    def _order(self, request: Request) -> dict[str, Any]:
        body = request.json()
        if not isinstance(body, dict):
            raise ValueError("send a JSON object")
        for member, kind in _KINDS.items():
            if body.get(member) is not None and not isinstance(body[member], kind):
                raise ValueError(f"{member} is no {kind.__name__}")
        return body

    def _get_people(self, request: Request) -> list[dict]:
        """List customers of an account: ``account`` (open_id), ``limit`` (the newest so many)."""
        runtime = self._runtime(request.query)
        limit = int(request.query.get("limit", 50))
        if limit < 1:
            raise ValueError("limit is at least 1")
        return runtime.people(request.query.get("account"), self._clock.now(), limit)

    def _post_people(self, request: Request) -> dict:
        """Let a person act now and return the event: ``does``; optional ``account``, ``person``, ``text``."""
        order = self._order(request)
        return self._runtime(order).act(order, self._clock.now())

    def _delete_people(self, request: Request) -> list:
        """Undo all actions, through the API or here."""
        self._runtime(request.query).forget()
        return []

    def _post_events(self, request: Request) -> dict:
        """Deliver an invented event of any kind.

        Members: ``event``, and optionally ``account``, ``person``, ``content`` and ``as_text``.
        """
        order = self._order(request)
        return self._runtime(order).invent(order, self._clock.now())

    def _messages(self, request: Request) -> list[dict]:
        """List every call that sent messages through the API."""
        return self._runtime(request.query).messages()

    def _put_webhooks(self, request: Request) -> Any:
        """Change the delivery of events and return whether the receiver answered the challenge."""
        order = self._order(request)
        return self._runtime(order).deliver({k: v for k, v in order.items() if k != "client_key"}, self._clock.now())

    def _accounts(self, request: Request) -> list[dict]:
        """List the accounts, each with a new authorization code and its fault, if any.

        ``scopes`` (comma separated) limits what the code grants; ``client_key`` names the app (default: the first).
        ``fans`` excludes the fans brought by single videos, which would take too long to add up for thousands of
        accounts.
        """
        scope, key = request.query.get("scopes", EVERYTHING), request.query.get("client_key", self._first.client_key)
        app = self._apps.get(key)
        if app is None:
            raise ValueError(f"no app has the client_key {key!r}; there are {', '.join(self._apps)}")
        return [
            {
                "open_id": a.open_id,
                "name": a.nickname,
                "category": a.category,
                "fans": app.world.series.own_fans(a, self._clock.now()),
                "index": a.index,
                "trouble": self._account_faults.of(a),
                "code": app.tokens.authorize(a.open_id, scope),
            }
            for a in app.world.accounts
        ]
