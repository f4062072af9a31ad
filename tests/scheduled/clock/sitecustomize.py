"""Set the clock of every Python process with this folder on its path to the instant in a file.

``TEST_CLOCK`` names the file, which may change. Only ``time.time`` and ``datetime`` are changed (time-machine), so
waiting takes as long as ever. Two callers get the machine's own time: gRPC, whose core measures deadlines with it, and
the loop of Dagster's daemons, which measures its pauses with it.
"""

import os

if os.environ.get("TEST_CLOCK"):
    import datetime
    import sys
    import threading
    import time

    import time_machine

    _FILE = os.environ["TEST_CLOCK"]

    def _read() -> datetime.datetime:
        with open(_FILE) as file:
            return datetime.datetime.fromisoformat(file.read().strip())

    _traveller = time_machine.travel(_read(), tick=False).start()
    _moved = time.time

    def _time() -> float:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        return (
            time_machine.escape_hatch.time.time()
            if caller.startswith(("grpc.", "dagster._daemon.daemon"))
            else _moved()
        )

    time.time = _time

    def _follow() -> None:
        seen = None
        while True:
            if (changed := os.stat(_FILE).st_mtime_ns) != seen:
                seen = changed
                _traveller.move_to(_read())
            time.sleep(0.05)

    threading.Thread(target=_follow, name="test-clock", daemon=True).start()
