"""Compute the periods that listings are requested for, and read the period of an archived response.

A daily run requests the last days up to now and, after a break, what lies between them and the newest known instant,
oldest first. A backfill requests whole past days. Its responses carry these days in the archive (:data:`PERIOD`) and
fill their partitions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from catalog.records import BEIJING, Endpoint, beijing_day
from catalog.requests import Param, ParamSource, TimeFormat
from resources.storage.archive import Archive
from resources.storage.segments import ArchiveEntry

PERIOD = "period"
"""Key of a backfilled response's subject for its first and last day, as ``2026-11-01/2026-11-03``.

The request has no such parameter.
"""
OVERLAP_DAYS = 1
"""A run up to now requests this many earlier days again: the platform may list items late."""


@dataclass(frozen=True, slots=True)
class Period:
    """Period of one request; ``until`` is None for the instant of the request."""

    since: datetime
    until: datetime | None = None


def midnight(day: date) -> datetime:
    """Return the beginning of a day in Beijing."""
    return datetime.combine(day, time(), BEIJING)


def period_text(first: date, last: date) -> str:
    """Format the days of a backfilled response."""
    return f"{first}/{last}"


def period_days(entry: ArchiveEntry) -> tuple[date, date] | None:
    """Return the first and last day that a backfill requested; None for responses of daily runs."""
    text = entry.subject.get(PERIOD)
    if text is None:
        return None
    first, last = str(text).split("/")
    return date.fromisoformat(first), date.fromisoformat(last)


def days_of(entry: ArchiveEntry) -> list[date]:
    """Return the partitions that a listing's response fills: its day of observation, or the backfilled days."""
    if (days := period_days(entry)) is None:
        return [beijing_day(entry.began_at)]
    first, last = days
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def longest_period(endpoint: Endpoint) -> int:
    """Return the length in days of the longest period that one request may cover.

    Raises:
        ValueError: the endpoint is not requested by period.
    """
    if endpoint.period_days is None:
        raise ValueError(f"{endpoint.name} is not requested by period")
    return endpoint.period_days


def periods_to_request(
    endpoint: Endpoint, days: tuple[date, date] | None, today: date, known: datetime | None
) -> tuple[Period | None, ...]:
    """Split time into consecutive periods: the backfilled ``days``, or from the ``known`` instant until now.

    Endpoints without periods get one request without a period (None).
    """
    if not endpoint.reaches_back:
        return (None,)
    if days is not None:
        return (Period(midnight(days[0]), midnight(days[1] + timedelta(days=1))),)
    longest = timedelta(days=longest_period(endpoint))
    recent = midnight(today) - longest
    since = known or recent
    found: list[Period] = []
    while since < recent:
        until = min(since + longest, recent)
        found.append(Period(since, until))
        since = until
    return (*found, Period(recent))


# --------------------------------------------------------------------------- periods of archived responses


def requested(endpoint: Endpoint, entry: ArchiveEntry) -> tuple[datetime, datetime]:
    """Return the period from a response's request parameters."""
    since, until = (
        next(p for p in endpoint.params if p.fill is fill) for fill in (ParamSource.SINCE, ParamSource.UNTIL)
    )
    return _instant(since, entry), _instant(until, entry)


def reaches_now(endpoint: Endpoint, entry: ArchiveEntry) -> bool:
    """Return whether a response was requested up to its own instant, and not for a past period."""
    return requested(endpoint, entry)[1] > midnight(beijing_day(entry.began_at))


def backfilled(archive: Archive, endpoint: Endpoint, wanted: Collection[date]) -> dict[date, set[date]]:
    """Map days of observation to those of the ``wanted`` days that backfills requested on them."""
    found: dict[date, set[date]] = {}
    for day in (d for d in archive.days(endpoint.name) if d > min(wanted)) if endpoint.has_past_days else ():
        kinds = {str(e.subject[PERIOD]): e for e in archive.index(endpoint.name, [day]) if PERIOD in e.subject}
        if about := {d for e in kinds.values() for d in days_of(e)}.intersection(wanted):
            found[day] = about
    return found


def covers(spans: Iterable[tuple[datetime, datetime]], day: date) -> bool:
    """Return whether one of some periods includes a whole day."""
    first, end = midnight(day), midnight(day + timedelta(days=1))
    return any(since <= first and until >= end for since, until in spans)


def _instant(param: Param, entry: ArchiveEntry) -> datetime:
    value = int(str(entry.params[param.name]))
    return datetime.fromtimestamp(value / 1000 if param.moment is TimeFormat.MILLISECONDS else value, BEIJING)


def written(param: Param, day: date, instant: datetime | None) -> Any:
    """Format a day or an instant (default: the beginning of the day in Beijing) as the request parameter needs it."""
    if param.moment is TimeFormat.DAY:
        return day.isoformat()
    if param.moment is TimeFormat.COMPACT_DAY:
        return f"{day:%Y%m%d}"
    seconds = int((instant or midnight(day)).timestamp())
    return seconds * 1000 if param.moment is TimeFormat.MILLISECONDS else seconds
