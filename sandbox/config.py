"""What a sandbox is told before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Settings of one sandbox.

    ``seed`` chooses the world. ``videos`` is about how many videos each account lists at any
    instant; the publishing rhythm follows from it. ``qps`` limits requests per second and scope in
    real time, ``per_day`` requests per scope and Beijing day of the sandbox's clock; None is no limit.
    ``now`` freezes the clock (aware); None is the real clock. ``lacking`` names scopes that the app
    does not own (code 28001018).
    """

    seed: int = 1
    accounts: int = 5
    videos: int = 40
    latency_ms: float = 0
    qps: float | None = None
    per_day: int | None = None
    now: datetime | None = None
    client_key: str = "sandbox-key"
    client_secret: str = "sandbox-secret"
    host: str = "127.0.0.1"
    port: int = 0
    lacking: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.accounts < 1 or self.videos < 1:
            raise ValueError("a sandbox needs at least one account and one video")
        if self.now is not None and self.now.tzinfo is None:
            raise ValueError("now needs a time zone, e.g. 2026-11-16T10:30:00+08:00")
        if (self.qps is not None and self.qps <= 0) or (self.per_day is not None and self.per_day <= 0):
            raise ValueError("limits must be above 0; leave them out for no limit")
        if self.latency_ms < 0:
            raise ValueError("latency_ms cannot be negative")
