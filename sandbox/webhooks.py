"""Delivery of webhooks: signed, at least once, in no certain order, to receivers that may be slow or gone."""

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

from sandbox.acting import fingerprint

AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Delivery:
    """How events are delivered. Rates are shares from 0 to 1; ``give_up_after`` events in a row that nobody took end all subscriptions."""

    url: str = ""
    duplicates: float = 0.0
    disorder: float = 0.0
    bad_signatures: float = 0.0
    timeout_s: float = 5.0
    retries: int = 3
    retry_s: float = 1.0
    give_up_after: int = 20

    def __post_init__(self) -> None:
        if self.url and urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError("url must begin with http:// or https://")
        if not all(0 <= rate <= 1 for rate in (self.duplicates, self.disorder, self.bad_signatures)):
            raise ValueError("duplicates, disorder and bad_signatures are shares from 0 to 1")
        if self.timeout_s <= 0 or self.retries < 0 or self.retry_s < 0 or self.give_up_after < 1:
            raise ValueError("timeout_s and give_up_after are above 0, retries and retry_s not below")


def read_delivery(before: Delivery, order: dict[str, Any]) -> Delivery:
    """``before`` with what an order changes.

    Raises:
        ValueError: a member is unknown or of the wrong kind.
    """
    known = {f.name: type(f.default) for f in fields(Delivery)}
    for member, value in order.items():
        if member not in known:
            raise ValueError(f"{member} is none of {', '.join(known)}")
        if not isinstance(value, str if known[member] is str else (int, float)) or isinstance(value, bool):
            raise ValueError(f"{member} is no {known[member].__name__}")
    return replace(before, **order)


class Webhooks:
    """Delivers the events of one app. ``subscribed`` tells whether an event is wanted; ``unsubscribe`` ends all subscriptions."""

    def __init__(self, secret: str, seed: int, subscribed: Callable[[str], bool], unsubscribe: Callable[[], None]) -> None:
        self._secret, self._subscribed, self._unsubscribe = secret, subscribed, unsubscribe
        self._draw = random.Random(seed)
        self.delivery = Delivery()
        self.counts: Counter[str] = Counter()
        self._missed = 0
        self._queue: asyncio.Queue[tuple[dict[str, Any], str]] | None = None
        self._tasks: list[asyncio.Task] = []
        self._http: httpx.AsyncClient | None = None

    def set(self, delivery: Delivery) -> None:
        self.delivery, self._missed = delivery, 0

    def emit(self, body: dict[str, Any]) -> None:
        """Deliver an event soon; nothing where there is no address or no subscription."""
        if not self.delivery.url:
            return
        if not self._subscribed(body["event"]):
            self.counts["not subscribed"] += 1
            return
        if self._queue is None:
            self._queue = asyncio.Queue()
            self._http = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=AT_ONCE))
            self._tasks = [asyncio.get_running_loop().create_task(self._work()) for _ in range(AT_ONCE)]
        self.counts["events"] += 1
        copies = 2 if self._draw.random() < self.delivery.duplicates else 1
        self.counts["duplicates"] += copies - 1
        for _ in range(copies):
            self._queue.put_nowait((body, fingerprint(body)))

    async def verify(self) -> bool:
        """Whether the receiver answers the challenge."""
        challenge = self._draw.randrange(1_000_000)
        body = {"event": "verify_webhook", "client_key": "", "from_user_id": "", "to_user_id": "", "content": {"challenge": challenge}}
        raw = orjson.dumps(body)
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                reply = await http.post(self.delivery.url, content=raw, headers=self._headers(raw, fingerprint(body)), timeout=self.delivery.timeout_s)
            return reply.status_code == 200 and reply.json().get("challenge") == challenge
        except (httpx.HTTPError, ValueError):
            return False

    def _headers(self, raw: bytes, message_id: str) -> dict[str, str]:
        signature = hashlib.sha1(self._secret.encode() + raw, usedforsecurity=False).hexdigest()
        return {"content-type": "application/json", "x-douyin-signature": signature, "msg-id": message_id}

    async def _work(self) -> None:
        while True:
            body, message_id = await self._queue.get()
            delivery = self.delivery
            if self._draw.random() < delivery.disorder:
                await asyncio.sleep(self._draw.uniform(0.01, 0.2))
            if self._draw.random() < delivery.bad_signatures:
                await self._forge(body, message_id)
            await self._deliver(body, message_id, delivery)

    async def _forge(self, body: dict[str, Any], message_id: str) -> None:
        """Somebody else posts something that looks like the event."""
        raw = orjson.dumps({**body, "log_id": "forged"})
        headers = self._headers(raw, message_id) | {"x-douyin-signature": f"{self._draw.getrandbits(160):040x}"}
        self.counts["forged"] += 1
        with contextlib.suppress(httpx.HTTPError):
            await self._http.post(self.delivery.url, content=raw, headers=headers, timeout=self.delivery.timeout_s)

    async def _deliver(self, body: dict[str, Any], message_id: str, delivery: Delivery) -> None:
        raw = orjson.dumps(body)
        for attempt in range(1 + delivery.retries):
            if attempt:
                self.counts["retries"] += 1
                await asyncio.sleep(delivery.retry_s)
            self.counts["posts"] += 1
            try:
                reply = await self._http.post(delivery.url, content=raw, headers=self._headers(raw, message_id), timeout=delivery.timeout_s)
            except httpx.HTTPError:
                continue
            if reply.status_code == 200:
                self.counts["acknowledged"] += 1
                self._missed = 0
                return
        self.counts["given up"] += 1
        self._missed += 1
        if self._missed >= delivery.give_up_after:
            self.counts["unsubscribed"] += 1
            self._missed = 0
            self._unsubscribe()

    @property
    def pending(self) -> int:
        """Events that wait to be delivered."""
        return 0 if self._queue is None else self._queue.qsize()
