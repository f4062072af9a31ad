"""Read audiences 人群包: SQL over the warehouse in ``sql/audiences/*.sql``, with one row per person to reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from resources.config.project import files_of
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.warehouse.select_only import NotOneSelect, connect, one_select

NEEDED = ("account", "open_id", "reason")


class BadAudience(ValueError):
    """An unusable audience; the message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person of an audience; ``open_id`` is the person, ``account`` the account that would write.

    ``more`` has further columns, for texts and for the targets of comment replies.
    """

    client_key: str
    account: str
    open_id: str
    reason: str
    more: Mapping[str, Any] = field(default_factory=dict, repr=False)


def audience_files(settings: Settings) -> dict[str, Path]:
    """Return the audience files by name: of the configured folder, or the shipped ones and those of the project."""
    if settings.audiences_dir is not None:
        return {path.name: path for path in sorted(settings.audiences_dir.glob("*.sql"))}
    return files_of("sql/audiences", "*.sql", settings.project)


def read_audience(
    runtime: Runtime, name: str, apps_of: Mapping[str, str], *, needs: tuple[str, ...] = ()
) -> list[Member]:
    """Run the SQL of an audience now; return its people in a stable order, without duplicates.

    Args:
        runtime: settings and warehouse.
        name: name of the audience's file, without the suffix.
        apps_of: client_key by account; other accounts are errors.
        needs: required columns beside account, open_id and reason.

    Raises:
        BadAudience: there is no such file, it is not one SELECT, it fails, a column is missing, an account is unknown,
            or a
        row lacks account, person or reason.
    """
    files = audience_files(runtime.settings)
    path = files.get(f"{name}.sql", (runtime.settings.audiences_dir or Path("sql/audiences")) / f"{name}.sql")
    try:
        query = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadAudience(f"{path}: it is not UTF-8: save it as UTF-8") from error
    except OSError as error:
        known = ", ".join(p.stem for p in files.values()) or "none"
        raise BadAudience(f"{path}: cannot be read ({error.strerror}); there are {known}") from error
    if not runtime.warehouse.path.exists():
        raise BadAudience(f"{path}: there is no warehouse yet: run `douyin run` and `douyin publish` first")
    try:
        with connect(runtime.warehouse.path) as connection:
            found = connection.execute(one_select(connection, query))
            columns = [c[0] for c in found.description]
            rows = found.fetchall()
    except (duckdb.Error, NotOneSelect) as error:
        raise BadAudience(f"{path}: {error}") from error
    if lacking := [c for c in (*NEEDED, *needs) if c not in columns]:
        raise BadAudience(
            f"{path}: the column {', '.join(lacking)} is missing; an audience gives {', '.join((*NEEDED, *needs))}"
        )
    members: dict[tuple, Member] = {}
    for row in rows:
        values = dict(zip(columns, row, strict=True))
        account, open_id, reason = (values.pop(c) for c in NEEDED)
        if not (account and open_id and reason):
            raise BadAudience(f"{path}: a row lacks account, open_id or reason; filter such rows out")
        if (app := apps_of.get(account)) is None:
            raise BadAudience(f"{path}: {account!r} is no account of this installation: see `douyin accounts list`")
        key = (app, account, open_id, *(str(values[c]) for c in needs))
        members.setdefault(key, Member(app, str(account), str(open_id), str(reason), values))
    return [members[key] for key in sorted(members)]
