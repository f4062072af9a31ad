"""Serve an ASGI application on a loopback port for the length of a block, or beside another in the same loop."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from apps.receiver.protection import Guard

_TIMEOUT_S = 10.0
CONNECTIONS = 2048


@contextmanager
def serving(app: Any, guard: Guard | None = None) -> Iterator[str]:
    """Serve in a thread of this process on a free port; yield the address.

    Raises:
        RuntimeError: it did not start.
    """
    guard = guard or Guard(CONNECTIONS)
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=0, http=guard.protocol, ws="none", access_log=False, log_level="error"
        )
    )
    thread = threading.Thread(target=server.run, name="receiver", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + _TIMEOUT_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the receiver did not start")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=_TIMEOUT_S)


class _Beside(uvicorn.Server):
    """A server that leaves signals to the main server of the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_beside(app: Any, listening: socket.socket) -> None:
    """Serve on an open socket until cancelled, in the loop of another server."""
    guard = Guard(64)
    server = _Beside(
        uvicorn.Config(
            app,
            http=guard.protocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
        )
    )
    try:
        await server.serve(sockets=[listening])
    finally:
        listening.close()
