#!/usr/bin/env python3
"""Run a command, for so many seconds at most, and leave nothing running: ``limit.py SECONDS COMMAND …``.

``timeout`` signals the processes of one group, once. Dagster turns SIGTERM into a note that is read later, and what
tests start in sessions of their own goes on: a test that hung for lack of that kept CI waiting for 90 minutes without a
word. Here what is left over becomes a child of this process (Linux), so all of it is found and killed. Exits as the
command does; with 124 where its time was up, after the Python processes were made to show their stacks.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_SUBREAPER = 36  # prctl's PR_SET_CHILD_SUBREAPER
_STACKS_S = 2.0
_DYING_S = 20.0
TIME_IS_UP = 124


class Ended(Exception):
    """This process was ended by a signal of this number."""


def adopt_orphans() -> None:
    with contextlib.suppress(OSError, AttributeError):  # elsewhere than on Linux
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def descendants() -> dict[int, str]:
    """Command lines of all living processes below this one, those that they left behind included."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents.setdefault(int(parent), []).append(int(folder.name))
    found, below = {}, list(parents.get(os.getpid(), ()))
    while below:
        pid = below.pop()
        below += parents.get(pid, ())
        with contextlib.suppress(OSError):
            found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def reap() -> dict[int, int]:
    """Exit codes of the children that ended, this command's and orphans'."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = os.waitstatus_to_exitcode(found[1])
    return ended


def wait(pid: int, seconds: float) -> int | None:
    """The command's exit code, or None where its time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (code := reap().get(pid)) is not None:
            return code
        time.sleep(0.1)
    return None


def show_stacks() -> None:
    """pytest writes the stacks of all its threads when it is aborted; the others just end."""
    for pid, words in descendants().items():
        print(f"still running: {pid} {words[:150]}", file=sys.stderr, flush=True)
        if "python" in words:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGABRT)
    time.sleep(_STACKS_S)


def kill_all(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    until = time.monotonic() + _DYING_S
    while (
        left := descendants()
    ) and time.monotonic() < until:  # again: a process may have started another one meanwhile
        for one in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        time.sleep(0.05)
        reap()


def end(number: int, _frame: object) -> None:
    raise Ended(number)


def main(seconds: float, command: list[str]) -> int:
    adopt_orphans()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    child = subprocess.Popen(command, start_new_session=True)
    try:
        code = wait(child.pid, seconds)
        if code is None:
            print(f"{seconds:.0f} s are over: {' '.join(command)} is ended", file=sys.stderr, flush=True)
            show_stacks()
            return TIME_IS_UP
        return code if code >= 0 else 128 - code
    except Ended as ended:
        return 128 + ended.args[0]
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        kill_all(child.pid)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
