"""Serve the dashboard as an ASGI app: marimo in run mode, behind a guard.

Everything that the first visitor would wait for is imported in advance.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from apps.dashboard.reading import WarehouseReader

APP = Path(__file__).with_name("app.py")
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
IDLE_S = 120
"""Seconds after which a closed page's session ends."""

Asgi = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def is_loopback(host: str) -> bool:
    """Return whether only programs of this machine can connect to ``host``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def shared_reader() -> WarehouseReader:
    """Return the process's reader, whose results all visitors share."""
    from resources.config.settings import Settings

    return WarehouseReader(Settings().warehouse_path)


def make_app(*, token: str | None = None, loopback: bool = True) -> Asgi:
    """Build marimo's app: no editor, no code of cells, one session per visitor.

    With ``token`` the page requires it once per visitor. With ``loopback`` the app accepts only names of this machine,
    so that no page of the internet reads it through a name that resolves to this machine.
    """
    import altair  # noqa: F401
    import marimo

    from apps.dashboard import controls, saving  # noqa: F401
    from apps.dashboard.firstview import FirstView

    first = FirstView(shared_reader())
    first.html("")  # loads the drawing library, and runs the queries of the first visit
    builder = marimo.create_asgi_app(
        quiet=True, include_code=False, token=token, skew_protection=False, session_ttl=IDLE_S, show_tracebacks=False
    )
    return guard(_with_first_view(builder.with_app(path="", root=str(APP)).build(), first.html), loopback=loopback)


_ROOT = b'<div id="root"></div>'
_PROGRAM = re.compile(rb'<script type="module" crossorigin src="(\./assets/index-[\w-]+\.js)"></script>')
_PARTS = re.compile(rb'\s*<link rel="modulepreload" crossorigin href="(\./assets/[\w.-]+\.js)">')
_AFTER_PAINT = b"""<script type="module">
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    for (const href of %s) document.head.append(
      Object.assign(document.createElement("link"), {rel: "modulepreload", crossOrigin: "", href}));
    import("%s");
  };
  requestAnimationFrame(() => requestAnimationFrame(begin));
  setTimeout(begin, 500);
</script>"""
"""Script that starts marimo's program after the opening view is painted.

Its 250 parts, out of a browser's cache, would delay the painting by a second. The timeout is for pages that are opened
in the background, which are never painted.
"""


def _with_view(page: bytes, view: str) -> bytes:
    """Put the opening view into the page of marimo.

    A page of an unexpected form stays unchanged, and shows what marimo shows.
    """
    program = _PROGRAM.findall(page)
    if not view or page.count(_ROOT) != 1 or len(program) != 1:
        return page
    begin = _AFTER_PAINT % (json.dumps([part.decode() for part in _PARTS.findall(page)]).encode(), program[0])
    return _PROGRAM.sub(lambda _: begin, _PARTS.sub(b"", page)).replace(_ROOT, _ROOT + view.encode())


def _with_first_view(app: Asgi, html: Callable[[str], str]) -> Asgi:
    """Put the opening view after the page's root.

    marimo serves the page only to visitors who are logged in and sends others to its login.
    """

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return await app(scope, receive, send)
        # Whole and unchanged: no compression, and no "not modified" for a page whose figures have changed.
        scope = scope | {
            "headers": [
                h
                for h in scope["headers"]
                if h[0].lower() not in (b"accept-encoding", b"if-none-match", b"if-modified-since")
            ]
        }
        start: dict[str, Any] = {}
        body = bytearray()

        async def collect(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            whole = bytes(body)
            if start["status"] == 200:
                whole = _with_view(whole, await asyncio.to_thread(html, scope["query_string"].decode("latin-1")))
            own = (b"content-length", b"etag")
            await send(
                start
                | {
                    "headers": [
                        *(h for h in start["headers"] if h[0].lower() not in own),
                        (b"content-length", str(len(whole)).encode()),
                    ]
                }
            )
            await send({"type": "http.response.body", "body": whole})

        return await app(scope, receive, collect)

    return answer


def guard(app: Asgi, *, loopback: bool) -> Asgi:
    """Refuse requests of other sites and, on ``loopback``, requests under a foreign name.

    A request of another site has a foreign ``Origin``: browsers let any page open a WebSocket. marimo's files have a
    hash of their content in their names: browsers may cache them.
    """

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await app(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != host
        if foreign or (loopback and host.rsplit(":", 1)[0] not in LOOPBACK_NAMES and host not in LOOPBACK_NAMES):
            return await _refuse(scope, receive, send)
        if scope["type"] == "http" and scope["path"].startswith("/assets/"):
            return await app(scope, receive, _kept(send))
        return await app(scope, receive, send)

    return answer


def _kept(send: Any) -> Any:
    async def pass_on(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            message = message | {
                "headers": [*message["headers"], (b"cache-control", b"public, max-age=31536000, immutable")]
            }
        await send(message)

    return pass_on


async def _refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await send(
        {"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain; charset=utf-8")]}
    )
    await send({"type": "http.response.body", "body": b"The dashboard answers to its own address alone."})
