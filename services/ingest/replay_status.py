"""What ``load_status`` says of a day whose rows were made again without asking for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from resources.state.load_status import LoadStatus, Outcome
from services.ingest.normalise import NormalisedDay

FROM_ARCHIVE = "from the archive, without a call"
"""Reason of a line that no call of a run stands behind."""


def status_after_replay(normalised: NormalisedDay, earlier: list[LoadStatus]) -> Iterator[LoadStatus]:
    """The lines of ``load_status`` that a replay changes.

    What became of the calls of that day is history and stays; rows are counted anew.
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
    """The outcome that goes with other rows.

    The archive alone cannot mend what could not be had, only what could not be read.
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
