"""List subjects from the rows of an upstream table, and explain accounts without rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from resources.state.load_status import Outcome
from services.ingest.fetch_context import FetchContext, Subject, UpstreamMissing
from services.ingest.outcomes import SubjectResult


def outcome_of_upstream(
    context: FetchContext, table: str, error: Exception | None, day: date | None = None
) -> list[Subject]:
    """Return the outcome of a missing upstream partition of today, or of a past day.

    Raises:
        UpstreamMissing: it was never requested.
    """
    if (unavailability := context.unavailability()) is not None:
        return [Subject(known_outcome=unavailability)]
    today = context.today
    day = today if day is None else min(day, today)
    is_past = day < today
    statuses = context.statuses(table, day)
    if not statuses and is_past:
        return [
            Subject(
                known_outcome=SubjectResult(
                    Outcome.FAILED, None, f"`{table}` of {day} are not loaded: backfill `{table}` first"
                )
            )
        ]
    if not statuses:
        raise UpstreamMissing(f"today's `{table}` are not loaded: materialise `{table}` first") from error
    worst = min(statuses, key=lambda s: (not s.status.is_failure, not s.status.is_missing))
    outcome = worst.status if worst.status.is_missing else Outcome.NOT_ASKED
    return [
        Subject(
            known_outcome=SubjectResult(
                outcome, worst.code, f"`{table}` has nothing to go through: {worst.reason or worst.status}"
            )
        )
    ]


def rows_of_accounts(context: FetchContext, active: list[str]) -> list[Subject]:
    """List the subjects that today's rows of a table name.

    If past days have their own subjects, those of the wanted days are listed.
    """
    if not context.iteration.by_day:
        return _rows_of_day(context, active, context.today)
    subjects = []
    for day in context.dts:
        found = _rows_of_day(context, active, day)
        subjects += [replace(s, since=day) if day == context.today else replace(s, days=(day, day)) for s in found]
    return subjects


def _rows_of_day(context: FetchContext, active: list[str], day: date) -> list[Subject]:
    iteration, table = context.iteration, context.iteration.table
    assert table is not None, f"{context.endpoint.over} iterates over no table"
    names = [column for _, column in iteration.columns]
    keep = [condition[0] for condition in (iteration.at_least, iteration.among) if condition]
    try:
        rows = context.rows(table, day, dict.fromkeys(("open_id", *names, *keep)))
    except FileNotFoundError as error:
        return outcome_of_upstream(context, table, error, day)
    if iteration.at_least:
        rows = rows.filter(pc.greater_equal(rows[iteration.at_least[0]], iteration.at_least[1]))
    if iteration.among:
        rows = rows.filter(pc.is_in(rows[iteration.among[0]], pa.array(iteration.among[1])))
    found: dict[str, set[tuple]] = {}
    for row in rows.group_by(["open_id", *names]).aggregate([]).to_pylist():
        values = tuple(row[n] for n in names)
        if None not in values and values != (row["open_id"],):  # an account is not its own subject
            found.setdefault(row["open_id"], set()).add(values)
    upstream = Upstream(context, table, day)
    params = [param for param, _ in iteration.columns]
    subjects = []
    for open_id in active:
        named = sorted(found.get(open_id, ()))
        subjects += [Subject(open_id, dict(zip(params, v, strict=True))) for v in named] or [upstream.of(open_id)]
    return subjects


class Upstream:
    """Outcomes of accounts without rows in the upstream table: the worst one of its operations."""

    def __init__(self, context: FetchContext, table: str, day: date) -> None:
        self._named = f"today's `{table}`" if day == context.today else f"`{table}` of {day}"
        self._table = table
        # Several operations may fill the table: a failure explains best why an account has no rows.
        statuses = sorted(context.statuses(table, day), key=lambda s: (s.status.is_missing, s.status.is_failure))
        self._by_account = {s.open_id: s for s in statuses}

    def known(self, open_id: str) -> SubjectResult | None:
        """Return why the account has no rows, or None if that is not known."""
        own = self._by_account.get(open_id)
        status = own or self._by_account.get("")
        if status is not None and status.status.is_missing:
            return SubjectResult(status.status, status.code, f"its `{self._table}` could not be had: {status.reason}")
        if own is not None and own.status is Outcome.NOT_ASKED:
            return SubjectResult(Outcome.NOT_ASKED, None, own.reason)
        return None

    def of(self, open_id: str) -> Subject:
        """Return the subject that stands for an account without rows, with its outcome."""
        return Subject(
            open_id,
            known_outcome=self.known(open_id) or SubjectResult(Outcome.EMPTY, None, f"nothing in {self._named}"),
        )
