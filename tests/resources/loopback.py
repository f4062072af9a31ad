"""A scripted HTTP server on loopback for cases that the sandbox lacks: raw bytes, TLS, proxies, malformed bodies."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire."""

    at: float
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


@dataclass(frozen=True)
class Say:
    """A reaction of the scripted server: send ``body`` after ``wait_s``; cut it after ``cut_after`` bytes."""

    body: bytes = b"{}"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    wait_s: float = 0.0
    cut_after: int | None = None
    zipped: bool = False


def say(document: object, **more) -> Say:
    return Say(orjson.dumps(document), **more)


@dataclass
class Scripted:
    """A tiny HTTP/1.1 server on loopback, a thread a connection.

    ``answer`` decides by request and its number from 0.
    """

    answer: Callable[[Seen, int], Say]
    context: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Scripted:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = self.context.wrap_socket(raw, server_side=True) if self.context else raw
            self._open.add(connection)
            try:
                with connection.makefile("rb") as stream:
                    while self._one(connection, stream):
                        pass
            finally:
                self._open.discard(connection)
                connection.close()

    def _one(self, connection: socket.socket, stream) -> bool:
        line = stream.readline().decode("latin-1").strip()
        if not line:
            return False
        headers = {}
        while text := stream.readline().decode("latin-1").strip():
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        request = Seen(time.time(), line, headers, body)
        with self._lock:
            number = len(self.seen)
            self.seen.append(request)
        answer = self.answer(request, number)
        time.sleep(answer.wait_s)
        content = gzip.compress(answer.body) if answer.zipped else answer.body
        extra = (("Content-Encoding", "gzip"), *answer.headers) if answer.zipped else answer.headers
        head = f"HTTP/1.1 {answer.status} X\r\nContent-Length: {len(content)}\r\n"
        head += "".join(f"{n}: {v}\r\n" for n, v in extra) + "\r\n"
        whole = head.encode() + content
        if answer.cut_after is not None:
            connection.sendall((head.encode() if answer.cut_after else b"") + content[: answer.cut_after])
            return False
        connection.sendall(whole)
        return True
