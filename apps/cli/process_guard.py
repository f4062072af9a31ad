"""End the processes that another process started, after that process has ended for any reason.

Run as a program of its own it reads the number of a process group from standard input, then waits for the input to
close. The system closes it for a killed process, too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PATIENCE = ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


@contextmanager
def guarded(child: subprocess.Popen) -> Iterator[None]:
    """Have the group of ``child`` ended if this process is killed in the block."""
    guard = subprocess.Popen([sys.executable, "-I", __file__], stdin=subprocess.PIPE, start_new_session=True)
    assert guard.stdin is not None, "stdin is a pipe"
    try:
        guard.stdin.write(f"{child.pid}\n".encode())
        guard.stdin.flush()
        yield
    finally:
        guard.kill()
        guard.wait()
        guard.stdin.close()


def end_group(leader: int) -> None:
    """End all processes of a group by SIGINT, SIGTERM, then SIGKILL."""
    for number, patience_s in _PATIENCE:
        with suppress(ProcessLookupError):
            os.killpg(leader, number)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            try:
                os.killpg(leader, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)


def main() -> None:
    """Wait for standard input to close, then end the group that its first line names."""
    leader = sys.stdin.readline().strip()
    sys.stdin.read()
    if leader:
        end_group(int(leader))


if __name__ == "__main__":
    main()
