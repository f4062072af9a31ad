"""Copy webhook events from the inbox to the archive; there are no API calls, all else is as for responses.

The archive's own index decides what is missing: a second run appends nothing, and an interrupted run continues.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from catalog.events import EVENT_NAMES, OTHER_EVENTS, event_name
from catalog.records import Endpoint, beijing_day
from resources.runtime import Runtime
from resources.state.inbox import Event, ids_received_on, read_events, receiving_since
from resources.state.load_status import Outcome
from resources.storage.segments import ArchiveEntry
from services.ingest.outcomes import SubjectResult

_NO_RECEIVER = SubjectResult(Outcome.NOT_ASKED, None, "no receiver ever ran for this app: `douyin receive`")
_AT_A_TIME = 2_000
"""Bodies in memory at a time."""


def drain(
    runtime: Runtime, endpoints: Iterable[Endpoint], dts: Iterable[date]
) -> dict[str, dict[tuple[str, date], SubjectResult]]:
    """Append the events of some days to the archive; return the outcome by endpoint name, app and day.

    Days before the first receiver and future days have no outcome: they are unknown. If no receiver ever ran for an
    app, events are not expected, and the outcome is no failure.
    """
    results: dict[str, dict[tuple[str, date], SubjectResult]] = {}
    endpoints, today = list(endpoints), runtime.clock.today()
    with runtime.filling("inbox"):  # tables share endpoints: two runs at once would both append
        for app in runtime.app_keys:
            since = receiving_since(runtime.state, app)
            if since is None:
                for endpoint in endpoints:
                    results.setdefault(endpoint.name, {}).update({(app, dt): _NO_RECEIVER for dt in dts})
                continue
            for dt in dts:
                if not beijing_day(since) <= dt <= today:
                    continue
                for endpoint in endpoints:
                    results.setdefault(endpoint.name, {})[app, dt] = _drain(runtime, endpoint, app, dt)
        runtime.archive.flush()
    return results


def event_names(endpoint: Endpoint) -> tuple[str | None, frozenset[str]]:
    """Return the name of an endpoint's events, None for those of no other endpoint, and the names of all others."""
    return None if endpoint is OTHER_EVENTS else event_name(endpoint), EVENT_NAMES


def _drain(runtime: Runtime, endpoint: Endpoint, app: str, dt: date) -> SubjectResult:
    have = {e.params["event_id"] for e in runtime.archive.index(endpoint.name, [dt]) if e.client_key == app}
    ids = ids_received_on(runtime.state, app, dt, *event_names(endpoint))
    missing = [i for i, event_id in ids.items() if event_id not in have]
    for start in range(0, len(missing), _AT_A_TIME):
        for event in read_events(runtime.state, missing[start : start + _AT_A_TIME]):
            runtime.archive.append(_entry(endpoint, event), event.body)
    if ids or have:
        return SubjectResult(Outcome.LOADED, 0)
    return SubjectResult(Outcome.EMPTY, 0, "no such event came")


def _entry(endpoint: Endpoint, event: Event) -> ArchiveEntry:
    params = {"event_id": event.event_id}
    return ArchiveEntry(
        operation=endpoint.name,
        client_key=event.client_key,
        open_id="",
        params=params,
        subject=params,
        slot=endpoint.cadence.slot(event.received_at).isoformat(),
        sequence=event.event_id,
        page=1,
        began_at=event.received_at,
        observed_at=event.received_at,
        http_status=200,
        code=0,
        logid=None,
        items=1,
    )
