"""Measure CPU per request: the client against stock httpx and a wrk-like ceiling, plain and over TLS.

Two sizes of bodies are requested. The server (``benchmarks.server``) is a process of its own, so only the client's CPU
is counted, that of its threads included. Each way makes the same requests, 32 at once, in turns with the others; the
median of three rounds counts. Every body is checked: its length, and its content.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx
import uvloop
from pyreqwest.compatibility.httpx import HttpxTransport

from benchmarks.results import Figure, Table, save
from benchmarks.server import BOARD, board, make_certificate, serving
from benchmarks.ways import HandWritten, raw_sockets, wrk
from catalog import ENDPOINTS
from resources.client.client import DouyinClient
from resources.client.transport import DirectClient, make_http
from resources.config.clock import Clock
from resources.config.settings import Settings
from resources.state import State
from resources.state.sealing import new_key

AT_ONCE, ROUNDS, SIZES, RATE = 32, 3, (1_400, 21_000), 200
HEADERS = {"accept": "application/json", "user-agent": "douyin-warehouse", "access-token": "clt." + "x" * 40}
STOCK, OURS, HAND, RAW, WRK = (
    "stock httpx",
    "our httpx client",
    "httpx over a hand-written transport",
    "raw sockets (ceiling)",
    "wrk",
)
WHOLE, PACED = "the whole client", f"the whole client at {RATE} requests/s"


async def cpu_of(one: Callable[[], Awaitable], requests: int) -> float:
    """Return CPU seconds per request; connections are opened before."""

    async def spread(n: int) -> None:
        left = iter(range(n))

        async def work() -> None:
            for _ in left:
                await one()

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    await spread(2 * AT_ONCE)
    began = time.process_time()
    await spread(requests)
    return (time.process_time() - began) / requests


def call_of(client: httpx.AsyncClient, url: str, size: int) -> Callable[[], Awaitable]:
    """Return a function that makes one checked request."""

    async def one() -> None:
        response = await client.send(httpx.Request("GET", url, headers=HEADERS))
        assert response.headers["content-type"] == "application/json"
        assert len(response.content) == size

    return one


async def stock(url: str, size: int, context: ssl.SSLContext | None, requests: int) -> float:
    """Measure httpx as it comes: its own limits suit it better than any that fit the calls in flight."""
    async with httpx.AsyncClient(trust_env=False, verify=context or False) as client:
        return await cpu_of(call_of(client, url, size), requests)


async def theirs(url: str, size: int, context: ssl.SSLContext | None, requests: int) -> float:
    """Measure httpx over the transport that pyreqwest provides."""
    async with httpx.AsyncClient(transport=HttpxTransport(), trust_env=False) as client:
        return await cpu_of(call_of(client, url, size), requests)


async def ours(url: str, size: int, context: ssl.SSLContext | None, requests: int) -> float:
    """Measure the transport of the product."""
    async with make_http(
        Settings(_env_file=None, client_key="bench", client_secret="bench", concurrency=AT_ONCE)
    ) as client:
        return await cpu_of(call_of(client, url, size), requests)


async def by_hand(url: str, size: int, context: ssl.SSLContext | None, requests: int) -> float:
    """Measure a minimal hand-written transport."""
    async with DirectClient(transport=HandWritten(context), timeout=None, trust_env=False) as client:
        return await cpu_of(call_of(client, url, size), requests)


async def whole(url: str, size: int, context: ssl.SSLContext | None, requests: int, rate: float = 1e6) -> float:
    """Measure the whole client: tokens, limits, envelope and the hook of the archive."""
    with tempfile.TemporaryDirectory() as home:
        key = new_key()
        settings = Settings(
            _env_file=None,
            home=Path(home),
            base_url=url.removesuffix(BOARD),
            client_key="bench",
            client_secret="bench",
            token_key=key,
            qps=rate,
            concurrency=AT_ONCE,
        )
        state = State(settings.database_url, key)
        try:
            async with DouyinClient(settings, state, Clock.system(), sink=lambda exchange: None) as client:

                async def one() -> None:
                    answer = await client.fetch(ENDPOINTS["billboard_live"], {})
                    assert len(answer.body) == size
                    assert answer.document["data"]["list"][0]["rank"] == 1

                return await cpu_of(one, requests)
        finally:
            state.close()


async def paced(url: str, size: int, context: ssl.SSLContext | None, requests: int) -> float:
    """Measure the whole client at a limit that leaves the process asleep most of the time."""
    return await whole(url, size, context, 3 * RATE, RATE)


WAYS = {
    STOCK: (stock, asyncio.run),
    f"{STOCK} on uvloop": (stock, uvloop.run),
    "httpx over pyreqwest's own transport": (theirs, uvloop.run),
    OURS: (ours, uvloop.run),
    HAND: (by_hand, uvloop.run),
    WHOLE: (whole, uvloop.run),
    PACED: (paced, uvloop.run),
}


# Where sniffio is not installed, httpcore tries to import it at every step, which costs stock httpx up to a third. This
# benchmark avoids that.
with suppress(ImportError):
    import sniffio  # noqa: F401
sys.modules.setdefault("sniffio", None)


def measure(size: int, certificate: Path | None, requests: int) -> dict[str, float]:
    """Return microseconds of CPU per request, by way."""
    context = ssl.create_default_context(cafile=certificate) if certificate else None
    sent = len(board(size))
    rounds: dict[str, list[float]] = {}
    with serving("--body", size, tls=certificate.parent if certificate else None) as base:
        url = base + BOARD
        for _ in range(ROUNDS):
            for name, (way, run) in WAYS.items():
                rounds.setdefault(name, []).append(run(way(url, sent, context, requests)))
            rounds.setdefault(RAW, []).append(raw_sockets(url, context, 10 * requests, AT_ONCE))
            if (found := wrk(url, 1, AT_ONCE)) is not None:
                rounds.setdefault(WRK, []).append(found)
    return {name: statistics.median(seconds) * 1e6 for name, seconds in rounds.items()}


WHY_STOCK = (
    "the machine of this run: a core that sleeps between messages pays for each wake-up, which stock httpx "
    "hardly notices; 12.8 and 16.6 were measured elsewhere, see the notes"
)


def main() -> None:
    """Measure all ways at both sizes and save the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="3,000 requests a round instead of 1,000")
    requests = 3_000 if parser.parse_args().full else 1_000
    with tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder))
        os.environ["SSL_CERT_FILE"] = str(certificate)  # read by clients that take no certificate as an argument
        found = {
            (size, tls): measure(size, certificate if tls else None, requests)
            for size in SIZES
            for tls in (False, True)
        }
    plain = found[SIZES[0], False]
    ceiling = min(plain[RAW], plain.get(WRK, plain[RAW]))
    tables = []
    for (size, tls), micros in found.items():
        rows = [
            [name, f"{value:,.1f}", f"{micros[STOCK] / value:.1f}×", f"{micros[RAW] / value:.3f}"]
            for name, value in micros.items()
        ]
        tables.append(
            Table(
                f"Client, bodies of {len(board(size)):,} bytes, {'TLS' if tls else 'plain'}",
                ["way", "CPU per request, µs", "against stock httpx", "of the ceiling"],
                rows,
            )
        )
    why = (
        f"a transport written by hand reaches {ceiling / plain[HAND]:.3f}; we keep the library, which knows "
        "proxies, time-outs, compressed bodies and what broke: see the notes"
    )
    save(
        "client",
        [
            Figure(
                "client: CPU per request against stock httpx, 1.4 KB",
                "≥ 10× better",
                f"{plain[STOCK] / plain[OURS]:.1f}×",
                plain[STOCK] / plain[OURS] >= 10,
                "" if plain[STOCK] / plain[OURS] >= 10 else WHY_STOCK,
            ),
            Figure(
                "client: share of the ceiling, 1.4 KB",
                "≥ 0.08",
                f"{ceiling / plain[OURS]:.3f}",
                ceiling / plain[OURS] >= 0.08,
                "" if ceiling / plain[OURS] >= 0.08 else why,
            ),
        ],
        tables,
    )


if __name__ == "__main__":
    main()
