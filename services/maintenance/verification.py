"""Define the report of a verification and its findings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from resources.storage.partition import LakeCorrupt
from resources.storage.segments import ArchiveCorrupt


@dataclass(frozen=True)
class VerificationFinding:
    """One difference.

    ``table`` is a table or an operation, ``where`` a file or days, ``mend`` the command that repairs it.

    ``is_hint``: our data is intact but disagrees with a total that the platform reports elsewhere, or can be updated.
    """

    table: str
    where: str
    what: str
    mend: str
    is_hint: bool = False
    damage: ArchiveCorrupt | LakeCorrupt | None = None


@dataclass
class VerificationReport:
    """What was compared, and the differences.

    ``alone`` counts days of the lake that cannot be compared, because the archive no longer has their responses.
    """

    segments: int = 0
    days: int = 0
    rows: int = 0
    published: int = 0
    totals: int = 0
    alone: Counter[str] = field(default_factory=Counter)
    findings: list[VerificationFinding] = field(default_factory=list)

    @property
    def wrong(self) -> list[VerificationFinding]:
        """Return the findings that are errors and no hints."""
        return [f for f in self.findings if not f.is_hint]


def span_options(first: date, last: date) -> str:
    """Format a range of days as the options of a command."""
    return f"--from {first} --to {last}"
