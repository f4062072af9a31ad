"""Record what is written to the disk and when: calls of fsync and renames, in order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def syncs() -> Iterator[list[tuple[str, str, int]]]:
    """Yield a growing list of (``"fsync"`` or ``"replace"``, name of the file or folder, its size).

    The real functions are called as well.
    """
    seen: list[tuple[str, str, int]] = []
    fsync, replace = os.fsync, os.replace

    def seen_fsync(descriptor: int) -> None:
        fsync(descriptor)
        seen.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name, os.fstat(descriptor).st_size))

    def seen_replace(old, new) -> None:
        size = os.stat(old).st_size
        replace(old, new)
        seen.append(("replace", Path(new).name, size))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", seen_fsync)
        patch.setattr(os, "replace", seen_replace)
        yield seen


def hold_whole(seen: list[tuple[str, str, int]], path: Path, pending: str) -> None:
    """Check that the file was renamed once, after all its bytes were on disk under a ``pending`` name."""
    size = path.stat().st_size
    (at,) = [n for n, one in enumerate(seen) if one == ("replace", path.name, size)]
    assert any(kind == "fsync" and pending in name and of == size for kind, name, of in seen[:at]), seen
