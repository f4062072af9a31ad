"""HTTP transport: httpx's interface over reqwest, at about a tenth of the CPU time of httpx's own pool.

``benchmarks/client.py`` prints the ratios, also to ``pyreqwest.compatibility.httpx``. Unlike that library, this
transport reads each body in one step, which also maps errors in the middle of a body, and has a total time-out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
from pyreqwest import exceptions
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.proxy import ProxyBuilder

from resources.config.redaction import guard_loggers
from resources.config.settings import Settings

_IDLE = timedelta(seconds=30)
"""Idle time after which connections close, less than a load balancer's usual minute: requests would fail otherwise."""


_SETTLE_S = 0.05
_CONNECTING = "client error (Connect)"
"""Cause named by errors that happen before anything is sent: look-up, TCP, TLS, the tunnel of a proxy."""


def make_http(settings: Settings) -> httpx.AsyncClient:
    """Create the HTTP client of one run.

    TLS is verified; there are no redirects (they lose bodies) and no cookies; each call in flight has its own
    connection. Proxies come from ``DOUYIN_PROXY``, else from ``HTTP(S)_PROXY``/``ALL_PROXY``/``NO_PROXY``, and extra
    trusted roots from ``SSL_CERT_FILE``. Bodies arrive decompressed and without their ``Content-Encoding`` header, so
    that nothing decodes them twice. Reading stops at ``DOUYIN_ANSWER_BYTES``.
    """
    guard_loggers("httpx")
    return DirectClient(transport=_Transport(_reqwest(settings), settings.answer_bytes), timeout=None, trust_env=False)


def encode_query(params: Mapping[str, object]) -> str:
    """Percent-encode parameters as a query string: ids contain ``@ / + =``, which httpx would not encode."""
    return "&".join(f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in params.items())


def _reqwest(settings: Settings) -> Client:
    limit = timedelta(seconds=settings.timeout_s)
    builder = (
        ClientBuilder()
        .follow_redirects(False)
        .referer(False)
        .timeout(limit)  # from connecting to the last byte; httpx's own time-out restarts with each phase
        .connect_timeout(limit)
        .pool_idle_timeout(_IDLE)
        .pool_max_idle_per_host(settings.concurrency)
    )
    if settings.proxy:
        builder = builder.proxy(ProxyBuilder.all(settings.proxy))
    return builder.build()


class DirectClient(httpx.AsyncClient):
    """httpx's client without auth flows, redirects, cookies and hooks, none of which the platform may require.

    They cost a sixth of a call's CPU time and read the already complete body again (``benchmarks/client.py``).
    """

    async def send(self, request: httpx.Request, **_defaults: Any) -> httpx.Response:
        """Send a request through the transport and return the complete response.

        Raises:
            httpx.TransportError: no complete response was received.
        """
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response


class AnswerTooLarge(httpx.TransportError):
    """A body with more decompressed bytes than are accepted; the rest was not read."""


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, client: Client, most: int) -> None:
        self._client = client
        self._most = most

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        try:
            builder = self._client.request(request.method, str(request.url)).headers(headers)
            if request.content:
                builder = builder.body_bytes(request.content)
        except ValueError as error:  # its text may contain the token
            raise httpx.UnsupportedProtocol(
                "the request cannot be made: its address or a header is malformed", request=request
            ) from error
        try:
            async with builder.build_streamed() as response:  # left early, it cuts the connection
                body = bytes(await response.body_reader.read(self._most + 1) or b"")
        except exceptions.PyreqwestError as error:
            raise _mapped(error, request) from error
        if len(body) > self._most:
            raise AnswerTooLarge(
                f"the answer has more than {self._most:,} bytes (DOUYIN_ANSWER_BYTES); the rest was not read",
                request=request,
            )
        # httpx would decode an encoding that reqwest does not know and did not accept, without a limit of its size.
        headers = [header for header in response.headers.items() if header[0] != "content-encoding"]
        return httpx.Response(response.status, headers=headers, content=body)

    async def aclose(self) -> None:
        await self._client.close()
        # The transport's own thread still releases Python objects. Seen once in several hundred processes: one that
        # ended at that moment was aborted by the interpreter (Python before 3.14 cannot end while a foreign thread
        # runs).
        await asyncio.sleep(_SETTLE_S)


def _mapped(error: exceptions.PyreqwestError, request: httpx.Request) -> httpx.TransportError:
    """Convert an error to its httpx equivalent; texts name the cause, never the URL, which contains ids."""
    if isinstance(error, exceptions.RequestTimeoutError):
        return httpx.ReadTimeout("no complete response in time", request=request)
    if isinstance(error, exceptions.ConnectError) and _never_connected(error):
        return httpx.ConnectError("cannot connect", request=request)
    if isinstance(error, exceptions.DecodeError | exceptions.NetworkError):
        return httpx.ReadError("connection cut", request=request)
    return httpx.ReadError(f"request failed: {type(error).__name__}", request=request)


def _never_connected(error: exceptions.ConnectError) -> bool:
    """Return whether no connection was established, so that certainly nothing was sent.

    The library's ConnectError also covers a connection that was cut between the request and the head of its response.
    Only the phase distinguishes them; if it is missing, the request may have been sent.
    """
    details = getattr(error, "details", None) or {}
    return any(cause.get("message") == _CONNECTING for cause in details.get("causes") or ())
