"""Count requests for tests and people, who read the counts at ``/_sandbox/stats``."""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping


def request_key(params: Mapping[str, str]) -> str:
    """Join the parameters in the order of their names, without tokens and secrets."""
    hidden = ("access_token", "client_secret", "code", "refresh_token")
    return "&".join(f"{k}={params[k]}" for k in sorted(params) if k not in hidden)


class Stats:
    """Counts since the last reset.

    The maximum per second is the most requests of a scope within any second of real time.
    """

    def __init__(self, real_time: Callable[[], float] = time.monotonic) -> None:
        self._real_time = real_time
        self.reset()

    def reset(self) -> None:
        """Set all counts to zero."""
        self._requests: dict[str, Counter[str]] = defaultdict(Counter)
        self._codes: dict[str, Counter[str]] = defaultdict(Counter)
        self._faults: dict[str, Counter[str]] = defaultdict(Counter)
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self._busiest: Counter[str] = Counter()

    def request(self, operation: str, scope: str, params: Mapping[str, str]) -> None:
        """Count a request by operation, scope and parameters."""
        self._requests[operation][request_key(params)] += 1
        now, recent = self._real_time(), self._recent[scope]
        recent.append(now)
        while recent[0] <= now - 1:
            recent.popleft()
        if len(recent) > self._busiest[scope]:
            self._busiest[scope] = len(recent)

    def answer(self, operation: str, outcome: int | str) -> None:
        """Count a code, or the name of the outcome that replaced a code."""
        self._codes[operation][str(outcome)] += 1

    def fault(self, operation: str, kind: str) -> None:
        """Count a fault that was served."""
        self._faults[operation][kind] += 1

    def describe(self) -> dict:
        """Return ``total``; per operation requests, by_key, codes and faults; ``max_per_second`` per scope."""
        operations = {
            operation: {
                "requests": sum(keys.values()),
                "by_key": dict(keys),
                "codes": dict(self._codes.get(operation, {})),
                "faults": dict(self._faults.get(operation, {})),
            }
            for operation, keys in self._requests.items()
        }
        return {
            "total": sum(o["requests"] for o in operations.values()),
            "operations": operations,
            "max_per_second": dict(self._busiest),
        }
