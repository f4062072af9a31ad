"""CI's time limit ends every process that was started, in any session and with any handling of signals."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import children
import pytest
from patience import scaled

from resources.storage.atomic import is_alive

LIMIT = Path(__file__).resolve().parents[1] / ".ci" / "limit.py"
DEAF = """
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGABRT):
    signal.signal(number, signal.SIG_IGN)
if sys.argv[1] == "parent":
    child = subprocess.Popen([sys.executable, __file__, "left behind"],
                             start_new_session=True, stderr=subprocess.DEVNULL)
    print(child.pid, flush=True)
    if sys.argv[2] == "ends":
        sys.exit(3)
time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize(("parent", "limit_s", "code"), [("ends", 60, 3), ("hangs", 1, 124)])
def test_nothing_is_left(tmp_path, parent: str, limit_s: int, code: int):
    script = tmp_path / "deaf.py"
    script.write_text(DEAF)
    began = time.monotonic()
    # The process left behind keeps this output open: without its end communicate() would wait for it.
    reported = children.run(
        [sys.executable, LIMIT, str(limit_s), sys.executable, script, "parent", parent], timeout_s=60, text=True
    )
    assert reported.returncode == code, reported.stderr
    assert not is_alive(int(reported.stdout))
    assert ("1 s are over" in reported.stderr) == (parent == "hangs")
    assert time.monotonic() - began < scaled(40)
