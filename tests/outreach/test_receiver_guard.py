"""Connections that never send, send slowly or too much are cut off; good events beside them are stored."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from patience import scaled
from receiving import following
from test_receiver import NEW, Sender, chat

from apps.receiver.app import Receiver
from apps.receiver.protection import Guard, connections_allowed
from apps.receiver.serving import serving
from benchmarks.receiver import Crowd, run, stored
from resources.config.log_repeats import Repeats
from resources.config.settings_parts import App

STEP_S = 1.0


class Line:
    """A connection on which a test writes arbitrary bytes."""

    def __init__(self, url: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=10)

    def send(self, *pieces: bytes, every_s: float = 0.0) -> Line:
        for piece in pieces:
            with suppress(OSError):  # cut off meanwhile
                self.socket.sendall(piece)
            time.sleep(every_s)
        return self

    def rest(self) -> bytes:
        """All that comes until the other side closes."""
        found = b""
        with suppress(ConnectionError):
            while piece := self.socket.recv(65536):
                found += piece
        return found

    def __del__(self) -> None:
        self.socket.close()


@contextmanager
def guarded(world, most: int = 2048) -> Iterator[tuple[Sender, dict[str, int]]]:
    """Run a receiver with short time limits.

    Yields:
        The sender, and how many connections were cut off for each reason.
    """
    cuts: dict[str, int] = {}

    def cut(why: str) -> None:
        cuts[why] = cuts.get(why, 0) + 1

    app = App(client_key=world.config.client_key, client_secret=NEW)
    receiver = Receiver([app], world.runtime.state, following(world), body_bytes=1 << 20, patience_s=scaled(0.8))
    with serving(receiver.app, Guard(most, step_s=STEP_S, cut=cut)) as url:
        yield Sender(world, url, receiver), cuts


@pytest.fixture
def world(make_world):
    return make_world(authorize=False)


def good(sender: Sender, message: str) -> int:
    return sender.post(sender.event("im_receive_msg", chat(message))).status_code


HEAD = b"POST /webhook/k HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n"


def test_whoever_does_not_finish_a_step_in_time_is_cut_off(world):
    """No byte at all; a head and a body that come byte by byte; and a head that never ends."""
    with guarded(world) as (sender, cuts):
        began = time.monotonic()
        idle, head, body = Line(sender.url), Line(sender.url).send(HEAD), Line(sender.url).send(HEAD + b"\r\n" + b"x")
        assert good(sender, "m1") == 200
        assert (idle.rest(), head.rest()[:12], body.rest()[:12]) == (
            b"",
            b"HTTP/1.1 408",
            b"HTTP/1.1 408" if _known(sender) else b"HTTP/1.1 404",
        )
        took = time.monotonic() - began
        assert STEP_S * 0.9 <= took < STEP_S + scaled(5)
        drip = Line(sender.url).send(*[b"POST /webhook/k HTTP/1.1\r\n"], *[b"x: y\r\n"] * 20, every_s=STEP_S / 8)
        assert drip.rest()[:12] in (b"HTTP/1.1 408", b"")
        assert cuts["slow head"] >= 3
        assert good(sender, "m2") == 200


def _known(sender: Sender) -> bool:
    return sender.key == "k"


def test_a_body_that_never_ends_is_no_event(world):
    with guarded(world) as (sender, cuts):
        head = HEAD.replace(b"/k ", f"/{sender.key} ".encode())
        line = Line(sender.url).send(head + b"\r\n", *[b"x"] * 20, every_s=STEP_S / 8)
        assert line.rest()[:12] in (b"HTTP/1.1 408", b"")
        assert cuts == {"slow body": 1}
        assert sender.stored() == 0
        assert good(sender, "m1") == 200


def test_a_head_without_end_is_cut_off_by_its_size(world):
    with guarded(world) as (sender, cuts):
        line = Line(sender.url).send(HEAD, *[b"x: " + b"y" * 8000 + b"\r\n"] * 20)
        assert line.rest()[:12] in (b"HTTP/1.1 431", b"")
        assert cuts == {"head too large": 1}
        assert good(sender, "m1") == 200


def test_the_end_of_a_refused_body_is_no_head(world):
    """The response comes before the body, which is then read in pieces larger than a head may be."""
    with guarded(world) as (sender, cuts):
        size = 3 << 20
        head = HEAD.replace(b"/k ", f"/{sender.key} ".encode()).replace(b"100", str(size).encode())
        line = Line(sender.url).send(head + b"\r\n")
        assert line.socket.recv(65536)[:12] == b"HTTP/1.1 413"
        line.send(b"x" * size, b"GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert line.rest()[:12] == b"HTTP/1.1 404"
        assert cuts == {}


def test_a_sending_connection_gets_a_place(world):
    """With too many connections, those that waited longest are closed, and a good one among them is not."""
    with guarded(world, most=8) as (sender, cuts):
        assert good(sender, "m0") == 200
        lines = []
        for n in range(30):
            lines.append(Line(sender.url))
            if n % 3 == 0:
                assert good(sender, f"m{n + 1}") == 200
        assert cuts["no room"] >= 20
        assert sender.stored() == 11


def test_a_kept_connection_goes_on_between_its_events(world):
    """The limit of time is one for each step, not for the connection."""
    with guarded(world) as (sender, cuts):
        for n in range(4):
            assert good(sender, f"m{n}") == 200
            time.sleep(STEP_S * 0.6)
        assert cuts == {}


def test_the_limit_of_connections_follows_the_system_limit(monkeypatch):
    import resource

    given = [(1024, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: given[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: given.append(pair))
    assert connections_allowed(2048) == 2048
    assert given[-1] == (2304, 4096)
    given[:] = [(256, 512)]
    assert connections_allowed(2048) == 256


def test_what_strangers_send_makes_no_flood_of_lines(world, caplog):
    repeats, logger = Repeats(), logging.getLogger("uvicorn.error")
    logger.addFilter(repeats)
    try:
        with guarded(world) as (sender, _):
            for _ in range(5):
                Line(sender.url).send(b"nonsense\r\n\r\n").rest()
    finally:
        logger.removeFilter(repeats)
    assert [r.getMessage() for r in caplog.records].count("Invalid HTTP request received.") <= 1


@pytest.mark.slow
def test_good_events_beside_a_crowd(tmp_path, capsys):
    """A fifth of `python -m benchmarks.receiver --idle 1000 --slow 100`, long enough for every step to end."""
    crowd = Crowd(idle=200, slow=20)
    load = asyncio.run(run(tmp_path, rate=60, seconds=25, kills=0, seed=5, crowd=crowd))
    numbers = stored(tmp_path)
    assert load.acknowledged == load.good == set(numbers)
    assert len(numbers) == len(set(numbers))
    assert set(load.statuses) <= {200, 401}
    assert crowd.cut > 200, "all that were idle were cut off at least once"
    with capsys.disabled():
        print(
            f"\n{len(load.good):,} good events beside {crowd}: p50 {load.percentile(0.5) * 1000:.1f} ms, "
            f"p99 {load.percentile(0.99) * 1000:.1f} ms"
        )
