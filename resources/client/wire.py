"""One request and what came back, without any decision about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import orjson

from catalog.envelopes import MalformedBody, Verdict, read_envelope
from catalog.records import Envelope
from resources.client.limits import Limiter
from resources.client.transport import AnswerTooLarge
from resources.config.clock import Clock


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. ``verdict`` is None where it is no answer of the platform; ``trouble`` then says why."""

    status: int
    body: bytes = field(repr=False)
    document: Any = field(repr=False)
    verdict: Verdict | None
    trouble: str
    sent_at: datetime
    observed_at: datetime


class NoResponse(Exception):
    """Nothing came back, or not all of it.

    ``sent`` is False where certainly nothing was sent either; asking ``again`` may help or not.
    """

    def __init__(self, reason: str, *, sent: bool = True, again: bool = True) -> None:
        super().__init__(reason)
        self.sent = sent
        self.again = again


_NOT_SENT = httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol
_NOT_AGAIN = AnswerTooLarge | httpx.UnsupportedProtocol


class Wire:
    """Sends requests under permits of the limiter and reads the envelope of what returns."""

    def __init__(self, http: httpx.AsyncClient, limiter: Limiter, clock: Clock) -> None:
        self._http = http
        self._limiter = limiter
        self._clock = clock

    async def send(
        self,
        request: httpx.Request | None,
        envelope: Envelope,
        scope: str,
        open_id: str = "",
        *,
        check: Callable[[], None] | None = None,
        begin: Callable[[], Awaitable[httpx.Request]] | None = None,
    ) -> Reply:
        """Send once: ``request``, or what ``begin`` gives when the call has its turn (see :meth:`Limiter.permit`).

        Raises:
            NoResponse: time-out, connection refused or cut, more bytes than are taken.
            QuotaExhausted: refused before sending.
        """
        async with self._limiter.permit(scope, open_id, check=check, begin=begin) as begun:
            sent_at = self._clock.now()
            try:
                response = await self._http.send(begun or request)
            except httpx.TransportError as error:
                raise NoResponse(
                    str(error), sent=not isinstance(error, _NOT_SENT), again=not isinstance(error, _NOT_AGAIN)
                ) from error
            observed_at = self._clock.now()
        document, verdict, trouble = read_reply(envelope, response.status_code, response.content)
        return Reply(response.status_code, response.content, document, verdict, trouble, sent_at, observed_at)


def read_reply(envelope: Envelope, status: int, body: bytes) -> tuple[Any, Verdict | None, str]:
    """Document, verdict, and what is wrong with the response if it is no answer of the platform.

    The platform answers its own errors with HTTP 200. A code in a body of another status is still
    believed, a success there is not: a gateway wrote it.
    """
    try:
        document = orjson.loads(body)
        verdict = read_envelope(envelope, document)
    except orjson.JSONDecodeError:
        return None, None, f"HTTP {status}, and the body is not JSON ({len(body)} bytes)"
    except MalformedBody as error:
        return document, None, f"HTTP {status}, and {error}"
    except Exception as error:  # whatever a body may do to its reading, it goes to the archive
        return None, None, f"HTTP {status}, and the body cannot be read ({type(error).__name__})"
    if status != 200 and verdict.code == 0:
        return document, None, f"HTTP {status}"
    return document, verdict, ""
