"""CPU per request: stock httpx, pyreqwest's own httpx transport, ours, and the whole client with limits, tokens and archive hook.

The server is a process of its own that answers every request with the same body, so that only the client's CPU is counted.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import orjson

from catalog import ENDPOINTS
from resources.clock import Clock
from resources.douyin.client import DouyinClient
from resources.douyin.transport import make_http
from resources.settings import Settings
from resources.state import State
from resources.state.sealing import new_key

REQUESTS, AT_ONCE, ROUNDS = 1_500, 32, 3

SERVER = """
import asyncio, sys
body = sys.stdin.buffer.readline().strip()
token = b'{"data":{"access_token":"clt.bench","expires_in":7200,"error_code":0,"description":""},"message":"success"}'
class Fixed(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.seen = transport, b""
    def data_received(self, data):
        self.seen += data
        while (end := self.seen.find(b"\\r\\n\\r\\n")) >= 0:
            head, rest = self.seen[:end].lower(), self.seen[end + 4:]
            length = int(head.split(b"content-length:")[1].split(b"\\r\\n")[0]) if b"content-length:" in head else 0
            if len(rest) < length:
                return
            self.seen = rest[length:]
            answer = token if b"/oauth/" in head else body
            self.transport.write(b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(answer) + answer)
async def main():
    server = await asyncio.get_running_loop().create_server(Fixed, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def body() -> bytes:
    rows = [{"rank": i + 1, "nickname": f"示例主播{i}", "cover": f"https://p1.example.cn/{i}.jpeg", "title": "晚间好物专场", "hot_value": 1000 - i} for i in range(15)]
    return orjson.dumps({"data": {"list": rows, "error_code": 0, "description": ""}, "extra": {"error_code": 0, "logid": "x", "now": 1}})


async def spread(one) -> None:
    """Run ``one()`` for every request, ``AT_ONCE`` in flight."""
    left = iter(range(REQUESTS))

    async def work() -> None:
        for _ in left:
            await one()

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def cpu_of(one) -> float:
    await one()
    began = time.process_time()
    await spread(one)
    return (time.process_time() - began) / REQUESTS * 1e6


async def measure(url: str, home: Path) -> dict[str, float]:
    from pyreqwest.compatibility.httpx import HttpxTransport

    endpoint = ENDPOINTS["billboard_live"]
    target = url + endpoint.path
    settings = Settings(
        _env_file=None, home=home, base_url=url, client_key="bench", client_secret="bench", token_key=new_key(), qps=1e6, concurrency=AT_ONCE,
    )  # fmt: skip
    found = {}
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=AT_ONCE), trust_env=False) as stock:
        found["stock httpx"] = await cpu_of(lambda: stock.get(target))
    async with httpx.AsyncClient(transport=HttpxTransport(), trust_env=False) as theirs:
        found["httpx over pyreqwest's own transport"] = await cpu_of(lambda: theirs.get(target))
    async with make_http(settings) as ours:
        found["httpx over our transport"] = await cpu_of(lambda: ours.get(target))
    async with DouyinClient(settings, State(settings.database_url, settings.token_key.get_secret_value()), Clock.system(), sink=lambda _: None) as client:
        found["the whole client"] = await cpu_of(lambda: client.ask(endpoint, {}))
    return found


def main() -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        server.stdin.write(body() + b"\n")
        server.stdin.flush()
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        with tempfile.TemporaryDirectory() as home:
            rounds = [asyncio.run(measure(url, Path(home))) for _ in range(ROUNDS)]
    finally:
        server.kill()
        server.wait()
    middle = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    stock = middle["stock httpx"]
    print(f"{REQUESTS:,} requests of {len(body()):,} B, {AT_ONCE} in flight, median of {ROUNDS}: CPU per request, and how many times cheaper than stock")
    for name, micros in middle.items():
        print(f"  {name:40} {micros:7.0f} µs  {stock / micros:5.1f}x")


if __name__ == "__main__":
    main()
