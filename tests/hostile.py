"""A platform with arbitrary responses: a proxy in front of the sandbox that replaces some bodies, and their makers."""

from __future__ import annotations

import gzip
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson

Fault = Callable[[bytes], tuple[bytes, dict[str, str]]]
"""Converts the right body to the one that replaces it, with headers."""


@dataclass
class Hostile:
    """The proxy: ``faults`` by (path, open_id or empty); ``hits`` counts the responses that were replaced."""

    upstream: str
    url: str = ""
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)
    hits: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, path: str, given: dict[str, str]) -> Fault | None:
        key = (path, given.get("open_id", ""))
        if (fault := self.faults.get(key)) is not None:
            self.hits[key] = self.hits.get(key, 0) + 1
        return fault


@contextmanager
def in_front_of(upstream: str) -> Iterator[Hostile]:
    """Serve on loopback; requests without a fault get the sandbox's own response."""
    platform = Hostile(upstream)
    upstream_client = httpx.Client(trust_env=False, timeout=60)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            kept = {n: v for n, v in self.headers.items() if n.lower() in ("access-token", "content-type")}
            answer = upstream_client.request(self.command, platform.upstream + self.path, content=content, headers=kept)
            body, status, headers = (
                answer.content,
                answer.status_code,
                {"Content-Type": answer.headers.get("content-type", "application/json")},
            )
            given = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if (fault := platform.take(parts.path, given)) is not None:
                body, more = fault(body)
                headers |= more
                status = int(headers.pop(":status", status))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = do_PUT = _answer

        def log_message(self, *_: object) -> None:
            """Log nothing."""

        def handle(self) -> None:
            with suppress(OSError):  # the client has disconnected
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    platform.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
        upstream_client.close()


# --------------------------------------------------------------------------- bodies


def _nested(depth: int, kind: str = "list") -> bytes:
    return b"[" * depth + b"]" * depth if kind == "list" else b'{"a":' * depth + b"1" + b"}" * depth


MOST = 8 << 20
"""The largest response that the client under test reads; these bodies are larger."""
HUGE = "9" * 30
RAW = {
    "a huge number": HUGE.encode(),
    "a number beyond signed 64 bits": str(2**63).encode(),
    "a number beyond all bounds": b"1e400",
    "minus huge": b"-" + HUGE.encode(),
    "NaN": b"NaN",
    "a huge text": f'"{HUGE}"'.encode(),
    "five thousand digits": b'"' + b"7" * 5000 + b'"',
    "half of a pair": b'"\\ud800"',
    "a NUL": b'"a\\u0000b"',
    "an escape sequence": b'"\\u001b[2J\\u001b]0;x\\u0007 [red]x[/red] \\u202e"',
    "200 kB of text": b'"' + b"c" * 200_000 + b'"',
    "nothing": b"null",
    "a yes": b"true",
    "a fraction": b"0.5",
    "an empty text": b'""',
    "a list": b"[1,[2]]",
    "an object": b'{"a":{"b":[]}}',
    "deep": _nested(900),
    "deeper": _nested(5000),
    "deep objects": _nested(400, "object"),
    "a day of another world": b'"9999-12-31"',
    "year nought": b'"0000-00-00"',
    "a formula": b"\"=cmd|' /C calc'!A0\"",
    "2 MB of text": b'"' + "抖".encode() * 700_000 + b'"',
}
"""Values as they would appear in a body."""

_MARK = "@@here@@"


def _replaced(paths: list[str], raw: bytes) -> Fault:
    """Replace the first existing one of the members by ``raw``, or add it if there is none."""

    def fault(good: bytes) -> tuple[bytes, dict[str, str]]:
        document = orjson.loads(good)
        for path in paths:
            *outer, last = path.split(".")
            where: Any = document
            for name in outer:
                where = where.get(name) if isinstance(where, dict) else None
            if isinstance(where, list) and where:
                where = where[len(where) // 2]
            if isinstance(where, dict):
                where[_any_member(where) if last == "*" else last] = _MARK
                break
        return orjson.dumps(document).replace(f'"{_MARK}"'.encode(), raw), {}

    return fault


def _any_member(row: dict) -> str:
    return sorted(row)[len(row) // 2] if row else "a"


def _whole(body: bytes, **headers: str) -> Fault:
    return lambda good: (body, {name.replace("_", "-"): value for name, value in headers.items()})


_PLACES = {
    "code": ["data.error_code", "extra.error_code"],
    "other code": ["err_no"],
    "logid": ["extra.logid"],
    "words": ["extra.description"],
    "cursor": ["data.cursor"],
    "more": ["data.has_more"],
    "data": ["data"],
    "rows": ["data.list", "data.result_list", "data.fans_data"],
    "a row": ["data.list", "data.result_list"],
    "a value": ["data.list.*", "data.result_list.*", "data.fans_data.*"],
    "a new member": ["data.sandbox_new"],
}

WHOLE: dict[str, Fault] = {
    "nothing at all": _whole(b""),
    "null": _whole(b"null"),
    "a number": _whole(b"1"),
    "random bytes": _whole(random.Random(1).randbytes(3000)),
    "a page": _whole(b"<html>ok</html>"),
    "brackets": _whole(b"[" * 2_000_000),
    "deep": _whole(_nested(100_000)),
    "UTF-16": lambda good: (good.decode().encode("utf-16"), {}),
    "a mark first": lambda good: (b"\xef\xbb\xbf" + good, {}),
    "more behind": lambda good: (good + b"\n{}", {}),
    "twice": lambda good: (good * 2, {}),
    "half": lambda good: (good[: len(good) // 2], {}),
    "no UTF-8": lambda good: (good.replace(b'"', b'"\xff', 3), {}),
    "a bomb": lambda good: (gzip.compress(bytes(3 * MOST), 1), {"Content-Encoding": "gzip"}),
    "a bomb in a bomb": lambda good: (
        gzip.compress(gzip.compress(bytes(3 * MOST), 1)),
        {"Content-Encoding": "gzip, gzip"},
    ),
    "another encoding": lambda good: (good, {"Content-Encoding": "gzip"}),
    "too much": lambda good: (good[:-1] + b" " * MOST + b"}", {}),
    "a status of its own": lambda good: (good, {":status": "599"}),
    "no content": _whole(b"", **{":status": "204"}),
    "a redirect": lambda good: (good, {":status": "302", "Location": "/elsewhere/"}),
    "a code twice": lambda good: (good[:-1] + b',"extra":{"error_code":28001003,"error_code":0}}', {}),
    "not ours": _whole(b'{"data":{"error_code":"' + HUGE.encode() + b'"}}'),
    "refused, with long words": _whole(
        orjson.dumps(
            {"data": {"error_code": 2100005, "description": "x\x1b[2J" * 100_000}, "extra": {"logid": "l" * 100_000}}
        )
    ),
    "an unknown code": _whole(
        orjson.dumps({"data": {"error_code": 2**63 - 1, "description": {"a": ["b"]}}, "extra": {"logid": {"a": 1}}})
    ),
}


def hostile_bodies(seed: int, number: int) -> list[tuple[str, Fault]]:
    """Return so many different named bodies."""
    draw = random.Random(seed)
    members = [
        (f"{place}: {value}", _replaced(paths, raw)) for place, paths in _PLACES.items() for value, raw in RAW.items()
    ]
    draw.shuffle(members)
    found = [*WHOLE.items(), *members[: number - len(WHOLE)]][:number]
    draw.shuffle(found)
    return found
