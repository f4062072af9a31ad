"""A receiver over real HTTP for a test's installation, with orders to the sandbox's people and webhooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from installation import World
from patience import scaled

from apps.receiver.app import Receiver
from apps.receiver.serving import serving
from resources.config.clock import Clock
from resources.state.inbox import begin_receiving


@dataclass
class Post:
    """A running receiver and the sandbox that sends to it."""

    world: World
    url: str
    receiver: Receiver

    def order(self, method: str, what: str, **body: Any) -> Any:
        return self.world._ok(method, what, body or None)

    def person_does(self, account: int, does: str, person: str | None = None, text: str = "") -> dict:
        """Let a person act now; return the event."""
        order = {"account": self.world.accounts[account], "does": does, "text": text} | (
            {"person": person} if person else {}
        )
        return self.order("POST", "people", **order)

    def people(self, account: int, limit: int = 50) -> list[dict]:
        return self.world._ok("GET", f"people?account={self.world.accounts[account]}&limit={limit}")

    def messages(self) -> list[dict]:
        """Return the messages that this world's accounts sent to the sandbox."""
        return self.world._ok("GET", "messages")

    def received(self, result: str = "stored") -> int:
        value = self.receiver.metrics.registry.get_sample_value(
            "douyin_webhook_requests_total", {"app": self.world.config.client_key, "result": result}
        )
        return int(value or 0)

    def settle(self, patience_s: float = 15) -> None:
        """Wait until the sandbox has delivered everything."""
        wait_until(lambda: self._counts()[0] == self._counts()[1], patience_s)

    def _counts(self) -> tuple[int, int]:
        reported = self.world._ok("GET", "webhooks")
        counts = reported["counts"]
        return counts.get("events", 0) + counts.get("duplicates", 0), counts.get("acknowledged", 0) + counts.get(
            "given up", 0
        )


def wait_until(true: Callable[[], bool], patience_s: float = 10) -> None:
    deadline = time.monotonic() + scaled(patience_s)
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def following(world: World) -> Clock:
    """Return a clock that always shows the world's time."""
    return Clock(lambda: world.runtime.clock.now())


@contextmanager
def receiving(world: World, *, deliver: dict[str, Any] | None = None, **more: Any) -> Iterator[Post]:
    """Run a receiver for the world; the sandbox delivers to it from now on."""
    begin_receiving(world.runtime.state, world.runtime.app_keys, world.runtime.clock.now())
    receiver = Receiver(
        world.runtime.settings.all_apps, world.runtime.state, following(world), body_bytes=1 << 20, **more
    )
    with serving(receiver.app) as url:
        post = Post(world, url, receiver)
        reported = post.order("PUT", "webhooks", url=f"{url}/webhook/{world.config.client_key}", **(deliver or {}))
        assert reported["verified"]
        try:
            yield post
        finally:
            post.order("PUT", "webhooks", url="")
