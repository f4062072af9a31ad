"""Pass bodies through archive and normaliser as a run does, without a platform."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from catalog import TABLES
from catalog.records import Endpoint, History, Parse
from resources.client.exchange import Exchange
from resources.client.recorder import SEQUENCE, Recorder, Sequence
from resources.storage.archive import Archive
from resources.storage.lake import Lake
from services.ingest.normalise import NormalisedDay, land, normalise

AT = datetime(2026, 11, 16, 3, 0, tzinfo=UTC)
"""A Monday."""
TODAY = date(2026, 11, 16)


def reach_of(endpoint: Endpoint) -> int:
    """Return how many days a series goes back; 30 for other endpoints."""
    return max(endpoint.windows, default=30)


def params_of(endpoint: Endpoint, n: int) -> dict[str, Any]:
    """Return the parameters of the ``n``-th request, each with its own subject."""
    numbers = {c.path for o in endpoint.outputs for c in o.columns if c.parse is Parse.INT}
    params: dict[str, Any] = {}
    for p in endpoint.params:
        if p.fill == "window":
            params[p.name] = reach_of(endpoint)
        elif p.fill == "since" and endpoint.windows:
            params[p.name] = str(TODAY - timedelta(days=reach_of(endpoint)))
        elif p.fill == "until" and endpoint.windows:
            params[p.name] = str(TODAY - timedelta(days=1))
        elif p.fill not in ("left_out", "token"):
            params[p.name] = p.const or (n if p.name in numbers else f"{p.name} {n}")
    return params


def through_the_archive(
    endpoint: Endpoint, bodies: list[bytes], folder: Path, begun: datetime = AT
) -> dict[str, dict[date, NormalisedDay]]:
    """Archive bodies as a run does and normalise all tables of the endpoint over all days.

    Bodies come one a second, for one account each.
    """
    archive = Archive(folder / "archive")
    recorder = Recorder(archive)
    for n, body in enumerate(bodies):
        at = begun + timedelta(seconds=n)
        recorder.record(
            Exchange(
                operation=endpoint.name,
                client_key="app",
                open_id=f"open_id {n}",
                params=params_of(endpoint, n),
                sent_at=at,
                observed_at=at,
                http_status=200,
                body=body,
                document=orjson.loads(body),
                code=0,
                logid="x",
                attempt=1,
                tag={SEQUENCE: Sequence(at, {})},
            )
        )
    archive.flush()
    series = [TODAY - timedelta(days=n) for n in range(1, reach_of(endpoint) + 1)]
    return {
        t: normalise(archive, TABLES[t], series if TABLES[t].history is History.WINDOW else [TODAY])
        for t in endpoint.tables
    }


def hold_partition(lake: Lake, dt: date, part: NormalisedDay) -> None:
    """Check the invariants of a partition, and that it lands unchanged.

    They are: its own day, each key once, no null key, reasons, counts by account.
    """
    name = part.table.name
    assert part.rows["dt"].to_pylist() == [dt] * part.rows.num_rows
    key = ["dt", *part.table.primary_key]
    assert part.rows.group_by(key).aggregate([]).num_rows == part.rows.num_rows
    assert all(part.rows[column].null_count == 0 for column in part.table.not_null)
    assert all(part.quarantine["reason"].to_pylist())
    assert sum(part.landed_by.values()) == part.rows.num_rows
    assert sum(part.quarantined_by.values()) == part.quarantined
    assert part.quarantined + part.nulled == part.quarantine.num_rows
    assert set(part.quarantine["column_name"].to_pylist()) <= {None, *part.table.columns}
    land(lake, part)
    if part.is_answered:
        assert lake.read(name, dt).equals(part.rows)
