"""Write files atomically (temporary file, fsync, rename), and remove orphaned temporary files of killed writers."""

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
    """A file does not read back as it was written; the message names the file and the repair."""


_STRANGERS_S = 24 * 3600.0
"""Age after which a temporary file of another host is an orphan: its writer cannot be checked; no write takes a day."""

_NAME = re.compile(r"^\..+\.(?P<host>[^.]+)-(?P<pid>\d+)\.tmp$")
_HOST = re.sub(r"[^A-Za-z0-9_]", "_", platform.node()) or "host"
_writing: set[Path] = set()
"""Files that this process is writing now: in a restarted container the dead writer had the same process id."""


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Write ``data`` to ``path`` so that readers see either nothing or all of it, also after a crash.

    Raises:
        OSError: writing failed; no temporary file remains.
    """
    replace_atomic(path, lambda file: file.write(data))


def replace_atomic(
    path: Path,
    write: Callable[[BinaryIO], object],
    *,
    unless_same: bool = False,
    whole: Callable[[Path], object] | None = None,
) -> bool:
    """Replace ``path`` atomically with what ``write`` writes, and return whether it was replaced.

    Unlike with :func:`write_atomic`, the data need not fit into memory. ``unless_same`` leaves a file alone that has
    these bytes already. ``whole`` is called with the temporary file once it is complete.

    Raises:
        OSError: writing failed; no temporary file remains.
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
    """Remove and return temporary files whose writer is dead; those of running processes stay."""
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
    """Return whether this host runs a process of that id; True on systems where checking would end the process."""
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
    """Return host, id and start time of this process, in the format that :func:`is_dead` reads."""
    return f"{_HOST}-{os.getpid()}-{_started(os.getpid()) or 0}"


def is_dead(process: str) -> bool:
    """Return whether a process named by :func:`this_process` is known to have ended; False for other hosts."""
    host, _, rest = process.partition("-")
    pid, _, started = rest.partition("-")
    if host != _HOST or not pid.isdigit():
        return False
    if not is_alive(int(pid)):
        return True
    # Process ids are reused; after a restart of the machine or of a container even at once.
    now = _started(int(pid))
    return now is not None and started.isdigit() and int(started) != 0 and now != int(started)


def _started(pid: int) -> int | None:
    """Return a process's start time in kernel ticks; None where the system does not report it."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])
