"""Describe what is fetched: one endpoint, one app, the partitions, and the subjects that are requested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from catalog.iterations import ITERATIONS, SubjectSource
from catalog.records import Endpoint
from catalog.requests import ParamSource
from resources.runtime import Runtime
from resources.state.load_status import LoadStatus, read_load_status
from services.capabilities.standing import Standing
from services.ingest.outcomes import SubjectResult
from services.ingest.periods import PERIOD, period_text
from services.ingest.rows import WEEK


class UpstreamMissing(LookupError):
    """The table that the endpoint iterates over is not loaded, but could be; the message says what to do."""


@dataclass(frozen=True)
class Subject:
    """One thing to request.

    - ``params`` are its request parameters.
    - ``since`` is its first day, if it has one.
    - ``last`` is the last day of a subject that is too old to be requested: only the archive has its days.
    - ``week`` is the Monday of the partition that a versioned response fills.
    - ``until`` is the creation time of the newest row that is certainly known: reading of a listing, newest first,
      stops there.
    """

    open_id: str = ""
    params: Mapping[str, str | int] = field(default_factory=dict)
    since: date | None = None
    last: date | None = None
    known_outcome: SubjectResult | None = None
    """Its outcome, if it needs no request; it is then not requested."""
    week: date | None = None
    until: datetime | None = None
    days: tuple[date, date] | None = None
    """First and last of the past days that a backfill requests from a listing."""

    @property
    def named(self) -> dict[str, str | int]:
        """Return what identifies it in the archive."""
        more = {WEEK: self.week.isoformat()} if self.week else {PERIOD: period_text(*self.days)} if self.days else {}
        return {**self.params, **more}

    @property
    def key(self) -> tuple:
        """Return its key in the archive's index: the account and what identifies it, without the period."""
        return (self.open_id, *sorted(item for item in self.named.items() if item[0] != PERIOD))


@dataclass(frozen=True)
class FetchContext:
    """One endpoint, one app, and the partitions to fetch."""

    runtime: Runtime
    client_key: str
    endpoint: Endpoint
    dts: tuple[date, ...]

    @property
    def today(self) -> date:
        """Return today's date in Beijing."""
        return self.runtime.clock.today()

    @property
    def iteration(self) -> SubjectSource:
        """Return what the endpoint iterates over."""
        return ITERATIONS[self.endpoint.over]

    @property
    def subject_param(self) -> str:
        """Return the name of the request parameter that takes the subject."""
        return next(p.name for p in self.endpoint.params if p.fill is ParamSource.SUBJECT)

    def rows(self, table: str, day: date, columns: Iterable[str]) -> pa.Table:
        """Read the app's rows of one partition.

        Raises:
            FileNotFoundError: there is no such partition.
        """
        rows = self.runtime.lake.read(table, day)
        return rows.filter(pc.equal(rows["client_key"], self.client_key)).select(list(columns))

    def statuses(self, table: str, day: date) -> list[LoadStatus]:
        """Read the app's load statuses of one partition."""
        found = read_load_status(self.runtime.state, table=table, dts=[day])
        return [s for s in found if s.client_key == self.client_key]

    def unavailability(self) -> SubjectResult | None:
        """Return the outcome if the app cannot have what the endpoint iterates over, or None if it can."""
        lack = Standing(self.runtime, self.client_key).lack_of_endpoint(self.endpoint)
        return None if lack is None else SubjectResult(lack.outcome, lack.code, str(lack))
