"""An end that a signal asked for comes soon, whatever the process is doing, and nothing is published after it.

Python runs the handler of a signal between two steps of its own code, on the main thread: a long query hears nothing,
an exception that is raised inside a library may be lost in it, and one in the middle of an import may leave its lock
held. So the signal is heard a second time, on a thread of its own: what is in the way of the end is cut off, which a
run survives like any kill.
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
"""So long a run may take to end by itself."""
_asked = threading.Event()
_listening = threading.Lock()


def check(patience_s: float = 0.0) -> None:
    """Go no further where an end was asked for.

    After an error that a signal may have caused, the other thread is given a moment to hear it.

    Raises:
        KeyboardInterrupt: it was.
    """
    if _asked.wait(patience_s) if patience_s else _asked.is_set():
        raise KeyboardInterrupt


@contextmanager
def heard(save: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Inside, SIGINT and SIGTERM end the process within :data:`GRACE_S`. ``save`` is called at once on another thread.

    Does nothing outside of the main thread, and inside of another such block.
    """
    if threading.current_thread() is not threading.main_thread() or not _listening.acquire(blocking=False):
        yield
        return
    ears, mouth = socket.socketpair()
    mouth.setblocking(False)
    before = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    polite = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if polite:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_wait, args=(ears, save), name="douyin-ending", daemon=True).start()
    try:
        yield
        check()
    finally:
        if not _asked.is_set():  # else the end is on its way, and is watched until it is there
            signal.set_wakeup_fd(before)
            if polite:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            mouth.close()
            _listening.release()


def _wait(ears: socket.socket, save: Callable[[], object]) -> None:
    with ears:
        while said := ears.recv(1):
            if said[0] in (signal.SIGINT, signal.SIGTERM):
                break
        else:
            return
        _asked.set()
        until = time.monotonic() + GRACE_S
        with suppress(Exception):  # what cannot be saved is asked for again
            save()
        time.sleep(max(0.0, until - time.monotonic()))
        if sys.stdout.isatty():
            os.write(1, b"\x1b[?25h\n")  # a progress bar hides the cursor
        os._exit(128 + said[0])
