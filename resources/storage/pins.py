"""Pin files of the lake under names that no run replaces, for as long as they are read.

DuckDB opens a file several times. A run that replaced it in between made 20 of 67 publications fail; it could also mix
two versions.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from resources.storage.partition import Partition, check


class Pins:
    """A folder of hard links (copies, where the file system has none), each verified against its checksum once.

    One process at a time uses it; entering and leaving the block empties it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked: set[Path] = set()

    def __enter__(self) -> Pins:
        shutil.rmtree(self._folder, ignore_errors=True)
        return self

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def pin(self, partition: Partition) -> Partition | None:
        """Pin a partition's file and return the partition with its pinned path; None if it was removed meanwhile.

        A month file is pinned once for all of its days.

        Raises:
            LakeCorrupt: the file is not as it was written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        day = partition.dt if partition.group is None else partition.path.parent.name
        name = self._folder / f"{partition.table.replace('/', '.')}.{day}.parquet"
        try:
            while name not in self._checked:
                name.unlink(missing_ok=True)
                _link_or_copy(partition.path, name)
                if check(partition, name):
                    self._checked.add(name)
        except FileNotFoundError:
            return None
        stat = name.stat()
        return replace(partition, path=name, size=stat.st_size, mtime_ns=stat.st_mtime_ns)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without hard links
        with open(source, "rb") as file, open(target, "xb") as copy:
            shutil.copyfileobj(file, copy)
            stat = os.fstat(file.fileno())
        os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
