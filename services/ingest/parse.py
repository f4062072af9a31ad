"""Parse one response body as a run would, without touching any data."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson

from catalog import TABLES
from catalog.envelopes import MalformedBody, Verdict, member, read_envelope, read_page
from catalog.errors import ErrorCode, error_for
from catalog.iterations import IterateBy
from catalog.records import BEIJING, Endpoint, History, beijing_day
from catalog.requests import ParamSource
from resources.storage.archive import Archive
from resources.storage.segments import ArchiveEntry
from services.ingest.normalise import NormalisedDay, normalise


@dataclass(frozen=True)
class ParseReport:
    """The envelope's verdict, the resulting action, and per table what would land."""

    verdict: Verdict
    error: ErrorCode
    partitions: list[NormalisedDay]

    @property
    def quarantined(self) -> int:
        """Count the rows that would not land."""
        return sum(p.quarantined for p in self.partitions)

    @property
    def nulled(self) -> int:
        """Count the values that would be null in rows that land."""
        return sum(p.nulled for p in self.partitions)


def parse_body(endpoint: Endpoint, body: bytes, params: Mapping[str, str] | None = None) -> ParseReport:
    """Normalise one response body of ``endpoint``.

    ``params`` are the request's parameters. Parameters that the endpoint needs and that are missing get a placeholder
    in angle brackets.

    Raises:
        MalformedBody: the body is not JSON, or not the platform's.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from error
    verdict = read_envelope(endpoint.envelope, document)
    if verdict.code != 0:
        return ParseReport(verdict, error_for(verdict.code), [])
    page = read_page(endpoint, document, beijing_day(datetime.now(UTC)))
    given = dict(params or {})
    for p in endpoint.params:
        if p.choices:
            given.setdefault(p.name, str(p.choices[0]))
        elif (p.fill in (ParamSource.ACCOUNT, ParamSource.SUBJECT) and p.required) or endpoint.over is IterateBy.INBOX:
            given.setdefault(p.name, f"<{p.name}>")
    observed = _observed_at(endpoint, page.newest)
    with tempfile.TemporaryDirectory(prefix="douyin-parse-") as folder:
        archive = Archive(Path(folder))
        archive.append(
            ArchiveEntry(
                operation=endpoint.name,
                client_key="<client_key>",
                open_id=given.get("open_id", ""),
                params=given,
                subject={},
                slot="",
                sequence="parse",
                page=1,
                began_at=observed,
                observed_at=observed,
                http_status=200,
                code=0,
                logid=verdict.logid,
                items=page.items,
                newest=page.newest,
                whole=not page.has_more,
            ),
            body,
        )
        archive.flush()
        found = [normalise(archive, TABLES[t], _days(endpoint, document, observed, t)) for t in endpoint.tables]
    return ParseReport(verdict, error_for(0), [p for days in found for p in days.values()])


def _observed_at(endpoint: Endpoint, newest: str | None) -> datetime:
    """Return the current time; for a series, the morning after its newest day, when a T+1 run would see it."""
    if endpoint.windows and newest:
        try:
            day = date.fromisoformat(newest) + timedelta(days=1)
        except ValueError:
            pass  # the normaliser reports it
        else:
            return datetime(day.year, day.month, day.day, 11, tzinfo=BEIJING).astimezone(UTC)
    return datetime.now(UTC)


def _days(endpoint: Endpoint, document: object, observed: datetime, table: str) -> list[date]:
    today = beijing_day(observed)
    if TABLES[table].history is not History.WINDOW:
        return [TABLES[table].latest_partition(today)]
    reach = max(endpoint.windows)
    rows = member(document, endpoint.outputs[0].rows)
    sent = {str(r["date"]) for r in rows if isinstance(r, dict) and "date" in r} if isinstance(rows, list) else set()
    near = [today - timedelta(days=n) for n in range(1, reach + 1)]
    return [d for d in near if d.isoformat() in sent] or [today - timedelta(days=1)]
