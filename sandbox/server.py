"""The sandbox as a server: an ASGI application, and ways to run it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

import catalog
from catalog.records import Endpoint, Token
from sandbox import refusals as no
from sandbox.clock import SandboxClock
from sandbox.config import SandboxConfig
from sandbox.control import PREFIX, Control
from sandbox.faults import Fault, Faults
from sandbox.gateway import Gateway
from sandbox.http import Request, hang, read_request, send, send_cut, send_json
from sandbox.mixing import hex_text
from sandbox.oauth import OPERATIONS, OAuthOperation
from sandbox.stats import Stats
from sandbox.tokens import Tokens
from sandbox.world import World

DEFAULT_HANG_S = 30.0
EXTRA_SCOPES = ("user_info", "renew_refresh_token")
"""Scopes that a full consent grants besides those of the catalogue's operations with a user token."""
_BAD_GATEWAY = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"


class Sandbox:
    """The ASGI application. Its parts are public: ``world``, ``clock``, ``tokens``, ``faults``, ``stats``."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.clock = SandboxClock(config.now)
        self.world = World(config.seed, config.accounts, config.videos)
        scopes = {e.scope for e in catalog.ENDPOINTS.values() if e.scope and e.token is Token.USER} | set(EXTRA_SCOPES)
        self.tokens = Tokens(config.seed, config.client_key, config.client_secret, self.clock, scopes)
        self.faults = Faults()
        self.stats = Stats()
        self._gateway = Gateway(config, self.world, self.tokens, self.clock)
        operations: dict[str, Endpoint | OAuthOperation] = {**catalog.ENDPOINTS, **{o.name: o for o in OPERATIONS}}
        self._routes = {(o.method, o.path): o for o in operations.values()}
        self._paths = {path for _, path in self._routes}
        self._control = Control(self.world, self.clock, self.tokens, self.faults, self.stats, operations)
        self._contract: bytes | None = None

    async def __call__(self, scope: dict, receive: Any, send_: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError("the sandbox speaks HTTP only")
        operation = self._routes.get((scope["method"], scope["path"]))
        request = await read_request(scope, receive)
        if operation is None:
            await self._elsewhere(request, scope, send_)
            return
        if self.config.latency_ms:
            await asyncio.sleep(self.config.latency_ms / 1000)
        await self._operate(operation, request, send_)

    async def _operate(self, operation: Endpoint | OAuthOperation, request: Request, send_: Any) -> None:
        is_oauth = isinstance(operation, OAuthOperation)
        try:
            given = self._given(operation, request)
        except ValueError:
            given = dict(request.query)
        scope = (None if is_oauth else operation.scope) or "oauth"
        seen = self._with_owner(given) if is_oauth else given
        self.stats.request(operation.name, scope, seen)
        fault = self.faults.take(operation.name, seen)
        if fault is not None:
            self.stats.fault(operation.name, fault.kind)
            if await self._before(fault, operation.name, request, send_):
                return
        if is_oauth:
            code, body = self._gateway.oauth(operation, given, fault)
        else:
            code, body = self._gateway.data(operation, given, request.token, fault)
        self.stats.answer(operation.name, code)
        if isinstance(body, str):
            await send(send_, b"", 302, headers=((b"location", body.encode()),))
            return
        raw = orjson.dumps(body)
        if fault is not None and fault.kind == "cut":
            await send_cut(send_, request, raw)
        elif fault is not None and fault.kind == "truncated_json":
            await send(send_, raw[: len(raw) // 2])
        else:
            await send(send_, raw)

    def _with_owner(self, given: dict[str, str]) -> dict[str, str]:
        """OAuth parameters with the account that their code or token belongs to, for counting and for faults."""
        for member in ("code", "refresh_token", "access_token"):
            if "open_id" not in given and member in given and (grant := self.tokens.read(given[member])) is not None:
                return {**given, "open_id": grant.open_id}
        return given

    def _given(self, operation: Endpoint | OAuthOperation, request: Request) -> dict[str, str]:
        """Parameters of query and body together, as texts."""
        if request.method == "GET":
            return request.query
        return {**request.query, **request.form()}

    async def _before(self, fault: Fault, operation: str, request: Request, send_: Any) -> bool:
        """Faults that come instead of any answer; whether this was one."""
        if fault.kind == "http_502":
            self.stats.answer(operation, "http_502")
            await send(send_, _BAD_GATEWAY, 502, b"text/html")
            return True
        if fault.kind == "timeout":
            self.stats.answer(operation, "timeout")
            await hang(request, float(fault.params.get("seconds", DEFAULT_HANG_S)))
            return True
        return False

    async def _elsewhere(self, request: Request, scope: dict, send_: Any) -> None:
        """Everything that is no operation: control, contract, missing slash, unknown."""
        path = request.path
        if path.startswith(PREFIX):
            status, value = self._control.answer(request)
            await send_json(send_, value, status)
        elif path == "/openapi.yaml" and request.method == "GET":
            if self._contract is None:
                self._contract = (Path(catalog.__file__).parent / "contract" / "openapi.yaml").read_bytes()
            await send(send_, self._contract, content_type=b"application/yaml")
        elif path + "/" in self._paths:
            query = b"?" + scope["query_string"] if scope["query_string"] else b""
            await send(send_, b"", 301, headers=((b"location", path.encode() + b"/" + query),))
        else:
            body = {"err_no": no.UNKNOWN_PATH, "err_msg": "unknown address", "log_id": hex_text(32, len(path))}
            await send_json(send_, body, 404)


def create_app(config: SandboxConfig | None = None) -> Sandbox:
    """The application for any ASGI server; without uvicorn's protocol below, ``cut`` and ``timeout`` end less abruptly."""
    return Sandbox(config or SandboxConfig())


class _Protocol(HttpToolsProtocol):
    """Lets the application reach the connection, so that it can break it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["sandbox.transport"] = self.transport


def _bind(config: SandboxConfig) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((config.host, config.port))
    listener.listen(1024)
    return listener


def _server(app: Sandbox) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app, http=_Protocol, loop="uvloop", ws="none", lifespan="off", access_log=False, log_config=None, log_level="error",
            server_header=False, date_header=False, timeout_graceful_shutdown=1, backlog=1024,
        )
    )  # fmt: skip


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def serve(config: SandboxConfig, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until interrupted. ``on_ready`` is told the address as soon as connections are accepted."""
    app, listener = create_app(config), _bind(config)
    if on_ready is not None:
        on_ready(_url(listener))
    _server(app).run(sockets=[listener])


@dataclass(frozen=True, slots=True)
class Handle:
    """A running sandbox: its address and its application."""

    url: str
    app: Sandbox


@contextmanager
def running(config: SandboxConfig | None = None) -> Iterator[Handle]:
    """A sandbox in a thread of this process, on a free loopback port unless the configuration names one."""
    app = create_app(config)
    listener = _bind(app.config)
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.002)
        yield Handle(_url(listener), app)
    finally:
        server.should_exit = server.force_exit = True
        thread.join(timeout=10)
        listener.close()
