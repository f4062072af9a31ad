"""Define the settings of a sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog import ENDPOINTS, OPERATIONS

ANSWERS = ("write", "enter", "tap_card", "leave_phone", "opt_out")
FORMS = ("mixed", "plain")


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Settings of one sandbox.

    ``seed`` chooses the world. ``videos`` is about how many videos each account lists at any instant; the publishing
    rhythm follows from it. ``most_fans`` is the size of the largest account: plays, comments and people follow from it.
    ``qps`` limits requests per second and scope in real time, ``per_day`` requests per scope and Beijing day of the
    sandbox's clock; None is no limit.

    ``now`` freezes the clock (aware); None is the real clock. ``lacking`` names scopes that the app does not own (code
    28001018); ``scopes``, if given, are the only ones that it owns. ``withdrawn`` names operations that are offline
    (28001056). ``apps`` are further apps after the first, as (client_key, client_secret), each with ids of its own.

    ``late_counts`` is the share of an object's days whose newest numbers are a tenth too low until two days later, 0 to
    1. ``answers`` are (action, rate), the rates at which people react to messages: ``write``, ``enter``, ``tap_card``,
    ``leave_phone``, ``opt_out``; about ``answer_delay_s`` later on the sandbox's clock.

    ``form`` is how responses are written. ``mixed`` uses every variation that the contract allows (numbers as text,
    members omitted). ``plain`` writes as the platform's published samples do, which is all that the official SDK
    accepts. ``dead_tokens``, ``private_accounts`` and ``deregistered`` are shares of the accounts, 0 to 1.
    """

    seed: int = 1
    accounts: int = 5
    videos: int = 40
    most_fans: int = 3_000_000
    latency_ms: float = 0
    qps: float | None = None
    per_day: int | None = None
    now: datetime | None = None
    client_key: str = "sandbox-key"
    client_secret: str = "sandbox-secret"
    host: str = "127.0.0.1"
    port: int = 0
    lacking: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    withdrawn: tuple[str, ...] = ()
    apps: tuple[tuple[str, str], ...] = ()
    late_counts: float = 0
    answers: tuple[tuple[str, float], ...] = ()
    answer_delay_s: float = 0
    dead_tokens: float = 0
    private_accounts: float = 0
    deregistered: float = 0
    form: str = "mixed"

    def __post_init__(self) -> None:
        if self.accounts < 1 or self.videos < 1 or self.most_fans < 100:
            raise ValueError("a sandbox needs at least one account, one video, and 100 fans of the largest account")
        if self.now is not None and self.now.tzinfo is None:
            raise ValueError("now needs a time zone, e.g. 2026-11-16T10:30:00+08:00")
        if (self.qps is not None and self.qps <= 0) or (self.per_day is not None and self.per_day <= 0):
            raise ValueError("limits must be above 0; leave them out for no limit")
        if not 0 <= self.late_counts <= 1:
            raise ValueError("late_counts is a share, e.g. 0.2")
        if (
            {name for name, _ in self.answers} - set(ANSWERS)
            or not all(0 <= rate <= 1 for _, rate in self.answers)
            or self.answer_delay_s < 0
        ):
            raise ValueError(f"answers are shares from 0 to 1 of {', '.join(ANSWERS)}, e.g. write=0.3")
        if self.form not in FORMS:
            raise ValueError(f"form is {' or '.join(FORMS)}, not {self.form!r}")
        if self.latency_ms < 0:
            raise ValueError("latency_ms cannot be negative")
        keys = [self.client_key, *(key for key, _ in self.apps)]
        if len(set(keys)) < len(keys) or not all(key and secret for key, secret in self.apps):
            raise ValueError("each app needs a client_key of its own and a client_secret")
        shares = (self.dead_tokens, self.private_accounts, self.deregistered)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("shares of accounts in trouble are numbers from 0 on that add up to 1 at most, e.g. 0.03")
        if unknown := [name for name in self.withdrawn if name not in OPERATIONS and name not in ENDPOINTS]:
            raise ValueError(f"no operation is called {', '.join(unknown)}")
        known = {o.quota for o in (*ENDPOINTS.values(), *OPERATIONS.values())}
        if unknown := sorted({*self.lacking, *(self.scopes or ())} - known):
            raise ValueError(f"no scope is called {', '.join(unknown)}")

    def owns(self, scope: str) -> bool:
        """Report whether the app owns a scope; operations without a scope, such as tokens, are open to all."""
        return scope not in self.lacking and (self.scopes is None or scope in self.scopes)
