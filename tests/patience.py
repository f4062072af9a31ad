"""Scale the time limits of tests to the machine's present speed; they are written for two idle cores.

Also decides how many random examples tests try: all of them where ``TESTS_AT_LENGTH`` is set, as ``.ci/run`` does.
"""

from __future__ import annotations

import os
import time

_WORK = 2_000_000
_REFERENCE_S = 0.05
"""What :func:`_work_s` takes on the machine that the limits were written for."""
_BELIEVED_S = 2.0
"""How long a measurement is valid, in seconds."""
_measured: list[float] = []
"""The instant of the latest measurement, and its factor."""


def _work_s() -> float:
    """Return the wall-clock time of a fixed piece of work.

    It is long enough for the system to give the core to others meanwhile.
    """
    began = time.perf_counter()
    sum(range(_WORK))
    return time.perf_counter() - began


def slowness() -> float:
    """How many times slower than the reference this machine is, other programs included; 1 at least."""
    now = time.monotonic()
    if not _measured or now - _measured[0] > _BELIEVED_S:
        _measured[:] = [now, max(1.0, _work_s() / _REFERENCE_S)]
    return _measured[1]


def scaled(seconds: float) -> float:
    """Convert a limit in seconds for an idle machine to a limit for this one."""
    return seconds * slowness()


def tries(examples: int) -> int:
    """A number of random examples; a quarter of it in the fast suite."""
    return examples if os.environ.get("TESTS_AT_LENGTH") else max(5, examples // 4)
