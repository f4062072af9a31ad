"""An ASGI application on a loopback port, for as long as a block lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

_PATIENCE_S = 10.0


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve in a thread of this process on a free port; gives the address.

    Raises:
        RuntimeError: it did not start.
    """
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, http="httptools", ws="none", access_log=False, log_level="error"))
    thread = threading.Thread(target=server.run, name="receiver", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the receiver did not start")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=_PATIENCE_S)
