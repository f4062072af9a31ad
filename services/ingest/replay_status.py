"""Update ``load_status`` for a day whose rows were rebuilt without calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from resources.state.load_status import LoadStatus, Outcome
from services.ingest.normalise import NormalisedDay

FROM_ARCHIVE = "from the archive, without a call"
"""Reason of a status that no call of a run produced."""


def status_after_replay(normalised: NormalisedDay, earlier: list[LoadStatus]) -> Iterator[LoadStatus]:
    """Yield the ``load_status`` rows that a replay changes.

    The outcome of the day's calls is history and stays; rows are counted again.
    """
    known = {(s.operation, s.client_key, s.open_id): s for s in earlier}
    rows, quarantined = normalised.landed_by, normalised.quarantined_by
    for key in sorted(known.keys() | rows.keys() | quarantined.keys()):
        operation, app, open_id = key
        before = known.get(key) or LoadStatus(
            normalised.table.name, normalised.dt, operation, app, open_id, Outcome.LOADED, reason=FROM_ARCHIVE
        )
        after = _settled(replace(before, rows=rows[key], quarantined=quarantined[key]), before)
        if key not in known or after != before:
            yield after


def _settled(now: LoadStatus, before: LoadStatus) -> LoadStatus:
    """Return the status that fits the new row counts.

    Replaying can fix parse failures, not fetch failures.
    """
    unread = before.status is Outcome.FAILED and not before.code and before.quarantined and not before.rows
    if now.status is Outcome.LOADED and now.quarantined and not now.rows:
        return replace(now, status=Outcome.FAILED, reason=f"all {now.quarantined} rows are in quarantine")
    if unread and now.rows:
        return replace(now, status=Outcome.LOADED, reason=FROM_ARCHIVE)
    if unread and now.quarantined != before.quarantined:
        return replace(
            now, reason=f"all {now.quarantined} rows are in quarantine" if now.quarantined else "no rows could be read"
        )
    if now.status is not Outcome.LOADED and not now.status.is_missing and now.rows:
        return replace(now, status=Outcome.LOADED, reason=FROM_ARCHIVE)
    return now
