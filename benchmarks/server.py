"""Serve fixed responses fast, so that the client is what is measured.

The server has no state but counters; the same request gets the same bytes.

Two operations of the contract, and the tokens they need:

- ``/data/extern/billboard/live/``: one body of about ``--body`` bytes, always the same.
- ``/api/douyin/v1/video/video_list/``: ``--pages`` pages of ``--rows`` videos for every account ``bench-<number>``;
  cursors count rows.
- ``/oauth/access_token/`` (the code is the account's number, its open_id ``bench-<number>``) and
  ``/oauth/stable_client_token/``.

``--latency`` delays each response. ``--qps`` responds "too frequent" (28003018) beyond that many calls within any
second. ``--faults`` responds to every n-th call with HTTP 500 (by its number: no two runs differ). ``--tls`` serves
HTTPS with a certificate made for localhost. ``/stats`` returns calls, refusals, faults and the server's own CPU
seconds; ``/reset`` sets the counts to zero.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import ssl
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import uvloop

BOARD, VIDEOS = "/data/extern/billboard/live/", "/api/douyin/v1/video/video_list/"
FIRST_VIDEO = 1_700_000_000
"""When the oldest video of each account was published, in Unix seconds; one a minute from then on."""
_NUMBER = "@@@@@@@@"


def board(size: int) -> bytes:
    """Return a billboard of about ``size`` bytes."""

    def row(i: int) -> dict:
        return {
            "rank": i + 1,
            "nickname": f"示例主播{i}",
            "cover": f"https://p1.example.cn/{i}.jpeg",
            "title": "晚间好物专场",
            "hot_value": 100_000 - i,
        }

    def body(rows: int) -> bytes:
        return _json(
            {
                "data": {"list": [row(i) for i in range(rows)], "error_code": 0, "description": ""},
                "extra": {"error_code": 0, "logid": "x", "now": 1},
            }
        )

    return body(max(1, (size - len(body(0))) // len(_json(row(50)) + b",")))


def video(number: str, i: int) -> dict:
    """Return the i-th video of an account.

    Every value follows from both numbers, so that landed rows can be counted and summed.
    """
    return {
        "item_id": f"@bench{number}/{i:07d}==",
        "video_id": f"7{number}{i:010d}",
        "title": f"周末骑行记录第{i}期 #城市骑行 #骑行日常",
        "cover": f"https://p1-sample.example.cn/obj/bench/{number}/{i:07d}.jpeg",
        "create_time": FIRST_VIDEO + 60 * i,
        "is_reviewed": True,
        "is_top": False,
        "share_url": f"https://www.iesdouyin.example.cn/share/video/{number}{i:07d}/?region=CN",
        "video_status": 5,
        "media_type": 4,
        "statistics": {
            "comment_count": i % 97,
            "digg_count": i % 1009,
            "download_count": i % 7,
            "forward_count": i % 11,
            "play_count": i,
            "share_count": i % 13,
        },
    }


@functools.lru_cache(maxsize=4096)
def _page(page: int, pages: int, rows: int) -> bytes:
    listed = [video(_NUMBER, page * rows + i) for i in range(rows)]
    last = page + 1 >= pages
    return _json(
        {
            "data": {
                "cursor": (page + 1) * rows,
                "has_more": not last,
                "list": listed,
                "error_code": 0,
                "description": "",
            },
            "extra": {"error_code": 0, "logid": "x", "now": 1},
        }
    )


def _json(value) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


_CLIENT_TOKEN = _json(
    {
        "data": {"access_token": "clt.bench", "expires_in": 7200, "error_code": 0, "description": ""},
        "message": "success",
    }
)
_TOO_FREQUENT = _json(
    {
        "data": {"error_code": 28003018, "description": "请求频率过高"},
        "extra": {"error_code": 28003018, "logid": "x", "now": 1},
    }
)


def _user_token(number: str) -> bytes:
    return _json(
        {
            "data": {
                "access_token": f"act.{number}",
                "refresh_token": f"rft.{number}",
                "open_id": f"bench-{number}",
                "expires_in": 1_296_000,
                "refresh_expires_in": 2_592_000,
                "scope": "video.list.bind",
                "error_code": 0,
                "description": "",
            },
            "message": "success",
        }
    )


class _Answers:
    """The responses of the server, and their counts."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self._board = _response(board(options.body))
        self._every = round(1 / options.faults) if options.faults else 0
        self.reset()

    def reset(self) -> None:
        self.calls = self.refused = self.failed = 0
        self._recent: deque[float] = deque()
        self._cpu = time.process_time()
        self.first = self.last = 0.0

    def to(self, target: str, body: bytes) -> bytes:
        path, _, query = target.partition("?")
        if path in (BOARD, VIDEOS):
            return self._counted() or (self._board if path == BOARD else self._videos(query))
        if path == "/oauth/access_token/":
            return _response(_user_token(parse_qs(body.decode())["code"][0]))
        if path == "/stats":
            stats = {
                "calls": self.calls,
                "refused": self.refused,
                "failed": self.failed,
                "cpu": time.process_time() - self._cpu,
                "first": self.first,
                "last": self.last,
            }
            return _response(_json(stats))
        if path == "/reset":
            self.reset()
            return _response(b"{}")
        return _response(_CLIENT_TOKEN)

    def _counted(self) -> bytes | None:
        now = time.monotonic()
        self.calls += 1
        self.first, self.last = self.first or now, now
        if self.options.qps:
            while self._recent and now - self._recent[0] >= 1:
                self._recent.popleft()
            if len(self._recent) >= self.options.qps:
                self.refused += 1
                return _response(_TOO_FREQUENT)
            self._recent.append(now)
        if self._every and self.calls % self._every == 0:
            self.failed += 1
            return _response(b"upstream", status=b"500 Internal Server Error")
        return None

    def _videos(self, query: str) -> bytes:
        query_params = dict(pair.split("=", 1) for pair in query.split("&"))
        number = query_params["open_id"].removeprefix("bench-")
        page = int(query_params.get("cursor", 0)) // self.options.rows
        return _response(_page(page, self.options.pages, self.options.rows).replace(_NUMBER.encode(), number.encode()))


def _response(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


class _Connection(asyncio.Protocol):
    def __init__(self, answers: _Answers) -> None:
        self._answers, self._seen = answers, b""

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while (end := self._seen.find(b"\r\n\r\n")) >= 0:
            head, rest = self._seen[:end], self._seen[end + 4 :]
            length = 0
            if not head.startswith(b"GET"):
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
            if len(rest) < length:
                return
            self._seen = rest[length:]
            answer = self._answers.to(head.split(b" ", 2)[1].decode(), rest[:length])
            if delay := self._answers.options.latency:
                asyncio.get_running_loop().call_later(delay, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def _serve(options: argparse.Namespace) -> None:
    answers = _Answers(options)
    context = None
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls / "cert.pem", options.tls / "key.pem")
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(answers), "127.0.0.1", options.port, ssl=context
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def make_certificate(folder: Path) -> Path:
    """Create a certificate for localhost, valid a day, and its key.

    Returns:
        The path of the certificate, to be trusted by ``SSL_CERT_FILE``.
    """
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder / "cert.pem"


@contextmanager
def serving(*options: object, tls: Path | None = None) -> Iterator[str]:
    """Run the server as a process of its own and yield its URL."""
    words = [*map(str, options), *(("--tls", str(tls)) if tls else ())]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.server", *words], stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline())
        yield f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--body", type=int, default=1400)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--rows", type=int, default=30)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--qps", type=int, default=0)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--tls", type=Path)
    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
