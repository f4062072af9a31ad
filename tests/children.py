"""Start processes for tests, and kill those that still live when their test is over.

A survivor and its children would keep locks and ports, take a core from later tests, and outlive the suite.
:func:`end_since` is called after every test (``conftest.py``).
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
    """Start a process in a session of its own, as :class:`subprocess.Popen` does."""
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
            with suppress(OSError):  # output that was written and not yet sent
                pipe.close()
    if child in _started:
        _started.remove(child)


def run(
    words: Sequence[Any], *, timeout_s: float, input: str | None = None, **more: Any
) -> subprocess.CompletedProcess:
    """Run a process to its end, and kill its whole group when time is up.

    :func:`subprocess.run` would kill the process alone.
    """
    child = start(
        words,
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )
    try:
        reported = child.communicate(input, timeout=scaled(timeout_s))
        return subprocess.CompletedProcess(words, child.returncode, *reported)
    finally:
        end(child)


def number() -> int:
    return len(_started)


def end_since(before: int) -> None:
    """End the processes that were started after :func:`number` returned ``before``."""
    for child in _started[before:]:
        end(child)
