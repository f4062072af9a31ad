"""Send one request and decode its response, without deciding what follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import httpx
import orjson

from catalog.envelopes import MalformedBody, Verdict, read_envelope
from catalog.records import Envelope
from resources.client.limits import Limiter
from resources.client.transport import AnswerTooLarge
from resources.config.clock import Clock


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; ``verdict`` is None if it is not the platform's own, and ``trouble`` then says why."""

    status: int
    body: bytes = field(repr=False)
    document: Any = field(repr=False)
    verdict: Verdict | None
    trouble: str
    sent_at: datetime
    observed_at: datetime


class NoResponse(Exception):
    """No response, or only a part of one.

    ``sent`` is False if certainly nothing was sent; ``again`` is True if a retry may help.
    """

    def __init__(self, reason: str, *, sent: bool = True, again: bool = True) -> None:
        super().__init__(reason)
        self.sent = sent
        self.again = again


_NOT_SENT = httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol
_NOT_AGAIN = AnswerTooLarge | httpx.UnsupportedProtocol


class Wire:
    """Sender of requests under the rate limiter's permits, which also decodes the envelopes of responses."""

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
        """Send a request once and return the decoded response.

        ``begin``, if given, creates the request when the call may start (see :meth:`Limiter.permit`).

        Raises:
            NoResponse: time-out, connection refused or cut, or a body above the size limit.
            QuotaExhausted: refused before sending.
        """
        async with self._limiter.permit(scope, open_id, check=check, begin=begin) as begun:
            sent_at = self._clock.now()
            try:
                response = await self._http.send(cast(httpx.Request, begun or request))  # one of them is given
            except httpx.TransportError as error:
                raise NoResponse(
                    str(error), sent=not isinstance(error, _NOT_SENT), again=not isinstance(error, _NOT_AGAIN)
                ) from error
            observed_at = self._clock.now()
        document, verdict, trouble = read_reply(envelope, response.status_code, response.content)
        return Reply(response.status_code, response.content, document, verdict, trouble, sent_at, observed_at)


def read_reply(envelope: Envelope, status: int, body: bytes) -> tuple[Any, Verdict | None, str]:
    """Decode a response to its document, its verdict, and the problem if it is not the platform's own.

    The platform sends its own errors with HTTP 200. An error code in a body of another status is still trusted; a
    success there is not, since a gateway wrote it.
    """
    try:
        document = orjson.loads(body)
        verdict = read_envelope(envelope, document)
    except orjson.JSONDecodeError:
        return None, None, f"HTTP {status}, and the body is not JSON ({len(body)} bytes)"
    except MalformedBody as error:
        return document, None, f"HTTP {status}, and {error}"
    except Exception as error:  # the body is archived, whatever makes decoding fail
        return None, None, f"HTTP {status}, and the body cannot be read ({type(error).__name__})"
    if status != 200 and verdict.code == 0:
        return document, None, f"HTTP {status}"
    return document, verdict, ""
