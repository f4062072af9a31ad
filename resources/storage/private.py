"""Keep what this installation writes from other users of the machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

_OTHERS = 0o077


def keep_private() -> None:
    """Let this process, and those that it starts, create folders with mode 0700 and files with 0600.

    Called where a process begins. Not chmod per file: DuckDB, SQLite and Dagster create files of their own, and a
    default ACL, with which a folder is shared on purpose, still holds.
    """
    os.umask(_OTHERS)


def wider(root: Path) -> Iterator[Path]:
    """Find what lies at or under ``root`` and gives rights to the group or to others."""
    if is_wider(root):
        yield root
    folders = [str(root)]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:  # removed meanwhile, or not ours to read
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            if is_wider(Path(entry.path)):
                yield Path(entry.path)


def is_wider(path: Path) -> bool:
    """Say whether the group or others may do anything with a file or folder.

    Symbolic links have no rights of their own.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not stat.S_ISLNK(mode) and bool(mode & _OTHERS)
