"""Limit the receiver's connections: their number, and the time of each step of an exchange.

uvicorn waits for the head and the body of a request as long as their sender likes. Here a sender that does not finish a
step in time is cut off. If there are too many connections, a new one replaces the one that has waited longest for its
sender. A complete request is never cut for that.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STEP_S = 10.0
HEAD_BYTES = 1 << 16
_OWN_FILES = 256
"""Files and sockets that the process needs besides the connections."""


class Step(StrEnum):
    """What a connection waits for."""

    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"


class Guard:
    """The state that the connections of one server share. ``cut`` is called with the reason of each cut connection."""

    def __init__(self, most: int, *, step_s: float = STEP_S, cut: Callable[[str], None] = lambda _: None) -> None:
        self.most, self.step_s, self.cut = most, step_s, cut
        self.waiting: dict[GuardedProtocol, None] = {}
        """Connections that wait for their sender, the longest first."""

    @property
    def protocol(self) -> type[asyncio.Protocol]:
        """Return the factory that uvicorn takes as ``http``."""
        return partial(GuardedProtocol, guard=self)  # type: ignore[return-value]  # uvicorn only calls it

    def cut_longest(self) -> None:
        """Cut off the connection that has waited longest for its sender."""
        if (longest := next(iter(self.waiting), None)) is not None:
            longest.cut("no room")


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol for one connection, with a time limit for each step."""

    def __init__(self, *given: Any, guard: Guard, **more: Any) -> None:
        super().__init__(*given, **more)
        self._guard = guard
        self._step = Step.HEAD
        self._timer: asyncio.TimerHandle | None = None
        self._in_message = False
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the time limit; above the limit of connections cut off another one."""
        super().connection_made(transport)
        self._begin(Step.HEAD)
        if len(self.connections) > self._guard.most:
            self._guard.cut_longest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time limit."""
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes; a head that is too large ends the connection with status 431."""
        in_head = self._step is Step.HEAD and not self._in_message
        super().data_received(data)
        if not in_head or self._in_message or self._step is not Step.HEAD:
            return  # the end of a body that was refused before it was read is no head
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES:
            self.cut("head too large", b"431 Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        """Start the time limit of the body."""
        self._in_message = True
        super().on_headers_complete()
        self._begin(Step.BODY)

    def on_message_complete(self) -> None:
        """Start the time limit of the response, or of the next request if it was sent already."""
        self._in_message = False
        super().on_message_complete()
        self._begin(Step.HEAD if self.cycle.response_complete else Step.ANSWER)

    def on_response_complete(self) -> None:
        """Start the time limit of the next request."""
        super().on_response_complete()
        self._begin(Step.HEAD)

    def cut(self, why: str, status: bytes = b"") -> None:
        """End the connection, with a response if a status is given."""
        self._leave()
        if self.transport.is_closing():
            return
        self._guard.cut(why)
        if not status:
            self.transport.abort()
            return
        self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
        self.loop.call_later(1.0, self.transport.abort)  # closing waits for a sender that does not read

    def _begin(self, step: Step) -> None:
        self._leave()
        if self.transport.is_closing():
            return
        self._step, self._head_bytes = step, 0
        self._timer = self.loop.call_later(self._guard.step_s, self._late)
        if step is not Step.ANSWER:
            self._guard.waiting[self] = None

    def _leave(self) -> None:
        self._guard.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        # No response to a sender that sent nothing: on a kept-alive connection it would count as the response to the
        # next request.
        began = self._step is Step.BODY or self._head_bytes > 0
        self.cut(f"slow {self._step}", b"408 Request Timeout" if began else b"")


def connections_allowed(connections: int) -> int:
    """Return how many connections the process may have open.

    That is ``connections``, or fewer if the system's limit of open files is lower. The soft limit is raised as far as
    allowed.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - _OWN_FILES))
