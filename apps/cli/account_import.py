"""Read accounts with their tokens from a file of another system."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.cli.console import fail, read_text


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """One account of another system."""

    client_key: str
    token: Any
    name: str | None
    tags: frozenset[str]


_NEEDED = ("open_id", "access_token", "access_expires_at", "refresh_token", "refresh_expires_at")


def read_rows(file: Path) -> list[tuple[str, dict[str, Any]]]:
    """Read the rows of a CSV or JSON file, each with its place in the file. An unreadable file ends the command."""
    text = read_text(file)
    try:
        if file.suffix == ".json":
            found = json.loads(text)
            if not isinstance(found, list):
                fail(f"{file}: expected a list of objects", 2)
            return [(f"object {n}", row if isinstance(row, dict) else {}) for n, row in enumerate(found, 1)]
        return [(f"line {n}", dict(row)) for n, row in enumerate(csv.DictReader(text.splitlines()), 2)]
    except (ValueError, csv.Error, RecursionError) as error:
        fail(f"cannot read {file}: {error}", 2)


def read_account(row: dict[str, Any], default_app: str | None, known_apps: set[str], now: datetime) -> ImportSummary:
    """Parse one row as an account.

    Raises:
        ValueError: what is missing or wrong; the message never contains a token.
    """
    from resources.state.tokens import UserToken

    values = {k: str(v).strip() for k, v in row.items() if k and v is not None and str(v).strip()}
    if missing := [name for name in _NEEDED if name not in values]:
        raise ValueError(f"{', '.join(missing)}: missing")
    client_key = values.get("client_key", default_app)
    if client_key is None:
        raise ValueError("client_key: missing, and there are several apps (or none): name one with --app")
    if client_key not in known_apps:
        raise ValueError(f"client_key: {client_key!r} is no app of this installation")
    access, refresh = (_instant(values[name], name) for name in ("access_expires_at", "refresh_expires_at"))
    if refresh <= now:
        raise ValueError("refresh_expires_at: it is over; the owner must authorise again")
    renewals = values.get("renewals", "0")
    if not renewals.isdecimal() or int(renewals) > 5:
        raise ValueError("renewals: expected 0 to 5")
    token = UserToken(
        values["open_id"],
        values["access_token"],
        access,
        values["refresh_token"],
        refresh,
        int(renewals),
        values.get("scope", ""),
        now,
    )
    return ImportSummary(client_key, token, values.get("name"), frozenset(values.get("tags", "").split()))


def _instant(text: str, name: str) -> datetime:
    try:
        found = (
            datetime.fromtimestamp(float(text), UTC)
            if text.replace(".", "", 1).isdecimal()
            else datetime.fromisoformat(text)
        )
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{name}: expected ISO 8601 with a zone or epoch seconds") from error
    if found.tzinfo is None:
        raise ValueError(f"{name}: the zone is missing, e.g. 2026-11-16T10:30:00+08:00")
    return found
