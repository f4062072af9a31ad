"""Calculate how long to wait before a retry; the client does the waiting."""

from __future__ import annotations

import random
from collections.abc import Callable

from catalog.errors import Action, ErrorCode

LONGEST_S = 60.0
NO_ANSWER_TRIES = 5
"""Requests per call without a valid response (time-out, cut connection, HTTP 5xx, no JSON), as for "system busy"."""
TOO_FREQUENT = 28003018

_RETRIED = frozenset({Action.RETRY, Action.ALERT, Action.SLOW_DOWN})


def wait_before_retry(
    known: ErrorCode | None, calls: int, base_s: float, draw: Callable[[], float] = random.random
) -> float | None:
    """Return the seconds to wait after the ``calls``-th request failed, or None to give up.

    ``known`` is the catalogue's record of the code, None if the platform did not respond. The wait is exponential from
    ``base_s`` to 60 s with full jitter, so that many tasks that failed together do not retry together. "Too frequent"
    waits at least ``base_s``; risk control waits one to two minutes at the default base of a second.
    """
    tries = NO_ANSWER_TRIES if known is None else known.tries if known.action in _RETRIED else 1
    if calls >= tries:
        return None
    if known is not None and known.action is Action.SLOW_DOWN:
        return base_s * LONGEST_S * (1 + draw())
    wait: float = min(LONGEST_S, base_s * 2 ** (calls - 1)) * draw()
    return min(LONGEST_S, base_s + wait) if known is not None and known.code == TOO_FREQUENT else wait
