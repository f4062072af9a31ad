"""Run the people and webhooks of one app: orders of the control plane, and events that become due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import asdict
from typing import Any

from sandbox.actions import PersonActions
from sandbox.answers.ops import EVENTS, subscriptions
from sandbox.apps import SandboxApp
from sandbox.clock import HOUR_S, SandboxClock
from sandbox.config import SandboxConfig
from sandbox.events import invented, webhook
from sandbox.webhooks import Webhooks, read_delivery
from sandbox.world.accounts import SandboxAccount
from sandbox.world.lead_events import EVENTS as HAPPENINGS
from sandbox.world.leads import CustomerEvent

MOST_AT_ONCE = 2_000
"""Events of the world that one move of the clock delivers at most; older ones are lost, as for a receiver that was
down.
"""
MAX_DELIVERED_ACCOUNTS = 100
"""Number of accounts whose customers' own events are delivered; events that are ordered or sent are delivered for all
accounts.
"""
_AHEAD_S = HOUR_S
"""How far ahead the events of an account are computed, so that each tick of the real clock is cheap."""


class AppRuntime:
    """The people and webhooks of one app."""

    def __init__(self, app: SandboxApp, config: SandboxConfig, secret: str, clock: SandboxClock) -> None:
        self._app, self._world, self._clock = app, app.world, clock
        self.overlay = app.world.leads.overlay
        self.actions = PersonActions(app, config)
        self.webhooks = Webhooks(app.client_key, secret, config.seed, self._subscribed, self._unsubscribe)
        self.overlay.emit = self.webhooks.emit
        self._answered = 0
        self._delivered_until: float | None = None
        self._delivery_lock = asyncio.Lock()
        self._ahead: dict[int, tuple[float, float, tuple[CustomerEvent, ...]]] = {}
        """Per account: the events from an instant on and before another."""

    def _subscribed(self, event: str) -> bool:
        return bool(subscriptions(self._world, self._clock.now())[event])

    def _unsubscribe(self) -> None:
        self.overlay.subscriptions |= dict.fromkeys(EVENTS, 0)

    def _account(self, open_id: str | None) -> SandboxAccount:
        account = self._world.accounts[0] if open_id is None else self._world.account(open_id)
        if account is None:
            raise ValueError(f"no account has the open_id {open_id!r}")
        return account

    # ---- time

    def advance(self, now: float) -> None:
        """Let people react to messages, and carry out scheduled actions until ``now``."""
        while self._answered < len(self.overlay.sent):
            sent = self.overlay.sent[self._answered]
            self._answered += 1
            if sent.number:
                self.actions.answer(self._world.accounts[sent.account], sent, sent.at)
        if self.overlay.scheduled:
            self.actions.pump(now)

    async def deliver_events(self, now: float) -> None:
        """Deliver the world's events since the last call.

        For many accounts this takes a while; it yields, so that other requests are served meanwhile.
        """
        async with self._delivery_lock:
            start, self._delivered_until = self._delivered_until, None if self._delivered_until is None else now
            if start is None or start >= now:
                return
            found: list[tuple[int, SandboxAccount, CustomerEvent]] = []
            for account in self._world.accounts[:MAX_DELIVERED_ACCOUNTS]:
                if self._look_ahead(account, start, now):
                    await asyncio.sleep(0)
                events = self._ahead[account.index][2]
                found += [(e.at_ms, account, e) for e in events if start * 1_000 <= e.at_ms < now * 1_000]
            for _, account, event in sorted(found, key=lambda one: one[0])[-MOST_AT_ONCE:]:
                self.webhooks.emit(webhook(self._world, account, self._app.client_key, event))

    def _look_ahead(self, account: SandboxAccount, start: float, now: float) -> bool:
        """Compute the account's events ahead where they are not cached; report whether they were not."""
        since, until, _ = self._ahead.get(account.index, (0.0, 0.0, ()))
        if since <= start and now <= until:
            return False
        until = max(now, start + _AHEAD_S)
        events = tuple(e for e in self._world.leads.foreseen(account, start, until) if e.happening in HAPPENINGS)
        self._ahead[account.index] = (start, until, events)
        return True

    def forget(self) -> None:
        """Undo all actions through the API and the control plane: the world follows the seed alone again."""
        self.overlay.forget()
        self._answered = 0

    # ---- orders

    def people(self, open_id: str | None, now: float, limit: int) -> list[dict[str, Any]]:
        """Return the newest customers of an account, with what is known of them."""
        account = self._account(open_id)
        return [
            {
                "person": self._world.people.ids.write(c.number),
                "consents": c.consents(now),
                "follows": c.is_following(now),
                "tags": c.tags_at(now),
                "events": sum(e.at_ms <= now * 1_000 for e in c.events),
            }
            for c in self._world.leads.known(account, now)[-limit:]
        ]

    def act(self, order: Mapping[str, Any], now: float) -> dict:
        """Carry out an order to a person and return the event's body.

        Raises:
            ValueError: the account, the person or the action is unknown.
        """
        account = self._account(order.get("account"))
        if order.get("does") == "unauthorize":  # the account's owner acts, and needs no customers for it
            return self.actions.unauthorize(account, now)
        customer = self.actions.someone(account, order.get("person"), now)
        return self.actions.act(account, customer, str(order.get("does")), now, order.get("text") or "")

    def invent(self, order: Mapping[str, Any], now: float) -> dict:
        """Deliver an invented event and return its body.

        Raises:
            ValueError: the event or the account is unknown.
        """
        account = self._account(order.get("account"))
        person = order.get("person") or self._world.people.ids.write(self.actions.someone(account, None, now).number)
        given, as_text = order.get("content") or {}, order.get("as_text")
        body = invented(
            str(order.get("event")), self._world, self._app.client_key, account, person, now, given, as_text=as_text
        )
        if order.get("event") == "unauthorize":
            self._app.tokens.revoke(account.open_id)
        self.webhooks.emit(body)
        return body

    def messages(self) -> list[dict[str, Any]]:
        """Return the calls that sent messages, oldest first, without their texts."""
        write = self._world.people.ids.write
        return [
            {
                "account": self._world.accounts[s.account].open_id,
                "person": write(s.number) if s.number else "",
                "scene": s.scene,
                "window": s.window,
                "types": list(s.types),
                "message_ids": list(s.message_ids),
                "at": s.at,
                "client_msg_id": s.client_msg_id,
                "recalled": any(m in self.overlay.recalled for m in s.message_ids),
            }
            for s in self.overlay.sent
        ]

    def deliver(self, order: Mapping[str, Any], now: float) -> Awaitable[dict]:
        """Change the delivery.

        Returns:
            An awaitable of the new delivery, with the result of the receiver's challenge.
        """
        self.webhooks.set(read_delivery(self.webhooks.delivery, dict(order)))
        self._delivered_until = now if self.webhooks.delivery.url else None

        async def verified() -> dict:
            return {**self.describe(), "verified": bool(self.webhooks.delivery.url) and await self.webhooks.verify()}

        return verified()

    def describe(self) -> dict[str, Any]:
        """Describe how events are delivered, and what became of them."""
        return {
            "delivery": asdict(self.webhooks.delivery),
            "pending": self.webhooks.pending,
            "counts": dict(self.webhooks.counts),
        }
