"""Files written whole: beside, fsync, rename. And sweeping what a killed writer left beside."""

from __future__ import annotations

import filecmp
import os
import platform
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO


class CorruptFile(RuntimeError):
    """A file does not read back as it was written; the message says which, and what mends it."""


_STRANGERS_S = 24 * 3600.0
"""Whether a writer on another host still lives cannot be seen from here; no write takes a day."""

_NAME = re.compile(r"^\..+\.(?P<host>[^.]+)-(?P<pid>\d+)\.tmp$")
_HOST = re.sub(r"[^A-Za-z0-9_]", "_", platform.node()) or "host"
_writing: set[Path] = set()
"""What this process is writing now: in a container that was started again the dead writer had the same number."""


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Put ``data`` at ``path`` so that readers see nothing or all of it, also after a crash.

    Raises OSError and leaves nothing behind.
    """
    replace_atomic(path, lambda file: file.write(data))


def replace_atomic(
    path: Path,
    write: Callable[[BinaryIO], object],
    *,
    unless_same: bool = False,
    whole: Callable[[Path], object] | None = None,
) -> bool:
    """The same of what ``write`` writes, which need not be held in memory; says whether the file was replaced.

    ``unless_same``: a file that has these bytes already is left alone. ``whole`` is called with the pending file when
    all of it is written.
    """
    pending = path.with_name(f".{path.name}.{_HOST}-{os.getpid()}.tmp")
    _writing.add(pending)
    try:
        with open(pending, "wb") as file:
            write(file)
            file.flush()
            if whole is not None:
                whole(pending)
            if unless_same and path.exists() and filecmp.cmp(pending, path, shallow=False):
                pending.unlink()
                return False
            os.fsync(file.fileno())
        os.replace(pending, path)
        return True
    except BaseException:
        pending.unlink(missing_ok=True)
        raise
    finally:
        _writing.discard(pending)


def sweep(candidates: Iterable[Path]) -> list[Path]:
    """Remove pending files whose writer is dead; gives those removed. Files of living processes stay."""
    swept = []
    for path in candidates:
        if _is_orphan(path):
            path.unlink(missing_ok=True)
            swept.append(path)
    return swept


def _is_orphan(path: Path) -> bool:
    found = _NAME.match(path.name)
    if found is None or path in _writing:
        return False
    pid = int(found["pid"])
    if found["host"] == _HOST:
        return pid == os.getpid() or not is_alive(pid)
    try:
        return time.time() - path.stat().st_mtime > _STRANGERS_S
    except FileNotFoundError:
        return False


def is_alive(pid: int) -> bool:
    """Whether this host runs a process of that number. Where that cannot be asked without harm, yes."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


RUN_PROCESS = "douyin/process"
"""Tag of a Dagster run with the process that executes it, as :func:`this_process` writes it."""


def this_process() -> str:
    """Host, number and start of this process, as :func:`is_dead` reads them."""
    return f"{_HOST}-{os.getpid()}-{_started(os.getpid()) or 0}"


def is_dead(process: str) -> bool:
    """Whether a process that :func:`this_process` named is known to have ended. One on another host is not known."""
    host, _, rest = process.partition("-")
    pid, _, started = rest.partition("-")
    if host != _HOST or not pid.isdigit():
        return False
    if not is_alive(int(pid)):
        return True
    # A number is given again, after a restart of the machine or of a container even at once.
    now = _started(int(pid))
    return now is not None and started.isdigit() and int(started) != 0 and now != int(started)


def _started(pid: int) -> int | None:
    """When a process began, in the kernel's ticks; None where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])
