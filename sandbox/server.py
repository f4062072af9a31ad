"""Serve the sandbox: an ASGI application, and ways to run it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

import catalog
from catalog.records import Endpoint, Operation, OperationKind, Token
from sandbox import errors
from sandbox.account_faults import AccountFaults
from sandbox.app_runtime import AppRuntime
from sandbox.apps import SandboxApp, make_apps
from sandbox.clock import SandboxClock
from sandbox.config import SandboxConfig
from sandbox.control import PREFIX, Control
from sandbox.errors import Refusal
from sandbox.faults import Fault, Faults
from sandbox.gateway import Gateway
from sandbox.hashing import hex_text
from sandbox.http import Request, break_off, hang, read_request, send, send_cut, send_json
from sandbox.oauth import OPERATIONS, OAuthOperation
from sandbox.stats import Stats

DEFAULT_HANG_S = 30.0
DEFAULT_SLOW_S = 1.0
_TICK_S = 0.2
EXTRA_SCOPES = ("renew_refresh_token",)
"""Scopes that a full consent grants besides those of the catalogue's operations with a user token."""
_BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad "
    b"Gateway</h1></center></body>\r\n</html>\r\n"
)


class Sandbox:
    """The ASGI application.

    Its parts are public: ``apps`` by client_key, ``world`` and ``tokens`` of the first one, ``clock``, ``faults``,
    ``stats``.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.clock = SandboxClock(config.now)
        writes = {o.name: o for o in catalog.OTHER_OPERATIONS.values() if o.kind is OperationKind.WRITE}
        data_operations: tuple[Endpoint | Operation, ...] = (*catalog.ENDPOINTS.values(), *writes.values())
        scopes = {o.quota for o in data_operations if o.scope and o.token is Token.USER} | set(EXTRA_SCOPES)
        self.apps = make_apps(config, self.clock, scopes)
        self._first = self.apps[config.client_key]
        self.world, self.tokens = self._first.world, self._first.tokens
        self.faults = Faults()
        self.stats = Stats()
        self._gateways = {
            key: Gateway(config, app, self.clock, partial(self._is_foreign, app)) for key, app in self.apps.items()
        }
        operations: dict[str, Endpoint | Operation | OAuthOperation] = {
            **catalog.ENDPOINTS,
            **writes,
            **{o.name: o for o in OPERATIONS},
        }
        self._routes = {(o.method, o.path): o for o in operations.values()}
        # Older SDKs use GET for operations whose token is in the body.
        self._routes |= {("GET", o.path): o for o in catalog.ENDPOINTS.values() if o.form}
        self._paths = {path for _, path in self._routes}
        self.runtimes = {
            key: AppRuntime(app, config, secret, self.clock)
            for (key, app), secret in zip(self.apps.items(), _secrets(config), strict=True)
        }
        self._control = Control(
            self.apps, AccountFaults(config), self.clock, self.faults, self.stats, operations, self.runtimes
        )
        self._ticker: asyncio.Task | None = None
        self._contract: bytes | None = None

    async def __call__(self, scope: dict, receive: Any, send_: Any) -> None:
        """Serve one ASGI request."""
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

    async def _operate(self, operation: Endpoint | Operation | OAuthOperation, request: Request, send_: Any) -> None:
        given, unreadable = dict(request.query), None
        try:
            given |= self._body(operation, request)
        except ValueError:
            unreadable = Refusal(errors.PARAM_WRONG, "the body is no JSON object")
        if request.token and isinstance(operation, Endpoint) and operation.form:
            given.setdefault("access_token", request.token)  # SDKs send it in a header, as for all other operations
        scope = "oauth" if isinstance(operation, OAuthOperation) else operation.quota
        seen = self._with_owner(given) if "open_id" not in given else given
        self.stats.request(operation.name, scope, seen)
        fault = self.faults.take(operation.name, seen)
        if fault is not None:
            self.stats.fault(operation.name, fault.kind)
            if await self._before(fault, operation.name, request, send_):
                return
        gateway = self._gateways[self._app_of(operation, given, request.token).client_key]
        if isinstance(operation, OAuthOperation):
            code, body = gateway.oauth(operation, given, fault)
        else:
            code, body = gateway.data(operation, given, request.token, fault, unreadable)
        self.stats.answer(operation.name, code)
        if fault is not None and fault.kind == "late":
            if isinstance(operation, Operation):
                self._let_people_act()
            await break_off(request)
            return
        if isinstance(operation, Operation):
            self._let_people_act()
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

    def _let_people_act(self) -> None:
        """Carry out scheduled actions; with the real clock, keep doing so from now on."""
        for runtime in self.runtimes.values():
            runtime.advance(self.clock.now())
        if self._ticker is None and not self.clock.frozen:
            self._ticker = asyncio.get_running_loop().create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            if not self.clock.frozen:
                self._let_people_act()
                await self._tell()

    async def _tell(self) -> None:
        for runtime in self.runtimes.values():
            await runtime.deliver_events(self.clock.now())

    def _with_owner(self, given: dict[str, Any]) -> dict[str, Any]:
        """Add the account of the code or token to the parameters, for counting and for faults."""
        for member in ("code", "refresh_token", "access_token"):
            for app in self.apps.values() if isinstance(given.get(member), str) else ():
                if (grant := app.tokens.read(given[member])) is not None:
                    return {**given, "open_id": grant.open_id}
        return given

    def _app_of(
        self, operation: Endpoint | Operation | OAuthOperation, given: dict[str, Any], token: str | None
    ) -> SandboxApp:
        """Return the app that sends the request, or the first one if none is known.

        OAuth operations name their app; elsewhere the token does.
        """
        if isinstance(operation, OAuthOperation):
            return self.apps.get(given.get("client_key", ""), self._first)
        if operation.form:
            token = given.get("access_token")
        return next((app for app in self.apps.values() if token and app.tokens.read(token) is not None), self._first)

    def _is_foreign(self, app: SandboxApp, open_id: str) -> bool:
        """Report whether an open_id belongs to an account of an app other than this."""
        return any(other.world.account(open_id) is not None for other in self.apps.values() if other is not app)

    def _body(self, operation: Endpoint | Operation | OAuthOperation, request: Request) -> dict[str, Any]:
        """Return the members of the body: typed if it is JSON, as texts if the operation takes a form.

        Raises:
            ValueError: the body is no JSON object.
        """
        if request.method == "GET":
            return {}
        return request.form() if isinstance(operation, OAuthOperation) or operation.form else request.members()

    async def _before(self, fault: Fault, operation: str, request: Request, send_: Any) -> bool:
        """Apply faults that replace or precede a response; report whether no response follows."""
        if fault.kind == "http_502":
            self.stats.answer(operation, "http_502")
            await send(send_, _BAD_GATEWAY, 502, b"text/html")
            return True
        if fault.kind == "timeout":
            self.stats.answer(operation, "timeout")
            await hang(request, float(fault.params.get("seconds", DEFAULT_HANG_S)))
            return True
        if fault.kind == "slow":
            await asyncio.sleep(float(fault.params.get("seconds", DEFAULT_SLOW_S)))
        return False

    async def _elsewhere(self, request: Request, scope: dict, send_: Any) -> None:
        """Handle everything that is no operation: control, contract, missing slash, unknown."""
        path = request.path
        if path.startswith(PREFIX):
            status, value = self._control.answer(request)
            if isawaitable(value):
                value = await value
            self._let_people_act()
            if self.clock.frozen:  # the order may have moved it; the real clock ticks
                await self._tell()
            await send_json(send_, value, status)
        elif path == "/openapi.yaml" and request.method == "GET":
            if self._contract is None:
                self._contract = (Path(catalog.__file__).parent / "contract" / "openapi.yaml").read_bytes()
            await send(send_, self._contract, content_type=b"application/yaml")
        elif path + "/" in self._paths:
            query = b"?" + scope["query_string"] if scope["query_string"] else b""
            await send(send_, b"", 301, headers=((b"location", path.encode() + b"/" + query),))
        else:
            body = {"err_no": errors.UNKNOWN_PATH, "err_msg": "unknown address", "log_id": hex_text(32, len(path))}
            await send_json(send_, body, 404)


def _secrets(config: SandboxConfig) -> list[str]:
    return [config.client_secret, *(secret for _, secret in config.apps)]


def create_app(config: SandboxConfig | None = None) -> Sandbox:
    """Return the application for any ASGI server.

    Without uvicorn's protocol below, ``cut`` and ``timeout`` end less abruptly.
    """
    return Sandbox(config or SandboxConfig())


class _Protocol(HttpToolsProtocol):
    """A protocol that exposes the connection to the application, so that it can break it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["sandbox.transport"] = self.transport  # type: ignore[typeddict-unknown-key] # an extension of ours


def _bind(config: SandboxConfig) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((config.host, config.port))
    listener.listen(1024)
    return listener


def _server(app: Sandbox) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            loop="uvloop",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="error",
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
            backlog=1024,
        )
    )


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def serve(config: SandboxConfig, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until interrupted; call ``on_ready`` with the URL once connections are accepted."""
    app, listener = create_app(config), _bind(config)
    if on_ready is not None:
        on_ready(_url(listener))
    _server(app).run(sockets=[listener])


@dataclass(frozen=True, slots=True)
class Handle:
    """A running sandbox: its URL and its application."""

    url: str
    app: Sandbox


@contextmanager
def running(config: SandboxConfig | None = None) -> Iterator[Handle]:
    """Run a sandbox in a thread, on a free loopback port unless the configuration names one."""
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
