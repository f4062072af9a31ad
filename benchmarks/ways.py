"""Provide ways to make the same request, for ``benchmarks.client``.

They range from raw sockets, the ceiling, to a transport that we could have written by hand.
"""

from __future__ import annotations

import asyncio
import resource
import select
import shutil
import socket
import ssl
import subprocess
import time
from urllib.parse import urlsplit

import httptools
import httpx


def raw_sockets(url: str, context: ssl.SSLContext | None, requests: int, at_once: int) -> float:
    """Return CPU seconds per request of a wrk-like client.

    It sends ready-made requests over kept-alive sockets and reads only the length of the body.
    """
    target = urlsplit(url)
    question = f"GET {target.path} HTTP/1.1\r\nhost: {target.netloc}\r\naccept: application/json\r\n\r\n".encode()
    poll, connections, seen = select.epoll(), {}, {}
    for _ in range(at_once):
        connection = socket.create_connection((target.hostname, target.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            connection = context.wrap_socket(connection, server_hostname=target.hostname)
        connection.setblocking(False)
        connections[connection.fileno()] = connection
        poll.register(connection.fileno(), select.EPOLLIN)
    began, done = time.process_time(), 0
    for connection in connections.values():
        connection.send(question)
    while done < requests:
        for handle, _ in poll.poll():
            connection, data = connections[handle], seen.pop(handle, b"")
            while not _is_whole(data):
                try:
                    data += connection.recv(1 << 16)
                except (ssl.SSLWantReadError, BlockingIOError):
                    seen[handle] = data
                    break
            else:
                done += 1
                connection.send(question)
    took = time.process_time() - began
    for connection in connections.values():
        connection.close()
    return took / done


def _is_whole(data: bytes) -> bool:
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = data.find(b"content-length: ") + 16
    return len(data) >= end + 4 + int(data[at : data.find(b"\r\n", at)])


def wrk(url: str, seconds: int, at_once: int) -> float | None:
    """Return CPU seconds per request of wrk itself, if it is installed."""
    if shutil.which("wrk") is None:
        return None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(
        ["wrk", "-t1", f"-c{at_once}", f"-d{seconds}s", url], capture_output=True, text=True, check=True
    ).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    requests = next(int(line.split()[0]) for line in said.splitlines() if "requests in" in line)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / requests


class HandWritten(httpx.AsyncBaseTransport):
    """The least that a transport of our own would be: a connection per call in flight, httptools for the response.

    It has no proxy, no time-out, no decompression and no reports of what broke: its saving is the most that could be
    saved.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._idle: list[_Connection] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over an idle connection, or a new one."""
        url = request.url
        if self._idle:
            connection = self._idle.pop()
        else:
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection, url.host, url.port, ssl=self._context
            )
        lines = [
            request.method.encode() + b" " + url.raw_path + b" HTTP/1.1",
            *(name + b": " + value for name, value in request.headers.raw),
        ]
        status, headers, body = await connection.ask(b"\r\n".join(lines) + b"\r\n\r\n" + request.content)
        self._idle.append(connection)
        return httpx.Response(status, headers=headers, content=body)

    async def aclose(self) -> None:
        """Close the idle connections."""
        for connection in self._idle:
            connection.transport.close()


class _Connection(asyncio.Protocol):
    def connection_made(self, transport) -> None:
        self.transport = transport

    def ask(self, data: bytes) -> asyncio.Future:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._answer.set_result((self._parser.get_status_code(), self._headers, b"".join(self._body)))
