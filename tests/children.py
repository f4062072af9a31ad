"""Processes that tests start. What still lives when its test is over is killed, with all that it started: it would hold locks and
ports, take a core from the tests after it, and outlive the suite. :func:`end_since` is called after every test
(``conftest.py``).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from patience import scaled

_started: list[subprocess.Popen] = []


def start(words: Sequence[Any], **more: Any) -> subprocess.Popen:
    """A process in a session of its own, as :class:`subprocess.Popen` makes it."""
    child = subprocess.Popen(words, start_new_session=True, **more)
    _started.append(child)
    return child


def kill_group(leader: int) -> None:
    """End a process and all of its group; its group may outlive it."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def end(child: subprocess.Popen) -> None:
    kill_group(child.pid)
    child.wait(timeout=scaled(30))
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with suppress(OSError):  # what was written and not yet sent
                pipe.close()
    if child in _started:
        _started.remove(child)


def run(
    words: Sequence[Any], *, timeout_s: float, input: str | None = None, **more: Any
) -> subprocess.CompletedProcess:
    """As :func:`subprocess.run`, which kills the process alone when time is up, not what it started."""
    child = start(
        words,
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )
    try:
        told = child.communicate(input, timeout=scaled(timeout_s))
        return subprocess.CompletedProcess(words, child.returncode, *told)
    finally:
        end(child)


def number() -> int:
    return len(_started)


def end_since(before: int) -> None:
    """End the processes that were started after :func:`number` said ``before``."""
    for child in _started[before:]:
        end(child)
