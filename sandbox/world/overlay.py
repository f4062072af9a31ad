"""Overlay the world with the effects of the API and the control plane.

The world itself follows from seed and clock. The overlay follows from requests, lives in memory, and is empty until the
first one: then everything is as it was without it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import day_of

FIRST_INDEX = 0x4000
"""Events of a customer that the world did not foresee have places from here on."""
FIRST_NEW_TAG = 9_001


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A call that sent messages.

    ``window`` is the id of the message it replied to; ``at`` is epoch seconds.
    """

    account: int
    number: int
    scene: str
    window: str
    types: tuple[int, ...]
    message_ids: tuple[str, ...]
    at: float
    client_msg_id: str = ""
    texts: tuple[str, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class ScheduledAction:
    """An action that a person will do at ``at`` (epoch seconds)."""

    at: float
    account: int
    number: int
    does: str
    text: str = ""


class Overlay:
    """The overlay of one app. Accounts are named by their index, people by their number."""

    def __init__(self) -> None:
        self.events: dict[int, list[Any]] = defaultdict(list)
        self.consents: dict[tuple[int, int], list[tuple[float, bool]]] = defaultdict(list)
        self.follows: dict[tuple[int, int], float] = {}
        self.sent: list[SentMessage] = []
        self.recalled: set[str] = set()
        self.scheduled: list[ScheduledAction] = []
        self.names: dict[int, dict[int, str | None]] = defaultdict(dict)
        self.taggings: dict[tuple[int, int, int], list[tuple[float, bool]]] = defaultdict(list)
        self.replies: dict[tuple[int, int], list[tuple[str, str, float]]] = defaultdict(list)
        self.subscriptions: dict[str, int] = {}
        self.emit: Callable[[dict[str, Any]], None] = lambda body: None
        """Called with every event that is to be delivered."""
        self._places: Counter[tuple[int, int]] = Counter()
        self._tags: Counter[int] = Counter()
        self._event_number = 0

    def forget(self) -> None:
        """Undo all effects; the listener stays."""
        emit = self.emit
        self.__dict__.update(vars(type(self)()))
        self.emit = emit

    def next_index(self, account: int, number: int) -> int:
        """Return the place of a new event of a customer."""
        self._places[account, number] += 1
        return FIRST_INDEX + self._places[account, number]

    def next_tag(self, account: int) -> int:
        """Return the id of a new tag of an account."""
        self._tags[account] += 1
        return FIRST_NEW_TAG + self._tags[account]

    def next_event_number(self) -> int:
        """Return a number that distinguishes equal events of one instant."""
        self._event_number += 1
        return self._event_number

    def touches(self, account: int, number: int) -> bool:
        """Report whether anything of a customer differs from the world's course."""
        return (
            self._places[account, number] > 0
            or (account, number) in self.consents
            or (account, number) in self.follows
            or any(key[:2] == (account, number) for key in self.taggings)
            or bool(self.names.get(account))
        )

    def used(self, window: str) -> int:
        """Return the number of messages that were sent in a window."""
        return sum(len(s.types) for s in self.sent if s.window == window)

    def proactive_today(self, account: int, number: int, instant: float) -> bool:
        """Report whether a proactive message was sent to the person on the instant's Beijing day."""
        today = day_of(instant)
        return any(
            s.scene == "im_authorize_message" and (s.account, s.number) == (account, number) and day_of(s.at) == today
            for s in self.sent
        )

    def due(self, instant: float) -> list[ScheduledAction]:
        """Remove and return the actions scheduled until ``instant``, in order of time."""
        found = sorted((one for one in self.scheduled if one.at <= instant), key=lambda one: one.at)
        self.scheduled = [one for one in self.scheduled if one.at > instant]
        return found


def changed(spans: list[tuple[float, bool]], since: float | None, until: float) -> tuple[float, float] | None:
    """Apply what was switched on and off to a span (from, until)."""
    for at, on in spans:
        if on and (since is None or not since <= at < until):  # neither over nor, in the world's course, still to come
            since, until = at, float("inf")
        elif not on and since is not None and until > at:
            until = at
    return None if since is None else (since, until)
