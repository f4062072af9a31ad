"""End the process soon after a signal, whatever it is doing, and publish nothing afterwards.

Python runs a signal handler between two steps of its own code, on the main thread. A long query therefore does not
notice the signal, an exception raised inside a library may be lost there, and one in the middle of an import may leave
the import lock locked. So a second thread also receives the signal and ends the process after a grace period; data
survives that like any kill.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

GRACE_S = 4.0
"""Seconds that a run may take to end by itself."""
_requested = threading.Event()
_listening = threading.Lock()


def check(patience_s: float = 0.0) -> None:
    """Raise an exception if a signal has requested the end of the process.

    ``patience_s`` gives the other thread time to receive the signal, after an error that the signal may have caused.

    Raises:
        KeyboardInterrupt: the end was requested.
    """
    if _requested.wait(patience_s) if patience_s else _requested.is_set():
        raise KeyboardInterrupt


@contextmanager
def heard(save: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Make SIGINT and SIGTERM end the process within :data:`GRACE_S` seconds inside the block.

    On a signal, ``save`` is called at once on another thread. The block has no effect outside of the main thread, and
    inside another such block.
    """
    if threading.current_thread() is not threading.main_thread() or not _listening.acquire(blocking=False):
        yield
        return
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    before = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    is_default = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if is_default:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_wait, args=(receiver, save), name="douyin-ending", daemon=True).start()
    try:
        yield
        check()
    finally:
        if not _requested.is_set():  # else the process is ending, and the other thread enforces it
            signal.set_wakeup_fd(before)
            if is_default:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            sender.close()
            _listening.release()


def _wait(receiver: socket.socket, save: Callable[[], object]) -> None:
    with receiver:
        while said := receiver.recv(1):
            if said[0] in (signal.SIGINT, signal.SIGTERM):
                break
        else:
            return
        _requested.set()
        until = time.monotonic() + GRACE_S
        with suppress(Exception):  # data that cannot be saved is requested again
            save()
        time.sleep(max(0.0, until - time.monotonic()))
        if sys.stdout.isatty():
            os.write(1, b"\x1b[?25h\n")  # a progress bar hides the cursor
        os._exit(128 + said[0])
