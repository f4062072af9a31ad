"""Put the webhook receiver under load and count lost and late events.

``python -m benchmarks.receiver [--rate 300] [--seconds 60] [--kills 0] [--idle 0] [--slow 0]``.

Events are sent at fixed instants, independent of the responses, and the time to a response counts from that instant: a
generator that waits for a stalled receiver would hide the stall. A fifth are duplicates, one in a hundred has a forged
signature. Events that are refused or cut off are sent again, as the platform does. With ``--kills`` the receiver is
killed (SIGKILL) and started again so often, at random instants; the load lasts until the last one. ``--idle`` and
``--slow`` are connections of a crowd beside the load, in a process of its own: they send nothing, or a request byte by
byte; a connection that is cut off comes back.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

KEY, SECRET = "bench-key", "bench-secret-of-some-length"
CONNECTIONS = 32


def body_of(number: int) -> bytes:
    """Return a private message of about a kilobyte."""
    content = {
        "conversation_short_id": f"@conv{number % 997:040d}",
        "server_message_id": f"@msg{number:044d}",
        "conversation_type": 1,
        "create_time": 1_795_000_000_000 + number,
        "message_type": "text",
        "source": "",
        "scene_type": 100,
        "text": "请问这个多少钱？" + "啊" * 60,
        "user_infos": [
            {"open_id": f"person-{number % 997}", "nick_name": "演示", "avatar": "https://avatar.example.cn/a.jpeg"}
        ]
        * 2,
    }
    event = {
        "event": "im_receive_msg",
        "client_key": KEY,
        "from_user_id": f"person-{number % 997}",
        "to_user_id": "account-1",
        "content": json.dumps(content) if number % 4 == 0 else content,
        "log_id": f"{number:032d}",
    }
    return json.dumps(event, ensure_ascii=False).encode()


@dataclass
class Load:
    """What the generator observed.

    ``acknowledged`` are numbers of events with a response of status 200; ``seconds`` are times to a response.
    """

    acknowledged: set[int] = field(default_factory=set)
    good: set[int] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    forged: int = 0
    forged_taken: int = 0
    duplicates: int = 0
    cut: int = 0

    def percentile(self, share: float) -> float:
        """Return the time to a response that this share of events stays within."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@dataclass
class Crowd:
    """Connections that occupy a receiver without a load.

    ``open`` is the least that were open at a time once all had come.
    """

    idle: int = 0
    slow: int = 0
    cut: int = 0
    open: int = 0

    def __str__(self) -> str:
        return (
            f"{self.idle} idle and {self.slow} slow connections (at least {self.open} open at a time, "
            f"{self.cut} cut off)"
        )

    @property
    def size(self) -> int:
        """Number of connections."""
        return self.idle + self.slow


async def _crowd(port: int, crowd: Crowd) -> None:
    """Keep the connections open until standard input ends.

    Prints a line for each second: open connections, and those that were cut off.
    """
    now_open, cut = 0, 0

    async def one(number: int) -> None:
        nonlocal now_open, cut
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.2)
                continue
            now_open += 1
            if number >= crowd.idle:
                begun = asyncio.create_task(_slowly(writer, in_body=number % 2 == 0))
            with suppress(OSError):
                while await reader.read(1024):
                    pass
            now_open -= 1
            cut += 1
            if number >= crowd.idle:
                begun.cancel()
            writer.close()

    tasks = [asyncio.create_task(one(n)) for n in range(crowd.size)]
    while True:
        await asyncio.sleep(1)
        print(now_open, cut, flush=True)
        assert not any(task.done() for task in tasks)


async def _slowly(writer: asyncio.StreamWriter, *, in_body: bool) -> None:
    """Send a request, a byte each half second: of its head, or of its body."""
    head = f"POST /webhook/{KEY} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100000\r\n".encode()
    with suppress(OSError):
        writer.write(head + (b"\r\n" if in_body else b"x-more: "))
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.5)


class _CrowdProcess:
    """The crowd in a process of its own, so that it does not slow down the generator of the load."""

    def __init__(self, port: int, crowd: Crowd) -> None:
        self._crowd = crowd
        root = str(Path(__file__).resolve().parents[1])
        code = (
            f"import asyncio; from benchmarks import receiver as r; asyncio.run(r._crowd({port}, "
            f"r.Crowd({crowd.idle}, {crowd.slow})))"
        )
        self._process = subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)

    async def complete(self, patience_s: float = 60) -> None:
        """Wait until all connections are open."""
        deadline = time.monotonic() + patience_s
        while await self._next() < self._crowd.size:
            if time.monotonic() > deadline:
                raise TimeoutError("the crowd did not come together")
        self._crowd.open = self._crowd.size

    async def _next(self) -> int:
        now_open, self._crowd.cut = (int(n) for n in (await asyncio.to_thread(self._process.stdout.readline)).split())
        return now_open

    def end(self) -> None:
        self._process.terminate()
        for line in self._process.stdout.read().splitlines():
            now_open, self._crowd.cut = (int(n) for n in line.split())
            self._crowd.open = min(self._crowd.open, now_open)
        self._process.wait()


class _Connection:
    """HTTP/1.1 on one connection, opened again when it breaks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes, signature: str, message_id: str) -> int:
        """Post a body and return the status.

        Raises:
            OSError: the connection failed.
            IncompleteReadError: the connection ended before the response did.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        head = (
            f"POST /webhook/{KEY} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: "
            f"application/json\r\nx-douyin-signature: {signature}\r\n"
            f"msg-id: {message_id}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        try:
            writer.write(head.encode() + body)
            await writer.drain()
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length")
            )
            await reader.readexactly(length)
        except BaseException:
            self.close()
            raise
        return int(answer.split(b" ", 2)[1])

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def send(port: int, rate: float, until, load: Load, rng: random.Random) -> None:
    """Send at ``rate`` events a second until ``until()``; then wait for those under way."""
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(_Connection(port))
    tasks: set[asyncio.Task] = set()
    began, n, number = time.perf_counter(), 0, 0
    while not until():
        due = began + n / rate
        if (rest := due - time.perf_counter()) > 0:
            await asyncio.sleep(rest)
        n += 1
        draw = rng.random()
        if draw < 0.01:
            load.forged += 1
            work = _once(free, load, body_of(10**9 + n), "0" * 40, f"forged-{n}", due)
        elif draw < 0.21 and number:
            load.duplicates += 1
            work = _event(free, load, rng.randrange(max(0, number - 500), number), due)
        else:
            load.good.add(number)
            work = _event(free, load, number, due)
            number += 1
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    while not free.empty():
        free.get_nowait().close()


async def _event(free: asyncio.Queue[_Connection], load: Load, number: int, due: float) -> None:
    """Deliver one event, repeated until the response has status 200."""
    body = body_of(number)
    signature = hashlib.sha1(SECRET.encode() + body, usedforsecurity=False).hexdigest()
    while True:
        status = await _post(free, load, body, signature, f"msg-{number}", due)
        if status == 200:
            load.acknowledged.add(number)
            return
        await asyncio.sleep(0.1)
        due = time.perf_counter()


async def _once(
    free: asyncio.Queue[_Connection], load: Load, body: bytes, signature: str, message_id: str, due: float
) -> None:
    load.forged_taken += await _post(free, load, body, signature, message_id, due) == 200


async def _post(
    free: asyncio.Queue[_Connection], load: Load, body: bytes, signature: str, message_id: str, due: float
) -> int:
    connection = await free.get()
    try:
        status = await connection.post(body, signature, message_id)
    except (OSError, asyncio.IncompleteReadError):
        load.cut += 1
        return 0
    finally:
        free.put_nowait(connection)
    load.seconds.append(time.perf_counter() - due)
    load.statuses[status] = load.statuses.get(status, 0) + 1
    return status


class Receiver:
    """``douyin receive`` in a process group of its own."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        root = str(Path(__file__).resolve().parents[1])
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": root,
            "DOUYIN_HOME": str(home),
            "DOUYIN_CLIENT_KEY": KEY,
            "DOUYIN_CLIENT_SECRET": SECRET,
            "DOUYIN_TOKEN_KEY": "cHVibGljOiBvbmx5IGZvciBzYW5kYm94IHRva2VucyE=",
        }
        self._home = home
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start the receiver without waiting for it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "apps.cli.main", "receive", "--port", str(self.port), "--metrics-port", "0"],
            env=self._env,
            cwd=self._home,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def ready(self, patience_s: float = 60) -> None:
        """Wait until the receiver accepts connections.

        Raises:
            TimeoutError: it did not within ``patience_s``.
        """
        deadline = time.monotonic() + patience_s
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            if time.monotonic() > deadline:
                raise TimeoutError("the receiver did not start")
            await asyncio.sleep(0.02)

    def kill(self) -> None:
        """Kill the process group with SIGKILL."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


async def run(home: Path, rate: float, seconds: float, kills: int, seed: int, crowd: Crowd | None = None) -> Load:
    """Run the load; with kills it lasts until the last one, else ``seconds``.

    With a crowd it begins once all of its connections are open.
    """
    rng, load, receiver = random.Random(seed), Load(), Receiver(home)
    receiver.start()
    await receiver.ready()
    beside = _CrowdProcess(receiver.port, crowd) if crowd is not None and crowd.size else None
    if beside is not None:
        await beside.complete()
    left = kills
    end = time.monotonic() + seconds

    async def killer() -> None:
        nonlocal left
        while left:
            await asyncio.sleep(rng.uniform(0.02, 0.6))
            receiver.kill()
            left -= 1
            receiver.start()
            await receiver.ready()

    try:
        killing = asyncio.create_task(killer())
        await send(receiver.port, rate, lambda: time.monotonic() >= end and not left, load, rng)
        await killing
    finally:
        if beside is not None:
            beside.end()
        receiver.kill()
    return load


def stored(home: Path) -> list[int]:
    """Return the numbers of the events in the inbox, as often as they occur there."""
    with sqlite3.connect(home / "state.db") as db:
        return [int(event_id.removeprefix("msg-")) for (event_id,) in db.execute("SELECT event_id FROM inbox")]


def main() -> None:
    """Run the load that the command line describes and check the inbox."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--slow", type=int, default=0)
    given = parser.parse_args()
    crowd = Crowd(given.idle, given.slow)
    with tempfile.TemporaryDirectory(prefix="douyin-receiver-") as folder:
        home = Path(folder)
        began = time.monotonic()
        load = asyncio.run(run(home, given.rate, given.seconds, given.kills, given.seed, crowd))
        took = time.monotonic() - began
        numbers = stored(home)
    print(
        f"{given.rate:.0f} events/s, {took:.0f} s with start and end, {given.kills} kills: "
        f"{len(load.good):,} good, {load.duplicates:,} duplicates, {load.forged} forged"
    )
    if crowd.size:
        print(f"beside {crowd}")
    print(
        f"answers {dict(sorted(load.statuses.items()))}, cut off {load.cut}; p50 "
        f"{load.percentile(0.5) * 1000:.1f} ms, p99 {load.percentile(0.99) * 1000:.1f} ms, max "
        f"{max(load.seconds) * 1000:.0f} ms"
    )
    print(
        f"in the inbox {len(numbers):,}, doubled {len(numbers) - len(set(numbers))}, acknowledged and "
        f"missing {len(load.acknowledged - set(numbers))}, "
        f"forged and taken {load.forged_taken}"
    )


if __name__ == "__main__":
    main()
