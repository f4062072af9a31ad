"""Serve two ASGI applications: ``POST /webhook/<client_key>`` for the platform, ``/healthz`` and ``/metrics``.

An event gets status 200 only when it is on disk. Every other status is a refusal, after which the platform retries or
gives up: 401 for a wrong signature, 400 for a body that is no event, 413 for one that is too large, 503 while it cannot
be stored. Bodies and signatures are not logged, and the same line is logged once a minute.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from apps.receiver.committer import Committer, Unavailable
from catalog.events import EVENT_NAMES
from resources.config.clock import Clock
from resources.config.log_repeats import Repeats
from resources.config.settings_parts import App
from resources.state import State
from resources.state.inbox import Event, OptOutOf, content_of, make_event

log = logging.getLogger(__name__)

SIGNATURE, MESSAGE_ID = "x-douyin-signature", "msg-id"
PATIENCE_S = 4.0
"""Seconds to store an event; the platform waits five for a response."""


class _Refused(Exception):
    """A request that is not stored.

    ``word`` is its label in the metrics, ``detail`` the text in the log in place of the reason.
    """

    def __init__(self, status: int, word: str, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.status, self.word, self.detail = status, word, detail or reason


@dataclass
class Metrics:
    """Metrics of one receiver."""

    def __post_init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "douyin_webhook_requests", "Requests by app and result", ["app", "result"], registry=self.registry
        )
        self.events = Counter(
            "douyin_webhook_events", "New events by app and name", ["app", "event"], registry=self.registry
        )
        self.cut = Counter(
            "douyin_webhook_connections_cut",
            "Connections that were cut off, by reason",
            ["reason"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "douyin_webhook_seconds",
            "Time to the answer",
            buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self.registry,
        )


def signature_of(secret: str, body: bytes) -> str:
    """Compute the platform's signature: SHA-1 of the secret followed by the raw body, in hexadecimal."""
    return hashlib.sha1(secret.encode() + body, usedforsecurity=False).hexdigest()


class Receiver:
    """The webhook receiver: checks, stores and acknowledges events.

    Args:
        listener: called with each new event after it is on disk.
        opt_out_of: finds the person who opts out; that person is on the opt-out list when the event is on disk.
    """

    def __init__(
        self,
        apps: Iterable[App],
        state: State,
        clock: Clock,
        *,
        body_bytes: int,
        listener: Callable[[Event], None] | None = None,
        opt_out_of: OptOutOf = lambda _: None,
        patience_s: float = PATIENCE_S,
        workers: Iterable[Callable[[], Any]] = (),
    ) -> None:
        self._secrets = {app.client_key: _secrets_of(app) for app in apps}
        self._clock = clock
        self._body_bytes = body_bytes
        self._listener = listener
        self._committer = Committer(state, patience_s, opt_out_of)
        self._workers = tuple(workers)
        self._repeats = Repeats()
        self.metrics = Metrics()
        self.app = Starlette(
            routes=[Route("/webhook/{client_key}", self._webhook, methods=["POST"])], lifespan=self._lifespan
        )
        self.operations = Starlette(
            routes=[Route("/healthz", self._health, methods=["GET"]), Route("/metrics", self._metrics, methods=["GET"])]
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._committer.run()), *(asyncio.create_task(work()) for work in self._workers)]
        for task in tasks[1:]:
            task.add_done_callback(_say_why)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError, Exception):
                    await task
            self._committer.close()

    # ---- the webhook

    async def _webhook(self, request: Request) -> Response:
        began, app = time.perf_counter(), request.path_params["client_key"]
        try:
            answer, word = await self._receive(request, app)
        except _Refused as refused:
            answer, word = JSONResponse({"error": str(refused)}, refused.status), refused.word
            line = self._repeats.line(
                f"webhook of {app if app in self._secrets else 'an unknown app'} refused: {refused.detail}"
            )
            if line is not None:
                log.warning("%s", line)
        except ClientDisconnect:
            answer, word = Response(status_code=400), "cut off"
        self.metrics.requests.labels(app if app in self._secrets else "unknown", word).inc()
        self.metrics.seconds.observe(time.perf_counter() - began)
        return answer

    async def _receive(self, request: Request, app: str) -> tuple[Response, str]:
        secrets = self._secrets.get(app)
        if secrets is None:
            raise _Refused(404, "unknown app", "no such app here")
        body = await self._body(request)
        self._check_signature(secrets, body, request.headers.get(SIGNATURE, ""))
        envelope = _envelope(app, body)
        event = make_event(app, body, envelope, request.headers.get(MESSAGE_ID) or None, self._clock.now())
        challenge = _challenge(event) if event.event == "verify_webhook" else None
        try:
            is_new = await self._committer.store(event)
        except Unavailable as error:
            raise _Refused(503, "unavailable", str(error), error.detail) from error
        if is_new:
            self.metrics.events.labels(app, event.event if event.event in EVENT_NAMES else "unknown").inc()
            if self._listener is not None:
                self._listener(event)
        answer = JSONResponse({"challenge": challenge}) if challenge is not None else JSONResponse({"err_no": 0})
        return answer, "stored" if is_new else "duplicate"

    async def _body(self, request: Request) -> bytes:
        """Read the raw body.

        A body whose stated length is too large is not read; any other is read up to the limit.
        """
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > self._body_bytes:
            raise self._too_large()
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._body_bytes:
                raise self._too_large()
        return bytes(body)

    def _too_large(self) -> _Refused:
        return _Refused(413, "too large", f"the body is larger than {self._body_bytes} bytes")

    def _check_signature(self, secrets: tuple[str, ...], body: bytes, signature: str) -> None:
        """Compare with every secret, always all of them and in constant time: the duration reveals nothing."""
        given = signature.lower().encode("latin-1", "replace")
        matches = [hmac.compare_digest(signature_of(secret, body).encode(), given) for secret in secrets]
        if not any(matches):
            raise _Refused(401, "bad signature", "the signature is wrong")

    # ---- for operators

    async def _health(self, _: Request) -> Response:
        try:
            await self._committer.check()
        except Unavailable as error:
            return JSONResponse({"status": "unavailable", "reason": str(error)}, 503)
        return JSONResponse({"status": "ok", "apps": len(self._secrets)})

    async def _metrics(self, _: Request) -> Response:
        return Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _secrets_of(app: App) -> tuple[str, ...]:
    old = app.client_secret_old
    return (app.client_secret.get_secret_value(), *((old.get_secret_value(),) if old else ()))


def _envelope(app: str, body: bytes) -> Mapping[str, Any]:
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _Refused(400, "malformed", "the body is no JSON") from error
    if not isinstance(envelope, dict) or not isinstance(envelope.get("event"), str) or not envelope["event"]:
        raise _Refused(400, "malformed", "the body is no event")
    if envelope.get("client_key") not in (None, "", app):
        raise _Refused(400, "malformed", "the event is of another app than the path")
    return envelope


def _challenge(event: Event) -> int:
    challenge = content_of(event.envelope).get("challenge")
    if not isinstance(challenge, int) or isinstance(challenge, bool):
        raise _Refused(400, "malformed", "verify_webhook has no challenge")
    return challenge


def _say_why(task: asyncio.Task) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a worker of the receiver ended: %s", task.exception(), exc_info=task.exception())
