"""Describe the result of a publication, and why one failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from resources.storage.partition import LakeCorrupt


class PublishFailed(RuntimeError):
    """The lake cannot be published; the previous file stays."""


@dataclass
class Publication:
    """Result of one publication.

    ``bytes`` is the size of the file, ``changed`` the days written or removed per dataset, ``seconds`` the duration.
    """

    path: Path
    changed: dict[str, list[date]] = field(default_factory=dict)
    rebuilt: bool = False
    left_out: list[str] = field(default_factory=list)
    """Marts with skipped days; the log states the reasons."""
    damaged: list[LakeCorrupt] = field(default_factory=list)
    """Files of the lake that do not read back: their days stay as published before, all others are published."""
    made_again: list[LakeCorrupt] = field(default_factory=list)
    """Damaged files of marts that were rebuilt from the lake."""
    bytes: int = 0
    seconds: float = 0.0

    @property
    def partitions(self) -> int:
        """Number of partitions written or removed."""
        return sum(map(len, self.changed.values()))
