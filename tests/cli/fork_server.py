"""Run commands as processes without their start-up: a process with all imports forks one for each order.

Starting Python and importing Dagster, Arrow and DuckDB is most of the time of a short command, and the tests run a
hundred of them. A fork is a process like any other, in a session of its own: environment, folder, input and output,
exit code. The start itself is tested by the tests of `dev`, `sandbox` and `authorize`, which start it, and by
``test_cli.py``. Orders come over a socket: one line of JSON, with the three files to be used.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

import authorities
import children
from patience import scaled

ROOT = Path(__file__).resolve().parents[2]
LONGEST_ORDER = 1 << 17


class ForkServer:
    """The side of the tests. The server ends when this process does, since its socket closes."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [sys.executable, __file__, str(theirs.fileno())]
        path = os.pathsep.join([str(ROOT), str(Path(children.__file__).parent)])
        # It is not one of a test's children: it serves all tests of this process.
        self._server = subprocess.Popen(
            words, env=environment | {"PYTHONPATH": path}, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
        theirs.close()

    def run(
        self, arguments: tuple[str, ...], *, cwd: Path, environment: dict[str, str], input: str | None, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        order = json.dumps({"arguments": arguments, "cwd": str(cwd), "environment": environment}).encode()
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
            given.write((input or "").encode())
            given.seek(0)
            self._orders.settimeout(scaled(timeout_s))
            socket.send_fds(self._orders, [order], [given.fileno(), said.fileno(), errors.fileno()])
            pid = int(self._orders.recv(64))
            try:
                code = int(self._orders.recv(64))
            finally:
                children.kill_group(pid)
                if sys.exc_info()[0] is not None:
                    self._orders.settimeout(10)
                    self._orders.recv(64)  # the reply for the killed one: the next order must not take it for its own
            texts = []
            for file in (said, errors):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess(arguments, code, *texts)


def serve(orders: socket.socket) -> dict | None:
    """Fork for each order; return the order in the child, None when there are no more."""
    while True:
        line, files, _, _ = socket.recv_fds(orders, LONGEST_ORDER, 3)
        if not line:
            return None
        child = os.fork()
        if child == 0:
            os.setsid()
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            orders.close()
            return json.loads(line)
        for file in files:
            os.close(file)
        orders.send(str(child).encode())
        orders.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


def finish(code: int) -> None:
    """End as Python does, except for destructors of libraries.

    Arrow's waits for threads that a forked process does not have.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def know_marts() -> None:
    """Compile the marts once, which would take each process of a new home seconds.

    DuckDB's threads end with the process that compiles.
    """
    from resources.warehouse.mart_files import load_marts
    from services.marts.binding import bind, keep

    with tempfile.TemporaryDirectory() as folder:
        known, marts = Path(folder, "marts.json"), load_marts()
        child = os.fork()
        if child == 0:
            keep(bind(marts), known)
            os._exit(0)
        os.waitpid(child, 0)
        bind(marts, known)


def main() -> None:
    import functools
    import gc

    import typer.main

    import apps.cli.main
    import apps.cli.simulation
    import pipelines.runner  # noqa: F401
    import resources.warehouse.publisher  # noqa: F401
    import sandbox.server  # noqa: F401

    typer.main.get_command = functools.cache(typer.main.get_command)
    typer.main.get_command(apps.cli.main.app)
    authorities.read_once()
    know_marts()
    gc.freeze()
    order = serve(socket.socket(fileno=int(sys.argv[1])))
    if order is None:
        return
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["cwd"])
    sys.argv = [apps.cli.main.__file__, *order["arguments"]]
    try:
        apps.cli.main.main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    finish(code)


if __name__ == "__main__":
    main()
