"""Protect the files of this installation from other users of the machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

_OTHERS = 0o077


def keep_private() -> None:
    """Let this process, and those that it starts, create folders with mode 0700 and files with 0600.

    Call this at the start of a process. A umask and not chmod per file: DuckDB, SQLite and Dagster create files of
    their own, and a folder's default ACL, which shares it on purpose, stays effective.
    """
    os.umask(_OTHERS)


def wider(root: Path) -> Iterator[Path]:
    """Yield files and folders at or under ``root`` that give rights to the group or to others."""
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
    """Return whether the group or others have any rights on a file or folder.

    Symbolic links have no rights of their own.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not stat.S_ISLNK(mode) and bool(mode & _OTHERS)
