"""Read what only the team knows of its accounts: category, owner and client, from ``accounts.csv`` of the project."""

from __future__ import annotations

import csv
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

FILE = "accounts.csv"
ATTRIBUTES = ("category", "owner", "client")
COLUMNS = ("open_id", "client_key", "name", *ATTRIBUTES)


@dataclass
class AccountAttributes:
    """Attributes by open_id, each with its line of the file, and the refused rows: file, line, reason, what to do."""

    path: Path | None = None
    rows: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def of(self, open_id: str) -> dict[str, str | None]:
        """Return the attributes of an account; None where the file has no value."""
        _, row = self.rows.get(open_id, (0, {}))
        return {name: row.get(name) or None for name in ATTRIBUTES}

    def refused_for(self, known: Container[str]) -> list[str]:
        """Return all refused rows: those of the file, and those whose open_id is not ``known``."""
        return self.refused + [
            f"{self.path}:{line}: no account has the open_id {open_id}: `douyin accounts list` shows them"
            for open_id, (line, _) in self.rows.items()
            if open_id not in known
        ]


def read_attributes(project: Path | None) -> AccountAttributes:
    """Read the file of a project folder; a missing file has no rows. ``name`` and ``client_key`` are for readers."""
    path = project / FILE if project is not None else None
    found = AccountAttributes(path)
    if path is None or not path.exists():
        return found
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        found.refused.append(f"{path}:1: this is not UTF-8: save it as “CSV UTF-8”")
        return found
    reader = csv.DictReader(lines, restkey="", strict=True)
    names = [name.strip() for name in reader.fieldnames or ()]
    if "open_id" not in names or (unknown := set(names) - {*COLUMNS}):
        wrong = f"{', '.join(sorted(unknown))} is unknown" if "open_id" in names else "there is no column open_id"
        found.refused.append(f"{path}:1: {wrong}: the first line names columns of {', '.join(COLUMNS)}")
        return found
    reader.fieldnames = names
    try:
        for row in reader:
            line = reader.line_num
            values = {name: value.strip() for name, value in row.items() if name and value}
            if "" in row or None in row.values():
                found.refused.append(f"{path}:{line}: it has not {len(names)} fields: put texts with commas in quotes")
            elif not (open_id := values.get("open_id")):
                found.refused.append(f"{path}:{line}: open_id is empty: `douyin accounts list` shows it")
            elif open_id in found.rows:
                found.refused.append(f"{path}:{line}: {open_id} is in line {found.rows[open_id][0]}, too: remove one")
            else:
                found.rows[open_id] = (line, values)
    except csv.Error as error:
        found.refused.append(f"{path}:{reader.line_num}: {error}: write it as a spreadsheet does")
    return found
