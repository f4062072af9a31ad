"""Provide the HTTP of an ASGI application: read a request, send a response, or fail to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

JSON = b"application/json; charset=utf-8"


@dataclass(slots=True)
class Request:
    """A request that was read whole."""

    method: str
    path: str
    query: dict[str, str]
    token: str | None
    content_type: str
    raw: bytes = b""
    receive: Any = None
    transport: Any = None
    _json: Any = field(default=None, repr=False)

    def json(self) -> Any:
        """Return the decoded body.

        Raises:
            ValueError: the body is no JSON.
        """
        if self._json is None and self.raw:
            self._json = orjson.loads(self.raw)
        return self._json

    def members(self) -> dict[str, Any]:
        """Return the members of a JSON body as they are; an empty body has none.

        Raises:
            ValueError: the body is no JSON object.
        """
        body = self.json() if self.raw else {}
        if not isinstance(body, dict):
            raise ValueError("the body is no JSON object")
        return body

    def form(self) -> dict[str, str]:
        """Return the members of a form body; older SDKs send a JSON object of texts instead.

        Raises:
            ValueError: the body is JSON, and no object of texts.
        """
        if "json" in self.content_type:
            body = self.members()
            if not all(isinstance(v, str) for v in body.values()):
                raise ValueError("the body has members that are no texts")
            return body
        return dict(parse_qsl(self.raw.decode("utf-8", "replace"), keep_blank_values=True))


async def read_request(scope: dict, receive: Any) -> Request:
    """Read headers and body of an ASGI HTTP scope."""
    token, content_type, has_body = None, "", scope["method"] not in ("GET", "HEAD")
    for header, value in scope["headers"]:
        if header in (b"access-token", b"access_token"):
            token = value.decode("latin-1")
        elif header == b"content-type":
            content_type = value.decode("latin-1")
    query = (
        dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if scope["query_string"]
        else {}
    )
    request = Request(
        scope["method"],
        scope["path"],
        query,
        token,
        content_type,
        receive=receive,
        transport=scope.get("sandbox.transport"),
    )
    while has_body:
        message = await receive()
        request.raw += message.get("body", b"")
        has_body = message.get("more_body", False)
    return request


async def send(send_: Any, body: bytes, status: int = 200, content_type: bytes = JSON, headers: tuple = ()) -> None:
    """Send a whole response."""
    await send_(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *headers],
        }
    )
    await send_({"type": "http.response.body", "body": body})


async def send_json(send_: Any, value: Any, status: int = 200) -> None:
    """Send a value as JSON."""
    await send(send_, orjson.dumps(value), status)


async def send_cut(send_: Any, request: Request, body: bytes) -> None:
    """Announce ``body``, send half of it and close the connection."""
    await send_(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", JSON), (b"content-length", str(len(body)).encode())],
        }
    )
    await send_({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    if request.transport is not None:
        request.transport.close()
    await _gone(request)


async def break_off(request: Request) -> None:
    """Close the connection without a byte of a response."""
    if request.transport is not None:
        request.transport.abort()
    await _gone(request)


async def hang(request: Request, seconds: float) -> None:
    """Send nothing for ``seconds``, or until the client gives up; then close the connection."""
    try:
        await asyncio.wait_for(_gone(request), seconds)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
            await _gone(request)


async def _gone(request: Request) -> None:
    """Wait until the connection is closed."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
