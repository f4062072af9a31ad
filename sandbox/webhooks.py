"""Deliver webhooks to receivers that may be slow or down: signed, at least once, in no certain order."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from sandbox.actions import fingerprint

AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Delivery:
    """How events are delivered.

    Rates are shares from 0 to 1; ``give_up_after`` undelivered events in a row end all subscriptions.
    """

    url: str = ""
    duplicates: float = 0.0
    disorder: float = 0.0
    bad_signatures: float = 0.0
    timeout_s: float = 5.0
    retries: int = 3
    retry_s: float = 1.0
    give_up_after: int = 20

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if self.url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0):
            raise ValueError("url must begin with http:// or https:// and name a host")
        if not all(0 <= rate <= 1 for rate in (self.duplicates, self.disorder, self.bad_signatures)):
            raise ValueError("duplicates, disorder and bad_signatures are shares from 0 to 1")
        if self.timeout_s <= 0 or self.retries < 0 or self.retry_s < 0 or self.give_up_after < 1:
            raise ValueError("timeout_s and give_up_after are above 0, retries and retry_s not below")


def read_delivery(before: Delivery, order: dict[str, Any]) -> Delivery:
    """Return ``before`` with the changes of an order.

    Raises:
        ValueError: a member is unknown or of the wrong type.
    """
    known = {f.name: type(f.default) for f in fields(Delivery)}
    for member, value in order.items():
        if member not in known:
            raise ValueError(f"{member} is none of {', '.join(known)}")
        if not isinstance(value, (int, float) if known[member] is float else known[member]) or isinstance(value, bool):
            raise ValueError(f"{member} is no {known[member].__name__}")
    return replace(before, **order)


@dataclass(frozen=True, slots=True)
class _Copy:
    """One waiting delivery of an event.

    ``late_s`` and ``forged`` were decided when the event occurred, so that they follow from seed and event.
    """

    body: dict[str, Any]
    message_id: str
    late_s: float
    forged: bool


class Webhooks:
    """The deliveries of one app's events.

    ``subscribed`` reports whether an event is wanted; ``unsubscribe`` ends all subscriptions.

    ``counts``: ``events`` that were to be delivered and ``duplicates`` of them, each of which ends as ``acknowledged``
    or ``given up``; ``posts`` are all attempts, ``retries`` those after the first; ``forged`` posts, ``not subscribed``
    events, and how often a receiver was ``unsubscribed``.
    """

    def __init__(
        self,
        client_key: str,
        secret: str,
        seed: int,
        subscribed: Callable[[str], bool],
        unsubscribe: Callable[[], None],
    ) -> None:
        self._client_key, self._secret, self._seed = client_key, secret, seed
        self._subscribed, self._unsubscribe = subscribed, unsubscribe
        self.delivery = Delivery()
        self.counts: Counter[str] = Counter()
        self._missed, self._challenges, self._under_way = 0, 0, 0
        self._queue: asyncio.Queue[_Copy] | None = None
        self._tasks: list[asyncio.Task] = []

    def set(self, delivery: Delivery) -> None:
        """Use another delivery from now on, and forget the failures counted so far."""
        self.delivery, self._missed = delivery, 0

    def emit(self, body: dict[str, Any]) -> None:
        """Queue an event for delivery; drop it if there is no address or no subscription."""
        if not self.delivery.url:
            return
        if not self._subscribed(body["event"]):
            self.counts["not subscribed"] += 1
            return
        if self._queue is None:
            self._queue = asyncio.Queue()
            http = httpx.AsyncClient(trust_env=False, timeout=None, limits=httpx.Limits(max_connections=AT_ONCE))
            work = (self._work(self._queue, http) for _ in range(AT_ONCE))
            self._tasks = [asyncio.get_running_loop().create_task(one) for one in work]
        self.counts["events"] += 1
        message_id = fingerprint(body)
        draw, rates = random.Random(f"{self._seed} {message_id}"), self.delivery
        copies = 2 if draw.random() < rates.duplicates else 1
        self.counts["duplicates"] += copies - 1
        for _ in range(copies):
            late_s = draw.uniform(0.01, 0.2) if draw.random() < rates.disorder else 0.0
            self._queue.put_nowait(_Copy(body, message_id, late_s, draw.random() < rates.bad_signatures))
            self._under_way += 1

    async def verify(self) -> bool:
        """Send a challenge and report whether the receiver returns the same integer."""
        self._challenges += 1
        challenge = random.Random(f"{self._seed} challenge {self._challenges}").randrange(1_000_000)
        body = {
            "event": "verify_webhook",
            "client_key": self._client_key,
            "from_user_id": "",
            "to_user_id": "",
            "content": {"challenge": challenge},
        }
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=None) as http:
                reply = await self._post(http, self.delivery, orjson.dumps(body), fingerprint(body))
            answer = reply.json()
        except (httpx.HTTPError, TimeoutError, ValueError):
            return False
        return reply.status_code == 200 and isinstance(answer, dict) and answer.get("challenge") == challenge

    async def _post(
        self, http: httpx.AsyncClient, delivery: Delivery, raw: bytes, message_id: str, signature: str | None = None
    ) -> httpx.Response:
        """Post a body and wait up to ``timeout_s`` for the whole response, however slowly it comes.

        Raises:
            TimeoutError: the response was not complete in time.
            httpx.HTTPError: there was no response.
        """
        if signature is None:
            signature = hashlib.sha1(self._secret.encode() + raw, usedforsecurity=False).hexdigest()
        headers = {"content-type": "application/json", "x-douyin-signature": signature, "msg-id": message_id}
        async with asyncio.timeout(delivery.timeout_s):
            return await http.post(delivery.url, content=raw, headers=headers)

    async def _work(self, queue: asyncio.Queue[_Copy], http: httpx.AsyncClient) -> None:
        while True:
            copy = await queue.get()
            if copy.late_s:
                await asyncio.sleep(copy.late_s)
            delivery = self.delivery
            if delivery.url and self._subscribed(copy.body["event"]):
                if copy.forged:
                    await self._forge(http, copy, delivery)
                await self._deliver(http, copy, delivery)
            else:  # the receiver was removed while the event waited
                self.counts["given up"] += 1
            self._under_way -= 1

    async def _forge(self, http: httpx.AsyncClient, copy: _Copy, delivery: Delivery) -> None:
        """Post a forgery that looks like the event, with a wrong signature."""
        raw = orjson.dumps({**copy.body, "log_id": "forged"})
        signature = f"{random.Random(f'{self._seed} forged {copy.message_id}').getrandbits(160):040x}"
        self.counts["forged"] += 1
        with contextlib.suppress(httpx.HTTPError, TimeoutError):
            await self._post(http, delivery, raw, copy.message_id, signature)

    async def _deliver(self, http: httpx.AsyncClient, copy: _Copy, delivery: Delivery) -> None:
        raw = orjson.dumps(copy.body)
        for attempt in range(1 + delivery.retries):
            if attempt:
                self.counts["retries"] += 1
                await asyncio.sleep(delivery.retry_s)
            self.counts["posts"] += 1
            try:
                reply = await self._post(http, delivery, raw, copy.message_id)
            except (httpx.HTTPError, TimeoutError):
                continue
            if reply.status_code == 200:
                self.counts["acknowledged"] += 1
                self._missed = 0
                return
        self.counts["given up"] += 1
        if delivery.url != self.delivery.url:  # the failure of a former receiver
            return
        self._missed += 1
        if self._missed >= delivery.give_up_after:
            self.counts["unsubscribed"] += 1
            self._missed = 0
            self._unsubscribe()

    @property
    def pending(self) -> int:
        """Deliveries that wait or are under way."""
        return self._under_way
